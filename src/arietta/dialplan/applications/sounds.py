"""Applications that play, say, echo and ask."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from arietta.channels.channel import HungUp, State
from arietta.dialplan.applications import Application
from arietta.dialplan.arguments import seconds, split_arguments, whole_number
from arietta.dialplan.digits import DigitInput
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.options import Option, Options
from arietta.dialplan.playing import play_moving
from arietta.media.engine import DigitOut, MediaError

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)

DIGITS = frozenset("0123456789*#ABCDabcd")
DEFAULT_DIGIT_MS, DEFAULT_GAP_MS = 100, 250
PAUSE_MS = 500
"""What a ``w`` in SendDTMF waits."""
MAX_READ_DIGITS = 255
READ_SECONDS = 10.0
DEFAULT_SKIP_MS = 3000
CONTROL_OPTIONS = Options(7, (Option("o", "begins so far behind the beginning", "milliseconds"),))
MILLIWATT_OPTIONS = Options(0, (Option("m", "is silent a second of ten"),))
READ_OPTIONS = Options(
    3,
    (
        Option("e", "gives the key that ends it where that is all there is"),
        Option("i", "plays a tone by its name in place of a file"),
        Option("n", "does not answer"),
        Option("s", "reads nothing of a call that is not answered"),
        Option("t", "ends with one of these keys, or with none", "[keys]"),
    ),
)


def _any_key(digit: str) -> bool:
    return True


async def hear(
    channel: Channel,
    uri: str,
    run: Run,
    keys: DigitInput | None = None,
    wakes: Callable[[str], bool] = _any_key,
) -> str | None:
    """Play a media URI to its end, or to the first digit that `wakes` if `keys` is given; why it failed, or None."""
    ended: asyncio.Future[str | None] = channel.registry.loop.create_future()

    def end(failure: str | None) -> None:
        if not ended.done():
            ended.set_result(failure)

    stop = run.plan.media.play(channel, uri, end)
    if keys is not None:
        keys.wake_by(ended, wakes)
    finished = False
    try:
        failure = await channel.until(ended)
        finished = keys is None
        return failure
    finally:
        if not finished:
            stop()


async def hear_names(
    channel: Channel, application: str, names: Sequence[str], run: Run, keys: DigitInput | None = None
) -> bool:
    """Play sounds by their names up to a digit of `keys`; what cannot be played is logged, and makes it False."""
    all_heard = True
    for name in names:
        failure = await hear(channel, uri_of(name), run, keys)
        if failure is not None:
            log.warning("%s: %s: %s", channel.name, application, failure)
            all_heard = False
        if keys is not None and keys.has_digit:
            break
    return all_heard


def answer_unless(channel: Channel, words: str) -> bool:
    """Answer unless the words say noanswer; False if they say to skip a call that is not answered."""
    if channel.state is not State.UP:
        if "skip" in words:
            return False
        if "noanswer" not in words:
            channel.answer()
    return True


async def _playback(channel: Channel, arguments: str, run: Run) -> None:
    parts = split_arguments(arguments)
    if not parts or not parts[0]:
        raise ApplicationError("Playback names no file")
    words = parts[1].lower().replace("&", " ").split() if len(parts) > 1 else []
    for word in words:
        if word in ("say", "mix"):
            raise ApplicationError(
                f"Playback: option {word} needs say.conf, which is not read: SayNumber and its kind say"
            )
        if word not in ("skip", "noanswer"):
            raise ApplicationError(f"Playback: option {word} is not supported, supported are: skip noanswer")
    channel.set_variable("PLAYBACKSTATUS", "")
    plays = answer_unless(channel, " ".join(words))
    heard = not plays or await hear_names(channel, "Playback", file_names(parts[0]), run)
    channel.set_variable("PLAYBACKSTATUS", "SUCCESS" if heard else "FAILED")


def file_names(text: str) -> list[str]:
    """The names between ampersands; one in single quotes, a URL with a query, may hold ampersands itself."""
    names = [""]
    for index, piece in enumerate(text.split("'")):
        if index % 2:  # inside of quotes
            names[-1] += piece
        else:
            first, *others = piece.split("&")
            names[-1] += first
            names += others
    return names


def uri_of(name: str) -> str:
    """A file's name as a media URI."""
    return f"sound:{name.strip()}"


