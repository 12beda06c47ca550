"""Record: what the caller says goes into a file."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from arietta.channels.channel import HungUp, State
from arietta.dialplan.applications import Application
from arietta.dialplan.arguments import seconds, split_arguments
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.options import Option, Options
from arietta.dialplan.recording import record_file
from arietta.media.engine import MediaError, RecordEndReason, RecordOptions

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)

STATUS, FILE = "RECORD_STATUS", "RECORDED_FILE"
OPTIONS = Options(
    3,
    (
        Option("a", "goes on at the end of the file"),
        Option("k", "keeps the file at a hangup"),
        Option("n", "does not answer"),
        Option("o", "ends at 0 too, which is OPERATOR"),
        Option("q", "does not beep"),
        Option("s", "records nothing of a call that is not answered"),
        Option("t", "ends at `*` in place of `#`"),
        Option("u", "keeps the silence at the end, as always here"),
        Option("x", "no key ends it"),
        Option("y", "every key ends it"),
    ),
)
MAX_SECONDS = 86400
MAX_NUMBERED = 100_000
FORMAT_NAMES = {"wav": "wav", "slin": "sln", "pcm": "ulaw", "ul": "ulaw", "al": "alaw"}
ENDINGS = {
    RecordEndReason.MAX_DURATION: "TIMEOUT",
    RecordEndReason.MAX_SILENCE: "SILENCE",
    RecordEndReason.FAILED: "ERROR",
    RecordEndReason.CLOSED: "HANGUP",
}


async def _record(channel: Channel, arguments: str, run: Run) -> None:
    parts = [*split_arguments(arguments), "", "", "", ""]
    options = OPTIONS.read("Record", parts[3])
    name, form = _name_and_format(parts[0])
    silence, longest = _limit("silence", parts[1]), _limit("maximum", parts[2])
    path = _numbered(run.plan.folders.sounds / name, form)
    if channel.state is not State.UP:
        if "s" in options:
            channel.set_variable(STATUS, "SKIP")
            return
        if "n" not in options:
            channel.answer()
    channel.set_variable(
        FILE, str(path) if Path(name).is_absolute() else str(path.relative_to(run.plan.folders.sounds))
    )
    how = RecordOptions(beep="q" not in options, max_duration_ms=longest, max_silence_ms=silence, append="a" in options)
    try:
        end, key = await record_file(channel, path, form, how, _keys(options), keep="k" in options)
    except (MediaError, OSError) as failure:
        log.warning("%s: Record: %s", channel.name, failure)
        channel.set_variable(STATUS, "ERROR")
        return
    except HungUp:
        channel.set_variable(STATUS, "HANGUP")
        raise
    if end.reason is RecordEndReason.FAILED:
        log.warning("%s: Record: %s", channel.name, end.error)
    pressed = "OPERATOR" if key == "0" and "o" in options and "y" not in options else "DTMF"
    channel.set_variable(STATUS, ENDINGS.get(end.reason, pressed))


def _name_and_format(text: str) -> tuple[str, str]:
    """The two parts of ``name.format``; ``name:format`` is older."""
    at = max(text.rfind("."), text.rfind(":"))
    name, form = (text[:at], text[at + 1 :]) if at >= 0 else (text, "")
    if not name or not form or "/" in form or "\0" in text:
        raise ApplicationError(f"Record: {text[:80]!r} is no file with a format, such as message.wav")
    return name, FORMAT_NAMES.get(form, form)


def _limit(what: str, text: str) -> int:
    """Seconds as milliseconds; 0 is without limit."""
    duration = seconds(text) if text else 0.0
    if duration is None or not 0 <= duration <= MAX_SECONDS:
        raise ApplicationError(f"Record: {what} {text[:40]!r} is no number of seconds in 0..{MAX_SECONDS}")
    return round(duration * 1000)


def _numbered(path: Path, form: str) -> Path:
    """The path with ``%d`` replaced by the first number that makes a new file."""
    if "%d" not in path.name:
        return path
    for number in range(MAX_NUMBERED):
        numbered = path.with_name(path.name.replace("%d", str(number)))
        if not numbered.with_name(f"{numbered.name}.{form}").exists():
            return numbered
    raise ApplicationError(f"Record: there are {MAX_NUMBERED} files {path.name}.{form}, which is the limit")


def _keys(options: dict[str, str]) -> str:
    """The keys that end a recording."""
    if "y" in options:
        return "0123456789*#ABCD"
    if "x" in options:
        return ""
    return ("*" if "t" in options else "#") + ("0" if "o" in options else "")


APPLICATIONS = (
    Application(
        "Record",
        "Record(file.format[,silence[,maximum[,options]]])",
        "Records what the caller says, up to `#`, so many seconds of silence, or so many seconds in all. The file is "
        "below the folder of sounds; `%d` in its name is a number that is free. RECORDED_FILE is the name, "
        "RECORD_STATUS is DTMF, SILENCE, TIMEOUT, SKIP, HANGUP, OPERATOR or ERROR.",
        _record,
        options=OPTIONS,
    ),
)
