"""AGI: what a program says and is answered, how it is reached, and what becomes of it when the call ends."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.astdb import AstDb
from arietta.channels import signals
from arietta.channels.channel import HungUp
from arietta.channels.texts import Text
from arietta.dialplan.agi.carriers import CannotReach, Process, parts_of
from arietta.dialplan.agi.protocol import MAX_WORDS, BadLine, words_of
from arietta.dialplan.agi.session import Session
from arietta.dialplan.ports import Folders
from arietta.dialplan.run import Run
from arietta.model.facts import AsyncAgiAnswered, AsyncAgiEnded, AsyncAgiStarted
from arietta.store import Store

from .stage import Stage, leg_of

PLAN = """
[default]
exten => s,1,NoOp()
exten => sub,1,Set(SEEN=${ARG1})
same => n,Wait(1)
same => n,Return(back)
"""


class Program:
    """A program that sends commands, each a second after the last answer, and remembers the replies."""

    def __init__(self, stage: Stage, *commands: str) -> None:
        self.stage = stage
        self.commands = list(commands)
        self.heard: list[str] = []
        self.told_hangup_at: float | None = None

    async def read(self) -> str | None:
        await asyncio.sleep(1)
        return self.commands.pop(0) if self.commands else None

    async def write(self, text: str) -> None:
        self.heard.append(text)

    def hung_up(self) -> None:
        self.told_hangup_at = self.stage.loop.time()


def talk(*commands: str, plan: str = PLAN, before: Callable[[Stage], None] = lambda _: None) -> Talk:
    """A program's whole conversation with a channel."""
    return Talk(commands, plan, before)


class Talk:
    def __init__(self, commands: tuple[str, ...], plan: str, before: Callable[[Stage], None]) -> None:
        self.stage = stage = Stage(plan)
        self.channel = stage.channel()
        self.program = Program(stage, *commands)
        self.hung_up = False
        before(stage)
        self.channel.own(self._story())
        stage.do(self._wait())

    async def _story(self) -> None:
        try:
            await Session(Run(self.stage.plan, self.channel), self.program).serve([("channel", self.channel.name)])
        except HungUp:
            self.hung_up = True
            raise

    async def _wait(self) -> None:
        assert self.channel.task is not None
        await self.channel.task

    @property
    def replies(self) -> list[str]:
        return [reply.removeprefix("200 result=").rstrip("\n") for reply in self.program.heard[1:]]

    @property
    def said(self) -> list[str]:
        return leg_of(self.channel).said


# ------------------------------------------------------------------------------------------------------- the lines


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("STREAM FILE hello #", ["STREAM", "FILE", "hello", "#"]),
        ('SET VARIABLE A "two words"', ["SET", "VARIABLE", "A", "two words"]),
        ('EXEC NoOp "say \\"x\\""', ["EXEC", "NoOp", 'say "x"']),
        ('A "" b\\ c', ["A", "", "b c"]),
        ("  spaces\tand tabs  ", ["spaces", "and", "tabs"]),
    ],
)
def test_words(line: str, words: list[str]) -> None:
    assert words_of(line) == words


def test_lines_that_are_no_command() -> None:
    with pytest.raises(BadLine, match="not closed"):
        words_of('SAY "x')
    with pytest.raises(BadLine, match="129 words, 128 at most"):
        words_of("a " * (MAX_WORDS + 1))
    assert talk('SAY "x', "DANCE", "", "SET").replies == ["510 Invalid or unknown command"] * 4


def test_a_command_that_is_used_wrongly_is_explained() -> None:
    [reply] = talk("STREAM FILE hello").replies
    assert reply.startswith("520-Invalid command syntax.  Proper usage follows:\nUsage: STREAM FILE")
    assert reply.endswith("520 End of proper usage.")
    assert talk("SAY NUMBER many #").replies[0].startswith("520-")


@given(
    st.lists(st.sampled_from([*'aA1#"\\ \t', "SAY", "NUMBER", "GET", "DATA", "EXEC", "SET", "-9", "é\0"]), max_size=12)
)
@settings(max_examples=150, deadline=None)
def test_any_line_is_answered_by_one_reply(pieces: list[str]) -> None:
    heard = talk(" ".join(pieces).replace("\n", "")).program.heard
    assert len(heard) == 2
    assert heard[1][:3] in ("200", "510", "520")
    assert heard[1].endswith("\n")


