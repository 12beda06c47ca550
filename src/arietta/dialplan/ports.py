"""What the dialplan needs of parts that it must not import; the server puts them in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from arietta.errors import BadRequest, Conflict, NotFound
from arietta.media.engine import MediaError, Player

if TYPE_CHECKING:
    from arietta.channels.channel import Channel, Story
    from arietta.channels.consulting_rules import ConsultingRules


class MediaOutput(Protocol):
    """What a channel can be made to hear. All calls are immediate and in the owner of the channel."""

    def play(self, channel: Channel, uri: str, on_end: Callable[[str | None], None]) -> Callable[[], None]:
        """Play a media URI of ARI (``sound:hello-world``, ``digits:123`` …) in the channel's language.

        `on_end` hears once, later, why it could not be played, or None when it was played or stopped; the returned
        call stops it.
        """
        ...

    def player(
        self, channel: Channel, names: Sequence[str], on_end: Callable[[str | None], None], offset_ms: int = 0
    ) -> Player:
        """Play sounds by their names, one after the other, from a place on; `on_end` as for `play`.

        MediaError where that cannot begin.
        """
        ...

    def tones(self, channel: Channel, what: str | None) -> bool:
        """Let a tone sound in the background, by its name or its cadence; None ends it. False: no such tone."""
        ...

    def music(self, channel: Channel, music_class: str | None) -> None:
        """Let music of a class sound in the background; None ends it."""
        ...


class TwoPartyBridges(Protocol):
    """Where Dial connects the two sides."""

    def connect(
        self, caller: Channel, peer: Channel, on_left: Callable[[Channel], None], *, names: bool = True
    ) -> Callable[[], None]:
        """Put both, the peer first, into a new "basic" bridge, and tell each who the other is, if `names`.

        `on_left` hears who left first, once, unless the returned call ended the bridge.
        """
        ...


class Transferring(Protocol):
    """What becomes of a transfer that keys ask for; raises AriettaError for one that cannot be."""

    def blind_transfer(self, channel: Channel, context: str, exten: str, *, is_external: bool) -> None:
        """Send those that talk to `channel` to an extension; the channel itself ends."""
        ...

    def attended_transfer(
        self,
        channel: Channel,
        context: str,
        exten: str,
        rules: ConsultingRules,
        came_back: Callable[[], None] | None = None,
    ) -> None:
        """Let `channel` call an extension while those that it talks to wait; its hangup completes the transfer.

        `came_back` is called if it is given up, once the channel is back with them.
        """
        ...

    def pick_up(self, channel: Channel, wanted: Callable[[Channel], bool]) -> Story | None:
        """Let `channel` have the oldest ringing call that is `wanted`: what it does then, answered; None if none is."""
        ...


class DeviceStates(Protocol):
    """The states of devices by name, as DEVICE_STATE shows them."""

    def read(self, device: str) -> str:
        """NOT_INUSE, INUSE, BUSY, UNAVAILABLE, RINGING, RINGINUSE, ONHOLD, INVALID or UNKNOWN."""
        ...

    def write(self, device: str, state: str) -> None:
        """Set the state of a ``Custom:`` device; raises ValueError for one that cannot be set."""
        ...


class Database(Protocol):
    """AstDB: texts by family and key; `arietta.astdb.AstDb` says what each call does."""

    def get(self, family: str, key: str) -> str | None:
        """The text of a key, or None."""
        ...

    def put(self, family: str, key: str, value: str) -> None:
        """Keep a text; raises AriettaError for one that cannot be kept."""
        ...

    def delete(self, family: str, key: str) -> bool:
        """Forget a key; False if there was none."""
        ...

    def delete_tree(self, family: str = "", keytree: str = "") -> int:
        """Forget a family or what is below one of its keys; returns how many there were."""
        ...

    def tree(self, family: str = "", keytree: str = "") -> list[tuple[str, str]]:
        """``/FAMILY/KEY`` and text of what is below, by name."""
        ...


class Messages(Protocol):
    """Texts outside of calls."""

    def send_message(
        self, to: str, sender: str, body: str, variables: Mapping[str, str], *, addressed: str = ""
    ) -> None:
        """Send a text; `addressed` is whom it names in place of `to`.

        NotFound where `to` leads nowhere, another AriettaError for what cannot be written.
        """
        ...


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the dialplan's files are."""

    configuration: Path = Path(".")
    sounds: Path = Path(".")
    """What Record and the like write is named from here."""
    monitor: Path = Path(".")
    """What MixMonitor writes is named from here."""
    agi: Path = Path(".")


