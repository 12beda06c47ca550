"""Cross-origin requests, as far as ARI answers them (Fetch standard, HTTP CORS protocol)."""

from __future__ import annotations

from arietta.http.messages import HeaderLines, Request


def cors_headers(request: Request, allowed_origins: frozenset[str]) -> HeaderLines:
    """What every answer to an allowed origin carries; nothing for other origins.

    Origins are compared with their case. `*` in the list allows every origin.
    """
    origin = request.headers.origin
    if origin is None or (origin not in allowed_origins and "*" not in allowed_origins):
        return ()
    return (
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
    )


def preflight_headers(request: Request, allow: str, methods: tuple[str, ...]) -> HeaderLines:
    """What a preflight for a method the resource has is told; nothing if it has not (names with their case)."""
    wanted = request.headers.get("access-control-request-method")
    if wanted is None or wanted not in methods:
        return ()
    headers: HeaderLines = (("Access-Control-Allow-Methods", allow),)
    asked = request.headers.get("access-control-request-headers")
    if asked is not None:
        headers += (("Access-Control-Allow-Headers", asked),)
    return headers