# -------------------------------------------------------------------------------------------------------- commands


def test_a_program_steers_a_call() -> None:
    story = talk("ANSWER", "CHANNEL STATUS", "SET CONTEXT default", "SET EXTENSION sub", "SET PRIORITY 2", "HANGUP")
    assert story.replies == ["0", "6", "0", "0", "0", "1"]
    assert (story.channel.exten, story.channel.priority) == ("sub", 2)
    assert story.said == ["answer", "hangup 16"]
    assert talk("CHANNEL STATUS", "CHANNEL STATUS nobody", "HANGUP nobody").replies == ["4", "-1", "-1"]


def test_variables_cannot_break_out_of_their_reply() -> None:
    story = talk(
        'SET VARIABLE A "one"', "GET VARIABLE A", "GET VARIABLE B", 'GET FULL VARIABLE "${A} ${TOUPPER(x)}"',
        "GET FULL VARIABLE ${A} nobody", "GET VARIABLE EVIL", "GET VARIABLE CALLERID(num)", 'SET CALLERID "Al <7>"',
        "GET VARIABLE CALLERID(all)", 'VERBOSE "look" 3', "NOOP anything at all",
        before=lambda stage: stage.registry.find("Test/caller").variables.update(EVIL="1)\n200 result=1 (x"),  # type: ignore[union-attr]
    )  # fmt: skip
    assert story.replies == [
        "1", "1 (one)", "0", "1 (one X)", "0", "1 (1) 200 result=1 (x)", "1 (6001)", "1", '1 ("Al" <7>)', "1", "0",
    ]  # fmt: skip


def test_astdb(tmp_path: Path) -> None:
    def keep(stage: Stage) -> None:
        stage.plan.database = AstDb(Store(tmp_path / "astdb.sqlite3"))

    story = talk(
        'DATABASE PUT cf 100 "2 00"', "DATABASE GET cf 100", "DATABASE DEL cf 100", "DATABASE DEL cf 100",
        "DATABASE GET cf 100", "DATABASE PUT cf 1 x", "DATABASE DELTREE cf", "DATABASE DELTREE cf",
        'DATABASE PUT f "" x',
        before=keep,
    )  # fmt: skip
    assert story.replies == ["1", "1 (2 00)", "1", "0", "0", "1", "1", "0", "0"]


def test_applications_and_subroutines() -> None:
    story = talk(
        "EXEC Ringing", "EXEC NoSuch x", "EXEC Goto nowhere", "GOSUB default sub 1 yes", "GET VARIABLE GOSUB_RETVAL",
        "GET VARIABLE SEEN", "GOSUB default nowhere 1",
    )  # fmt: skip
    assert story.replies == ["0", "-2", "-1", "0", "1 (back)", "1 (yes)", "-1"]
    assert story.said == ["ringing", "hangup 0"]
    assert (story.channel.exten, story.channel.priority) == ("s", 1)


def test_sounds_end_by_themselves_or_by_a_digit() -> None:
    def press(stage: Stage) -> None:
        channel = stage.registry.find("Test/caller")
        assert channel is not None
        for when, digit in ((1.25, "5"), (1.5, "1"), (5.5, "#")):
            stage.later(when, channel.receive, signals.DigitEnded(digit, 100))

    story = talk('STREAM FILE hello "12#"', 'STREAM FILE hello "" 4000', "SAY DIGITS 12 #", "STREAM FILE nothing #",
                 before=press)  # fmt: skip
    assert story.replies == ["49 endpos=4000", "0 endpos=8000", "35", "-1 endpos=0"]
    assert story.said == ["play hello", "play hello from 500", "play digits/1 digits/2", "hangup 0"]


@pytest.mark.parametrize(
    ("command", "sounds"),
    [
        ("SAY NUMBER 21 #", "digits/20 digits/1"),
        ("SAY ALPHA a1 #", "letters/a digits/1"),
        ("SAY PHONETIC ab #", "phonetic/a_p phonetic/b_p"),
        ("SAY DATETIME 1767323045 # ABdY UTC", "digits/day-5 digits/mon-0 digits/h-2 digits/2 digits/thousand"),
        ("SAY DATETIME 1767323045 # IMp UTC", "digits/3 digits/oh digits/4 digits/a-m"),
        ("SAY DATETIME 1767323045 # \"'vm-received' q\" UTC", "vm-received"),
    ],
)  # fmt: skip
def test_what_is_said(command: str, sounds: str) -> None:
    story = talk(command)
    assert story.replies == ["0"]
    assert story.said[0].startswith(f"play {sounds}")


