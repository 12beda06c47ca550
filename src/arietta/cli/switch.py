"""What the console needs of a running server, as values: the one seam between commands and the parts they show.

Every method answers at once from what is in memory, but for `originate` and `reload`. What a console asks for and
cannot be raises `arietta.errors.Refused` or `arietta.config.conf.ConfigError`, whose text the console prints.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from arietta.astdb import AstDb
from arietta.config.tree import Config
from arietta.dialplan.interpreter import Interpreter
from arietta.media.engine import EngineStatistics
from arietta.media.sounds import SoundLibrary
from arietta.model import shown, snapshots
from arietta.server.api import AriApi
from arietta.server.outbound import OutboundSockets
from arietta.server.records import Records
from arietta.stasis.presence import PresenceStates


class ChannelView(msgspec.Struct, frozen=True):
    """A channel with what its snapshot does not show; times are seconds since the epoch."""

    snapshot: snapshots.Channel
    created_at: float
    answered_at: float | None = None
    bridge_id: str = ""
    peer: str = ""
    """Name of the other channel in a bridge of two."""
    codec: str = ""
    hangup_cause: int = 0
    variables: Mapping[str, str] = {}


class StasisView(msgspec.Struct, frozen=True):
    """A Stasis application, and whether somebody listens to it."""

    snapshot: snapshots.Application
    active: bool


class StepView(msgspec.Struct, frozen=True):
    """One priority of an extension; `place` is its file and line."""

    priority: int
    label: str
    application: str
    data: str
    place: str


class ExtensionView(msgspec.Struct, frozen=True):
    """An extension or pattern with its steps in order; a hint is a `hint` device and has no steps."""

    name: str
    steps: tuple[StepView, ...] = ()
    hint: str = ""


class ContextView(msgspec.Struct, frozen=True):
    """A context of the dialplan with what it includes."""

    name: str
    extensions: tuple[ExtensionView, ...] = ()
    includes: tuple[str, ...] = ()


class HintView(msgspec.Struct, frozen=True):
    """What an extension shows; `state` is in the manager interface's words."""

    exten: str
    context: str
    hint: str
    state: str
    presence: str = "not_set"
    watchers: int = 0


class ManagerSessionView(msgspec.Struct, frozen=True):
    """A session of the manager interface; `since` is seconds since the epoch."""

    user: str
    address: str
    transport: str
    since: float
    events_sent: int = 0
    waiting_bytes: int = 0


class HelpView(msgspec.Struct, frozen=True):
    """A dialplan application or function: how it is written, what it does in one sentence, and the rest."""

    name: str
    synopsis: str
    syntax: str = ""
    description: str = ""


class ModuleView(msgspec.Struct, frozen=True):
    """A part of the server under the name of Asterisk's module."""

    name: str
    description: str
    use_count: int = 0
    status: str = "Running"


class EngineView(msgspec.Struct, frozen=True):
    """The media engine and what it has counted; `why` it is the slower one, if nobody asked for that."""

    name: str
    statistics: EngineStatistics
    why: str = ""


class Originate(msgspec.Struct, frozen=True):
    """A call that the console starts: `endpoint` to an application with data, or to an extension of a context."""

    endpoint: str
    application: str = ""
    data: str = ""
    extension: str = ""
    context: str = ""


StopWhen = Literal["now", "gracefully", "when convenient"]
"""At once; once the last call has ended, without new ones; once there is no call, however many come before."""


class Sip(Protocol):
    """The SIP side of a running server."""

    def contacts(self) -> Sequence[shown.Contact]:
        """The contacts of all addresses of record."""
        ...

    def registrations(self) -> Sequence[shown.Registration]:
        """Our registrations at other servers."""
        ...

    def subscriptions(self) -> Sequence[shown.Subscription]:
        """Who subscribes to what with us, the oldest first."""
        ...

    def bans(self) -> Sequence[shown.Ban]:
        """Whom SIP does not listen to, because credentials were guessed."""
        ...

    def unban(self, source: str) -> bool:
        """Listen to a source again; False when it was not banned."""
        ...

    def counters(self) -> Mapping[str, int]:
        """What SIP took, dropped and refused since the start."""
        ...

    def calls(self) -> Sequence[shown.SipCall]:
        """The calls whose SIP is kept, in the order in which they began, each with its first and last message."""
        ...

    def ladder(self, name: str, *, with_peer: bool) -> Sequence[shown.SipCall]:
        """The SIP of a channel by name or id, or of a Call-ID; `with_peer` also of the calls it was connected with.

        Raises NotFound.
        """
        ...

    def qualify(self, endpoint: str) -> None:
        """Ask the contacts of an endpoint at once whether they are there; raises NotFound."""
        ...

    def register(self, name: str) -> None:
        """Register elsewhere now, by the name of the section or `*all`; raises NotFound."""
        ...

    def unregister(self, name: str) -> None:
        """End a registration elsewhere until it is asked for again; raises NotFound."""
        ...

    def notify(self, to: str, option: str) -> int:
        """Send the NOTIFY of a section of pjsip_notify.conf; returns how many go out. Raises Refused."""
        ...

    def notifications(self) -> Sequence[str]:
        """The sections of pjsip_notify.conf."""
        ...

    def log(self, words: Sequence[str]) -> str:
        """Carry out `pjsip set logger`; returns what is logged now. Raises BadRequest, Conflict."""
        ...

    def log_media(self, what: str, words: Sequence[str]) -> str:
        """Carry out `rtp debug`, `rtcp debug` or `rtcp stats`; returns what is shown now. Raises BadRequest."""
        ...


