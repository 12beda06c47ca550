"""Builds every part from one configuration, starts them in order, and ends them in the opposite one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import time
import uuid
from collections.abc import Callable

import msgspec

import arietta
from arietta.ari import resources
from arietta.ari.behaviour.dynamic import DynamicConfig
from arietta.ari.behaviour.modules import Modules
from arietta.ari.dispatch import Api
from arietta.ari.over_socket import RestOverSocket
from arietta.ari.projections import documents
from arietta.astdb import AstDb
from arietta.bridges.bridge import BridgeRegistry
from arietta.bus import Bus
from arietta.channels.admission import Limits
from arietta.channels.registry import ChannelRegistry
from arietta.config.conf import ConfigError
from arietta.config.pjsip import PjsipSettings
from arietta.config.system import LoggerSettings
from arietta.config.tree import Config
from arietta.dialplan.features.transferring import consulting_rules
from arietta.drivers.audiosocket import AudioSocketDriver
from arietta.drivers.local import LocalDriver
from arietta.drivers.unicast_rtp import UnicastRtpDriver
from arietta.drivers.websocket import WebSocketDriver
from arietta.http import Response
from arietta.logs import LogFiles
from arietta.media.choosing import make_engine, why_no_srtp
from arietta.media.engine import MediaEngine
from arietta.media.remote import RemoteSounds
from arietta.model import facts
from arietta.server.api import AriApi
from arietta.server.ari_domain import domain_of, use_count
from arietta.server.audio import engine_settings, media_library, sound_library
from arietta.server.bridging import bridge_application
from arietta.server.dns_functions import dns_functions
from arietta.server.http_front import HttpFront
from arietta.server.interpreting import interpreter_of
from arietta.server.manager import Manager
from arietta.server.media_sockets import MediaClients
from arietta.server.moving import pickup_applications, redirect_application
from arietta.server.outbound import OutboundSockets
from arietta.server.pjsip_functions import pjsip_functions
from arietta.server.reading import dialplan_of, possible
from arietta.server.records import Records
from arietta.server.reloading import ReloadReport, reload
from arietta.server.remote_sounds import fetch_with
from arietta.server.sip import sip_of
from arietta.server.sip_shown import SipShown
from arietta.stasis.applications import Applications
from arietta.stasis.broadcasts import Broadcasts
from arietta.stasis.control import Controls
from arietta.stasis.devices import DeviceStates, Mailboxes
from arietta.stasis.moving import Moves
from arietta.stasis.originating import Originating
from arietta.stasis.places import Places
from arietta.stasis.playbacks import Playbacks
from arietta.stasis.presence import PresenceStates
from arietta.stasis.recordings import Recordings
from arietta.stasis.transfers import Transfers
from arietta.store import Store

log = logging.getLogger(__name__)

WANTED_FILES = 65536
CAUSE_SERVER_STOPS = 38


class Server:
    """One communications server."""

    def __init__(
        self,
        config: Config,
        *,
        engine: MediaEngine | None = None,
        version: str | None = None,
        logs: LogFiles | None = None,
    ) -> None:
        """Build every part; raises ConfigError for a dialplan that cannot be read or a listener that is not safe.

        `logs` are the log channels of the process; without them there are those that clients add.
        """
        missing = engine.srtp_missing if engine is not None else why_no_srtp(config.rtp.media_engine)
        config = possible(config, missing)
        dialplan = dialplan_of(config)
        self.version = version or f"Arietta {arietta.__version__}"
        self.started_at = self.last_reload_at = time.time()
        self._loop = asyncio.get_running_loop()
        directories = config.directories
        self.store = Store(directories.db / "arietta.sqlite3")
        self.astdb = AstDb(self.store)
        self.objects = DynamicConfig(self.store, config.pjsip, config.sorcery, self._take_pjsip)
        self.config = config = msgspec.structs.replace(config, pjsip=self.objects.settings)
        self.logs = logs or LogFiles(LoggerSettings(), directories.log)
        self._owns_logs = logs is None
        self.asterisk_id = config.asterisk.options.entityid or _kept_entity_id(self.store)
        self.bus = Bus()
        self.engine_missing: str | None = None
        """Why it is not the engine in C, where that was to be preferred."""
        if engine is None:
            engine, self.engine_missing = make_engine(engine_settings(config), config.rtp.media_engine)
        self.engine = engine
        self.channels = ChannelRegistry(self.bus, self.engine, self._loop)
        options = config.asterisk.options
        self.channels.default_language = options.defaultlanguage
        self.channels.limits = Limits(options.maxcalls, options.maxload, options.minmemfree)
        self.bridges = BridgeRegistry(self.bus, self.engine)
        self._build_stasis(config)
        self.dialplan = interpreter_of(self, dialplan)
        self.channels.dialplan = self.dialplan
        self._build_drivers(config)
        self.track_variables(config)
        self._build_ari(config)
        self.manager = Manager(self)
        self.records = Records(self)
        self.http_front = HttpFront(self, config)
        self.http = self.http_front.server
        self.on_stopped: list[Callable[[], None]] = []
        self._stopping = False

    def _build_stasis(self, config: Config) -> None:
        """What applications and the dialplan work with."""
        pretty = config.ari.general.pretty
        self.applications = Applications(self.bus, self.channels, self.bridges, self.asterisk_id, pretty=pretty)
        self.controls = Controls(self.channels, self.applications)
        self.originating = Originating(self.channels, self.applications, self.controls)
        self.broadcasts = Broadcasts(self.applications, self.controls)
        self.device_states = DeviceStates(self.bus, self.channels, self.store)
        self.presence_states = PresenceStates(self.bus, self.store)
        self.mailboxes = Mailboxes(self.store, self.bus)
        self.sounds = sound_library(config)
        fetch = fetch_with(lambda: self.config.media_cache)
        self.remote_sounds = RemoteSounds(config.directories.cache / "sounds", fetch)
        self.library = media_library(config, self.sounds, self.remote_sounds)
        self.channels.tone = lambda name, zone: self.library.call_progress(name, zone)
        self.playbacks = Playbacks(self.bus, self.library)
        self.recordings = Recordings(self.bus, config.directories.recordings)

    def _build_drivers(self, config: Config) -> None:
        """What makes channels, and what moves them."""
        transfers = Transfers(self.channels, Places(self.channels, self.controls))
        self.sip = sip_of(self, config, transfers)
        self.sip_shown = SipShown(self)
        self.moves = Moves(
            self.channels, self.bridges, transfers, lambda who, uri: self.dialplan.media.play(who, uri, lambda _: None)
        )
        self.local = LocalDriver(self.channels)
        self.websockets = WebSocketDriver(self.channels)
        self.websockets.clients = MediaClients(lambda: self.config)
        self.channels.drivers = {
            "pjsip": self.sip,
            "local": self.local,
            "unicastrtp": UnicastRtpDriver(self.channels),
            "audiosocket": AudioSocketDriver(self.channels),
            "websocket": self.websockets,
        }
        for application in (
            bridge_application(self.moves, self.channels),
            redirect_application(self.moves, self.channels),
            *pickup_applications(self.moves),
        ):
            self.dialplan.applications.add(application)
        for function in (*pjsip_functions(self.sip), *dns_functions(self.sip.resolver.records)):
            self.dialplan.functions.add(function)
        self.dialplan.transferring = self.moves
        self.take_features(config)

    def take_features(self, config: Config) -> None:
        """What keys mean, for talks that begin from now on."""
        self.dialplan.features = config.features
        self.moves.consultations.rules = consulting_rules(config.features.general)

    def _build_ari(self, config: Config) -> None:
        """The REST interface, as far as it knows nothing of HTTP."""
        self.modules = Modules(
            self.dialplan.applications,
            self.dialplan.functions,
            self.channels,
            use_count=lambda module: use_count(self, module),
            reload=lambda module: self.reload((module,)),
            tell=lambda module, loaded: self._tell(facts.ModuleChanged(module, loaded)),
        )
        self.dialplan.has_module = self.modules.runs
        self.domain = domain_of(self)
        self.api = Api(
            resources.build(self.domain),
            documents(config.ari.general.api_version),
            pretty=config.ari.general.pretty,
            make_response=Response,
        )
        self.ari = AriApi(self.api, self.applications, RestOverSocket(self.api, self.asterisk_id, time.time))
        self.outbound = OutboundSockets(self.ari)
        self.controls.open_for_call = self.outbound.open_for_call

    # ------------------------------------------------------------------------------------------ start and stop

    async def start(self) -> None:
        """Open everything; OSError names what cannot be bound, and nothing is left open."""
        _raise_file_limit(self.config.asterisk.options.maxfiles or WANTED_FILES)
        for warning in self.config.warnings:
            log.warning("%s", warning)
        self.engine.start(self._loop)
        log.info("media engine: %s", self.engine.name)
        if self.engine_missing is not None:
            log.warning("audio is carried by the slower engine in Python, for tens of calls: %s", self.engine_missing)
        try:
            self.records.start()
            await self.sip.start()
            await self.manager.start()
            await self.http_front.start(self.config)
            self.outbound.configure(self.config)
        except BaseException:
            await self._close()
            raise
        self._tell(facts.FullyBooted(*self._ages()))

    def _ages(self) -> tuple[int, int]:
        """Whole seconds since the start, and since the configuration was read."""
        now = time.time()
        return int(now - self.started_at), int(now - self.last_reload_at)

    def _tell(self, fact: facts.Fact) -> None:
        if self.bus.wanted(fact.topics):
            self.bus.publish(fact, fact.topics)

    async def stop(self, drain_seconds: float = 10.0, *, restarts: bool = False) -> None:
        """No new calls; wait for those that live, at most so long; BYE to the rest; close everything.

        `restarts` is told to who listens.
        """
        if self._stopping:
            return
        self._stopping = True
        self.channels.accepting = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(drain_seconds):
                await self.channels.all_gone()
        await self._hang_up_everything()
        self._tell(facts.ShuttingDown(restart=restarts))
        await self._close()
        for then in self.on_stopped:
            then()

    async def _hang_up_everything(self) -> None:
        for channel in self.channels:
            channel.request_hangup(CAUSE_SERVER_STOPS)
        tasks = [channel.task for channel in self.channels if channel.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=5)
        for channel in self.channels:
            channel.finish()
        for bridge in self.bridges:
            bridge.destroy()

    async def _close(self) -> None:
        self.records.stop()
        await self.manager.stop()
        for socket in tuple(self.ari.sockets):
            socket.close()
        await self.outbound.stop()
        await self.remote_sounds.stop()
        await self.http.stop(drain_seconds=1.0)
        await self.sip.stop()
        self.engine.stop()
        self.store.close()
        if self._owns_logs:
            self.logs.stop()

    # -------------------------------------------------------------------------------------------------- reload

    def reload(self, modules: tuple[str, ...] | None = None) -> ReloadReport:
        """Read the files again and let the named parts (all without names) take them, without dropping a call.

        Raises ConfigError with every problem if a file is broken or not safe: everything stays as it was.
        """
        try:
            report = reload(self, modules)
        except ConfigError:
            self._tell_reload(modules, succeeded=False)
            raise
        self.last_reload_at = time.time()
        self._tell_reload(modules, succeeded=True)
        return report

    def _tell_reload(self, modules: tuple[str, ...] | None, *, succeeded: bool) -> None:
        for name in modules or ("All",):
            self._tell(facts.Reloaded(name, succeeded))

    def _take_pjsip(self, pjsip: PjsipSettings) -> None:
        """SIP objects have changed at run time."""
        self.config = msgspec.structs.replace(self.config, pjsip=pjsip)
        self.sip.reload(pjsip)

    def track_variables(self, config: Config) -> None:
        """Show every channel of ARI with the variables of `channelvars`."""
        self.channels.tracked_variables = tuple(config.ari.general.channelvars)
        for channel in self.channels:
            channel.changed()


def _kept_entity_id(store: Store) -> str:
    """An id like a network card's, made once and kept."""
    kept = store.get("server", "entity id")
    if isinstance(kept, str):
        return kept
    node = uuid.getnode()
    made = ":".join(f"{(node >> shift) & 0xFF:02x}" for shift in range(40, -8, -8))
    store.put("server", "entity id", made)
    return made


def _raise_file_limit(wanted: int) -> None:
    """As many open files as are wanted and allowed: a call takes two sockets, a client one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < limit:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
