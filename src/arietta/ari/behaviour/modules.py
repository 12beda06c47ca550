"""Parts of the server under the names of the modules that do the same in Asterisk."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from arietta.asterisk.names import by_module
from arietta.channels.channel import Channel
from arietta.config.conf import ConfigError
from arietta.errors import Conflict, NotFound
from arietta.model import snapshots
from arietta.verbose import verbose

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the server; one with applications or functions of the dialplan can be taken out and put back."""

    description: str
    reloads: bool = False
    applications: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    support_level: str = "core"

    @property
    def fixed(self) -> bool:
        """Whether the server always has it."""
        return not self.applications and not self.functions


FIXED: Mapping[str, Part] = {
    "bridge_holding.so": Part("Holding bridge module"),
    "bridge_native_rtp.so": Part("Native RTP bridging module"),
    "bridge_simple.so": Part("Simple two channel bridging module"),
    "bridge_softmix.so": Part("Multi-party software based channel mixing"),
    "chan_pjsip.so": Part("PJSIP Channel Driver"),
    "codec_alaw.so": Part("A-law (G.711)"),
    "codec_g722.so": Part("G.722"),
    "codec_gsm.so": Part("GSM full rate"),
    "codec_ulaw.so": Part("mu-law (G.711)"),
    "format_gsm.so": Part("Files of GSM frames"),
    "format_pcm.so": Part("Files of mu-law and A-law"),
    "format_sln.so": Part("Files of linear samples"),
    "format_wav.so": Part("WAV files"),
    "pbx_config.so": Part("Text Extension Configuration", reloads=True),
    "res_ari.so": Part("Asterisk RESTful Interface", reloads=True),
    "res_ari_applications.so": Part("RESTful API module - Stasis application resources"),
    "res_ari_asterisk.so": Part("RESTful API module - Asterisk resources"),
    "res_ari_bridges.so": Part("RESTful API module - Bridge resources"),
    "res_ari_channels.so": Part("RESTful API module - Channel resources"),
    "res_ari_device_states.so": Part("RESTful API module - Device state resources"),
    "res_ari_endpoints.so": Part("RESTful API module - Endpoint resources"),
    "res_ari_events.so": Part("RESTful API module - WebSocket resource"),
    "res_ari_mailboxes.so": Part("RESTful API module - Mailboxes resources"),
    "res_ari_playbacks.so": Part("RESTful API module - Playback control resources"),
    "res_ari_recordings.so": Part("RESTful API module - Recording resources"),
    "res_ari_sounds.so": Part("RESTful API module - Sound resources"),
    "res_http_media_cache.so": Part("HTTP backend for the core media cache", reloads=True),
    "res_prometheus.so": Part("Metrics for Prometheus", reloads=True, support_level="extended"),
    "res_http_websocket.so": Part("HTTP WebSocket Support"),
    "res_musiconhold.so": Part("Music On Hold Resource", reloads=True),
    "res_pjsip.so": Part("Basic SIP resource", reloads=True),
    "res_pjsip_authenticator_digest.so": Part("PJSIP digest authentication"),
    "res_pjsip_endpoint_identifier_anonymous.so": Part("PJSIP endpoint of unknown callers"),
    "res_pjsip_endpoint_identifier_ip.so": Part("PJSIP endpoints by address"),
    "res_pjsip_endpoint_identifier_user.so": Part("PJSIP endpoints by user name"),
    "res_pjsip_outbound_authenticator_digest.so": Part("PJSIP digest authentication"),
    "res_pjsip_outbound_registration.so": Part("PJSIP registrations elsewhere"),
    "res_pjsip_registrar.so": Part("PJSIP registrar"),
    "res_pjsip_sdp_rtp.so": Part("PJSIP audio streams"),
    "res_pjsip_session.so": Part("PJSIP calls"),
    "res_rtp_asterisk.so": Part("Asterisk RTP Stack"),
    "res_sorcery_astdb.so": Part("SIP objects of run time, kept"),
    "res_sorcery_config.so": Part("SIP objects of pjsip.conf"),
    "res_sorcery_memory.so": Part("SIP objects of run time, in memory"),
    "res_stasis.so": Part("Stasis application support"),
    "res_stasis_device_state.so": Part("Device states of applications"),
    "res_stasis_mailbox.so": Part("Mailboxes of applications"),
    "res_stasis_playback.so": Part("Playbacks of applications"),
    "res_stasis_recording.so": Part("Recordings of applications"),
    "res_stasis_snoop.so": Part("Snooping by applications"),
}
"""Parts that the server always has."""

