"""What CURL of the dialplan asks other servers: the HTTP client, as the dialplan needs it."""

from __future__ import annotations

import base64
import ssl

import arietta
from arietta.dialplan.ports import WebFailed, WebOptions
from arietta.http.download import Answer, DownloadFailed, DownloadOptions, download

MAX_BYTES = 65536


class _Body:
    """Takes an answer."""

    def __init__(self) -> None:
        self.data = bytearray()

    def begins(self, answer: Answer) -> None:
        self.data.clear()

    async def take(self, piece: bytes) -> None:
        self.data += piece


async def ask(url: str, body: bytes | None, options: WebOptions) -> bytes:
    """The body of the answer; WebFailed if there is none, or one of a status that counts as failure."""
    headers = {"Accept": "*/*", **options.headers}
    if options.credentials:
        headers["Authorization"] = f"Basic {base64.b64encode(options.credentials.encode()).decode()}"
    taken = _Body()
    try:
        answer = await download(url, taken, headers, _download_options(body, options))
    except DownloadFailed as failure:
        raise WebFailed(str(failure)) from failure
    if answer.status in options.failures:
        raise WebFailed(f"the server answered {answer.status}")
    return bytes(taken.data)


def _download_options(body: bytes | None, options: WebOptions) -> DownloadOptions:
    return DownloadOptions(
        user_agent=f"Arietta/{arietta.__version__}",
        timeout_ms=options.seconds * 1000,
        idle_ms=options.connect_seconds * 1000,
        max_redirects=options.max_redirects if options.follow else 0,
        max_bytes=MAX_BYTES,
        tls=None if options.verify else _trusting(),
        body=body,
        every_status=True,
    )


def _trusting() -> ssl.SSLContext:
    """TLS with whoever answers, as ``CURLOPT(ssl_verifypeer)=0`` wants it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
