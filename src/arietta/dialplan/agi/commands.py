"""Every command of AGI: what it takes, what it does, and what the program is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from arietta import verbose as console
from arietta.channels import texts
from arietta.channels.callerid import parse_caller_id
from arietta.channels.channel import State
from arietta.channels.driver import Party
from arietta.dialplan.agi.protocol import one_line, result
from arietta.dialplan.applications.texts import receive_text
from arietta.dialplan.digits import DigitInput
from arietta.dialplan.errors import DialplanError
from arietta.dialplan.functions import EVERYTHING
from arietta.dialplan.playing import play_moving
from arietta.dialplan.recording import record_file
from arietta.dialplan.run import Run
from arietta.dialplan.variables import compile_template
from arietta.errors import AriettaError
from arietta.media import say
from arietta.media.engine import MediaError, RecordEndReason, RecordOptions

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.agi.session import Session

CarryOut = Callable[["Session", list[str]], Awaitable[str]]
"""Gets the session and the arguments; gives the reply. ValueError for arguments that make no sense."""

STATES = {State.DOWN: 0, State.RING: 4, State.RINGING: 5, State.UP: 6, State.BUSY: 7}
SAMPLES_PER_MS = 8
"""Positions are told in samples of 8000 a second, whatever the file has."""
FIRST_DIGIT_MS, NEXT_DIGIT_MS = 6000, 2000
MAX_DIGITS = 1024
MAX_PLAIN_DIGITS = 255


class AgiCommand(msgspec.Struct, frozen=True):
    """One command."""

    words: tuple[str, ...]
    arguments: str
    """How the arguments are written."""
    summary: str
    carry_out: CarryOut
    least: int = 0
    most: int = 0
    when_dead: bool = False
    """Whether it can be used after the call has ended."""
    lacks: str = ""
    """What of the documented command is not there; empty if it is complete."""

    @property
    def syntax(self) -> str:
        return " ".join([*(word.upper() for word in self.words), *([self.arguments] if self.arguments else [])])


def find(words: list[str]) -> tuple[AgiCommand, list[str]]:
    """The command that a line means and its arguments; KeyError for an unknown one."""
    key = tuple(word.lower() for word in words[:MOST_WORDS])
    for size in range(len(key), 0, -1):
        command = COMMANDS.get(key[:size])
        if command is not None:
            return command, words[size:]
    raise KeyError(" ".join(words))


def _number(text: str) -> int:
    return int(text, 10)


def _code(digit: str) -> int:
    """A digit as replies have it: its code in ASCII, 0 for none."""
    return ord(digit) if digit else 0


# ------------------------------------------------------------------------------------------------------ the call


async def _answer(agi: Session, arguments: list[str]) -> str:
    agi.channel.answer()
    return result(0)


async def _hangup(agi: Session, arguments: list[str]) -> str:
    other = agi.channel if not arguments else agi.channel.registry.find(arguments[0])
    if other is None:
        return result(-1)
    other.request_hangup()
    return result(1)


async def _channel_status(agi: Session, arguments: list[str]) -> str:
    other: Channel | None = agi.channel if not arguments else agi.channel.registry.find(arguments[0])
    return result(-1 if other is None else STATES[other.state])


async def _set_autohangup(agi: Session, arguments: list[str]) -> str:
    agi.run.plan.set_absolute_timeout(agi.channel, max(0.0, float(arguments[0])))
    return result(0)


async def _set_callerid(agi: Session, arguments: list[str]) -> str:
    written = parse_caller_id(arguments[0])
    agi.channel.set_caller(Party(written.name, written.number, agi.channel.caller.presentation))
    return result(1)


async def _set_context(agi: Session, arguments: list[str]) -> str:
    return _place(agi, context=arguments[0])


async def _set_extension(agi: Session, arguments: list[str]) -> str:
    return _place(agi, exten=arguments[0])


async def _set_priority(agi: Session, arguments: list[str]) -> str:
    channel = agi.channel
    if arguments[0].isdigit():
        return _place(agi, priority=_number(arguments[0]))
    found = agi.run.plan.priority_of_label(channel.context, channel.exten, arguments[0], channel.caller.number)
    return result(-1) if found is None else _place(agi, priority=found)


def _place(agi: Session, *, context: str = "", exten: str = "", priority: int = 0) -> str:
    """Say where the dialplan goes on when the program has ended."""
    channel = agi.channel
    agi.run.goto(context or channel.context, exten or channel.exten, priority or channel.priority)
    return result(0)


async def _set_music(agi: Session, arguments: list[str]) -> str:
    if arguments[0].lower() not in ("on", "off"):
        raise ValueError(arguments[0])
    wanted = (arguments[1] if len(arguments) > 1 else agi.channel.music_class) or "default"
    agi.run.plan.media.music(agi.channel, wanted if arguments[0].lower() == "on" else None)
    return result(0)


# ---------------------------------------------------------------------------------------- the dialplan, variables


async def _exec(agi: Session, arguments: list[str]) -> str:
    run = agi.run
    try:
        found = await run.call(arguments[0], ",".join(arguments[1:]))
    except DialplanError as failure:
        console.verbose(3, f"AGI: {arguments[0]}: {failure}")
        return result(-1)
    return result(0 if found else -2)


async def _gosub(agi: Session, arguments: list[str]) -> str:
    """Run a subroutine to its Return, and go on with the conversation."""
    channel, run = agi.channel, agi.run
    place = (channel.context, channel.exten, channel.priority)
    jumped, depth = run.jumped, len(run.frames)
    context, exten, priority, *given = arguments
    try:
        await run.call("Gosub", f"{context},{exten},{priority}({','.join(given)})")
        await Run(run.plan, channel).subroutine(depth)
    except DialplanError as failure:
        console.verbose(3, f"AGI: Gosub: {failure}")
        return result(-1)
    finally:
        channel.set_place(*place)
        run.jumped = jumped
    return result(0)


async def _get_variable(agi: Session, arguments: list[str]) -> str:
    value = agi.run.plan.value(agi.channel, arguments[0])
    return result(0) if not value else result(1, one_line(value))


async def _get_full_variable(agi: Session, arguments: list[str]) -> str:
    other = agi.channel if len(arguments) < 2 else agi.channel.registry.find(arguments[1])
    if other is None:
        return result(0)
    template = compile_template(arguments[0])
    value = template if isinstance(template, str) else await agi.run.plan.render_waiting(other, template)
    return result(1, one_line(value)) if value else result(0)


async def _set_variable(agi: Session, arguments: list[str]) -> str:
    agi.run.plan.assign(agi.channel, arguments[0], arguments[1])
    return result(1)


async def _verbose(agi: Session, arguments: list[str]) -> str:
    level = min(max(_number(arguments[1]), 1), 4) if len(arguments) > 1 else 1
    console.verbose(level, one_line(arguments[0]))
    return result(1)


async def _noop(agi: Session, arguments: list[str]) -> str:
    return result(0)


async def _break(agi: Session, arguments: list[str]) -> str:
    agi.over = True
    return result(0)


# --------------------------------------------------------------------------------------------------------- AstDB


async def _database_get(agi: Session, arguments: list[str]) -> str:
    value = agi.run.plan.database.get(arguments[0], arguments[1])
    return result(0) if value is None else result(1, one_line(value))


async def _database_put(agi: Session, arguments: list[str]) -> str:
    try:
        agi.run.plan.database.put(*arguments)
    except AriettaError:
        return result(0)
    return result(1)


async def _database_del(agi: Session, arguments: list[str]) -> str:
    return result(int(agi.run.plan.database.delete(arguments[0], arguments[1])))


async def _database_deltree(agi: Session, arguments: list[str]) -> str:
    try:
        return result(int(agi.run.plan.database.delete_tree(*arguments) > 0))
    except AriettaError:
        return result(0)


# ------------------------------------------------------------------------------------------------ sounds and digits


async def _played(agi: Session, names: list[str], escapes: str) -> str:
    heard = await agi.hear(names, escapes) if names else ("", 0)
    return result(-1) if heard is None else result(_code(heard[0]))


async def _stream_file(agi: Session, arguments: list[str]) -> str:
    offset_ms = _number(arguments[2]) // SAMPLES_PER_MS if len(arguments) > 2 else 0
    heard = await agi.hear([arguments[0]], arguments[1], max(0, offset_ms))
    if heard is None:
        return result(-1, end_position=0)
    return result(_code(heard[0]), end_position=heard[1] * SAMPLES_PER_MS)


async def _get_option(agi: Session, arguments: list[str]) -> str:
    heard = await agi.hear([arguments[0]], arguments[1])
    if heard is None:
        return result(-1, end_position=0)
    digit, position_ms = heard
    if not digit:
        default_ms = int(agi.run.plan.timeout_of(agi.channel, "digit") * 1000)
        digit = await _escape(agi, arguments[1], _number(arguments[2]) if len(arguments) > 2 else default_ms)
    return result(_code(digit), end_position=position_ms * SAMPLES_PER_MS)


async def _escape(agi: Session, escapes: str, timeout_ms: int) -> str:
    """The first of some digits that comes in time; "" if none does."""
    loop = agi.channel.registry.loop
    until = loop.time() + timeout_ms / 1000
    with DigitInput(agi.channel) as keys:
        while (left := until - loop.time()) > 0:
            digit = await keys.next(left)
            if digit is None:
                break
            if digit in escapes:
                return digit
    return ""


async def _wait_for_digit(agi: Session, arguments: list[str]) -> str:
    timeout_ms = _number(arguments[0])
    with DigitInput(agi.channel) as keys:
        digit = await keys.next(None if timeout_ms < 0 else timeout_ms / 1000)
    return result(_code(digit or ""))


async def _get_data(agi: Session, arguments: list[str]) -> str:
    given_ms = _number(arguments[1]) if len(arguments) > 1 else 0
    most = min(_number(arguments[2]), MAX_DIGITS) if len(arguments) > 2 else MAX_PLAIN_DIGITS
    with DigitInput(agi.channel) as keys:
        if await agi.hear([arguments[0]], "0123456789*#ABCD") is None:
            return result(-1)
        digits = ""
        while len(digits) < most:
            wait_ms = given_ms or (NEXT_DIGIT_MS if digits else FIRST_DIGIT_MS)
            digit = await keys.next(wait_ms / 1000)
            if digit is None:
                return result(digits, "timeout")
            if digit == "#":
                break
            digits += digit
    return result(digits)


async def _control_stream_file(agi: Session, arguments: list[str]) -> str:
    """STREAM FILE with keys that move in the file; they set CPLAYBACKSTATUS and CPLAYBACKOFFSET."""
    name, escapes, skip, forward, rewind, pause, offset = [
        *arguments,
        *["", "", "3000", "#", "*", "", "0"][len(arguments) :],
    ]
    channel, skip_ms = agi.channel, max(1, _number(skip or "3000"))
    keys = {forward: "forward", rewind: "reverse", pause: "pause", **dict.fromkeys(escapes, "stop")}
    try:
        played = await play_moving(
            agi.run.plan.media, channel, [name], keys, skip_ms=skip_ms, offset_ms=max(0, _number(offset or "0"))
        )
    except MediaError:
        channel.set_variable("CPLAYBACKSTATUS", "ERROR")
        return result(-1, end_position=0)
    failed = played.failure is not None
    stopped = "REMOTESTOPPED" if played.remote else "USERSTOPPED" if played.key else "SUCCESS"
    channel.set_variable("CPLAYBACKSTATUS", "ERROR" if failed else stopped)
    channel.set_variable("CPLAYBACKOFFSET", str(played.position_ms))
    if failed:
        return result(-1, end_position=0)
    return result(_code(played.key), end_position=played.position_ms * SAMPLES_PER_MS)


async def _say_digits(agi: Session, arguments: list[str]) -> str:
    _number(arguments[0])
    return await _played(agi, say.say_digits(arguments[0]), arguments[1])


async def _say_number(agi: Session, arguments: list[str]) -> str:
    return await _played(agi, say.say_number(_number(arguments[0])), arguments[1])


async def _say_alpha(agi: Session, arguments: list[str]) -> str:
    return await _played(agi, say.say_characters(arguments[0]), arguments[1])


async def _say_phonetic(agi: Session, arguments: list[str]) -> str:
    return await _played(agi, say.say_phonetic(arguments[0]), arguments[1])


def _moment(seconds: str, zone: str = "") -> datetime:
    try:
        return datetime.fromtimestamp(_number(seconds), UTC).astimezone(ZoneInfo(zone) if zone else None)
    except (ZoneInfoNotFoundError, OverflowError, OSError) as failure:
        raise ValueError(str(failure)) from failure


async def _say_date(agi: Session, arguments: list[str]) -> str:
    return await _played(agi, say.say_moment(_moment(arguments[0]), "ABdY"), arguments[1])


async def _say_time(agi: Session, arguments: list[str]) -> str:
    return await _played(agi, say.say_moment(_moment(arguments[0]), "IMp"), arguments[1])


async def _say_datetime(agi: Session, arguments: list[str]) -> str:
    form = arguments[2] if len(arguments) > 2 and arguments[2] else "ABdY 'digits/at' IMp"
    moment = _moment(arguments[0], arguments[3] if len(arguments) > 3 else "")
    return await _played(agi, say.say_moment(moment, form), arguments[1])


# ----------------------------------------------------------------------------------------------------- recording


async def _record_file(agi: Session, arguments: list[str]) -> str:
    name, form, escapes, timeout = arguments[:4]
    rest = arguments[4:]
    if any(word.isdigit() and _number(word) for word in rest):
        raise ValueError("an offset into the file is not supported")
    beep = any(word.lower() == "beep" for word in rest)
    silence = next((word[2:] for word in rest if word.lower().startswith("s=")), "0")
    timeout_ms = _number(timeout)
    options = RecordOptions(
        beep=beep, max_duration_ms=max(0, timeout_ms), max_silence_ms=max(0, _number(silence)) * 1000
    )
    try:
        how, pressed = await record_file(agi.channel, agi.run.plan.folders.sounds / name, form, options, escapes)
    except (OSError, MediaError) as failure:
        console.verbose(2, f"AGI: RECORD FILE {name}: {failure}")
        return result(-1, "writefile", 0)
    position = how.duration_ms * SAMPLES_PER_MS
    if how.reason is RecordEndReason.FAILED:
        return result(-1, "writefile", position)
    if pressed:
        return result(_code(pressed), "dtmf", position)
    return result(0, "timeout", position)


# -------------------------------------------------------------------------------------------- texts, and what is not


async def _send_text(agi: Session, arguments: list[str]) -> str:
    """0 also where the channel carries none; -1 where it failed."""
    text = texts.Text(arguments[0])
    if not texts.can_carry(agi.channel):
        return result(0)
    return result(0 if text.size <= texts.MAX_BYTES and texts.send(agi.channel, text) else -1)


async def _next_text(agi: Session, timeout_ms: str) -> str | None:
    """The next text; None after so many milliseconds, of which 0 are without end."""
    limit_ms = _number(timeout_ms)
    return await receive_text(agi.channel, limit_ms / 1000 if limit_ms > 0 else None)


async def _receive_char(agi: Session, arguments: list[str]) -> str:
    if not texts.can_carry(agi.channel):
        return result(0)
    text = await _next_text(agi, arguments[0])
    return result(0, "timeout") if text is None else result(ord(text[0]) if text else 0)


async def _receive_text(agi: Session, arguments: list[str]) -> str:
    text = await _next_text(agi, arguments[0]) if texts.can_carry(agi.channel) else None
    return result(-1) if text is None else result(1, one_line(text))


async def _no_image(agi: Session, arguments: list[str]) -> str:
    """No channel here shows images, which the command says with 0."""
    return result(0)


async def _tdd_mode(agi: Session, arguments: list[str]) -> str:
    return result(0)


async def _no_speech(agi: Session, arguments: list[str]) -> str:
    """There is no engine that recognizes speech: none can be made (0)."""
    return result(0)


async def _no_speech_object(agi: Session, arguments: list[str]) -> str:
    """Nothing can be done to an engine that could not be made."""
    return result(-1)


def _command(
    words: str,
    arguments: str,
    summary: str,
    carry_out: CarryOut,
    least: int = 0,
    most: int | None = None,
    *,
    when_dead: bool = False,
    lacks: str = "",
) -> AgiCommand:
    most = least if most is None else most
    return AgiCommand(tuple(words.split()), arguments, summary, carry_out, least, most, when_dead, lacks)


_ALL = (
    _command("answer", "", "Answers the call.", _answer),
    _command("asyncagi break", "", "Ends AGI(agi:async).", _break, when_dead=True),
    _command(
        "channel status", "[channel]", "The state of a channel as a number.", _channel_status, 0, 1, when_dead=True
    ),
    _command(
        "control stream file",
        '"file" "escape digits" [skip ms] [forward digit] [rewind digit] [pause digit] [offset ms]',
        "Plays a file that digits move in.",
        _control_stream_file,
        2,
        7,
    ),
    _command("database del", '"family" "key"', "Takes a text out of AstDB.", _database_del, 2, when_dead=True),
    _command(
        "database deltree", '"family" ["tree"]', "Takes a family out of AstDB.", _database_deltree, 1, 2, when_dead=True
    ),
    _command("database get", '"family" "key"', "A text of AstDB.", _database_get, 2, when_dead=True),
    _command("database put", '"family" "key" "value"', "Puts a text into AstDB.", _database_put, 3, when_dead=True),
    _command(
        "exec", '"application" ["arguments"]', "Executes an application of the dialplan.", _exec, 1, 127, when_dead=True
    ),
    _command("get data", '"file" [timeout ms] [digits]', "Plays a file and reads digits, up to #.", _get_data, 1, 3),
    _command(
        "get full variable",
        '"text" [channel]',
        "A text with its variables and functions replaced.",
        _get_full_variable,
        1,
        2,
        when_dead=True,
    ),
    _command(
        "get option", '"file" "escape digits" [timeout ms]', "Plays a file and reads one digit.", _get_option, 2, 3
    ),
    _command("get variable", '"name"', "A variable of the channel.", _get_variable, 1, when_dead=True),
    _command("gosub", '"context" "extension" "priority" ["argument"]', "Runs a subroutine.", _gosub, 3, 127),
    _command("hangup", "[channel]", "Ends a call.", _hangup, 0, 1),
    _command("noop", '["text"]', "Does nothing.", _noop, 0, 127, when_dead=True),
    _command("receive char", "timeout", "The first character of the far end's next text.", _receive_char, 1),
    _command("receive text", "timeout", "The far end's next text; 0 waits without end.", _receive_text, 1),
    _command(
        "record file",
        '"file" "format" "escape digits" timeout [offset samples] [BEEP] [s=silence]',
        "Records what the far end says.",
        _record_file,
        4,
        7,
    ),
    _command("say alpha", '"text" "escape digits"', "Spells a text.", _say_alpha, 2),
    _command("say date", 'seconds "escape digits"', "Says a date.", _say_date, 2),
    _command("say datetime", 'seconds "escape digits" ["format"] ["timezone"]', "Says a time.", _say_datetime, 2, 4),
    _command("say digits", 'number "escape digits"', "Says digits.", _say_digits, 2),
    _command("say number", 'number "escape digits" [gender]', "Says a number.", _say_number, 2, 3),
    _command("say phonetic", '"text" "escape digits"', "Spells a text in the telephone alphabet.", _say_phonetic, 2),
    _command("say time", 'seconds "escape digits"', "Says the time of day.", _say_time, 2),
    _command(
        "send image", '"image"', "Sends an image, which no channel shows.", _no_image, 1, lacks="no channel shows one"
    ),
    _command("send text", '"text"', "Sends a text inside of the call.", _send_text, 1),
    _command("set autohangup", "seconds", "Ends the call after a time; 0 never.", _set_autohangup, 1),
    _command("set callerid", '"number"', "Sets the caller.", _set_callerid, 1),
    _command("set context", '"context"', "Where the dialplan goes on.", _set_context, 1),
    _command("set extension", '"extension"', "Where the dialplan goes on.", _set_extension, 1),
    _command("set music", "on|off [class]", "Lets music sound.", _set_music, 1, 2),
    _command("set priority", "priority", "Where the dialplan goes on: a number or a label.", _set_priority, 1),
    _command("set variable", '"name" "value"', "Sets a variable or function.", _set_variable, 2, when_dead=True),
    *(
        _command(
            f"speech {words}",
            arguments,
            "Is refused: no engine recognizes speech here.",
            refuse,
            least,
            most,
            lacks=EVERYTHING,
        )
        for words, arguments, refuse, least, most in (
            ("activate grammar", '"grammar"', _no_speech_object, 1, 1),
            ("create", '"engine"', _no_speech, 0, 1),
            ("deactivate grammar", '"grammar"', _no_speech_object, 1, 1),
            ("destroy", "", _no_speech_object, 0, 0),
            ("load grammar", '"grammar" "path"', _no_speech_object, 2, 2),
            ("recognize", '"prompt" timeout [offset]', _no_speech_object, 2, 3),
            ("set", '"name" "value"', _no_speech_object, 2, 2),
            ("unload grammar", '"grammar"', _no_speech_object, 1, 1),
        )
    ),
    _command("stream file", '"file" "escape digits" [offset samples]', "Plays a file.", _stream_file, 2, 3),
    _command("tdd mode", "on|off", "Is refused: no text telephones are heard.", _tdd_mode, 1, lacks=EVERYTHING),
    _command("verbose", '"text" [level]', "Shows a line on the console.", _verbose, 1, 2, when_dead=True),
    _command("wait for digit", "timeout", "One digit; -1 waits without end.", _wait_for_digit, 1),
)
COMMANDS: dict[tuple[str, ...], AgiCommand] = {command.words: command for command in _ALL}
MOST_WORDS = max(len(words) for words in COMMANDS)
