"""Builds every part from one configuration, starts them in order, and ends them in the opposite one."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import ssl
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

import arietta
from arietta.ari import resources
from arietta.ari.behaviour.applications import Applications as ApplicationsBehaviour
from arietta.ari.behaviour.applications import Endpoints as EndpointsBehaviour
from arietta.ari.behaviour.bridges import Bridges as BridgesBehaviour
from arietta.ari.behaviour.channels import Channels as ChannelsBehaviour
from arietta.ari.behaviour.dynamic import DynamicConfig
from arietta.ari.behaviour.media import Playbacks as PlaybacksBehaviour
from arietta.ari.behaviour.media import Recordings as RecordingsBehaviour
from arietta.ari.behaviour.media import Sounds as SoundsBehaviour
from arietta.ari.behaviour.modules import PARTS, Modules
from arietta.ari.behaviour.system import System
from arietta.ari.dispatch import Api
from arietta.ari.domain import Domain
from arietta.ari.over_socket import RestOverSocket
from arietta.ari.projections import documents
from arietta.astdb import AstDb
from arietta.bridges.bridge import BridgeRegistry
from arietta.bus import Bus
from arietta.channels.registry import ChannelRegistry
from arietta.config.conf import ConfFile, ConfigError, Problem, read_conf
from arietta.config.encryption import unencryptable
from arietta.config.indications import IndicationsSettings, ToneZone, read_indications
from arietta.config.pjsip import PjsipSettings
from arietta.config.references import resolve
from arietta.config.safety import unsafe_listeners
from arietta.config.settings import Report
from arietta.config.system import LoggerSettings
from arietta.config.tree import Config, load
from arietta.config.wizard import with_sections
from arietta.dialplan.interpreter import Interpreter
from arietta.dialplan.matcher import Dialplan
from arietta.dialplan.ports import Folders
from arietta.dialplan.reader import read_dialplan
from arietta.drivers.audiosocket import AudioSocketDriver
from arietta.drivers.local import LocalDriver
from arietta.drivers.sip.driver import SipDriver
from arietta.drivers.sip.paths import PathRules
from arietta.drivers.unicast_rtp import UnicastRtpDriver
from arietta.drivers.websocket import WebSocketDriver
from arietta.http import (
    AclRule,
    AriFront,
    FrontOptions,
    Handler,
    HttpOptions,
    HttpServer,
    MountTable,
    Pages,
    Response,
    StaticFiles,
    StatusPage,
    User,
    Users,
    WebSocketOptions,
    tls_context,
)
from arietta.logs import LogFiles
from arietta.media.choosing import make_engine, why_no_srtp
from arietta.media.engine import EngineSettings, MediaEngine
from arietta.media.remote import RemoteSounds
from arietta.media.sounds import SoundLibrary, package_sounds, system_sounds
from arietta.model import facts, snapshots
from arietta.server.api import AriApi
from arietta.server.dialplan import (
    Devices,
    DialBridges,
    DialplanMedia,
    Presences,
    broadcast_application,
    stasis_application,
    transfer_handling,
)
from arietta.server.manager import Manager
from arietta.server.media_sockets import MediaClients, MediaMount
from arietta.server.metrics import MetricsPage
from arietta.server.moving import bridge_application, pickup_applications, redirect_application
from arietta.server.outbound import OutboundSockets
from arietta.server.pjsip_functions import pjsip_functions
from arietta.server.records import Records
from arietta.server.remote_sounds import fetch_with
from arietta.server.sip_sockets import SipMount, has_sockets, socket_ports
from arietta.server.web import ask
from arietta.stasis.applications import Applications
from arietta.stasis.broadcasts import Broadcasts
from arietta.stasis.control import Controls
from arietta.stasis.devices import DeviceStates, Mailboxes
from arietta.stasis.media_uris import MediaLibrary
from arietta.stasis.moving import Moves
from arietta.stasis.originating import Originating
from arietta.stasis.places import Places
from arietta.stasis.playbacks import Playbacks
from arietta.stasis.presence import PresenceStates
from arietta.stasis.recordings import Recordings
from arietta.stasis.transfers import Transfers
from arietta.store import Store

log = logging.getLogger(__name__)

PACKAGE_DATA = Path(arietta.__file__).parent / "data"
DEFAULT_HTTP_PORT, DEFAULT_HTTPS_PORT = 8088, 8089
WANTED_FILES = 65536
CAUSE_SERVER_STOPS = 38

BRIDGE_MODULES = {
    "bridge_holding.so": "holding_bridge",
    "bridge_native_rtp.so": "native_rtp",
    "bridge_simple.so": "simple_bridge",
    "bridge_softmix.so": "softmix",
}
# Which module names mean which part of a reload; None means all of them.
RELOADED_PARTS = {
    "manager": "manager",
    "res_ari.so": "ari",
    "http": "http",
    "pbx_config.so": "dialplan",
    "res_http_media_cache.so": "media cache",
    "res_prometheus.so": "metrics",
    "cdr": "records",
    "cel": "records",
    "res_pjsip.so": "pjsip",
    "res_musiconhold.so": "music",
}


@dataclass(frozen=True, slots=True)
class ReloadReport:
    """What a reload did: the parts that took the new configuration, and what needs a restart."""

    parts: tuple[str, ...]
    notes: tuple[str, ...]


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
        config = _possible(config, missing)
        dialplan = _read_dialplan(config)
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
        self.asterisk_id = config.asterisk.options.entityid or self._kept_entity_id()
        self.bus = Bus()
        self.engine_missing: str | None = None
        """Why it is not the engine in C, where that was to be preferred."""
        if engine is None:
            engine, self.engine_missing = make_engine(engine_settings(config), config.rtp.media_engine)
        self.engine = engine
        self.channels = ChannelRegistry(self.bus, self.engine, self._loop)
        self.bridges = BridgeRegistry(self.bus, self.engine)
        self.applications = Applications(
            self.bus, self.channels, self.bridges, self.asterisk_id, pretty=config.ari.general.pretty
        )
        self.controls = Controls(self.channels, self.applications)
        self.originating = Originating(self.channels, self.applications, self.controls)
        self.broadcasts = Broadcasts(self.applications, self.controls)
        self.sounds = _sound_library(config)
        self.device_states = DeviceStates(self.bus, self.channels, self.store)
        self.presence_states = PresenceStates(self.bus, self.store)
        self.mailboxes = Mailboxes(self.store, self.bus)
        self.remote_sounds = RemoteSounds(directories.cache / "sounds", fetch_with(lambda: self.config.media_cache))
        self.library = self._media_library(config)
        self.playbacks = Playbacks(self.bus, self.library)
        self.recordings = Recordings(self.bus, directories.recordings)
        self.dialplan = Interpreter(
            dialplan,
            self.channels,
            media=DialplanMedia(lambda: self.library),
            bridges=DialBridges(self.bridges),
            devices=Devices(self.device_states),
            presences=Presences(self.presence_states),
            database=self.astdb,
            web=ask,
            folders=Folders(config.directory, directories.sounds, directories.spool / "monitor", directories.agi),
            entity_id=self.asterisk_id,
            system_name=config.asterisk.options.systemname,
            version=self.version,
        )
        self.dialplan.live_dangerously = config.asterisk.options.live_dangerously
        self.dialplan.applications.add(stasis_application(self.controls))
        self.dialplan.applications.add(broadcast_application(self.broadcasts))
        self.dialplan.functions.add(transfer_handling())
        self.channels.dialplan = self.dialplan
        self.device_states.follower = self.dialplan.hints
        self.presence_states.follower = self.dialplan.hints.device_changed
        rtp = config.rtp
        lists = (rtp.ice_access, *(config.acls[name].access for name in rtp.ice_acl))
        rules = PathRules(has_ice=rtp.icesupport, mtu=rtp.dtls_mtu, candidates=lists)
        self.sip = SipDriver(
            self.channels, config.pjsip, product=self.version, folder=config.directory, path_rules=rules
        )
        self.sip.resolver.configure(config.resolver, config.directory)
        self.sip.transports.socket_ports = socket_ports(config)
        self.sip.contacts.keep_in(self.store)
        self.sip.subscriptions.hints = self.dialplan.hints
        self.sip.subscriptions.mailboxes = self.mailboxes
        self.sip.transfers = transfers = Transfers(self.channels, Places(self.channels, self.controls))
        self.moves = Moves(
            self.channels, self.bridges, transfers, lambda who, uri: self.dialplan.media.play(who, uri, lambda _: None)
        )
        self.dialplan.applications.add(bridge_application(self.moves, self.channels))
        self.dialplan.applications.add(redirect_application(self.moves, self.channels))
        for application in pickup_applications(transfers, self.channels):
            self.dialplan.applications.add(application)
        for function in pjsip_functions(self.sip):
            self.dialplan.functions.add(function)
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
        self._set_limits(config)
        self.modules = Modules(
            self.dialplan.applications,
            self.dialplan.functions,
            self.channels,
            use_count=self._use_count,
            reload=lambda module: self.reload((module,)),
        )
        self.domain = self._domain()
        self.api = Api(
            resources.build(self.domain),
            documents(config.ari.general.api_version),
            pretty=config.ari.general.pretty,
            make_response=Response,
        )
        over_socket = RestOverSocket(self.api, self.asterisk_id, time.time)
        self.ari = AriApi(self.api, self.applications, over_socket)
        self.outbound = OutboundSockets(self.ari)
        self.controls.open_for_call = self.outbound.open_for_call
        self.front = AriFront(self.ari, _users(config), _front_options(config), Pages(PACKAGE_DATA / "docs"))
        self._status_page = StatusPage(config.http.prefix)
        self._metrics = MetricsPage(self, config.prometheus)
        self.manager = Manager(self)
        self.records = Records(self)
        self.http = HttpServer(self._mounts(config), _http_options(config))
        self._status_page.server = self.http
        self.on_stopped: list[Callable[[], None]] = []
        self._stopping = False
        self._https: ssl.SSLContext | None = None

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
            await self._listen()
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

    async def _listen(self) -> None:
        http = self.config.http
        if http.tlsenable:
            certificate, key = _https_files(self.config)
            bind = http.tlsbindaddr
            host = bind.host if bind is not None else (http.bindaddr or "127.0.0.1")
            port = bind.port if bind is not None and bind.port else DEFAULT_HTTPS_PORT
            self._https = tls_context(certificate, key)
            await self._listen_on(host, port, self._https)
        if http.enabled and http.bindaddr is not None:  # the last, since a ping to it shows that all are there
            await self._listen_on(http.bindaddr, http.bindport or DEFAULT_HTTP_PORT, None)

    def _renew_https(self, config: Config) -> list[str]:
        """Read the certificate anew, for connections from now on; says why it cannot be used."""
        if self._https is None or not config.http.tlsenable:
            return []
        certificate, key = _https_files(config)
        try:
            tls_context(certificate, key)  # two that do not fit would be half taken
            self._https.load_cert_chain(certificate, key)
        except OSError as problem:
            log.error("http.conf: certificate %s cannot be used, the former one stays: %s", certificate, problem)
            return [f"http.conf: certificate {certificate} cannot be used: {problem}"]
        return []

    async def _listen_on(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        try:
            await self.http.start(host, port, tls)
        except OSError as problem:
            raise OSError(f"HTTP cannot listen on {host}:{port}: {problem.strerror or problem}") from problem

    async def stop(self, drain_seconds: float = 10.0) -> None:
        """No new calls; wait for those that live, at most so long; BYE to the rest; close everything."""
        if self._stopping:
            return
        self._stopping = True
        self.channels.accepting = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(drain_seconds):
                await self.channels.all_gone()
        await self._hang_up_everything()
        self._tell(facts.ShuttingDown(restart=False))
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
            report = self._reload(modules)
        except ConfigError:
            self._tell_reload(modules, succeeded=False)
            raise
        self._tell_reload(modules, succeeded=True)
        return report

    def _tell_reload(self, modules: tuple[str, ...] | None, *, succeeded: bool) -> None:
        for name in modules or ("All",):
            self._tell(facts.Reloaded(name, succeeded))

    def _reload(self, modules: tuple[str, ...] | None) -> ReloadReport:
        unknown = [name for name in modules or () if name not in PARTS and name not in RELOADED_PARTS]
        if unknown:
            raise ConfigError(tuple(Problem(name, 0, "error", "is not a part of this server") for name in unknown))
        config = load(self.config.directory if self._is_folder else self._main_file)
        config = msgspec.structs.replace(config, directories=self.config.directories)  # they stay until a restart
        config = _possible(config, self.engine.srtp_missing)
        dialplan = _read_dialplan(config)
        wanted = {RELOADED_PARTS[name] for name in modules if name in RELOADED_PARTS} if modules else None
        parts: list[str] = []
        notes: list[str] = []

        def takes(part: str) -> bool:
            if wanted is None or part in wanted:
                parts.append(part)
                return True
            return False

        changed: dict[str, object] = {}
        if takes("dialplan"):
            self.dialplan.replace(dialplan)
            changed["extensions"] = config.extensions
        if takes("ari"):
            self.front.users = _users(config)
            self.front.options = _front_options(config)
            self.api.pretty = self.applications.pretty = config.ari.general.pretty
            self._set_tracked(config)
            changed["ari"], changed["websocket_clients"] = config.ari, config.websocket_clients
            self.outbound.configure(config)
        if takes("manager"):
            notes.extend(self.manager.configure(self.config, config))
            changed["manager"], changed["acls"] = config.manager, config.acls
        if takes("http"):
            self.http.configure(_http_options(config))
            notes.extend(self._renew_https(config))
            if _listeners(config) != _listeners(self.config):
                notes.append("http.conf: addresses have changed, which needs a restart")
            changed["http"] = config.http
        if takes("pjsip"):
            pjsip = self.objects.configure(config.pjsip, config.sorcery)
            self.sip.resolver.configure(config.resolver, config.directory)
            changed["resolver"] = config.resolver
            notes.extend(self.sip.reload(pjsip))
            changed["pjsip"], changed["sorcery"] = pjsip, config.sorcery
        if takes("music"):
            self.library = self._media_library(config)
            self.playbacks.library = self.library
            changed["indications"], changed["musiconhold"] = config.indications, config.musiconhold
            if engine_settings(config).music != engine_settings(self.config).music:
                notes.append("musiconhold.conf: classes have changed, which needs a restart")
        if takes("media cache"):
            changed["media_cache"] = config.media_cache
        if takes("metrics"):
            self._metrics.configure(config.prometheus)
            changed["prometheus"] = config.prometheus
        if takes("records"):
            self.records.configure(config)
            changed["cdr"], changed["cel"] = config.cdr, config.cel
        notes.extend(_needing_restart(self.config, config))
        self.config = msgspec.structs.replace(self.config, **changed)
        self.last_reload_at = time.time()
        return ReloadReport(tuple(parts), tuple(notes))

    def _take_pjsip(self, pjsip: PjsipSettings) -> None:
        """SIP objects have changed at run time."""
        self.config = msgspec.structs.replace(self.config, pjsip=pjsip)
        self.sip.reload(pjsip)

    @property
    def _is_folder(self) -> bool:
        return not self.config.asterisk.file or "astetcdir" not in self.config.asterisk.directories.set_at

    @property
    def _main_file(self) -> Path:
        return Path(self.config.asterisk.file)

    # ------------------------------------------------------------------------------------------------- building

    def _kept_entity_id(self) -> str:
        """An id like a network card's, made once and kept."""
        kept = self.store.get("server", "entity id")
        if isinstance(kept, str):
            return kept
        node = uuid.getnode()
        made = ":".join(f"{(node >> shift) & 0xFF:02x}" for shift in range(40, -8, -8))
        self.store.put("server", "entity id", made)
        return made

    def _media_library(self, config: Config) -> MediaLibrary:
        zones: dict[str, dict[str, str]] = {}
        indications = config.indications
        if not indications.zones:
            indications = _packaged_indications()
        for name in indications.zones:
            zone: ToneZone | None = indications.zone(name)
            if zone is not None:
                zones[name] = dict(zone.tones)
        return MediaLibrary(
            self.sounds, zones, indications.general.country, config.directories.recordings, self.remote_sounds
        )

    def _set_limits(self, config: Config) -> None:
        self.channels.default_language = config.asterisk.options.defaultlanguage
        self._set_tracked(config)

    def _set_tracked(self, config: Config) -> None:
        self.channels.tracked_variables = tuple(config.ari.general.channelvars)
        for channel in self.channels:
            channel.changed()

    def _domain(self) -> Domain:
        def config_info() -> snapshots.ConfigInfo:
            options = self.config.asterisk.options
            return snapshots.ConfigInfo(
                name=options.systemname,
                default_language=options.defaultlanguage,
                max_channels=options.maxcalls or msgspec.UNSET,
                max_open_files=options.maxfiles or msgspec.UNSET,
                max_load=options.maxload or msgspec.UNSET,
                setid=snapshots.SetId(user=options.runuser, group=options.rungroup),
            )

        return Domain(
            applications=ApplicationsBehaviour(self.applications, self.channels, self.bridges, self.broadcasts),
            bridges=BridgesBehaviour(self.bridges, self.channels, self.controls, self.playbacks, self.recordings),
            channels=ChannelsBehaviour(self.channels, self.controls, self.originating, self.playbacks, self.recordings),
            device_states=self.device_states,
            endpoints=EndpointsBehaviour(self.channels),
            mailboxes=self.mailboxes,
            playbacks=PlaybacksBehaviour(self.playbacks),
            recordings=RecordingsBehaviour(self.recordings),
            sounds=SoundsBehaviour(self.sounds),
            system=System(
                entity_id=self.asterisk_id,
                version=self.version,
                dialplan=self.dialplan,
                config=config_info,
                last_reload_at=lambda: self.last_reload_at,
                started_at=self.started_at,
                modules=self.modules,
                logs=self.logs,
                objects=self.objects,
            ),
        )

    def _use_count(self, module: str) -> int:
        """How many users a fixed part has."""
        match module:
            case "chan_pjsip.so" | "res_pjsip.so" | "res_pjsip_session.so" | "res_rtp_asterisk.so":
                return sum(channel.technology == self.sip.technology for channel in self.channels)
            case _ if module in BRIDGE_MODULES:
                return sum(bridge.technology == BRIDGE_MODULES[module] for bridge in self.bridges)
            case "res_stasis.so":
                return sum(1 for _ in self.applications)
            case "res_ari.so" | "res_http_websocket.so":
                return len(self.ari.sockets)
        return 0

    def _mounts(self, config: Config) -> MountTable:
        mounts: dict[str, Handler] = {"/media": MediaMount(self.websockets)}
        if has_sockets(config):
            mounts["/ws"] = SipMount(self.sip.transports)
        if config.ari.general.enabled:
            mounts["/ari"] = self.front
        mounts.update(self.manager.mounts())
        if config.http.enable_status:
            mounts["/httpstatus"] = self._status_page
        if config.prometheus.enabled:
            mounts[config.prometheus.path] = self._metrics
        if config.http.enable_static:
            mounts["/static"] = StaticFiles(config.directories.data / "static-http")
        redirects = dict(line.split(None, 1) for line in config.http.redirect if len(line.split(None, 1)) == 2)
        return MountTable(mounts, config.http.prefix, redirects)