@dataclass(frozen=True, slots=True)
class WebOptions:
    """How CURL asks another server."""

    seconds: int = 180
    connect_seconds: int = 30
    follow: bool = False
    max_redirects: int = 8
    verify: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)
    credentials: str = field(default="", repr=False)
    """``user:password``"""
    failures: tuple[int, ...] = ()
    """Statuses that count as no answer."""


class WebFailed(Exception):
    """The other server cannot be asked, or its answer not be taken."""


Web = Callable[[str, bytes | None, WebOptions], Awaitable[bytes]]
"""Asks a URL, with POST if there are data; raises WebFailed."""


async def no_web(url: str, body: bytes | None, options: WebOptions) -> bytes:
    """A Web that reaches nobody."""
    raise WebFailed("no other server can be asked here")


class PresenceStates(Protocol):
    """The presence of people by provider, as PRESENCE_STATE shows it."""

    def read(self, provider: str) -> tuple[str, str, str, bool]:
        """State, subtype, message, and whether the last two are in Base64; not_set for what nobody has set."""
        ...

    def write(self, provider: str, state: str, subtype: str, message: str, *, encoded: bool) -> None:
        """Set a ``CustomPresence:`` provider; raises ValueError for what cannot be set."""
        ...


class NoMedia:
    """A MediaOutput without media: nothing can be played."""

    def play(self, channel: Channel, uri: str, on_end: Callable[[str | None], None]) -> Callable[[], None]:
        handle = channel.registry.loop.call_soon(on_end, f"{uri} cannot be played: there is no media")
        return handle.cancel

    def player(
        self, channel: Channel, names: Sequence[str], on_end: Callable[[str | None], None], offset_ms: int = 0
    ) -> Player:
        raise MediaError(f"{', '.join(names)} cannot be played: there is no media")

    def tones(self, channel: Channel, what: str | None) -> bool:
        return False

    def music(self, channel: Channel, music_class: str | None) -> None:
        return


class NoBridges:
    """TwoPartyBridges that connect nobody: whoever is connected leaves at once."""

    def connect(
        self, caller: Channel, peer: Channel, on_left: Callable[[Channel], None], *, names: bool = True
    ) -> Callable[[], None]:
        handle = caller.registry.loop.call_soon(on_left, peer)
        return handle.cancel


class NoTransfers:
    """A Transferring that transfers nobody."""

    def blind_transfer(self, channel: Channel, context: str, exten: str, *, is_external: bool) -> None:
        raise Conflict(f"channel {channel.name!r} cannot be transferred here")

    def attended_transfer(
        self,
        channel: Channel,
        context: str,
        exten: str,
        rules: ConsultingRules,
        came_back: Callable[[], None] | None = None,
    ) -> None:
        raise Conflict(f"channel {channel.name!r} cannot be transferred here")

    def pick_up(self, channel: Channel, wanted: Callable[[Channel], bool]) -> Story | None:
        return None


class DriverDevices:
    """DeviceStates of what the drivers know, without any that can be set."""

    def __init__(self, find: Callable[[str, str], str | None]) -> None:
        self._find = find

    def read(self, device: str) -> str:
        technology, slash, resource = device.partition("/")
        if not slash:
            return "INVALID"
        return self._find(technology, resource) or "INVALID"

    def write(self, device: str, state: str) -> None:
        raise ValueError(f"the state of device {device!r} cannot be set")


class NoDatabase:
    """A Database that is empty and keeps nothing."""

    def get(self, family: str, key: str) -> str | None:
        return None

    def put(self, family: str, key: str, value: str) -> None:
        raise BadRequest(f"/{family}/{key} cannot be kept: there is no database")

    def delete(self, family: str, key: str) -> bool:
        return False

    def delete_tree(self, family: str = "", keytree: str = "") -> int:
        return 0

    def tree(self, family: str = "", keytree: str = "") -> list[tuple[str, str]]:
        return []


class NoMessages:
    """Messages that reach nobody."""

    def send_message(
        self, to: str, sender: str, body: str, variables: Mapping[str, str], *, addressed: str = ""
    ) -> None:
        raise NotFound(f"a text to {to!r} cannot be sent: there is nothing that carries it")


class NoPresence:
    """PresenceStates without any that can be set."""

    def read(self, provider: str) -> tuple[str, str, str, bool]:
        return "not_set", "", "", False

    def write(self, provider: str, state: str, subtype: str, message: str, *, encoded: bool) -> None:
        raise ValueError(f"presence {provider!r} cannot be set")