DIALPLAN: Mapping[str, Part] = {
    "app_amd.so": Part("Tells persons from answering machines", reloads=True),
    "app_authenticate.so": Part("Asks for a password"),
    "app_chanisavail.so": Part("Devices that could be called", support_level="extended"),
    "app_chanspy.so": Part("Listening to channels"),
    "app_controlplayback.so": Part("Files that keys move in"),
    "app_dial.so": Part("Dialing Application"),
    "app_disa.so": Part("Dialling from outside as if inside"),
    "app_echo.so": Part("Simple Echo Application"),
    "app_exec.so": Part("Applications named in text"),
    "app_mixmonitor.so": Part("Calls recorded from both sides"),
    "app_morsecode.so": Part("Morse code", support_level="extended"),
    "app_originate.so": Part("Calls that the dialplan places"),
    "app_playback.so": Part("Sound File Playback Application"),
    "app_playtones.so": Part("Tones while the dialplan goes on"),
    "app_privacy.so": Part("Asks callers without a number"),
    "app_read.so": Part("Digits into a variable"),
    "app_readexten.so": Part("An extension into a variable"),
    "app_record.so": Part("Records the caller"),
    "app_sayunixtime.so": Part("Says times"),
    "app_senddtmf.so": Part("Digits to the far end"),
    "app_sendtext.so": Part("Texts to the far end"),
    "app_signal.so": Part("Calls that wait for each other"),
    "app_softhangup.so": Part("Ends other calls"),
    "app_stack.so": Part("Subroutines of the dialplan"),
    "app_stasis.so": Part("Stasis dialplan application"),
    "app_stasis_broadcast.so": Part("Offers calls to all Stasis applications"),
    "app_talkdetect.so": Part("Files that speech ends", support_level="extended"),
    "app_tonedetect.so": Part("Waits for a tone"),
    "app_transfer.so": Part("Calls sent elsewhere"),
    "app_userevent.so": Part("Events of your own"),
    "app_verbose.so": Part("Lines on the console and in the log"),
    "app_waitforcond.so": Part("Waits for a condition"),
    "app_waitforring.so": Part("Waits for a ring", support_level="extended"),
    "app_waitforsilence.so": Part("Waits for silence or noise"),
    "app_waituntil.so": Part("Waits for a moment"),
    "app_zapateller.so": Part("Sounds like a number out of service", support_level="extended"),
    "func_base64.so": Part("Base64"),
    "func_callerid.so": Part("Who calls whom"),
    "func_channel.so": Part("What a channel is"),
    "func_cut.so": Part("Fields of a text"),
    "func_devstate.so": Part("States of devices"),
    "func_dialplan.so": Part("What the dialplan has"),
    "func_env.so": Part("Environment variables"),
    "func_extstate.so": Part("States of extensions"),
    "func_global.so": Part("Global variables"),
    "func_logic.so": Part("Conditions"),
    "func_math.so": Part("Arithmetic"),
    "func_md5.so": Part("MD5"),
    "func_rand.so": Part("Random numbers"),
    "func_sha1.so": Part("SHA-1"),
    "func_strings.so": Part("Texts and lists"),
    "func_talkdetect.so": Part("Who talks"),
    "func_timeout.so": Part("Timeouts of a channel"),
    "func_uri.so": Part("URI encoding"),
    "func_version.so": Part("Version of the server"),
}
"""What those of the dialplan are; their applications and functions are those of the lists of Asterisk's names."""
OTHER = Part("Applications and functions of the dialplan")


def _of_the_dialplan() -> dict[str, Part]:
    applications, functions = by_module("applications"), by_module("functions")
    return {
        name: replace(
            DIALPLAN.get(name, OTHER), applications=applications.get(module, ()), functions=functions.get(module, ())
        )
        for module in sorted({*applications, *functions})
        if (name := f"{module}.so") not in FIXED
    }


PARTS: Mapping[str, Part] = {**FIXED, **_of_the_dialplan()}
"""The parts there can be; those whose applications and functions this server lacks are not shown."""


class Registry(Protocol):
    """The applications, or the functions, that the dialplan has; names in any case."""

    def add(self, entry: Any, /) -> None:
        """Add one, or replace the one of its name."""
        ...

    def remove(self, name: str, /) -> Any:
        """Take one out and return it; None if there is none of that name."""
        ...

    def __contains__(self, name: str, /) -> bool: ...


