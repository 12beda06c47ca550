"""DISA: a caller from outside who knows the passcode dials as if from inside."""

from __future__ import annotations

import hmac
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from arietta.channels.callerid import parse_caller_id
from arietta.channels.channel import State
from arietta.channels.driver import Party
from arietta.dialplan.applications import Application
from arietta.dialplan.applications.asking import MAX_DIGITS, MAX_FILE_BYTES, dialled_extension, typed
from arietta.dialplan.arguments import split_arguments
from arietta.dialplan.digits import DigitInput
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.options import Option, Options

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)

NO_PASSWORD, CONTEXT = "no-password", "disa"
FIRST_DIGIT_SECONDS = 20.0
CONGESTION_SECONDS = 10.0
OPTIONS = Options(4, (Option("n", "does not answer"), Option("p", "only `#` or a pause ends the extension")))


class Grant(msgspec.Struct, frozen=True):
    """What a passcode allows."""

    passcode: str
    context: str
    caller: str


async def _disa(channel: Channel, arguments: str, run: Run) -> None:
    """``DISA(passcode|file[,context[,caller[,,options]]])``."""
    parts = [*split_arguments(arguments), *[""] * 5]
    options = OPTIONS.read("DISA", parts[4])
    if parts[3]:
        raise ApplicationError("DISA: a tone that tells of messages in a mailbox is not supported")
    grants = _grants(parts[0], Grant("", parts[1] or CONTEXT, parts[2]), run)
    if channel.state is not State.UP and "n" not in options:
        channel.answer()
    grant = await _granted(channel, grants, run)
    if grant is None:
        log.warning("%s: DISA: a wrong passcode", channel.name)
        await _congested(channel, run)
        raise run.hangup()
    if grant.caller:
        written = parse_caller_id(grant.caller)
        channel.set_caller(Party(written.name, written.number, channel.caller.presentation))
    digits = await dialled_extension(channel, "dial", grant.context, {**options, "i": ""}, 0.0, run)
    if digits and run.exists(grant.context, digits):
        run.goto(grant.context, digits, 1)
        return
    channel.set_place(grant.context, channel.exten, channel.priority)
    if not digits or not run.invalid_extension(digits):
        await _congested(channel, run)
        raise run.hangup()


def _grants(secret: str, otherwise: Grant, run: Run) -> list[Grant]:
    """What there is to be granted: by the passcode, or by those of a file, a line each."""
    if not secret:
        raise ApplicationError("DISA names no passcode")
    if secret == NO_PASSWORD or secret.isdigit():
        return [msgspec.structs.replace(otherwise, passcode=secret)]
    path = run.plan.folders.configuration / secret
    grants = []
    for line in _lines(path):
        passcode, context, caller = [*(word.strip() for word in line.replace("|", ",").split(",")), "", "", ""][:3]
        if passcode and not passcode.startswith(("#", ";")):
            grants.append(Grant(passcode, context or otherwise.context, caller or otherwise.caller))
    return grants


def _lines(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(MAX_FILE_BYTES).splitlines()
    except OSError as failure:
        raise ApplicationError(f"DISA: {path}: {failure.strerror}") from failure


async def _granted(channel: Channel, grants: list[Grant], run: Run) -> Grant | None:
    """What the passcode that the caller types allows."""
    free = next((grant for grant in grants if grant.passcode == NO_PASSWORD), None)
    if free is not None:
        return free
    media = run.plan.media
    media.tones(channel, "dial")
    try:
        with DigitInput(channel) as keys:
            passcode = await typed(channel, keys, MAX_DIGITS, FIRST_DIGIT_SECONDS)
    finally:
        media.tones(channel, None)
    known = [grant for grant in grants if hmac.compare_digest(grant.passcode.encode(), passcode.encode())]
    return known[0] if known and passcode else None


async def _congested(channel: Channel, run: Run) -> None:
    run.plan.media.tones(channel, "congestion")
    try:
        await channel.sleep(CONGESTION_SECONDS)
    finally:
        run.plan.media.tones(channel, None)


APPLICATIONS = (
    Application(
        "DISA",
        "DISA(passcode|file[,context[,caller[,,options]]])",
        "Lets who types the passcode and # dial an extension of the context, `disa` if there is none. A file has lines "
        "of passcode, context and caller; `no-password` wants none. A wrong passcode ends the call.",
        _disa,
        lacks="without the tone for messages in a mailbox",
        options=OPTIONS,
    ),
)
