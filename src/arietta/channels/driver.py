"""What a channel needs of its technology (Driver, Leg) and of the dialplan (DialplanRunner)."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.media.engine import DigitOut, Port
    from arietta.model import snapshots


class Indication(enum.Enum):
    """What a channel can show its far end without audio."""

    RINGING = "ringing"
    STOP_RINGING = "stop ringing"
    PROGRESS = "progress"
    PROCEEDING = "proceeding"
    BUSY = "busy"
    CONGESTION = "congestion"
    HOLD = "hold"
    UNHOLD = "unhold"
    CONNECTED_LINE = "connected line"
    REDIRECTING = "redirecting"


@dataclass(frozen=True, slots=True)
class Party:
    """Name and number of one side of a call, with the presentation code of ARI (0 allowed, 32 restricted …)."""

    name: str = ""
    number: str = ""
    presentation: int = 0
    tag: str = ""
    """A word of the configuration about them, which is shown to nobody but the dialplan."""


@dataclass(frozen=True, slots=True)
class DialRequest:
    """Who is wanted, and how the channel that will reach them is to be made.

    `resource` is what follows ``TECH/`` in the endpoint. `variables` are set on the new channel before the call.
    `on_channel` is told of every channel that the driver makes for it, as soon as it has its id and before its first
    event.
    """

    resource: str
    channel_id: str | None = None
    other_channel_id: str | None = None
    originator: Channel | None = None
    formats: tuple[str, ...] = ()
    caller: Party | None = None
    connected: Party | None = None
    language: str | None = None
    accountcode: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    on_channel: Callable[[Channel], None] | None = None


@dataclass(frozen=True, slots=True)
class TransferTarget:
    """Where a far end wants those that it talks to."""

    exten: str
    protocol_id: str = ""
    """Of the call that is to be replaced (SIP: its Call-ID); empty for a blind transfer."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What else names that call (SIP: its tags)."""


class CannotRequest(Exception):
    """No channel can be made towards the resource; `cause` is Q.850 (20: absent, 3: no route, 44: none free)."""

    def __init__(self, message: str, cause: int = 3) -> None:
        super().__init__(message)
        self.cause = cause


class Leg(Protocol):
    """The technology's side of one channel. All calls are immediate; what happens comes back as signals.

    A leg never changes its channel but through `Channel.receive`.
    """

    @property
    def protocol_id(self) -> str:
        """The technology's own name of the call: the SIP Call-ID; empty where there is none."""
        ...

    @property
    def port(self) -> Port | None:
        """Where the leg's frames enter and leave; None while there is no media."""
        ...

    def call(self) -> None:
        """Start the outgoing call."""
        ...

    def answer(self) -> None:
        """Answer the incoming call."""
        ...

    def indicate(self, indication: Indication, data: str = "") -> None:
        """Show the far end something; what the technology cannot show is ignored."""
        ...

    def send_digits(self, digits: Sequence[DigitOut], on_end: Callable[[], None] | None = None) -> None:
        """Send digits after those being sent; `on_end` is told when the last gap is over or the leg ended."""
        ...

    def redirect(self, target: str) -> None:
        """Send the far end to `target` (SIP 302 or REFER)."""
        ...

    def hangup(self, cause: int) -> int | None:
        """End the call in whatever state it is and free everything; returns the SIP status sent, if it was one."""
        ...

    def read(self, item: str) -> str | None:
        """CHANNEL(item) and the like of the technology; None for what it does not know."""
        ...


class Driver(Protocol):
    """Makes one kind of channel."""

    @property
    def technology(self) -> str:
        """The name before the slash: PJSIP, Local, …"""
        ...

    def request(self, wanted: DialRequest) -> Channel:
        """A new channel towards `wanted`, state Down, not called yet; raises `CannotRequest`."""
        ...

    def endpoints(self) -> Sequence[snapshots.Endpoint]:
        """The endpoints of the technology as they are now."""
        ...

    def endpoint(self, resource: str) -> snapshots.Endpoint | None:
        """One endpoint by name, case-insensitive."""
        ...

    def device_state(self, resource: str) -> str | None:
        """The state of the device TECH/resource in DEVICE_STATE words (NOT_INUSE …); None if there is none."""
        ...

    async def stop(self) -> None:
        """Close sockets and end tasks; every channel has been hung up before."""
        ...


class WithoutEndpoints:
    """The part of a driver that has channels but no endpoints, no devices, and nothing to close."""

    def endpoints(self) -> Sequence[snapshots.Endpoint]:
        return ()

    def endpoint(self, resource: str) -> snapshots.Endpoint | None:
        return None

    def device_state(self, resource: str) -> str | None:
        return None

    async def stop(self) -> None:
        return


class DialplanRunner(Protocol):
    """What channels and ARI need of the dialplan."""

    async def run(self, channel: Channel) -> None:
        """Execute steps from the channel's place until they end; `h` included; HungUp never escapes."""
        ...

    def exists(self, context: str, exten: str, priority: int, caller_number: str = "") -> bool:
        """Whether there is such a step."""
        ...

    def may_match(self, context: str, exten: str, caller_number: str = "") -> bool:
        """Whether an extension could match after more characters."""
        ...

    def accepts(self, context: str, exten: str, caller_number: str = "") -> bool:
        """Whether a call can begin with an extension: there is one, or it picks up another call."""
        ...

    def feature_keys(self, channel: Channel, feature: str) -> str:
        """The keys that ask for a feature of features.conf; "" if there are none."""
        ...

    def priority_of_label(self, context: str, exten: str, label: str, caller_number: str = "") -> int | None:
        """The priority a label stands at, or None."""
        ...

    def read(self, channel: Channel | None, name: str) -> str | None:
        """A variable or function by its name without ``${}``; None if unset; raises on unknown functions."""
        ...

    def write(self, channel: Channel | None, name: str, value: str) -> None:
        """Set a variable or write a function; globals where `channel` is None."""
        ...
