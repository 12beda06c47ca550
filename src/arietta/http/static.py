"""Files under `/static` (http.conf: enable_static)."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Awaitable
from pathlib import Path

from arietta.http.messages import Request, Response, html_page
from arietta.http.mounts import HtmlRefusals, method_not_allowed, not_found

MAX_FILE_BYTES = 64 << 20


class StaticFiles(HtmlRefusals):
    """Serves the regular files below one folder; links that lead out of it do not exist.

    No ETag and no ranges: every answer of this server says no-store.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def handle(self, request: Request) -> Response | Awaitable[Response]:
        """Read the file in a thread."""
        if request.method not in ("GET", "HEAD"):
            return method_not_allowed("GET,HEAD")
        segments = request.segments
        if not segments or any(_is_unsafe(segment) for segment in segments):
            return not_found()
        return asyncio.to_thread(self._read, segments)

    def _read(self, segments: tuple[str, ...]) -> Response:
        try:
            path = self._folder.joinpath(*segments).resolve(strict=True)
            if not path.is_relative_to(self._folder) or not path.is_file():
                return not_found()
            size = path.stat().st_size
            if size > MAX_FILE_BYTES:
                return html_page(403, f"{path.name} has {size} bytes; the limit is {MAX_FILE_BYTES}.")
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            return Response(200, path.read_bytes(), kind)
        except (OSError, ValueError, RuntimeError):  # RuntimeError: a ring of links
            return not_found()


def _is_unsafe(segment: str) -> bool:
    return segment in ("", ".", "..") or "/" in segment or "\\" in segment or "\0" in segment
