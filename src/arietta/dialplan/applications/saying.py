"""Numbers, letters and times that are said; with SAY_DTMF_INTERRUPT a digit goes to an extension."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from arietta.channels.channel import State
from arietta.dialplan.applications import Application
from arietta.dialplan.arguments import is_yes, split_arguments, whole_number
from arietta.dialplan.digits import DigitInput
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.options import Option, Options
from arietta.media import say
from arietta.media.engine import MediaError

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)

INTERRUPT = "SAY_DTMF_INTERRUPT"
FORM = "ABdY 'digits/at' IMp"
MAX_TEXT = 500
TIME_OPTIONS = Options(3, (Option("j", "a key ends it and goes to an extension"),))
MONEY = re.compile(r"\$?([0-9]{1,9})?(?:\.([0-9]{1,2}))?(?<=[0-9])")
"""Dollars and cents, one of which there is."""
LAST_SECOND = 253_402_300_799


async def _say(channel: Channel, names: Sequence[str], run: Run, *, interruptible: bool = False) -> None:
    """Play sounds by their names; a digit ends them where that is wished, and goes to an extension."""
    if channel.state is not State.UP:
        channel.answer()
    if not names:
        return
    interruptible = interruptible or is_yes(run.plan.variable(channel, INTERRUPT))
    ended: asyncio.Future[str | None] = channel.registry.loop.create_future()

    def end(failure: str | None) -> None:
        if not ended.done():
            ended.set_result(failure)

    with DigitInput(channel) as keys:
        try:
            player = run.plan.media.player(channel, names, end)
        except MediaError as failure:
            log.warning("%s: %s", channel.name, failure)
            return
        if interruptible:
            keys.wake_by(ended)
        try:
            failed = await channel.until(ended)
        finally:
            player.stop()
        digit = keys.take() if interruptible else None
    if failed is not None:
        log.warning("%s: %s", channel.name, failed)
    if digit is not None:
        await run.wait_for_extension(digit, run.plan.timeout_of(channel, "digit"))


def _text(application: str, text: str) -> str:
    if len(text) > MAX_TEXT:
        raise ApplicationError(f"{application}: a text of {len(text)} characters is over the limit of {MAX_TEXT}")
    return text


async def _say_digits(channel: Channel, arguments: str, run: Run) -> None:
    await _say(channel, say.say_digits(_text("SayDigits", arguments)), run)


async def _say_number(channel: Channel, arguments: str, run: Run) -> None:
    text = (split_arguments(arguments) or [""])[0]
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 12:
        log.warning("%s: SayNumber: %r is no whole number of at most 12 digits", channel.name, text[:40])
        return
    await _say(channel, say.say_number(int(text)), run)


async def _say_alpha(channel: Channel, arguments: str, run: Run) -> None:
    await _say(channel, say.say_characters(_text("SayAlpha", arguments)), run)


async def _say_phonetic(channel: Channel, arguments: str, run: Run) -> None:
    await _say(channel, say.say_phonetic(_text("SayPhonetic", arguments)), run)


async def _say_alpha_case(channel: Channel, arguments: str, run: Run) -> None:
    kind, comma, text = arguments.partition(",")
    kind = kind.strip().lower()
    if not comma or kind not in ("a", "l", "n", "u"):
        raise ApplicationError(f"SayAlphaCase: case {kind[:20]!r} is none of a l n u")
    names: list[str] = []
    for character in _text("SayAlphaCase", text):
        if character.isascii() and character.islower() and kind in "al":
            names.append("lowercase")
        elif character.isascii() and character.isupper() and kind in "au":
            names.append("uppercase")
        names += say.say_characters(character)
    await _say(channel, names, run)


async def _say_counted_noun(channel: Channel, arguments: str, run: Run) -> None:
    parts = [*split_arguments(arguments), "", ""]
    number, noun = whole_number(parts[0], -1), parts[1]
    if not 0 <= number <= say.LARGEST or not noun:
        raise ApplicationError(f"SayCountedNoun({arguments[:60]}) is no number and file")
    await _say(channel, [*say.say_number(number), noun if number == 1 else f"{noun}s"], run)


async def _say_counted_adj(channel: Channel, arguments: str, run: Run) -> None:
    """In English an adjective is the same whatever is counted."""
    parts = [*split_arguments(arguments), "", ""]
    if whole_number(parts[0], -1) < 0 or not parts[1]:
        raise ApplicationError(f"SayCountedAdj({arguments[:60]}) is no number and file")
    await _say(channel, [parts[1]], run)


async def _say_money(channel: Channel, arguments: str, run: Run) -> None:
    found = MONEY.fullmatch(arguments.strip())
    if found is None:
        log.warning("%s: SayMoney: %r is no amount such as 12.34", channel.name, arguments[:40])
        return
    dollars, cents = int(found[1] or 0), int((found[2] or "0").ljust(2, "0"))
    names = [*say.say_number(dollars), "digits/dollars"] if dollars or not cents else []
    if cents:
        names += [*(["digits/and"] if dollars else []), *say.say_number(cents), "digits/cents"]
    await _say(channel, names, run)


async def _say_ordinal(channel: Channel, arguments: str, run: Run) -> None:
    number = whole_number((split_arguments(arguments) or [""])[0])
    try:
        names = say.say_ordinal(number)
    except ValueError as refusal:
        log.warning("%s: SayOrdinal: %s", channel.name, refusal)
        return
    await _say(channel, names, run)


async def _say_unix_time(channel: Channel, arguments: str, run: Run) -> None:
    parts = [*split_arguments(arguments), "", "", "", ""]
    options = TIME_OPTIONS.read("SayUnixTime", parts[3])
    moment = whole_number(parts[0], -1) if parts[0] else int(run.plan.now())
    if not 0 <= moment <= LAST_SECOND:
        raise ApplicationError(f"SayUnixTime: {parts[0][:40]!r} is no number of seconds in 0..{LAST_SECOND}")
    try:
        zone = ZoneInfo(parts[1]) if parts[1] else datetime.now(UTC).astimezone().tzinfo
        names = say.say_moment(datetime.fromtimestamp(moment, zone), parts[2] or FORM)
    except (ZoneInfoNotFoundError, ValueError, OSError) as failure:
        raise ApplicationError(f"SayUnixTime({arguments[:60]}): {failure}") from failure
    await _say(channel, names, run, interruptible="j" in options)


ENGLISH = "without grammars but that of English"
APPLICATIONS = (
    Application(
        "DateTime",
        "DateTime([seconds[,timezone[,format[,j]]]])",
        "SayUnixTime, under its other name.",
        _say_unix_time,
        lacks=ENGLISH,
        options=TIME_OPTIONS,
    ),
    Application("SayAlpha", "SayAlpha(text)", "Spells a text.", _say_alpha, lacks=ENGLISH),
    Application(
        "SayAlphaCase",
        "SayAlphaCase(a|l|n|u,text)",
        "Spells a text, and says before a letter if it is small or capital: of all, small, no or capital ones.",
        _say_alpha_case,
        lacks=ENGLISH,
    ),
    Application(
        "SayCountedAdj",
        "SayCountedAdj(number,file)",
        "Says an adjective for so many things: the file.",
        _say_counted_adj,
        lacks=ENGLISH,
    ),
    Application(
        "SayCountedNoun",
        "SayCountedNoun(number,file)",
        "Says a number and a noun: the file for one, the file whose name has an `s` more for others.",
        _say_counted_noun,
        lacks=ENGLISH,
    ),
    Application(
        "SayDigits",
        "SayDigits(digits)",
        "Says digits. With SAY_DTMF_INTERRUPT=true a key ends what the applications that say something say, and goes "
        "to an extension, as with Background.",
        _say_digits,
        lacks=ENGLISH,
    ),
    Application(
        "SayMoney",
        "SayMoney(amount)",
        "Says dollars and cents, as in 12.34.",
        _say_money,
        lacks="without currencies but dollars",
    ),
    Application("SayNumber", "SayNumber(number)", "Says a number.", _say_number, lacks=f"{ENGLISH}, and genders"),
    Application(
        "SayOrdinal",
        "SayOrdinal(number)",
        "Says first, second and so on.",
        _say_ordinal,
        lacks=f"{ENGLISH}, and numbers above 99",
    ),
    Application(
        "SayPhonetic",
        "SayPhonetic(text)",
        "Spells a text in the telephone alphabet.",
        _say_phonetic,
        lacks=ENGLISH,
    ),
    Application(
        "SayUnixTime",
        "SayUnixTime([seconds[,timezone[,format[,j]]]])",
        "Says a time; the format is that of voicemail.conf, `ABdY 'digits/at' IMp` without one.",
        _say_unix_time,
        lacks=ENGLISH,
        options=TIME_OPTIONS,
    ),
)