def test_digits_are_read() -> None:
    def press(stage: Stage) -> None:
        channel = stage.registry.find("Test/caller")
        assert channel is not None
        for when, digit in ((1.2, "4"), (1.4, "2"), (3.6, "7"), (3.7, "#"), (5.2, "9"), (9.5, "x")):
            stage.later(when, channel.receive, signals.DigitEnded(digit, 100))

    story = talk("GET DATA beep 1000", "GET DATA beep 1000", "WAIT FOR DIGIT 1000", "WAIT FOR DIGIT 500",
                 'GET OPTION beep "x" 4000', before=press)  # fmt: skip
    assert story.replies == ["42 (timeout)", "7", "57", "0", f"{ord('x')} endpos=8000"]


def test_a_file_is_moved_in() -> None:
    def press(stage: Stage) -> None:
        channel = stage.registry.find("Test/caller")
        assert channel is not None
        for when, digit in ((1.1, "#"), (1.2, "*"), (1.3, "8"), (1.4, "8"), (1.5, "0")):
            stage.later(when, channel.receive, signals.DigitEnded(digit, 100))

    story = talk('CONTROL STREAM FILE hello "0" 2000 # * 8', before=press)
    assert story.replies == ["48 endpos=4000"]
    assert story.said == ["play hello", "skip 2000", "skip -2000", "pause", "resume", "hangup 0"]
    assert story.stage.variables("CPLAYBACKSTATUS") == ["USERSTOPPED"]


@pytest.mark.parametrize(("command", "reply"), [("SEND TEXT x", "0"), ("RECEIVE CHAR 1", "0"), ("RECEIVE TEXT 1", "-1"),
                                                ("SEND IMAGE x", "0"), ("TDD MODE on", "0"), ("SPEECH CREATE x", "0"),
                                                ("SPEECH RECOGNIZE x 10", "-1")])  # fmt: skip
def test_what_channels_do_not_do_is_said_so(command: str, reply: str) -> None:
    assert talk(command).replies == [reply]


# ---------------------------------------------------------------------------------------------- the end of the call


def hang_up_at(seconds: float) -> Callable[[Stage], None]:
    def later(stage: Stage) -> None:
        channel = stage.registry.find("Test/caller")
        assert channel is not None
        stage.later(seconds, channel.receive, signals.HungUp(16, None))

    return later


def test_a_program_hears_of_the_hangup_and_may_tidy_up() -> None:
    story = talk("NOOP", "SET VARIABLE A 1", "SAY NUMBER 1 #", "GET VARIABLE A", before=hang_up_at(1.5))
    assert story.program.told_hangup_at == 1.5
    assert story.replies[:2] == ["0", "1"]
    assert story.replies[2] == "511 Command Not Permitted on a dead channel or intercept routine"
    assert story.replies[3] == "1 (1)"
    assert story.hung_up


def test_a_command_that_waits_is_answered_when_the_call_ends() -> None:
    story = talk("WAIT FOR DIGIT -1", "NOOP", before=hang_up_at(60))
    assert story.replies == ["-1", "0"]
    assert story.hung_up


def test_a_program_that_never_ends_is_left(caplog: pytest.LogCaptureFixture) -> None:
    story = talk(*["NOOP"] * 1000, before=hang_up_at(1.5))
    assert story.hung_up
    assert len(story.replies) == 300
    assert "goes on after the call and is left" in caplog.text


# --------------------------------------------------------------------------------------------------- being reached


@pytest.fixture
def real(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    """A stage on the machine's own time, whose AGI programs are in a folder of the test."""

    def make(*lines: str) -> Stage:
        text = "[default]\nexten => s,1,Set(X=1)\n" + "".join(f"same => n,{line}\n" for line in lines)
        stage = Stage(text, asyncio.new_event_loop())
        stage.plan.folders = Folders(configuration=tmp_path, agi=tmp_path)
        return stage

    former = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # a program inherits that it is ignored
    yield make
    signal.signal(signal.SIGHUP, former)


def program(path: Path, text: str) -> None:
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)


