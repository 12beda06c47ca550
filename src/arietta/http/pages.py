"""A few pages that come with the program: read once, served from memory."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from arietta.http.messages import Request, Response
from arietta.http.mounts import HtmlRefusals, method_not_allowed, not_found

INDEX = "index.html"
POLICY = (
    (
        "Content-Security-Policy",
        "default-src 'self'; img-src 'self' data:; media-src blob:; connect-src 'self' ws: wss:",
    ),
    ("X-Content-Type-Options", "nosniff"),
)
"""They load nothing from elsewhere and run nothing but their own script."""


class Pages(HtmlRefusals):
    """The files of one folder; its path itself leads to `index.html`."""

    def __init__(self, folder: Path) -> None:
        """Reads every file; raises OSError."""
        self._pages = {
            path.name: Response(200, path.read_bytes(), _content_type(path), POLICY)
            for path in sorted(folder.iterdir())
            if path.is_file()
        }

    def handle(self, request: Request) -> Response:
        """Answer GET and HEAD of a page."""
        if request.method not in ("GET", "HEAD"):
            return method_not_allowed("GET,HEAD")
        if not request.rest:
            place = request.path.rpartition("/")[2] + "/"  # relative, whatever stands before this server
            return Response(302, headers=(("Location", place),))
        name = "/".join(request.segments) or INDEX
        return self._pages.get(name) or not_found()


def _content_type(path: Path) -> str:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
