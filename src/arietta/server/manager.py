"""The manager interface in a server: what its actions need of the parts, its listeners, and its reload."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from arietta.config.manager import ManagerGeneral
from arietta.config.references import resolve
from arietta.config.tree import Config
from arietta.http import Handler, tls_context
from arietta.manager.domain import Domain
from arietta.manager.hub import Hub
from arietta.manager.listener import Listener
from arietta.manager.web import WebSessions
from arietta.server.manager_http import manager_mounts
from arietta.server.tls import restrict

if TYPE_CHECKING:
    from arietta.server.server import Server

DEFAULT_TLS_PORT = 5039


class SystemOf:
    """The process, as the actions see it."""

    def __init__(self, server: Server) -> None:
        self._server = server

    @property
    def version(self) -> str:
        return self._server.version

    @property
    def started_at(self) -> float:
        return self._server.started_at

    @property
    def last_reload_at(self) -> float:
        return self._server.last_reload_at

    @property
    def config(self) -> Config:
        return self._server.config

    def reload(self, modules: tuple[str, ...] | None) -> Sequence[str]:
        report = self._server.reload(modules)
        return (*report.parts, *report.notes)

    def modules(self) -> Sequence[tuple[str, str]]:
        return [(module.name, module.description) for module in self._server.modules.list()]

    def load_module(self, name: str) -> None:
        self._server.modules.load(name)

    def unload_module(self, name: str) -> None:
        self._server.modules.unload(name)

    def rotate_logs(self) -> None:
        self._server.logs.rotate()


class Manager:
    """The manager interface of one server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.domain = Domain(
            bus=server.bus,
            channels=server.channels,
            bridges=server.bridges,
            dialplan=server.dialplan,
            devices=server.device_states,
            presences=server.presence_states,
            mailboxes=server.mailboxes,
            astdb=server.astdb,
            system=SystemOf(server),
            sip=server.sip_shown,
            moves=server.moves,
        )
        self.hub = Hub(self.domain, server.config.manager, server.channels.loop.time)
        self.listener = Listener(self.hub)
        self.web = WebSessions(self.hub)
        self._tls: ssl.SSLContext | None = None

    async def start(self) -> None:
        """Listen; OSError names what cannot be bound."""
        config = self._server.config
        general = config.manager.general
        if not general.enabled:
            return
        if general.tlsenable:
            self._tls = manager_tls(config)
            bind = general.tlsbindaddr
            host = bind.host if bind is not None else general.bindaddr
            port = bind.port if bind is not None and bind.port else DEFAULT_TLS_PORT
            await self.listener.start(host, port, self._tls)
        await self.listener.start(general.bindaddr, general.port, None)

    async def stop(self) -> None:
        """End every session and close the listeners."""
        self.web.stop()
        self.hub.stop()
        await self.listener.stop()

    def mounts(self) -> dict[str, Handler]:
        """What the HTTP server answers for the manager interface."""
        general = self._server.config.manager.general
        return manager_mounts(self.hub, self.web) if general.enabled and general.webenabled else {}

    def configure(self, former: Config, config: Config) -> list[str]:
        """Take new settings; returns what needs a restart."""
        notes = []
        self.hub.configure(config.manager)
        if listeners_of(former.manager.general) != listeners_of(config.manager.general):
            notes.append("manager.conf: addresses, TLS, enabled or webenabled have changed, which needs a restart")
        if self._tls is not None and config.manager.general.tlsenable:
            certificate, key = _files(config)
            try:
                tls_context(certificate, key)  # two that do not fit would be half taken
                self._tls.load_cert_chain(certificate, key)
            except OSError as problem:
                notes.append(f"manager.conf: certificate {certificate} cannot be used, the former stays: {problem}")
        return notes


def manager_tls(config: Config) -> ssl.SSLContext:
    """TLS of the manager interface; ConfigError for ciphers that nobody knows, OSError for files that do not fit."""
    return restrict(tls_context(*_files(config)), config.manager.general)


def _files(config: Config) -> tuple[Path, Path | None]:
    general = config.manager.general
    key = resolve(config, general.tlsprivatekey) if general.tlsprivatekey else None
    return resolve(config, general.tlscertfile), key


def listeners_of(general: ManagerGeneral) -> tuple[object, ...]:
    """What is read at the start alone."""
    return (
        *(general.enabled, general.port, general.bindaddr, general.tlsenable, general.tlsbindaddr, general.tlscipher),
        *(general.tlsdisablev12, general.webenabled),
    )
