"""Readings of parameters that several resources share."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast
from urllib.parse import quote

from arietta.errors import BadRequest, ServerFailure, Unprocessable
from arietta.model.snapshots import LiveRecording, Playback, Variable, Variables

from ..domain import IfExists, PlayRequest, RecordRequest, Soon, TerminateOn

IF_EXISTS = ("fail", "overwrite", "append")
TERMINATE_ON = ("none", "any", "*", "#")


def playback_location(playback: Playback) -> str:
    """Where a playback is found."""
    return "/ari/playbacks/" + quote(playback.id, safe="")


def recording_location(recording: LiveRecording) -> str:
    """Where a live recording is found."""
    return "/ari/recordings/live/" + quote(recording.name, safe="")


def read_play(
    media: Sequence[str] | None,
    lang: str | None,
    offset_ms: int,
    skip_ms: int,
    playback_id: str | None,
    announcer_format: str | None = None,
) -> PlayRequest | None:
    """What is to be played; None without media."""
    items = tuple(media or ())
    if not any(items):
        return None
    return PlayRequest(
        media=items,
        playback_id=playback_id or None,
        language=lang or None,
        offset_ms=max(0, offset_ms),
        skip_ms=max(0, skip_ms),
        format=announcer_format or None,
    )


def read_record(
    name: str | None,
    format: str | None,
    max_duration_seconds: int,
    max_silence_seconds: int,
    if_exists: str,
    beep: bool,
    terminate_on: str,
    recorder_format: str | None = None,
) -> RecordRequest:
    """What is to be recorded; 500 without a name, 422 without a format, 400 for what else is wrong."""
    if not name:
        raise ServerFailure("Missing parameter name")
    if max_duration_seconds < 0:
        raise BadRequest(f"Parameter maxDurationSeconds is negative: {max_duration_seconds}")
    if max_silence_seconds < 0:
        raise BadRequest(f"Parameter maxSilenceSeconds is negative: {max_silence_seconds}")
    if terminate_on not in TERMINATE_ON:
        raise BadRequest(f"Parameter terminateOn is none of {', '.join(TERMINATE_ON)}: {terminate_on}")
    if if_exists not in IF_EXISTS:
        raise BadRequest(f"Parameter ifExists is none of {', '.join(IF_EXISTS)}: {if_exists}")
    if not format:
        raise Unprocessable("Missing parameter format")
    if name.startswith("/") or ".." in name.split("/"):
        raise ServerFailure(f"Recording name leads out of the recordings' folder: {name}")
    return RecordRequest(
        name=name,
        format=format,
        max_duration_seconds=max_duration_seconds,
        max_silence_seconds=max_silence_seconds,
        if_exists=cast(IfExists, if_exists),
        beep=beep,
        terminate_on=cast(TerminateOn, terminate_on),
        recorder_format=recorder_format or None,
    )


def read_names(variables: Sequence[str]) -> list[str]:
    """Names of several variables, stripped of spaces; a gap among them is a 400."""
    names = [name.strip() for name in variables]
    if not all(names):
        raise BadRequest("Parameter variables has an empty name")
    return names


def show_variable(value: Soon[str]) -> Soon[Variable]:
    """A variable's value as its model, now or later."""
    return Variable(value) if isinstance(value, str) else _show_later(value)


async def show_variables(names: Sequence[str], read: Callable[[str], Soon[str]]) -> Variables:
    """Values of several variables by their names; the first that is refused refuses all."""
    values = {}
    for name in names:
        value = read(name)
        values[name] = value if isinstance(value, str) else await value
    return Variables(values)


async def settle(result: Any) -> Any:
    """What something comes to, whether it has to be waited for or not."""
    return await result if hasattr(result, "__await__") else result


async def _show_later(value: Awaitable[str]) -> Variable:
    return Variable(await value)
