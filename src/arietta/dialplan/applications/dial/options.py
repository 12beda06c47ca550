"""The options of Dial: its letters, and what they mean for one call."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from arietta.channels.callerid import PRESENTATIONS
from arietta.channels.driver import Party
from arietta.dialplan.applications.calls import CAUSE_NAMES
from arietta.dialplan.applications.dial.limit import Limit
from arietta.dialplan.arguments import seconds
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.features.letters import FEATURE_LETTERS, called_may, caller_may
from arietta.dialplan.options import Option, Options
from arietta.model import causes

_PLACE = "context^exten^priority"
_SUBROUTINE = f"{_PLACE}(argument^…)"
_NO_SCREENING = "there is no screening: U runs a subroutine with whoever answers before the caller hears them"

OPTIONS = Options(
    2,
    (
        Option("A", "plays a sound to who answered, and one to the caller, before they talk", "sound[:caller's sound]"),
        Option("a", "answers the caller as soon as somebody answers, before A and U"),
        Option("b", "runs a subroutine on each called channel before its call", _SUBROUTINE),
        Option("B", "runs a subroutine on the caller before any call", _SUBROUTINE),
        Option("C", "resets the record of the call"),
        Option("c", "tells those that ring, when the caller gives up, that the call was answered elsewhere"),
        Option("d", "lets the caller leave with a digit that is an extension of the context, or of EXITCONTEXT"),
        Option(
            "D",
            "sends digits to who answered, to the caller, and at progress to who is called; w is a pause",
            "called[:caller[:progress]]",
        ),
        Option("E", "echoes MF digits", refused="no MF digits are sent"),
        Option("e", "runs the extension h for who was called after the call"),
        Option("f", "sets the caller that a forwarded call shows", "[caller]"),
        Option(
            "F", "lets who was called go on when the caller hangs up, behind this step or at a place", f"[{_PLACE}]"
        ),
        Option("g", "goes on with the next step after who was called hung up"),
        Option("G", "sends both to a place when the call is answered, who was called to the step behind it", _PLACE),
        Option("i", "ignores who asks to call elsewhere"),
        Option("I", "ignores who the other side says that it is"),
        Option("j", "keeps the caller's streams", refused="a call has one stream of audio"),
        Option("L", "limits the call, warns ms before the end, and again each ms", "ms[:warning[:again]]"),
        Option("m", "plays music until the answer", "[class]"),
        Option("n", "screens without recording", "[delete]", refused=_NO_SCREENING),
        Option("N", "does not screen who shows a number", refused=_NO_SCREENING),
        Option("o", "shows the called the caller's number, or another one, as their own", "[caller]"),
        Option("O", "is an operator's call", "[mode]", refused="it is for lines of DAHDI"),
        Option("p", "screens the caller", refused=_NO_SCREENING),
        Option("P", "screens the caller with the database", "[key]", refused=_NO_SCREENING),
        Option("Q", "tells those that did not answer a cause, by number or name", "cause"),
        Option("r", "shows ringing, or plays a tone, whatever the called do", "[tone]"),
        Option("R", "shows ringing until the called send something"),
        Option("s", "sets the tag of the caller", "tag"),
        Option("S", "ends the call after seconds", "seconds"),
        Option("U", "runs a subroutine with who answered before they talk; GOSUB_RESULT decides", "context^argument^…"),
        Option("u", "sets the presentation of the caller", "presentation"),
        Option("z", "forgets the timeout when a call is forwarded"),
        *FEATURE_LETTERS,
    ),
)

DIGITS = frozenset("0123456789*#ABCDabcdwW")


class DialOptions:
    """What the letters of a Dial mean, whoever dials; ApplicationError for values that make no sense."""

    def __init__(self, text: str) -> None:
        found = OPTIONS.read("Dial", text)
        self.ring = "r" in found
        self.ring_tone = found.get("r", "")
        self.ring_until_media = "R" in found
        self.music = found.get("m")
        """The class of music, "" for the caller's own, None for none."""
        self.answers_at_once = "a" in found
        self.announcement, _, self.caller_announcement = found.get("A", "").partition(":")
        self.goes_on = "g" in found
        self.limit = _limit(found)
        self.digits = _digits(found.get("D", ""))
        self.before_call = found.get("b", "").replace("^", ",")
        """The subroutine that each called channel runs before its call goes out,"""
        self.before_dialling = found.get("B", "").replace("^", ",")
        """that of the caller before there are any,"""
        self.after_answer = _after_answer(found.get("U", ""))
        """and that of who answered before they talk."""
        self.resets_record = "C" in found
        self.leaves_by_digit = "d" in found
        self.runs_h = "e" in found
        self.peer_goes_on = "F" in found
        self.peer_to = found.get("F", "").replace("^", ",")
        self.both_to = found.get("G", "").replace("^", ",")
        self.ignores_forwarding = "i" in found
        self.ignores_parties = "I" in found
        self.forward_forgets_timeout = "z" in found
        self.cancelled_elsewhere = "c" in found
        self.cause_of_losers = _cause(found["Q"]) if "Q" in found else causes.ANSWERED_ELSEWHERE
        self.presentation = _presentation(found["u"]) if "u" in found else None
        self.tag = found.get("s", "")
        self.dialled = found.get("o")
        """Who the called are to be, if it is not what was dialled; "" is the caller."""
        self.forwarding = found.get("f")
        """Who a forwarded call is shown to be from, if it is not the caller; "" is what was dialled."""
        self.caller_may = caller_may(found)
        """The features that the caller may use,"""
        self.called_may = called_may(found)
        """and those of who is called."""

    def shown(self, caller: Party) -> Party:
        """What a called channel is told of the caller."""
        if self.presentation is not None:
            caller = replace(caller, presentation=self.presentation)
        return replace(caller, tag=self.tag) if self.tag else caller


