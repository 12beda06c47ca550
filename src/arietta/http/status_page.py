"""The page `/httpstatus`: what this HTTP server is and where it listens."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from arietta.http.messages import HTML, Request, Response
from arietta.http.mounts import HtmlRefusals, method_not_allowed, not_found
from arietta.http.server import HttpServer


class StatusPage(HtmlRefusals):
    """Answers GET with a table; `server` is set once there is one."""

    def __init__(self, prefix: str, uris: Sequence[str] = ()) -> None:
        self.server: HttpServer | None = None
        self._prefix = prefix
        self._uris = uris

    def handle(self, request: Request) -> Response:
        """Answer the page itself; there is nothing below it."""
        if request.rest:
            return not_found()
        if request.method != "GET":
            return method_not_allowed("GET")
        return Response(200, self._page().encode(), HTML)

    def _page(self) -> str:
        rows = [("Prefix", self._prefix)]
        server = self.server
        if server is not None:
            counters = server.counters
            rows += [
                ("Server", server.options.server_name),
                *(("TLS address" if a.tls else "Address", str(a)) for a in server.addresses),
                ("Session limit", str(server.options.session_limit)),
                ("Session inactivity", f"{server.options.session_inactivity_ms} ms"),
                ("Session keep-alive", f"{server.options.session_keep_alive_ms} ms"),
                ("Open sessions", str(server.session_count)),
                ("Open WebSockets", str(server.websocket_count)),
                ("Connections so far", str(counters.connections)),
                ("Refused connections", str(counters.refused_connections)),
                ("Requests so far", str(counters.requests)),
                ("WebSockets so far", str(counters.websockets)),
                ("Aborted WebSockets", str(counters.websockets_aborted)),
            ]
        rows += [("URI", uri) for uri in self._uris]
        table = "\n".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
        return (
            "<!DOCTYPE html>\n<html><head><title>HTTP status</title></head>\n"
            f"<body><h1>HTTP status</h1><table>\n{table}\n</table></body></html>\n"
        )