def _possible(config: Config, srtp_missing: str | None) -> Config:
    """The configuration, unless it is not safe or asks for what the media engine lacks."""
    encryption = unencryptable(config, srtp_missing)
    refused = (*unsafe_listeners(config), *(problem for problem in encryption if problem.severity == "error"))
    if refused:
        raise ConfigError(refused)
    return msgspec.structs.replace(config, warnings=(*config.warnings, *encryption))


def _read_dialplan(config: Config) -> Dialplan:
    path = config.directory / "extensions.conf"
    if not path.exists():
        written = ConfFile("extensions.conf", ())
    else:
        written = read_conf(path, root=config.directory, exec_includes=config.asterisk.options.execincludes)
    return read_dialplan(with_sections(written, config.wizards.contexts))


def _packaged_indications() -> IndicationsSettings:
    return read_indications(read_conf(PACKAGE_DATA / "indications.conf"), Report())


def _sound_library(config: Config) -> SoundLibrary:
    folders = [str(config.directories.sounds), *system_sounds(), package_sounds()]
    return SoundLibrary(folders, config.asterisk.options.defaultlanguage)


def engine_settings(config: Config) -> EngineSettings:
    """What the media engine is told of the configuration."""
    rtp = config.rtp
    sounds = _sound_library(config)
    music: dict[str, str | tuple[str, ...]] = {}
    shuffled = set()
    for name, settings in config.musiconhold.classes.items():
        if settings.mode == "files" and settings.directory:
            folder = Path(settings.directory)
            if not folder.is_absolute():
                folder = config.directories.data / folder
                if not folder.is_dir():
                    folder = PACKAGE_DATA / settings.directory
            music[name] = str(folder)
        elif settings.mode == "playlist":
            found = (sounds.find(entry) or entry for entry in settings.entry)
            music[name] = tuple(path for path in found if Path(path).is_file())
        if settings.sort == "random":
            shuffled.add(name)
    music.setdefault("default", str(PACKAGE_DATA / "moh"))
    return EngineSettings(
        rtp_start=rtp.rtpstart,
        rtp_end=rtp.rtpend,
        strict_rtp=rtp.strictrtp != "no",
        probation=rtp.probation,
        music=music,
        music_random=frozenset(shuffled),
        threads=rtp.media_threads,
        mix_loudest=rtp.mix_loudest,
    )


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
        websocket=WebSocketOptions(write_timeout_ms=max(5000, config.ari.general.websocket_write_timeout)),
    )