def test_a_program_of_this_machine(real: Callable[..., Stage], tmp_path: Path) -> None:
    program(
        tmp_path / "hello.agi",
        'while read -r line && [ -n "$line" ]; do echo "$line" >> "$AST_AGI_DIR/told"; done\n'
        'echo "SET VARIABLE GOT \\"$1 $2\\""; read -r reply; echo "$reply" >> "$AST_AGI_DIR/told"\n',
    )
    program(tmp_path / "bad.agi", "exit 3\n")
    stage = real(
        'AGI(hello.agi,one,"two, too")', "Set(A=${AGISTATUS})", "AGI(bad.agi)", "Set(B=${AGISTATUS})",
        "AGI(none.agi)", "Set(C=${AGISTATUS})",
    )  # fmt: skip
    stage.run(stage.channel())
    assert stage.variables("GOT") == ["one two, too"]
    assert stage.variables("AGISTATUS") == ["SUCCESS", "FAILURE", "NOTFOUND"]
    told = (tmp_path / "told").read_text().splitlines()
    assert told[0] == "agi_request: hello.agi"
    assert "agi_channel: Test/caller" in told and "agi_callerid: 6001" in told and "agi_arg_2: two, too" in told
    assert told[-1] == "200 result=1"


def test_a_program_that_hears_has_the_audio_as_its_descriptor_3(tmp_path: Path) -> None:
    program(tmp_path / "hear.agi", 'head -c 4 <&3; echo " $1"\n')

    async def story() -> str | None:
        reader, writer = os.pipe()
        os.write(writer, b"abcd")
        os.close(writer)
        hearing = await Process.start(tmp_path / "hear.agi", ["x y"], {}, hangup_signal=True, audio=reader)
        os.close(reader)
        try:
            return await hearing.read()
        finally:
            assert await hearing.close() == 0

    assert asyncio.run(story()) == "abcd x y"


def test_a_program_is_told_that_it_hears(real: Callable[..., Stage], tmp_path: Path) -> None:
    program(
        tmp_path / "hear.agi",
        'while read -r line && [ -n "$line" ]; do echo "$line" >> "$AST_AGI_DIR/told"; done\n'
        '[ -e /dev/fd/3 ] && echo "SET VARIABLE HEARS $1"; read -r reply\n',
    )
    stage = real("EAGI(hear.agi,yes)", "Set(A=${AGISTATUS})")
    stage.registry.engine = Silent()  # type: ignore[assignment]
    stage.run(stage.channel())
    assert (stage.variables("HEARS"), stage.variables("AGISTATUS")) == (["yes"], ["SUCCESS"])
    assert "agi_enhanced: 1.0" in (tmp_path / "told").read_text().splitlines()


@pytest.mark.parametrize(
    ("request_", "status"), [("none.agi", "NOTFOUND"), ("plain.txt", "FAILURE"), ("agi://127.0.0.1/x", "FAILURE")]
)
def test_a_program_that_cannot_hear(request_: str, status: str, real: Callable[..., Stage], tmp_path: Path) -> None:
    (tmp_path / "plain.txt").write_text("no program")
    stage = real(f"EAGI({request_})", "Set(A=${AGISTATUS})")
    stage.registry.engine = Silent()  # type: ignore[assignment]
    before = os.listdir("/dev/fd")
    stage.run(stage.channel())
    assert stage.variables("AGISTATUS") == [status]
    assert len(os.listdir("/dev/fd")) <= len(before)


class Silent:
    """An engine and its ports, which nothing comes from."""

    def open_snoop(self, target: object, **particulars: object) -> Silent:
        return self

    def open_stream(self, **particulars: object) -> Silent:
        return self

    def link(self, other: object) -> None:
        pass

    def close(self) -> None:
        pass


def test_texts_go_and_come() -> None:
    def before(stage: Stage) -> None:
        channel = stage.registry.find("Test/caller")
        assert channel is not None
        sent = leg_of(channel).said
        channel.leg.send_text = lambda text: sent.append(f"text {text.body}") or True  # type: ignore[attr-defined]
        for when, body in ((2.5, "hello you"), (5.0, "A")):
            stage.later(when, channel.receive, signals.TextReceived(Text(body)))

    story = talk('SEND TEXT "how are you"', "RECEIVE TEXT 0", "RECEIVE CHAR 2000", "RECEIVE CHAR 500", before=before)
    assert story.replies == ["0", "1 (hello you)", "65", "0 (timeout)"]
    assert story.said == ["text how are you", "hangup 0"]


