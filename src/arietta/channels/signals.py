"""What a leg tells its channel: frozen past-tense facts from the far end, in the order they happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from arietta.channels.driver import Party
from arietta.media import engine

if TYPE_CHECKING:
    from arietta.channels.texts import Text


@dataclass(frozen=True, slots=True)
class Ringing:
    """The far end alerts (SIP 180)."""


@dataclass(frozen=True, slots=True)
class Progressed:
    """The far end sends media before it answers (SIP 183)."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The far end answered (SIP 200)."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The far end asks to try `target` instead (SIP 302); `target` is an extension."""

    target: str
    reason: str = "unknown"
    """Why, in the words of REDIRECTING()."""
    others: tuple[str, ...] = ()
    """What to try when that does not answer, the best first."""


@dataclass(frozen=True, slots=True)
class HungUp:
    """The far end ended or refused the call.

    `cause` is Q.850, None when the far end named none; `tech_cause` the SIP status of a refusal, None otherwise.
    """

    cause: int | None = None
    tech_cause: int | None = None


@dataclass(frozen=True, slots=True)
class Identified:
    """The far end says who it is now."""

    party: Party


@dataclass(frozen=True, slots=True)
class DigitBegan:
    """A DTMF digit started."""

    digit: str


@dataclass(frozen=True, slots=True)
class DigitEnded:
    """A DTMF digit ended after `duration_ms`."""

    digit: str
    duration_ms: int
    in_media: bool = True
    """Whether it came with the audio, so that the media engine passes it on by itself (not with SIP INFO)."""


@dataclass(frozen=True, slots=True)
class Held:
    """The far end put the call on hold; `music_class` is what it suggests to play."""

    music_class: str | None = None


@dataclass(frozen=True, slots=True)
class Unheld:
    """The far end took the call from hold."""


@dataclass(frozen=True, slots=True)
class MediaStarted:
    """The first audio of the far end arrived."""


@dataclass(frozen=True, slots=True)
class TextReceived:
    """The far end sent a text inside of the call."""

    text: Text


@dataclass(frozen=True, slots=True)
class TalkStarted:
    """The far end began to talk (TALK_DETECT)."""


@dataclass(frozen=True, slots=True)
class TalkStopped:
    """The far end fell silent after talking for `duration_ms`."""

    duration_ms: int


@dataclass(frozen=True, slots=True)
class ToneDetected:
    """The tone that TONE_DETECT asked for was heard."""


Signal = (
    Ringing
    | Progressed
    | Answered
    | Forwarded
    | Identified
    | HungUp
    | DigitBegan
    | DigitEnded
    | Held
    | Unheld
    | MediaStarted
    | TextReceived
    | TalkStarted
    | TalkStopped
    | ToneDetected
)


def of_media(event: engine.MediaEvent) -> Signal | None:
    """What an event of the leg's port is to the channel; None for what concerns the leg alone."""
    match event:
        case engine.DigitEnded(digit, duration_ms):
            return DigitEnded(digit, duration_ms)
        case engine.DigitBegan(digit):
            return DigitBegan(digit)
        case engine.MediaStarted():
            return MediaStarted()
        case engine.TalkStarted():
            return TalkStarted()
        case engine.TalkStopped(duration_ms):
            return TalkStopped(duration_ms)
        case engine.ToneDetected():
            return ToneDetected()
        case _:
            return None
