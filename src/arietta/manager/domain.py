"""What the actions need of the server: the registries themselves, and as Protocols what lies above them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from arietta.astdb import AstDb
from arietta.bridges.bridge import BridgeRegistry
from arietta.bus import Bus
from arietta.channels.channel import Channel
from arietta.channels.registry import ChannelRegistry
from arietta.config.tree import Config
from arietta.dialplan.interpreter import Interpreter
from arietta.errors import NotSupported
from arietta.model import shown
from arietta.stasis.devices import DeviceStates, Mailboxes
from arietta.stasis.presence import PresenceStates


class Sip(Protocol):
    """The SIP side of the server."""

    def contacts(self) -> Sequence[shown.Contact]:
        """The contacts of all addresses of record."""
        ...

    def registrations(self) -> Sequence[shown.Registration]:
        """Our registrations elsewhere."""
        ...

    def subscriptions(self) -> Sequence[shown.Subscription]:
        """Who subscribes to what with us, the oldest first."""
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

    def notify(self, to: str, option: str, lines: Sequence[tuple[str, str]] = ()) -> int:
        """Send the NOTIFY of a section of pjsip_notify.conf, or of these lines; returns how many go out. Refused."""
        ...

    def send_message(
        self, destination: str, origin: str, body: str, variables: Mapping[str, str], *, addressed: str = ""
    ) -> None:
        """Send a MESSAGE, which names `addressed` if given; raises Refused for what cannot be reached."""
        ...


class Place(msgspec.Struct, frozen=True):
    """A step of the dialplan; the priority is a number or a label."""

    context: str
    exten: str
    priority: int | str


class Moves(Protocol):
    """Channels moved from outside. Each raises Refused for what cannot be."""

    def redirect(self, channel: Channel, context: str, exten: str, priority: int | str) -> None:
        """Let a channel go on in the dialplan, whatever it is doing."""
        ...

    def redirect_both(self, one: Channel, one_place: Any, other: Channel, other_place: Any) -> None:
        """The same for two at once, to a `Place` each: neither ends because the other has left."""
        ...

    def bridge(self, one: Channel, other: Channel, *, tone: tuple[Channel, ...] = ()) -> object:
        """Let two channels hear each other in a bridge of two."""
        ...

    def blind_transfer(self, channel: Channel, context: str, exten: str) -> None:
        """Send those that talk to a channel to an extension."""
        ...

    def attended_transfer(self, channel: Channel, context: str, exten: str) -> None:
        """Let a channel call an extension and hand over those that it talks to when it hangs up."""
        ...

    def cancel_attended_transfer(self, channel: Channel) -> None:
        """Give up such a transfer: the channel is back with those it talked to."""
        ...


class System(Protocol):
    """The process: its configuration, its logs, its parts."""

    @property
    def version(self) -> str:
        """What the server says that it is."""
        ...

    @property
    def started_at(self) -> float:
        """Seconds since 1970."""
        ...

    @property
    def last_reload_at(self) -> float:
        """Seconds since 1970; the start if there was no reload."""
        ...

    @property
    def config(self) -> Config:
        """The configuration in force."""
        ...

    def reload(self, modules: tuple[str, ...] | None) -> Sequence[str]:
        """Read the files again; raises ConfigError, and then everything stays. Returns what is to be said."""
        ...

    def modules(self) -> Sequence[tuple[str, str]]:
        """The parts by the names of Asterisk's modules, and what they are."""
        ...

    def load_module(self, name: str) -> None:
        """Put a part back; raises Refused."""
        ...

    def unload_module(self, name: str) -> None:
        """Take a part out; raises Refused."""
        ...

    def rotate_logs(self) -> None:
        """Begin new log files."""
        ...


CommandLine = Callable[[str], Awaitable[tuple[str, int]]]
"""Carries out a line of the console: what it prints, and 0 if it was carried out."""


@dataclass(slots=True)
class Domain:
    """All of it; what is None is not there."""

    bus: Bus
    channels: ChannelRegistry
    bridges: BridgeRegistry
    dialplan: Interpreter
    devices: DeviceStates
    presences: PresenceStates
    mailboxes: Mailboxes
    astdb: AstDb
    system: System
    sip: Sip
    moves: Moves | None = None
    command_line: CommandLine | None = None

    @property
    def need_moves(self) -> Moves:
        """What moves channels."""
        if self.moves is None:
            raise NotSupported("channels cannot be moved by this server")
        return self.moves
