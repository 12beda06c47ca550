"""Applications against calls that nobody wants: PrivacyManager asks for a number, Zapateller sounds disconnected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.channels.channel import State
from arietta.channels.driver import Party
from arietta.dialplan.applications import Application
from arietta.dialplan.applications.sounds import hear_names
from arietta.dialplan.arguments import split_arguments, whole_number
from arietta.dialplan.digits import DigitInput
from arietta.dialplan.errors import ApplicationError

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

MANAGER_STATUS, ZAPATELLER_STATUS = "PRIVACYMGRSTATUS", "ZAPATELLERSTATUS"
NAME = "Privacy Manager"
"""Of callers who typed their number."""
DEFAULT_TRIES, DEFAULT_LEAST_DIGITS = 3, 10
MAX_TRIES, MAX_DIGITS = 20, 30
FIRST_DIGIT_SECONDS, NEXT_DIGIT_SECONDS = 10.0, 5.0
INFORMATION_TONE, INFORMATION_SECONDS = "!950/330,!1400/330,!1800/330,!0/1000", 2.0
"""The special information tone of ITU-T E.180."""


def _is_known(channel: Channel) -> bool:
    return bool(channel.caller.number)


async def _privacy_manager(channel: Channel, arguments: str, run: Run) -> None:
    """``PrivacyManager([tries[,least digits[,options[,context]]]])``."""
    parts = [*split_arguments(arguments), *[""] * 4]
    tries = whole_number(parts[0], DEFAULT_TRIES)
    least = whole_number(parts[1], DEFAULT_LEAST_DIGITS)
    if not 0 < tries <= MAX_TRIES or not 0 < least <= MAX_DIGITS:
        raise ApplicationError(
            f"PrivacyManager({arguments[:60]}) is outside 1..{MAX_TRIES} tries, 1..{MAX_DIGITS} digits"
        )
    if parts[2]:
        raise ApplicationError(f"PrivacyManager: option {parts[2][:20]!r} is not supported, there are none")
    if _is_known(channel):
        channel.set_variable(MANAGER_STATUS, "SUCCESS")
        return
    if channel.state is not State.UP:
        channel.answer()
    await hear_names(channel, "PrivacyManager", ("privacy-unident",), run)
    for _ in range(tries):
        number = await _typed(channel, run)
        if len(number) >= least and (not parts[3] or run.exists(parts[3], number)):
            channel.set_caller(Party(NAME, number))
            await hear_names(channel, "PrivacyManager", ("privacy-thankyou",), run)
            channel.set_variable(MANAGER_STATUS, "SUCCESS")
            return
        await hear_names(channel, "PrivacyManager", ("incorrect",), run)
    channel.set_variable(MANAGER_STATUS, "FAILED")


async def _typed(channel: Channel, run: Run) -> str:
    """The number that the caller types, up to `#` or a pause."""
    number = ""
    with DigitInput(channel) as keys:
        await hear_names(channel, "PrivacyManager", ("please-enter-your", "phone-number"), run, keys)
        while len(number) < MAX_DIGITS:
            digit = await keys.next(NEXT_DIGIT_SECONDS if number else FIRST_DIGIT_SECONDS)
            if digit is None or digit == "#":
                break
            number += digit
    return number


async def _zapateller(channel: Channel, arguments: str, run: Run) -> None:
    words = [word.strip().lower() for word in arguments.replace("|", ",").split(",") if word.strip()]
    unknown = [word for word in words if word not in ("answer", "nocallerid")]
    if unknown:
        raise ApplicationError(f"Zapateller: option {unknown[0][:20]!r} is neither answer nor nocallerid")
    if "nocallerid" in words and _is_known(channel):
        channel.set_variable(ZAPATELLER_STATUS, "NOTHING")
        return
    status = "ZAPPED"
    if channel.state is not State.UP and "answer" in words:
        channel.answer()
        status = "ANSWERED"
    run.plan.media.tones(channel, INFORMATION_TONE)
    try:
        await channel.sleep(INFORMATION_SECONDS)
    finally:
        run.plan.media.tones(channel, None)
    channel.set_variable(ZAPATELLER_STATUS, status)


APPLICATIONS = (
    Application(
        "PrivacyManager",
        "PrivacyManager([tries[,least digits[,,context]]])",
        "Lets a caller without a number type one, of 10 digits or more in 3 tries unless other numbers are named, and "
        "which is an extension of the context if that is named. PRIVACYMGRSTATUS is SUCCESS or FAILED.",
        _privacy_manager,
    ),
    Application(
        "Zapateller",
        "Zapateller([answer][,nocallerid])",
        "Sounds like a number that is not in service, with `nocallerid` only to callers without a number, with "
        "`answer` after answering. ZAPATELLERSTATUS is ZAPPED, ANSWERED or NOTHING.",
        _zapateller,
    ),
)
