"""The HTTP server of a server: who may come, where it listens, what answers which path."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import arietta
from arietta.config.references import resolve
from arietta.config.tree import Config
from arietta.http import (
    AclRule,
    AriFront,
    FrontOptions,
    Handler,
    HttpOptions,
    HttpServer,
    MountTable,
    Pages,
    StaticFiles,
    StatusPage,
    User,
    Users,
    WebSocketOptions,
    tls_context,
)
from arietta.server.audio import PACKAGE_DATA
from arietta.server.media_sockets import MediaMount
from arietta.server.metrics import MetricsPage
from arietta.server.sip_sockets import SipMount, has_sockets
from arietta.server.tls import restrict

if TYPE_CHECKING:
    from arietta.server.server import Server

log = logging.getLogger(__name__)

DEFAULT_HTTP_PORT, DEFAULT_HTTPS_PORT = 8088, 8089


class HttpFront:
    """The HTTP server with all that it serves: `server` is what carries it, `ari` the front of the REST interface."""

    def __init__(self, server: Server, config: Config) -> None:
        self._parts = server
        self.ari = AriFront(server.ari, _users(config), _front_options(config), Pages(PACKAGE_DATA / "docs"))
        self.metrics = MetricsPage(server, config.prometheus)
        self._status_page = StatusPage(config.http.prefix)
        self.server = self._status_page.server = HttpServer(self._mounts(config), _http_options(config))
        self._tls: ssl.SSLContext | None = None

    async def start(self, config: Config) -> None:
        """Listen; OSError names what cannot be bound."""
        http = config.http
        if http.tlsenable:
            certificate, key = _https_files(config)
            bind = http.tlsbindaddr
            host = bind.host if bind is not None else (http.bindaddr or "127.0.0.1")
            port = bind.port if bind is not None and bind.port else DEFAULT_HTTPS_PORT
            self._tls = restrict(tls_context(certificate, key), http)
            await self._listen_on(host, port, self._tls)
        if http.enabled and http.bindaddr is not None:  # the last, since a ping to it shows that all are there
            await self._listen_on(http.bindaddr, http.bindport or DEFAULT_HTTP_PORT, None)

    async def _listen_on(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        try:
            await self.server.start(host, port, tls)
        except OSError as problem:
            raise OSError(f"HTTP cannot listen on {host}:{port}: {problem.strerror or problem}") from problem

    def configure(self, former: Config, config: Config) -> list[str]:
        """Take new settings of http.conf; returns what needs a restart, or cannot be."""
        self.server.configure(_http_options(config))
        notes = self._renew_certificate(config)
        if _listeners(config) != _listeners(former):
            notes.append("http.conf: addresses, TLS or what is served have changed, which needs a restart")
        return notes

    def configure_ari(self, config: Config) -> None:
        """Take new settings of ari.conf."""
        self.ari.users = _users(config)
        self.ari.options = _front_options(config)

    def _renew_certificate(self, config: Config) -> list[str]:
        """Read the certificate anew, for connections from now on; says why it cannot be used."""
        if self._tls is None or not config.http.tlsenable:
            return []
        certificate, key = _https_files(config)
        try:
            tls_context(certificate, key)  # two that do not fit would be half taken
            self._tls.load_cert_chain(certificate, key)
        except OSError as problem:
            log.error("http.conf: certificate %s cannot be used, the former one stays: %s", certificate, problem)
            return [f"http.conf: certificate {certificate} cannot be used: {problem}"]
        return []

    def _mounts(self, config: Config) -> MountTable:
        parts = self._parts
        mounts: dict[str, Handler] = {"/media": MediaMount(parts.websockets)}
        if has_sockets(config):
            mounts["/ws"] = SipMount(parts.sip.transports)
        if config.ari.general.enabled:
            mounts["/ari"] = self.ari
        mounts.update(parts.manager.mounts())
        if config.http.enable_status:
            mounts["/httpstatus"] = self._status_page
        if config.prometheus.enabled:
            mounts[config.prometheus.path] = self.metrics
        if config.http.enable_static:
            mounts["/static"] = StaticFiles(config.directories.data / "static-http")
        redirects = dict(line.split(None, 1) for line in config.http.redirect if len(line.split(None, 1)) == 2)
        return MountTable(mounts, config.http.prefix, redirects)


def _users(config: Config) -> Users:
    return Users(
        User(
            name=user.name,
            password=user.password,
            password_format="crypt" if user.password_format == "crypt" else "plain",
            read_only=user.read_only,
            acls=tuple(
                tuple(AclRule(rule.permit, rule.network) for rule in rules)
                for rules in (user.access, *(config.acls[name].access for name in user.acl))
                if rules  # to look at an address costs more than the rest of a small request's rules
            ),
        )
        for user in config.ari.users.values()
    )


def _front_options(config: Config) -> FrontOptions:
    general = config.ari.general
    return FrontOptions(
        realm=general.auth_realm,
        allowed_origins=frozenset(general.allowed_origins),
        pretty=general.pretty,
    )


def _http_options(config: Config) -> HttpOptions:
    http = config.http
    return HttpOptions(
        server_name=http.servername if "servername" in http.set_at else f"Asterisk/Arietta-{arietta.__version__}",
        session_limit=http.sessionlimit,
        session_inactivity_ms=http.session_inactivity,
        session_keep_alive_ms=http.session_keep_alive,
        websocket=WebSocketOptions(write_timeout_ms=config.ari.general.write_timeout_ms),
    )


def _listeners(config: Config) -> tuple[object, ...]:
    http = config.http
    return (
        *(http.enabled, http.bindaddr, http.bindport, http.prefix, http.enable_status, http.enable_static),
        *(
            http.redirect,
            http.tlsenable,
            http.tlsbindaddr,
            http.tlscipher,
            http.tlsdisablev12,
            http.tlsservercipherorder,
        ),
    )


def _https_files(config: Config) -> tuple[Path, Path | None]:
    """The certificate of HTTPS, and its key where that has a file of its own."""
    http = config.http
    return resolve(config, http.tlscertfile), resolve(config, http.tlsprivatekey) if http.tlsprivatekey else None