def _listeners(config: Config) -> tuple[object, ...]:
    http = config.http
    return (
        *(http.enabled, http.bindaddr, http.bindport, http.prefix, http.enable_status, http.enable_static),
        *(http.redirect, http.tlsenable, http.tlsbindaddr),
    )


def _https_files(config: Config) -> tuple[Path, Path | None]:
    """The certificate of HTTPS, and its key where that has a file of its own."""
    http = config.http
    return resolve(config, http.tlscertfile), resolve(config, http.tlsprivatekey) if http.tlsprivatekey else None


def _needing_restart(former: Config, config: Config) -> list[str]:
    """What has changed and is read at the start alone."""
    notes = []
    if former.rtp != config.rtp:
        notes.append("rtp.conf has changed, which needs a restart")
    if former.asterisk != config.asterisk:
        notes.append("asterisk.conf has changed, which needs a restart")
    if (former.prometheus.enabled, former.prometheus.path) != (config.prometheus.enabled, config.prometheus.path):
        notes.append("prometheus.conf: enabled or uri has changed, which needs a restart")
    if former.ari.general.enabled != config.ari.general.enabled:
        notes.append("ari.conf: enabled has changed, which needs a restart")
    if former.ari.general.api_version != config.ari.general.api_version:
        notes.append("ari.conf: api_version has changed, which needs a restart")
    return notes


def _raise_file_limit(wanted: int) -> None:
    """As many open files as are wanted and allowed: a call takes two sockets, a client one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft < limit:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