class _Switch:
    """One registry, and what was taken out of it by module."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._out: dict[str, list[Any]] = {}

    def has(self, names: Iterable[str]) -> bool:
        """Whether one of these names is there."""
        return any(name in self._registry for name in names)

    def take_out(self, module: str, names: Iterable[str]) -> None:
        taken = (self._registry.remove(name) for name in names)
        self._out[module] = [entry for entry in taken if entry is not None]

    def put_back(self, module: str) -> None:
        for entry in self._out.pop(module, ()):
            self._registry.add(entry)


class Modules:
    """The modules of this server: what is there, what is in use, and what can be switched."""

    def __init__(
        self,
        applications: Registry,
        functions: Registry,
        channels: Iterable[Channel],
        *,
        use_count: Callable[[str], int],
        reload: Callable[[str], object],
        tell: Callable[[str, bool], object] = lambda _module, _loaded: None,
    ) -> None:
        """`use_count` counts the users of a fixed part; `reload` reads its files again, or raises ConfigError.

        `tell` hears of each module that was put back or taken out.
        """
        self._channels = channels
        self._use_count = use_count
        self._reload = reload
        self._tell = tell
        self._applications = _Switch(applications)
        self._functions = _Switch(functions)
        self._there = {
            name: part
            for name, part in PARTS.items()
            if part.fixed or self._applications.has(part.applications) or self._functions.has(part.functions)
        }
        self._unloaded: set[str] = set()

    def list(self) -> Sequence[snapshots.Module]:
        """The modules that are loaded, by name."""
        return [self._module(name) for name in sorted(self._there) if name not in self._unloaded]

    def get(self, name: str) -> snapshots.Module:
        """404; 409 for a name without .so."""
        if not name.endswith(".so"):
            raise Conflict(f"module name {name!r} does not end in .so")
        self._need(name)
        return self._module(name)

    def runs(self, name: str) -> bool:
        """Whether a module is there and at work; the suffix of its name may be left out."""
        try:
            self.get(f"{name.removesuffix('.so')}.so")
        except NotFound:
            return False
        return True

    def load(self, name: str) -> None:
        """Put a module back. 409 if there is none of that name, or it is loaded."""
        if name not in self._there:
            raise Conflict(f"module {name!r} cannot be loaded: there is no such part of the server")
        if name not in self._unloaded:
            raise Conflict(f"module {name!r} is loaded already")
        self._applications.put_back(name)
        self._functions.put_back(name)
        self._unloaded.discard(name)
        self._tell(name, True)
        verbose(1, f"Loaded {name} => ({self._there[name].description})")

    def unload(self, name: str) -> None:
        """Take a module out: the dialplan does not know its applications any more. 404; 409 while it is used."""
        part = self._need(name)
        if part.fixed:
            raise Conflict(f"module {name!r} is a fixed part of the server and cannot be unloaded")
        users = self._executing(part)
        if users:
            raise Conflict(f"module {name!r} is in use by {users} channel{'s' if users > 1 else ''}")
        self._applications.take_out(name, part.applications)
        self._functions.take_out(name, part.functions)
        self._unloaded.add(name)
        self._tell(name, False)
        verbose(1, f"Unloaded {name}")

    def reload(self, name: str) -> None:
        """Read a module's files again. 404; 409 if it has none, or they cannot be used."""
        if not self._need(name).reloads:
            raise Conflict(f"module {name!r} has nothing to reload")
        try:
            self._reload(name)
        except ConfigError as problem:
            raise Conflict(f"module {name!r} keeps its configuration: {problem}") from problem

    def _need(self, name: str) -> Part:
        if name not in self._there or name in self._unloaded:
            raise NotFound(f"module {name!r} does not exist")
        return self._there[name]

    def _executing(self, part: Part) -> int:
        """How many channels are in one of the part's applications."""
        if not part.applications:
            return 0
        names = {name.lower() for name in part.applications}
        return sum(channel.app_name.lower() in names for channel in self._channels)

    def _module(self, name: str) -> snapshots.Module:
        part = self._there[name]
        return snapshots.Module(
            name=name,
            description=part.description,
            use_count=self._use_count(name) if part.fixed else self._executing(part),
            status="Running",
            support_level=part.support_level,
        )