@pytest.mark.parametrize("text", ["head -c 5000000 /dev/zero\n", "exec cat /dev/zero\n"], ids=["much", "without end"])
def test_a_program_that_floods_its_call_is_ended(
    real: Callable[..., Stage], tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it wrote and nobody read keeps its end from being told: a pipe that is full."""
    monkeypatch.setattr("arietta.dialplan.agi.carriers.END_SECONDS", 0.3)
    program(tmp_path / "floods.agi", text)
    stage = real("AGI(floods.agi)", "Set(A=after)")
    stage.run(stage.channel())
    assert stage.variables("A") == ["after"]


def test_a_program_is_told_by_a_signal_and_ended_with_its_call(real: Callable[..., Stage], tmp_path: Path) -> None:
    program(tmp_path / "goes.agi", 'echo $$ > "$AST_AGI_DIR/pid"; exec sleep 600\n')
    stage = real("AGI(goes.agi)")
    channel = stage.channel()

    async def story() -> None:
        channel.own(stage.plan.run(channel))
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().endswith("\n"):
            await asyncio.to_thread(os.stat, tmp_path)  # turns of the loop, until the shell is there
        channel.receive(signals.HungUp(16, None))
        assert channel.task is not None
        await channel.task

    stage.do(story())
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert stage.variables("AGISTATUS") == ["HANGUP"]


def test_a_fast_agi_server(real: Callable[..., Stage]) -> None:
    told: list[str] = []
    port = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := (await reader.readline()).strip().decode():
            told.append(line)
        writer.write(b"GET VARIABLE X\n")
        told.append((await reader.readline()).decode().strip())
        writer.close()

    stage = real("AGI(agi://127.0.0.1:${PORT}/menu?lang=en,first)", "AGI(agi://127.0.0.1:1)")
    channel = stage.channel()

    async def story() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        channel.variables["PORT"] = str(server.sockets[0].getsockname()[1])
        channel.own(stage.plan.run(channel))
        assert channel.task is not None
        await channel.task
        server.close()

    stage.do(story())
    assert told[:2] == ["agi_network: yes", "agi_network_script: menu?lang=en"]
    assert told[-2:] == ["agi_arg_1: first", "200 result=1 (1)"]
    assert stage.variables("AGISTATUS") == ["SUCCESS", "FAILURE"]
    assert port == 0


@pytest.mark.parametrize("url", ["hagi://x", "agi:", "agi://", "agi://h:99999", "http://x"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(CannotReach):
        parts_of(url)


def test_commands_of_the_manager_interface() -> None:
    stage = Stage("[default]\nexten => s,1,AGI(agi:async,arg)\nsame => n,NoOp(after)\n")
    channel = stage.channel()
    facts: list[object] = []
    for kind in (AsyncAgiStarted, AsyncAgiAnswered, AsyncAgiEnded):
        stage.bus.subscribe(kind.topics[0], facts.append)

    def send() -> None:
        for number, command in enumerate(("ANSWER", "NONSENSE", "ASYNCAGI BREAK")):
            assert stage.plan.async_agi[channel.id].send(command, f"c{number}")

    stage.later(3, send)
    stage.run(channel)
    started, *answers, ended = facts
    assert isinstance(started, AsyncAgiStarted) and "agi_request%3A%20agi%3Aasync%0A" in started.environment
    assert [(answer.command_id, answer.reply) for answer in answers if isinstance(answer, AsyncAgiAnswered)] == [
        ("c0", "200%20result%3D0%0A"), ("c1", "510%20Invalid%20or%20unknown%20command%0A"),
        ("c2", "200%20result%3D0%0A"),
    ]  # fmt: skip
    assert isinstance(ended, AsyncAgiEnded)
    assert stage.plan.async_agi == {}
    assert "s:2 NoOp(after)" in stage.steps()


def test_a_hangup_ends_the_commands_of_the_manager_interface() -> None:
    stage = Stage("[default]\nexten => s,1,AGI(agi:async)\nexten => h,1,NoOp(${AGISTATUS})\n")
    channel = stage.channel()
    hang_up_at(5)(stage)
    stage.run(channel)
    assert stage.plan.async_agi == {}
    assert stage.steps()[-1] == "h:1 NoOp(HANGUP)"
