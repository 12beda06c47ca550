"""Sounds of other servers come by HTTP: what the media part must not know of the HTTP part."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import arietta
from arietta.config.http_media_cache import PROTOCOLS, MediaCacheSettings
from arietta.http.download import DownloadFailed, DownloadOptions, download
from arietta.media.remote import Fetch, Fetched, FetchedBy, RemoteFailed


def fetch_with(settings: Callable[[], MediaCacheSettings]) -> Fetch:
    """Fetch sounds as the settings of the moment say."""

    async def fetch(url: str, receiver: FetchedBy, headers: Mapping[str, str]) -> Fetched:
        try:
            return await download(url, receiver, headers, _options(settings()))
        except DownloadFailed as failure:
            raise RemoteFailed(str(failure)) from None

    return fetch


def _options(settings: MediaCacheSettings) -> DownloadOptions:
    return DownloadOptions(
        user_agent=settings.user_agent or f"Arietta/{arietta.__version__}",
        timeout_ms=settings.timeout_secs * 1000,
        max_redirects=settings.max_redirects if settings.follow_location else 0,
        schemes=settings.protocols or PROTOCOLS,
        redirect_schemes=settings.redirect_protocols or PROTOCOLS,
    )
