"""Which handler answers which part of the URI space; what nobody answers is 404."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping

from arietta.http.messages import Answer, Handler, Request, Response, html_page


class MountTable:
    """Handlers by path prefix: a mount at `/ari` answers `/ari` and everything below `/ari/`.

    `prefix` (http.conf) stands before every mount and redirect. The longest mount wins. `redirects` map whole
    paths to targets, answered with 302.
    """

    def __init__(
        self,
        mounts: Mapping[str, Handler],
        prefix: str = "",
        redirects: Mapping[str, str] | None = None,
    ) -> None:
        prefix = normalized_prefix(prefix)
        self.prefix = prefix
        self._mounts = sorted(
            ((prefix + path, prefix + path + "/", len(prefix + path), handler) for path, handler in mounts.items()),
            key=lambda mount: -mount[2],
        )
        self._by_segment = {mount: (length, handler) for mount, _, length, handler in self._mounts}
        # With one segment each, no mount lies in another one: what a path begins with names its mount.
        self._are_segments = not prefix and all(mount.rfind("/") == 0 for mount in self._by_segment)
        self._redirects = {prefix + path: target for path, target in (redirects or {}).items()}

    @property
    def paths(self) -> tuple[str, ...]:
        """Where something is mounted, with the prefix."""
        return tuple(sorted(mount[0] for mount in self._mounts))

    def handle(self, request: Request) -> Answer | Awaitable[Answer]:
        """Pass the request on, with `rest` set to what follows the mount."""
        path = request.path
        if self._are_segments:
            end = path.find("/", 1)
            found = self._by_segment.get(path[:end] if end > 0 else path)
            if found is not None:
                request.rest = path[found[0] :]
                return found[1].handle(request)
        else:
            for mount, below, length, handler in self._mounts:
                if path.startswith(below) or path == mount:
                    request.rest = path[length:]
                    return handler.handle(request)
        target = self._redirects.get(path)
        if target is not None:
            return html_page(302, f"The resource is at {target}", (("Location", target),))
        return not_found()

    def refuse(self, request: Request, status: int, message: str) -> Response:
        """Let the handler of the path word the refusal."""
        for mount, below, _, handler in self._mounts:
            if request.path.startswith(below) or request.path == mount:
                return handler.refuse(request, status, message)
        return html_page(status, message)


class HtmlRefusals:
    """The refusals of handlers that speak HTML."""

    def refuse(self, request: Request, status: int, message: str) -> Response:
        """A refusal of the HTTP layer as a page."""
        return html_page(status, message)


def not_found() -> Response:
    """404 of the layer below ARI."""
    return html_page(404, "The requested URL was not found on this server.")


def method_not_allowed(allow: str) -> Response:
    """405 of the layer below ARI (RFC 9110 15.5.6)."""
    return html_page(405, f"This resource allows {allow} only.", (("Allow", allow),))


def normalized_prefix(prefix: str) -> str:
    """A prefix with one slash before it and none behind; empty when there is none."""
    prefix = prefix.strip().strip("/")
    return f"/{prefix}" if prefix else ""