async def _read(channel: Channel, arguments: str, run: Run) -> None:
    """``Read(variable[,file&file[,digits[,options[,attempts[,timeout]]]]])``."""
    parts = [*split_arguments(arguments), *[""] * 6]
    variable, names = parts[0], parts[1]
    if not variable:
        raise ApplicationError("Read names no variable")
    options = READ_OPTIONS.read("Read", parts[3])
    most = min(whole_number(parts[2], MAX_READ_DIGITS) or MAX_READ_DIGITS, MAX_READ_DIGITS)
    attempts = max(1, whole_number(parts[4], 1))
    timeout = (seconds(parts[5]) if parts[5] else None) or READ_SECONDS
    if "s" in options and channel.state is not State.UP:
        channel.set_variable(variable, "")
        channel.set_variable("READSTATUS", "SKIPPED")
        return
    if "n" not in options:
        channel.answer()
    ends = options.get("t", "#")
    digits, status = "", "TIMEOUT"
    try:
        for _ in range(attempts):
            digits, ended = await _read_once(channel, names, most, timeout, run, ends, tone="i" in options)
            if ended and not digits and "e" in options:
                digits = ended
            if digits or ended is not None:
                status = "OK"
                break
    except HungUp:
        channel.set_variable("READSTATUS", "HANGUP")
        raise
    channel.set_variable(variable, digits)
    channel.set_variable("READSTATUS", status)


async def _tone_until_key(channel: Channel, name: str, timeout: float, keys: DigitInput, run: Run) -> str | None:
    """The first digit while a tone sounds."""
    if not run.plan.media.tones(channel, name):
        log.warning("%s: Read: there is no tone %r", channel.name, name)
    try:
        return await keys.next(timeout)
    finally:
        run.plan.media.tones(channel, None)


async def _read_once(
    channel: Channel, names: str, most: int, timeout: float, run: Run, ends: str, *, tone: bool
) -> tuple[str, str | None]:
    """The digits of one attempt, and the key of `ends` that ended it, "" for their number, None for a pause."""
    digits = ""
    with DigitInput(channel) as keys:
        first: str | None = None
        if tone:
            first = await _tone_until_key(channel, names or "dial", timeout, keys, run)
            if first is None:
                return "", None
        elif names:
            await hear_names(channel, "Read", file_names(names), run, keys)
            first = keys.take()
        while len(digits) < most:
            digit = first if first is not None else await keys.next(timeout)
            first = None
            if digit is None or digit in ends:
                return digits, digit
            digits += digit
    return digits, ""


def _echo_port(channel: Channel, name: str) -> None:
    if channel.port is None:
        raise ApplicationError(f"{name}: the channel has no media")


async def _echo(channel: Channel, arguments: str, run: Run) -> None:
    _echo_port(channel, "Echo")
    if run.hung_up:
        return  # in the extension h nobody is left to press #
    port = channel.port
    assert port is not None
    if channel.state is not State.UP:
        channel.answer()
    port.echo(True)
    try:
        with DigitInput(channel) as keys:
            while await keys.next(None) != "#":
                pass
    finally:
        port.echo(False)


async def _milliwatt(channel: Channel, arguments: str, run: Run) -> None:
    """1004 Hz, with `m` for nine seconds of ten."""
    options = MILLIWATT_OPTIONS.read("Milliwatt", arguments.strip())
    answer_unless(channel, "")
    run.plan.media.tones(channel, "1004/9000,0/1000" if "m" in options else "1004")
    try:
        await channel.until(channel.registry.loop.create_future())
    finally:
        run.plan.media.tones(channel, None)


async def _control_playback(channel: Channel, arguments: str, run: Run) -> None:
    """``ControlPlayback(files[,skip ms[,forward[,back[,stop[,pause[,restart[,o(ms)]]]]]]])``."""
    parts = [*split_arguments(arguments), *[""] * 8]
    if not parts[0]:
        raise ApplicationError("ControlPlayback names no file")
    options = CONTROL_OPTIONS.read("ControlPlayback", parts[7])
    keys = {parts[2] or "#": "forward", parts[3] or "*": "reverse"}
    for pressed, how in zip(parts[4:7], ("stop", "pause", "restart"), strict=True):
        keys.update(dict.fromkeys(pressed, how))
    answer_unless(channel, "")
    try:
        played = await play_moving(
            run.plan.media,
            channel,
            [name.strip() for name in file_names(parts[0])],
            keys,
            skip_ms=max(1, whole_number(parts[1], DEFAULT_SKIP_MS)),
            offset_ms=max(0, whole_number(options.get("o", ""))),
        )
    except MediaError as failure:
        log.warning("%s: ControlPlayback: %s", channel.name, failure)
        channel.set_variable("CPLAYBACKSTATUS", "ERROR")
        return
    if played.failure is not None:
        log.warning("%s: ControlPlayback: %s", channel.name, played.failure)
    stopped = "REMOTESTOPPED" if played.remote else "USERSTOPPED" if played.key else "SUCCESS"
    channel.set_variable("CPLAYBACKSTATUS", "ERROR" if played.failure is not None else stopped)
    channel.set_variable("CPLAYBACKOFFSET", str(played.position_ms))
    channel.set_variable("CPLAYBACKSTOPKEY", played.key)


async def _play_tones(channel: Channel, arguments: str, run: Run) -> None:
    if not arguments.strip():
        raise ApplicationError("PlayTones names no tone")
    if not run.plan.media.tones(channel, arguments.strip()):
        log.warning("%s: there is no tone %r", channel.name, arguments)