class Switch(Protocol):
    """A running server as its console sees it."""

    @property
    def config(self) -> Config:
        """The configuration in force."""
        ...

    @property
    def started_at(self) -> float:
        """Seconds since the epoch."""
        ...

    @property
    def last_reload_at(self) -> float:
        """Seconds since the epoch; the start if there was no reload."""
        ...

    @property
    def asterisk_id(self) -> str:
        """The id of this server in every event."""
        ...

    @property
    def calls_processed(self) -> int:
        """Calls since the start, those that live included."""
        ...

    @property
    def records(self) -> Records:
        """The records of calls and the log of channels."""
        ...

    def channels(self) -> Sequence[ChannelView]:
        """The channels that live, internal ones left out."""
        ...

    def channel(self, name: str) -> ChannelView | None:
        """A living channel by its name or id."""
        ...

    def bridges(self) -> Sequence[snapshots.Bridge]:
        """The bridges that live."""
        ...

    def applications(self) -> Sequence[StasisView]:
        """The Stasis applications that exist."""
        ...

    def http_addresses(self) -> Sequence[tuple[str, bool]]:
        """Where the HTTP server listens, as host:port, and whether that is with TLS."""
        ...

    def http_uris(self) -> Sequence[tuple[str, str]]:
        """The paths it serves, prefix included, with what stands behind each."""
        ...

    def contexts(self) -> Sequence[ContextView]:
        """The dialplan."""
        ...

    def dialplan_applications(self) -> Sequence[HelpView]:
        """What a step of the dialplan can be."""
        ...

    def dialplan_functions(self) -> Sequence[HelpView]:
        """What can stand as ${NAME(...)}."""
        ...

    def hints(self) -> Sequence[HintView]:
        """What extensions show, those of patterns while somebody watches them."""
        ...

    @property
    def plan(self) -> Interpreter:
        """The dialplan in force, with its applications and functions."""
        ...

    @property
    def ari(self) -> AriApi:
        """The REST interface."""
        ...

    @property
    def outbound(self) -> OutboundSockets:
        """The event sockets that we open."""
        ...

    @property
    def presences(self) -> PresenceStates:
        """Who said to be there."""
        ...

    @property
    def sounds(self) -> SoundLibrary:
        """The sounds there are."""
        ...

    @property
    def sip(self) -> Sip:
        """The SIP side."""
        ...

    def endpoints(self) -> Sequence[snapshots.Endpoint]:
        """The PJSIP endpoints."""
        ...

    def device_state(self, device: str) -> str:
        """The state of a device such as PJSIP/6001 in DEVICE_STATE words."""
        ...

    def manager_sessions(self) -> Sequence[ManagerSessionView]:
        """Who is logged in at the manager interface."""
        ...

    def modules(self) -> Sequence[ModuleView]:
        """The parts of the server."""
        ...

    def engine(self) -> EngineView:
        """What carries the audio."""
        ...

    def settings(self) -> Sequence[tuple[str, str]]:
        """More lines for `core show settings`, as (name, value): the media engine, the event loop …"""
        ...

    def hang_up(self, channel_id: str) -> None:
        """Ask a channel to end."""
        ...

    def redirect(self, channel_id: str, context: str, exten: str, priority: str) -> None:
        """Send a channel to a place in the dialplan; an empty part is that of its present place. Raises Refused."""
        ...

    def kick(self, bridge_id: str, channel_id: str) -> None:
        """Take a channel out of a bridge. Raises NotFound."""
        ...

    def destroy_bridge(self, bridge_id: str) -> None:
        """End a bridge; its members leave it. Raises NotFound."""
        ...

    def database(self) -> AstDb:
        """The database of the dialplan."""
        ...

    def custom_devices(self) -> Sequence[snapshots.DeviceState]:
        """The Custom: devices that were set."""
        ...

    def set_custom_device(self, name: str, state: str) -> None:
        """Set the state of a Custom: device. Raises BadRequest."""
        ...

    def globals(self) -> Mapping[str, str]:
        """The global variables of the dialplan."""
        ...

    def set_global(self, name: str, value: str) -> None:
        """Set a global variable."""
        ...

    def groups(self) -> Sequence[tuple[str, str, str]]:
        """Channel name, group and category of the channels that are in groups."""
        ...

    def music(self) -> Mapping[str, Sequence[str]]:
        """The files of each class of music on hold, in the order of its folder or playlist."""
        ...

    def load_module(self, name: str) -> None:
        """Put a part back. Raises Refused."""
        ...

    def unload_module(self, name: str) -> None:
        """Take a part out. Raises Refused."""
        ...

    async def originate(self, call: Originate) -> str:
        """Start a call; returns the name of its channel. Raises Refused."""
        ...

    async def reload(self, modules: tuple[str, ...] | None) -> Sequence[str]:
        """Read the configuration again, for all parts or the named ones; returns what changed, a line each.

        Raises ConfigError when a file is broken; the configuration in force stays.
        """
        ...

    def stop(self, when: StopWhen, *, restarts: bool = False) -> None:
        """Begin to stop, perhaps to execute the program anew; returns before that happens."""
        ...

    def abort_stop(self) -> bool:
        """Take calls and go on after all; False if nothing was to stop, or it is too late."""
        ...
