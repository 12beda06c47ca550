"""Authenticate and ReadExten: a password or an extension that the caller types."""

from __future__ import annotations

import hashlib
import hmac
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from arietta.channels.channel import State
from arietta.dialplan.applications import Application
from arietta.dialplan.applications.sounds import file_names, hear_names
from arietta.dialplan.arguments import seconds, split_arguments, whole_number
from arietta.dialplan.digits import DigitInput
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.options import Option, Options

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)

TRIES = 3
MAX_DIGITS = 80
DIGIT_SECONDS = 10.0
MAX_FILE_BYTES = 1 << 20
PROMPT, WRONG, THANKS = "agent-pass", "auth-incorrect", "auth-thankyou"
EXTEN_STATUS = "READEXTENSTATUS"
PASSWORD_OPTIONS = Options(
    1,
    (
        Option("a", "the password is the account code of the channel, too"),
        Option("d", "the passwords are the keys below a family of AstDB"),
        Option("m", "the file has lines of account code, colon and MD5 of the password; the code is the channel's"),
        Option("r", "takes the password out of AstDB, with `d`"),
    ),
)
EXTEN_OPTIONS = Options(
    3,
    (
        Option("i", "plays a tone by its name in place of a file"),
        Option("n", "does not answer"),
        Option("p", "only `#` or a pause ends it"),
        Option("s", "reads nothing of a call that is not answered"),
    ),
)


async def typed(channel: Channel, keys: DigitInput, most: int, timeout: float) -> str:
    """Digits up to `#`, a pause, or so many of them."""
    digits = ""
    while len(digits) < most:
        digit = await keys.next(timeout)
        if digit is None or digit == "#":
            break
        digits += digit
    return digits


async def _authenticate(channel: Channel, arguments: str, run: Run) -> None:
    """``Authenticate(password|/file|/family[,options[,digits[,prompt]]])``."""
    parts = [*split_arguments(arguments), *[""] * 4]
    if not parts[0]:
        raise ApplicationError("Authenticate names no password")
    options = PASSWORD_OPTIONS.read("Authenticate", parts[1])
    most = whole_number(parts[2], 0)
    if not 0 <= most <= MAX_DIGITS:
        raise ApplicationError(f"Authenticate: {parts[2][:20]} digits are outside 0..{MAX_DIGITS}")
    if channel.state is not State.UP:
        channel.answer()
    for attempt in range(TRIES):
        with DigitInput(channel) as keys:
            prompt = WRONG if attempt else parts[3] or PROMPT
            await hear_names(channel, "Authenticate", file_names(prompt), run, keys)
            password = await typed(channel, keys, most or MAX_DIGITS, DIGIT_SECONDS)
        if password and _is_right(channel, parts[0], password, options, run):
            await hear_names(channel, "Authenticate", (THANKS,), run)
            return
    log.info("%s: Authenticate: no right password in %d tries", channel.name, TRIES)
    raise run.hangup()


def _is_right(channel: Channel, secret: str, password: str, options: dict[str, str], run: Run) -> bool:
    """Whether a password is right; if so the channel gets its account code."""
    if not secret.startswith("/"):
        account = password if hmac.compare_digest(secret.encode(), password.encode()) else None
    elif "d" in options:
        account = _in_database(secret, password, run, remove="r" in options)
    else:
        account = _in_file(Path(secret), password, hashed="m" in options)
    if account is not None and ("a" in options or "m" in options):
        channel.set_account_code(account)
    return account is not None


def _in_database(secret: str, password: str, run: Run, *, remove: bool) -> str | None:
    family, _, below = secret.strip("/").partition("/")
    key = f"{below}/{password}" if below else password
    if run.plan.database.get(family, key) is None:
        return None
    if remove:
        run.plan.database.delete(family, key)
    return password


def _in_file(path: Path, password: str, *, hashed: bool) -> str | None:
    """The account code that a password has in a file, the password itself without one; None if it is not there."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            lines = file.read(MAX_FILE_BYTES).splitlines()
    except OSError as failure:
        log.warning("Authenticate: %s: %s", path, failure.strerror)
        return None
    if not hashed:
        return password if password in (line.strip() for line in lines) else None
    digest = hashlib.md5(password.encode(), usedforsecurity=False).hexdigest()
    accounts = (line.strip().partition(":") for line in lines)
    return next((account for account, _, known in accounts if known.strip().lower() == digest), None)


async def _read_exten(channel: Channel, arguments: str, run: Run) -> None:
    """``ReadExten(variable[,file[,context[,options[,seconds]]]])``."""
    parts = [*split_arguments(arguments), *[""] * 5]
    variable, context = parts[0], parts[2] or channel.context
    if not variable:
        log.warning("%s: ReadExten names no variable", channel.name)
        channel.set_variable(EXTEN_STATUS, "ERROR")
        return
    options = EXTEN_OPTIONS.read("ReadExten", parts[3])
    timeout = (seconds(parts[4]) if parts[4] else None) or 0.0
    if channel.state is not State.UP:
        if "s" in options:
            channel.set_variable(EXTEN_STATUS, "SKIP")
            return
        if "n" not in options:
            channel.answer()
    digits = await dialled_extension(channel, parts[1], context, options, timeout, run)
    if not digits:
        outcome, status = "t", "TIMEOUT"
    elif run.exists(context, digits):
        outcome, status = digits, "OK"
    else:
        channel.set_variable("INVALID_EXTEN", digits)
        outcome, status = "i", "INVALID"
    channel.set_variable(variable, outcome)
    channel.set_variable(EXTEN_STATUS, status)


async def dialled_extension(
    channel: Channel, name: str, context: str, options: dict[str, str], timeout: float, run: Run
) -> str:
    """The digits of an extension: up to one that cannot go on, `#`, or a pause."""
    plan, digits = run.plan, ""
    with DigitInput(channel) as keys:
        if "i" in options:
            plan.media.tones(channel, name or "dial")
        elif name:
            await hear_names(channel, "ReadExten", file_names(name), run, keys)
        try:
            while len(digits) < MAX_DIGITS:
                digit = await keys.next(timeout or plan.timeout_of(channel, "digit" if digits else "response"))
                if digit is None or digit == "#":
                    break
                digits += digit
                if "i" in options:
                    plan.media.tones(channel, None)
                if "p" not in options and not plan.dialplan.match_more(context, digits, channel.caller.number):
                    break
        finally:
            if "i" in options:
                plan.media.tones(channel, None)
    return digits


APPLICATIONS = (
    Application(
        "Authenticate",
        "Authenticate(password[,options[,digits[,prompt]]])",
        "Asks for a password, and ends the call after three wrong ones. One that begins with `/` is a file with a "
        "password a line. So many digits end it, as `#` does.",
        _authenticate,
        options=PASSWORD_OPTIONS,
    ),
    Application(
        "ReadExten",
        "ReadExten(variable[,file[,context[,options[,seconds]]]])",
        "Reads an extension into a variable: `i` if there is none such, then it is INVALID_EXTEN, `t` if nothing was "
        "typed. READEXTENSTATUS is OK, INVALID, TIMEOUT, SKIP or ERROR.",
        _read_exten,
        options=EXTEN_OPTIONS,
    ),
)