async def _stop_play_tones(channel: Channel, arguments: str, run: Run) -> None:
    run.plan.media.tones(channel, None)


async def _music_on_hold(channel: Channel, arguments: str, run: Run) -> None:
    parts = split_arguments(arguments)
    duration = seconds(parts[1]) if len(parts) > 1 and parts[1] else None
    run.plan.media.music(channel, _music_class(channel, parts))
    try:
        if duration is not None:
            await channel.sleep(duration)
        else:
            await channel.until(channel.registry.loop.create_future())
    finally:
        run.plan.media.music(channel, None)


def _music_class(channel: Channel, parts: list[str]) -> str:
    return (parts[0] if parts else "") or channel.music_class or "default"


async def _start_music(channel: Channel, arguments: str, run: Run) -> None:
    run.plan.media.music(channel, _music_class(channel, split_arguments(arguments)))


async def _stop_music(channel: Channel, arguments: str, run: Run) -> None:
    run.plan.media.music(channel, None)


async def _send_dtmf(channel: Channel, arguments: str, run: Run) -> None:
    """``SendDTMF(digits[,gap ms[,duration ms[,channel]]])``."""
    parts = split_arguments(arguments) + [""] * 4
    target = channel
    if parts[3]:
        found = channel.registry.find(parts[3])
        if found is None:
            raise ApplicationError(f"there is no channel {parts[3]!r}")
        target = found
    gap_ms = whole_number(parts[1], DEFAULT_GAP_MS) or DEFAULT_GAP_MS
    duration_ms = whole_number(parts[2], DEFAULT_DIGIT_MS) or DEFAULT_DIGIT_MS
    digits: list[DigitOut] = []
    for character in parts[0]:
        if character in DIGITS:
            digits.append(DigitOut(character.upper(), duration_ms, gap_ms))
        elif character in "wW" and digits:
            last = digits[-1]
            pause_ms = PAUSE_MS if character == "w" else 2 * PAUSE_MS
            digits[-1] = DigitOut(last.digit, last.duration_ms, last.gap_ms + pause_ms)
        elif character not in "wW":
            log.warning("%s: SendDTMF: %r is no digit", channel.name, character)
    if not digits:
        return
    sent: asyncio.Future[None] = channel.registry.loop.create_future()

    def end() -> None:
        if not sent.done():
            sent.set_result(None)

    target.send_digits(digits, end)
    await channel.until(sent)


APPLICATIONS = (
    Application(
        "ControlPlayback",
        "ControlPlayback(file[&file…][,skip ms[,forward[,back[,stop[,pause[,restart[,o(ms)]]]]]]])",
        "Plays files in which keys move: `#` and `*` by 3000 ms unless others are named. "
        "CPLAYBACKSTATUS is SUCCESS, USERSTOPPED, REMOTESTOPPED or ERROR, CPLAYBACKOFFSET where it ended, "
        "CPLAYBACKSTOPKEY the key.",
        _control_playback,
        options=CONTROL_OPTIONS,
    ),
    Application("Echo", "Echo()", "Sends the caller's audio back, until `#`.", _echo),
    Application("Milliwatt", "Milliwatt([m])", "Sends 1004 Hz.", _milliwatt, options=MILLIWATT_OPTIONS),
    Application(
        "MusicOnHold", "MusicOnHold([class[,seconds]])", "Plays music for a time, or for ever.", _music_on_hold
    ),
    Application(
        "Playback",
        "Playback(file[&file…][,skip|noanswer])",
        "Answers and plays files; PLAYBACKSTATUS is SUCCESS or FAILED. A file may be an http or https URL, one with "
        "`&` in it between single quotes.",
        _playback,
        lacks="without the options `say` and `mix`: there is no say.conf",
    ),
    Application(
        "PlayTones",
        "PlayTones(tone)",
        "Lets a tone sound while the dialplan goes on: its name, or its cadence.",
        _play_tones,
    ),
    Application(
        "Read",
        "Read(variable[,file&file…[,digits[,options[,attempts[,seconds]]]]])",
        "Reads digits, ended by `#`, into a variable; READSTATUS is OK, TIMEOUT, SKIPPED or HANGUP.",
        _read,
        options=READ_OPTIONS,
    ),
    Application(
        "SendDTMF",
        "SendDTMF(digits[,gap ms[,duration ms[,channel]]])",
        "Sends digits; `w` waits half a second and `W` a whole one.",
        _send_dtmf,
    ),
    Application(
        "StartMusicOnHold", "StartMusicOnHold([class])", "Lets music sound while the dialplan goes on.", _start_music
    ),
    Application("StopMusicOnHold", "StopMusicOnHold()", "Ends the music.", _stop_music),
    Application("StopPlayTones", "StopPlayTones()", "Ends the tone.", _stop_play_tones),
)
