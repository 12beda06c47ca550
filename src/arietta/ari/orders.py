"""What operations ask of the domain, as values: parameters that were read and found good."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Direction = Literal["both", "in", "out"]
SnoopDirection = Literal["none", "both", "in", "out"]
IfExists = Literal["fail", "overwrite", "append"]
TerminateOn = Literal["none", "any", "*", "#"]
ControlOperation = Literal["restart", "pause", "unpause", "reverse", "forward"]


class Assignment(NamedTuple):
    """A variable's new value, and whether its changes are shown in snapshots and events from now on."""

    value: str
    report_events: bool = False


Assignments = Mapping[str, Assignment]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialling:
    """What a channel to be made is told, whether it is dialled at once or later."""

    endpoint: str
    """TECH/RESOURCE."""
    channel_id: str | None = None
    other_channel_id: str | None = None
    """Id of the second half of a Local channel."""
    originator: str | None = None
    """Id of the channel on whose behalf it is made; its formats, language and accountcode are taken over."""
    formats: tuple[str, ...] = ()
    variables: Assignments | None = None
    app: str | None = None
    app_args: str | None = None
    """As it came, with commas between arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origination(Dialling):
    """A call to be placed, into an application (`app`) or to a place in the dialplan (`extension`)."""

    extension: str | None = None
    context: str | None = None
    """Not given: `default`."""
    priority: int | None = None
    label: str | None = None
    caller_id: str | None = None
    """`"Name" <number>`, either part, or an empty text."""
    timeout_seconds: int = 30
    """-1 is for ever; other values below 1 mean 30."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayRequest:
    """Media to be played, in order."""

    media: tuple[str, ...]
    playback_id: str | None = None
    language: str | None = None
    offset_ms: int = 0
    skip_ms: int = 3000
    format: str | None = None
    """Format of the bridge's announcer; None lets it choose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRequest:
    """A recording to be made."""

    name: str
    format: str
    max_duration_seconds: int = 0
    """0 is without limit, as is 0 in the next."""
    max_silence_seconds: int = 0
    if_exists: IfExists = "fail"
    beep: bool = False
    terminate_on: TerminateOn = "none"
    recorder_format: str | None = None
    """Format of the bridge's recorder; None lets it choose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalMedia:
    """A channel to a program that takes and gives audio."""

    app: str
    format: str
    external_host: str | None = None
    encapsulation: str = "rtp"
    transport: str = "udp"
    connection_type: str = "client"
    direction: str = "both"
    data: str | None = None
    transport_data: str | None = None
    channel_id: str | None = None
    variables: Assignments | None = None


@dataclass(frozen=True, slots=True)
class Download:
    """A file for a client."""

    content: bytes
    content_type: str