@lru_cache(maxsize=256)
def read_options(text: str) -> DialOptions:
    """The options of a text; those of one that was read before are kept."""
    return DialOptions(text)


def _limit(found: dict[str, str]) -> Limit | None:
    limits = []
    if "L" in found:
        limits.append(Limit.read(found["L"]))
    if "S" in found:
        duration = seconds(found["S"])
        if duration is None or duration < 0:
            raise ApplicationError(f"Dial: option S({found['S']}) is not a number of seconds")
        limits.append(Limit(duration))
    return min((limit for limit in limits if limit.seconds), key=lambda limit: limit.seconds, default=None)


def _digits(text: str) -> tuple[str, str, str]:
    """To who answered, to the caller, and at progress; what follows is of MF and refused."""
    called, caller, progress, *more = [*text.split(":"), "", ""]
    if any(more):
        raise ApplicationError(f"Dial: option D({text}) has more than three parts: no MF digits are sent")
    for digits in (called, caller, progress):
        wrong = set(digits) - DIGITS
        if wrong:
            raise ApplicationError(f"Dial: option D({text}): {min(wrong)!r} is no digit")
    return called, caller, progress


def _after_answer(text: str) -> str:
    """``context^argument^…`` as a Gosub: the subroutine begins at s,1 of that context."""
    if not text:
        return ""
    context, _, arguments = text.partition("^")
    return f"{context},s,1({arguments.replace('^', ',')})"


def _cause(text: str) -> int:
    name = text.strip().upper().removeprefix("AST_CAUSE_")
    if name == "NONE":
        return 0
    cause = int(name) if name.isdecimal() and len(name) < 4 else CAUSE_NAMES.get(name, -1)
    if name == "ANSWERED_ELSEWHERE":
        cause = causes.ANSWERED_ELSEWHERE
    if not 0 <= cause <= 127:
        raise ApplicationError(f"Dial: option Q({text}) is no cause: a number up to 127, a name, or NONE")
    return cause


def _presentation(text: str) -> int:
    known = PRESENTATIONS.get(text.strip().lower())
    if known is None:
        raise ApplicationError(f"Dial: option u({text}) is none of {', '.join(PRESENTATIONS)}")
    return known
