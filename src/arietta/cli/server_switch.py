"""The console's view of a running server: `Switch` on top of what the composition root holds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from arietta.ari.behaviour.modules import Modules
from arietta.astdb import AstDb
from arietta.channels.channel import Channel
from arietta.channels.dialing import call_out
from arietta.channels.driver import CannotRequest, DialRequest
from arietta.cli.switch import (
    ChannelView,
    ContextView,
    EngineView,
    ExtensionView,
    HelpView,
    HintView,
    ManagerSessionView,
    ModuleView,
    Originate,
    StasisView,
    StepView,
    StopWhen,
)
from arietta.config.tree import Config
from arietta.dialplan.applications import Application
from arietta.dialplan.errors import DialplanError
from arietta.dialplan.functions import Function
from arietta.dialplan.interpreter import Interpreter
from arietta.dialplan.run import Run
from arietta.errors import AllocationFailed, BadRequest, NotFound
from arietta.media.files import sound_files
from arietta.media.sounds import SoundLibrary
from arietta.model import snapshots
from arietta.server.api import AriApi
from arietta.server.outbound import OutboundSockets
from arietta.server.records import Records
from arietta.server.sip_shown import SipShown
from arietta.stasis.presence import PresenceStates

if TYPE_CHECKING:
    from arietta.bridges.bridge import Bridge, BridgeRegistry
    from arietta.channels.registry import ChannelRegistry
    from arietta.cli.serving import Stop
    from arietta.http.server import HttpServer
    from arietta.server import ReloadReport
    from arietta.server.manager import Manager
    from arietta.stasis.applications import Applications
    from arietta.stasis.devices import DeviceStates
    from arietta.stasis.moving import Moves

log = logging.getLogger(__name__)

PJSIP = "PJSIP"
ORIGINATE_TIMEOUT_S = 30.0


class RunningServer(Protocol):
    """What is read of the server."""

    config: Config
    channels: ChannelRegistry
    bridges: BridgeRegistry
    applications: Applications
    dialplan: Interpreter
    http: HttpServer
    manager: Manager
    records: Records
    ari: AriApi
    outbound: OutboundSockets
    presence_states: PresenceStates
    sounds: SoundLibrary
    sip_shown: SipShown
    modules: Modules
    engine_missing: str | None
    started_at: float
    last_reload_at: float
    asterisk_id: str
    moves: Moves
    astdb: AstDb
    device_states: DeviceStates

    def reload(self, modules: tuple[str, ...] | None = None) -> ReloadReport:
        """Read the configuration again; raises ConfigError."""
        ...


class ServerSwitch:
    """A `Switch` that reads a running server."""

    def __init__(self, server: RunningServer, stop: Stop) -> None:
        self._server = server
        self._stop = stop
        self._ending = False

    @property
    def config(self) -> Config:
        return self._server.config

    @property
    def started_at(self) -> float:
        return self._server.started_at

    @property
    def last_reload_at(self) -> float:
        return self._server.last_reload_at

    @property
    def asterisk_id(self) -> str:
        return self._server.asterisk_id

    @property
    def calls_processed(self) -> int:
        return self._server.channels.count_made

    @property
    def records(self) -> Records:
        return self._server.records

    # ------------------------------------------------------------------------------------- channels and bridges

    def channels(self) -> Sequence[ChannelView]:
        return [_channel_view(channel) for channel in self._server.channels if not channel.internal]

    def channel(self, name: str) -> ChannelView | None:
        found = self._server.channels.find(name)
        return None if found is None or found.internal else _channel_view(found)

    def bridges(self) -> Sequence[snapshots.Bridge]:
        return [bridge.snapshot() for bridge in self._server.bridges]

    def hang_up(self, channel_id: str) -> None:
        found = self._server.channels.get(channel_id)
        if found is not None:
            found.request_hangup()

    def redirect(self, channel_id: str, context: str, exten: str, priority: str) -> None:
        channel = self._server.channels.get(channel_id)
        if channel is None:
            raise NotFound(f"channel {channel_id!r} does not exist")
        self._server.moves.redirect(channel, context or channel.context, exten or channel.exten, priority)

    def kick(self, bridge_id: str, channel_id: str) -> None:
        bridge = self._bridge(bridge_id)
        channel = next((c for c in bridge.channels if channel_id in (c.id, c.name)), None)
        if channel is None:
            raise NotFound(f"channel {channel_id!r} is not in bridge {bridge_id!r}")
        bridge.leave(channel, "removed")

    def destroy_bridge(self, bridge_id: str) -> None:
        self._bridge(bridge_id).destroy()

    def _bridge(self, bridge_id: str) -> Bridge:
        bridge = self._server.bridges.get(bridge_id)
        if bridge is None:
            raise NotFound(f"Bridge '{bridge_id}' not found")
        return bridge

    async def originate(self, call: Originate) -> str:
        server, plan = self._server, self._server.dialplan
        technology, _, resource = call.endpoint.partition("/")
        driver = server.channels.driver(technology)
        if driver is None:
            raise NotFound(f"technology {technology!r} is not known")
        application = None
        if call.extension:
            if not plan.exists(call.context, call.extension, 1):
                raise NotFound(f"extension {call.extension}@{call.context} does not exist")
        else:
            application = plan.applications.get(call.application.lower())
            if application is None:
                raise NotFound(f"application {call.application} does not exist")
        try:
            channel = driver.request(DialRequest(resource))
        except CannotRequest as problem:
            raise AllocationFailed(f"{call.endpoint} cannot be called: {problem}") from problem
        assert application is None or not call.extension

        async def story() -> None:
            if not await call_out(channel, dialstring=resource, timeout=ORIGINATE_TIMEOUT_S):
                return
            if application is None:
                channel.set_place(call.context, call.extension, 1)
                await plan.run(channel)
                return
            channel.set_app(application.name, call.data)
            try:
                await application.execute(channel, call.data, Run(plan, channel))
            except DialplanError as problem:
                log.warning("%s(%s) on %s: %s", application.name, call.data, channel.name, problem)

        channel.own(story())
        return channel.name

    # ---------------------------------------------------------------------------------------- ARI, HTTP, dialplan

    def applications(self) -> Sequence[StasisView]:
        return [StasisView(application.snapshot(), application.active) for application in self._server.applications]

    def http_addresses(self) -> Sequence[tuple[str, bool]]:
        return [(str(address), address.tls) for address in self._server.http.addresses]

    def http_uris(self) -> Sequence[tuple[str, str]]:
        config = self.config
        prefix = f"/{config.http.prefix.strip('/')}".rstrip("/")
        uris = []
        if config.ari.general.enabled:
            uris.append((f"{prefix}/ari/...", "Asterisk RESTful API"))
        if config.http.enable_status:
            uris.append((f"{prefix}/httpstatus", "HTTP server status"))
        if config.prometheus.enabled:
            uris.append((f"{prefix}{config.prometheus.path}", "Metrics for Prometheus"))
        return uris if self._server.http.addresses else []

    def contexts(self) -> Sequence[ContextView]:
        return [
            ContextView(
                context.name,
                tuple(
                    ExtensionView(
                        extension.name if extension.caller is None else f"{extension.name}/{extension.caller}",
                        tuple(
                            StepView(
                                step.priority, step.label, step.application, step.written, f"{step.file}:{step.line}"
                            )
                            for _, step in sorted(extension.steps.items())
                        ),
                        extension.hint,
                    )
                    for extension in context.extensions()
                ),
                tuple(include.written for include in context.includes),
            )
            for context in self._server.dialplan.dialplan.contexts.values()
        ]

    def globals(self) -> Mapping[str, str]:
        return self._server.dialplan.globals

    def set_global(self, name: str, value: str) -> None:
        self._server.dialplan.set_global(name, value)

    def groups(self) -> Sequence[tuple[str, str, str]]:
        found = []
        for category, group, ids in self._server.dialplan.groups:
            channels = [self._server.channels.get(ident) for ident in ids]
            found += [(channel.name, group, category) for channel in channels if channel is not None]
        return sorted(found)

    def database(self) -> AstDb:
        return self._server.astdb

    def custom_devices(self) -> Sequence[snapshots.DeviceState]:
        return self._server.device_states.custom()

    def set_custom_device(self, name: str, state: str) -> None:
        try:
            self._server.device_states.set_custom(name, state)
        except ValueError as problem:
            raise BadRequest(str(problem)) from None

    def dialplan_applications(self) -> Sequence[HelpView]:
        return [_help(a) for a in self._server.dialplan.applications]

    def dialplan_functions(self) -> Sequence[HelpView]:
        return [_help(f) for f in self._server.dialplan.functions]

    def hints(self) -> Sequence[HintView]:
        return [
            HintView(shown.exten, shown.context, shown.hint, shown.text, shown.presence, shown.watchers)
            for shown in self._server.dialplan.hints.all()
        ]

    # ------------------------------------------------------------------------------------------------------ SIP

    @property
    def plan(self) -> Interpreter:
        return self._server.dialplan

    @property
    def ari(self) -> AriApi:
        return self._server.ari

    @property
    def outbound(self) -> OutboundSockets:
        return self._server.outbound

    @property
    def presences(self) -> PresenceStates:
        return self._server.presence_states

    @property
    def sounds(self) -> SoundLibrary:
        return self._server.sounds

    @property
    def sip(self) -> SipShown:
        return self._server.sip_shown

    def endpoints(self) -> Sequence[snapshots.Endpoint]:
        driver = self._server.channels.driver(PJSIP)
        return [] if driver is None else driver.endpoints()

    def device_state(self, device: str) -> str:
        technology, _, resource = device.partition("/")
        driver = self._server.channels.driver(technology)
        return (driver.device_state(resource) if driver is not None else None) or "INVALID"

    def manager_sessions(self) -> Sequence[ManagerSessionView]:
        return [
            ManagerSessionView(one.name, one.address, one.transport, one.since, one.events_sent, one.waiting_bytes)
            for one in self._server.manager.hub
            if one.is_logged_in
        ]

    # ------------------------------------------------------------------------------------------------ the server

    def modules(self) -> Sequence[ModuleView]:
        return [ModuleView(module.name, module.description) for module in self._server.modules.list()]

    def load_module(self, name: str) -> None:
        self._server.modules.load(name)

    def unload_module(self, name: str) -> None:
        self._server.modules.unload(name)

    def music(self) -> Mapping[str, Sequence[str]]:
        from arietta.server.audio import music_classes

        classes = music_classes(self.config)
        return {name: sound_files(at) if isinstance(at, str) else at for name, at in classes.items()}

    def engine(self) -> EngineView:
        engine = self._server.channels.engine
        return EngineView(engine.name, engine.stats(), self._server.engine_missing or "")

    def settings(self) -> Sequence[tuple[str, str]]:
        engine = self._server.channels.engine
        statistics = engine.stats()
        loop = type(asyncio.get_running_loop())
        return [
            ("Event loop", loop.__module__.partition(".")[0]),
            ("Media engine", engine.name),
            ("Media ports", str(statistics.ports)),
            ("Late media ticks", f"{statistics.late_ticks} of {statistics.ticks}"),
        ]

    async def reload(self, modules: tuple[str, ...] | None) -> Sequence[str]:
        report = self._server.reload(modules)
        return [*report.parts, *report.notes]

    def stop(self, when: StopWhen, *, restarts: bool = False) -> None:
        self._stop.restarts = restarts
        if when == "now":
            self._stop.ask()
            self._stop.ask()
            return
        self._server.channels.accepting = when == "when convenient"
        if not self._ending:
            self._ending = True
            self._stop_after_last_call()

    def abort_stop(self) -> bool:
        if not self._ending or self._stop.is_asked:
            return False
        self._ending = self._stop.restarts = False
        self._server.channels.accepting = True
        return True

    def _stop_after_last_call(self) -> None:
        if not self._ending or self._stop.is_asked:
            return
        living = next(iter(self._server.channels), None)
        if living is None:
            self._stop.ask()
            return
        loop = asyncio.get_running_loop()

        def ended(_channel: Channel) -> None:
            loop.call_soon(self._stop_after_last_call)  # once it has left the registry

        living.on_end.append(ended)


def _channel_view(channel: Channel) -> ChannelView:
    bridge = channel.bridge
    others = [] if bridge is None else [c.name for c in bridge.channels if c is not channel and not c.internal]
    return ChannelView(
        channel.snapshot(),
        created_at=channel.created_at,
        answered_at=channel.answered_at,
        bridge_id="" if bridge is None else bridge.id,
        peer=others[0] if len(others) == 1 else "",
        codec=channel.leg.read("audionativeformat") or "",
        hangup_cause=channel.hangup_cause,
        variables=dict(channel.variables),
    )


def _help(entry: Application | Function) -> HelpView:
    """The first sentence is the synopsis, what follows the description."""
    first, stop, rest = entry.summary.partition(". ")
    options = entry.options if isinstance(entry, Application) else None
    if options is not None:
        rest = "\n".join([*filter(None, (rest,)), *options.described()])
    return HelpView(entry.name, first + stop.rstrip(), entry.syntax, rest)
