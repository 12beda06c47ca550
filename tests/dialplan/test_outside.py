"""Files, programs, the environment and other servers: what the dialplan may reach, and who else may."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import pytest

from arietta.channels import signals
from arietta.dialplan.errors import FunctionError
from arietta.dialplan.ports import WebFailed, WebOptions
from arietta.dialplan.programs import MAX_OUTPUT_BYTES, ProgramFailed, run_in_shell

from .stage import Stage


@pytest.fixture
def stage() -> Stage:
    stage = Stage("[default]\nexten => s,1,NoOp()\n")
    stage.loop.close()
    return stage


def steps_of(stage: Stage) -> list[str]:
    return [step.partition("NoOp")[2] for step in stage.steps() if "NoOp" in step]


def dangerous(*lines: str) -> Stage:
    """A dialplan that may run programs."""
    stage = Stage("[default]\nexten => s,1,Set(A=1)\n" + "".join(f"same => n,{line}\n" for line in lines))
    stage.plan.live_dangerously = True
    return stage


# ---------------------------------------------------------------------------------------------------------- files


def test_a_file_is_written_read_and_looked_at(stage: Stage, tmp_path: Path) -> None:
    channel, name = stage.channel(), tmp_path / "list.txt"
    write, shown = stage.plan.assign, lambda text: stage.plan.substitute(channel, text.replace("@", str(name)))
    write(channel, f"FILE({name})", "one\ntwo\nthree\n")
    assert shown("${FILE(@,0,3)}${FILE(@,4,3)}${FILE(@,-6,5)}${FILE(@,0,-11)}") == "onetwothreeone"
    assert shown("${FILE(@,1,1,l)}|${FILE(@,-1,,l)}") == "two\n|three\n"
    write(channel, f"FILE({name},1,1,l)", "TWO")
    write(channel, f"FILE({name},,,al)", "four")
    assert name.read_text() == "one\nTWO\nthree\nfour\n"
    write(channel, f"FILE({name},0,3)", "O")
    assert name.read_text().startswith("O\nTWO")
    assert shown("${FILE_COUNT_LINE(@)}${FILE_FORMAT(@)}${STAT(e,@)}${STAT(d,@)}${STAT(s,@)}") == "4u1017"
    assert shown("${BASENAME(@)} ${DIRNAME(@)}") == f"list.txt {tmp_path}"


@pytest.mark.parametrize(
    "name",
    [
        "FILE()",
        "FILE(/nowhere/at/all)",
        "FILE(/etc/hostname,0,1,x)",
        "FILE_COUNT_LINE(/nowhere)",
        "STAT(x,/etc/hostname)",
    ],
)
def test_what_cannot_be_read_says_why(stage: Stage, name: str) -> None:
    with pytest.raises(FunctionError):
        stage.plan.value(stage.channel(), name)


def test_a_file_that_is_too_long_is_not_read(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"x" * 70_000)
    with pytest.raises(FunctionError, match="longer than 65536 bytes"):
        stage.plan.value(stage.channel(), f"FILE({tmp_path / 'long'})")
    with pytest.raises(FunctionError, match="65536 bytes cannot be written"):
        stage.plan.assign(stage.channel(), f"FILE({tmp_path / 'new'})", "x" * 70_000)


# ------------------------------------------------------------------------------------- who may do dangerous things


@pytest.mark.parametrize("name", ["FILE(/etc/hostname)", "STAT(e,/etc)", "DB_DELETE(a/b)", "SHELL(id)"])
def test_a_client_may_not_read_what_is_dangerous(stage: Stage, name: str) -> None:
    with pytest.raises(FunctionError, match="for the dialplan alone"):
        stage.plan.read(stage.channel(), name)


def test_a_client_may_with_live_dangerously(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises(FunctionError, match="live_dangerously"):
        stage.plan.write(None, f"FILE({tmp_path / 'x'})", "1")
    stage.plan.live_dangerously = True
    stage.plan.write(None, f"FILE({tmp_path / 'x'})", "1")
    assert stage.plan.read(None, f"STAT(s,{tmp_path / 'x'})") == "1"


def test_the_environment(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARIETTA_SECRET", "s")
    with pytest.raises(FunctionError, match="cannot be read"):
        stage.plan.value(None, "ENV(ARIETTA_SECRET)")
    with pytest.raises(FunctionError, match="live_dangerously only"):
        stage.plan.assign(None, "ENV(ARIETTA_SECRET)", "x")
    stage.plan.live_dangerously = True
    stage.plan.assign(None, "ENV(ARIETTA_SECRET)", "x")
    assert stage.plan.value(None, "ENV(ARIETTA_SECRET)") == "x"
    stage.plan.assign(None, "ENV(ARIETTA_SECRET)", "")
    assert "ARIETTA_SECRET" not in os.environ


# ------------------------------------------------------------------------------------------------------- programs


def test_system_runs_a_command_and_says_how_it_went(tmp_path: Path) -> None:
    stage = dangerous(
        f"System(echo hello > {tmp_path}/out)",
        "NoOp(${SYSTEMSTATUS})",
        "TrySystem(exit 3)",
        "NoOp(${SYSTEMSTATUS})",
        "NoOp(${SHELL(echo $((6*7)))}${TOUPPER(${SHELL(printf x)})})",
    )
    stage.run(stage.channel())
    assert (tmp_path / "out").read_text() == "hello\n"
    assert steps_of(stage) == ["(SUCCESS)", "(APPERROR)", "(42\nX)"]


def test_programs_have_to_be_allowed(caplog: pytest.LogCaptureFixture) -> None:
    stage = dangerous("NoOp(<${SHELL(id)}>)", "System(id)", "NoOp(never)")
    stage.plan.live_dangerously = False
    with caplog.at_level(logging.WARNING):
        stage.run(stage.channel())
    assert steps_of(stage) == ["(<>)"]
    assert caplog.text.count("live_dangerously") == 2


def test_a_program_ends_with_the_call(tmp_path: Path) -> None:
    stage = dangerous(f"System(echo $$ > {tmp_path}/pid; sleep 600)")
    channel = stage.channel()

    async def story() -> None:
        channel.own(stage.plan.run(channel))
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            await asyncio.to_thread(os.stat, tmp_path)  # turns of the loop, until the shell is there
        channel.receive(signals.HungUp(16, None))
        assert channel.task is not None
        await channel.task

    stage.do(story())
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_what_a_program_writes_is_bounded() -> None:
    with pytest.raises(ProgramFailed, match=f"more than {MAX_OUTPUT_BYTES} bytes"):
        asyncio.run(run_in_shell("yes"))
    with pytest.raises(ProgramFailed, match="NUL"):
        asyncio.run(run_in_shell("echo \0"))
    assert asyncio.run(run_in_shell("kill -9 $$"))[0] == 137


# -------------------------------------------------------------------------------------------------- other servers


def test_curl_asks_as_curlopt_says() -> None:
    asked: list[tuple[str, bytes | None, WebOptions]] = []

    async def web(url: str, body: bytes | None, options: WebOptions) -> bytes:
        asked.append((url, body, options))
        if "bad" in url:
            raise WebFailed("no connection: refused")
        return b"line one\nline two\n"

    stage = dangerous(
        "Set(CURLOPT(httptimeout)=5)",
        "Set(CURLOPT(httpheader)=X-Key: abc)",
        "Set(CURLOPT(useragent)=phone)",
        "NoOp(${CURL(http://10.0.0.1/a?b=${A})})",
        "NoOp(<${CURL(http://bad/,a=1&b=2)}>)",
    )
    stage.plan.web = web
    stage.run(stage.channel())
    assert steps_of(stage) == ["(line one\nline two)", "(<>)"]
    options = WebOptions(seconds=5, headers={"X-Key": "abc", "User-Agent": "phone"})
    assert asked == [("http://10.0.0.1/a?b=1", None, options), ("http://bad/", b"a=1&b=2", options)]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("proxy", "x"),
        ("httptimeout", "soon"),
        ("httpheader", ""),
        ("httpheader", "a: b\r\nc: d"),
        ("hashcompat", "yes"),
    ],
)
def test_curlopt_refuses_what_it_cannot_do(stage: Stage, option: str, value: str) -> None:
    with pytest.raises(FunctionError):
        stage.plan.assign(stage.channel(), f"CURLOPT({option})", value)


def test_curl_is_for_steps(stage: Stage) -> None:
    with pytest.raises(FunctionError, match="takes its time"):
        stage.plan.read(stage.channel(), "CURL(http://10.0.0.1/)")
