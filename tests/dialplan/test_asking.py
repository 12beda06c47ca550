"""Authenticate and ReadExten: what callers type, and what becomes of it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from arietta.astdb import AstDb
from arietta.channels.channel import Channel
from arietta.store import Store

from .stage import Stage, leg_of


def asked(step: str, digits: str, start: float = 0.5, gap: float = 0.1) -> tuple[Channel, Stage]:
    """The caller and the stage after a step during which keys were pressed."""
    stage = Stage(f"[default]\nexten => s,1,{step}\n same => n,Set(AT=after)\n[in]\nexten => 12,1,NoOp()\n")
    channel = stage.channel()
    stage.press(channel, digits, start, gap)
    stage.run(channel)
    return channel, stage


@pytest.mark.parametrize(
    ("step", "digits", "comes_in"),
    [
        ("Authenticate(1234)", "1234#", True),
        ("Authenticate(1234,,4)", "1234", True),
        ("Authenticate(1234)", "9#9#1234#", True),
        ("Authenticate(1234)", "9#9#9#1234#", False),
        ("Authenticate(1234)", "", False),
    ],
)
def test_a_password_lets_the_call_go_on(step: str, digits: str, comes_in: bool) -> None:
    channel, stage = asked(step, digits, gap=1.3)
    assert stage.variables("AT") == (["after"] if comes_in else [])
    assert leg_of(channel).said[:2] == ["answer", "sound:agent-pass"]
    assert ("sound:auth-thankyou" in leg_of(channel).said) is comes_in


def test_passwords_of_a_file(tmp_path: Path) -> None:
    plain, hashed = tmp_path / "plain", tmp_path / "hashed"
    plain.write_text("1111\n2222\n")
    hashed.write_text("sales:" + hashlib.md5(b"3333").hexdigest() + "\n")
    channel, stage = asked(f"Authenticate({plain},a)", "2222#")
    assert (stage.variables("AT"), channel.accountcode) == (["after"], "2222")
    channel, stage = asked(f"Authenticate({hashed},m)", "3333#")
    assert (stage.variables("AT"), channel.accountcode) == (["after"], "sales")
    assert asked(f"Authenticate({tmp_path}/none)", "1#")[1].variables("AT") == []


def test_passwords_of_the_database_are_used_up(tmp_path: Path) -> None:
    database = AstDb(Store(tmp_path / "store"))
    database.put("codes", "door/44", "x")
    for comes_in in (True, False):
        stage = Stage("[default]\nexten => s,1,Authenticate(/codes/door,dr)\n same => n,Set(AT=after)\n")
        stage.plan.database = database
        channel = stage.channel()
        stage.press(channel, "44#", 0.5)
        stage.run(channel)
        assert stage.variables("AT") == (["after"] if comes_in else [])


@pytest.mark.parametrize("step", ["Authenticate()", "Authenticate(1,x)", "Authenticate(1,,99)", "ReadExten(X,,,z)"])
def test_arguments_that_make_no_sense_end_the_call_by_name(step: str, caplog: pytest.LogCaptureFixture) -> None:
    assert asked(step, "")[1].variables("AT") == []
    assert f"{step.partition('(')[0]}(): " in caplog.text


@pytest.mark.parametrize(
    ("arguments", "digits", "value", "status"),
    [
        ("X,hello,in", "12", "12", "OK"),
        ("X,hello,in,p", "12#", "12", "OK"),
        ("X,dial,in,i", "12", "12", "OK"),
        ("X,,in", "13", "i", "INVALID"),
        ("X,,in,,2", "", "t", "TIMEOUT"),
        ("X,,in,s", "12", None, "SKIP"),
        (",hello", "", None, "ERROR"),
    ],
)
def test_an_extension_is_read(arguments: str, digits: str, value: str | None, status: str) -> None:
    _, stage = asked(f"ReadExten({arguments})", digits)
    assert stage.variables("READEXTENSTATUS") == [status]
    assert stage.variables("X") == ([] if value is None else [value])
    assert stage.variables("INVALID_EXTEN") == (["13"] if status == "INVALID" else [])
