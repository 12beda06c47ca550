"""Functions on the machine, on files of the configuration, on keys and on what would be said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from arietta.channels.channel import Channel
from arietta.dialplan.errors import FunctionError
from arietta.dialplan.functions import machine
from arietta.dialplan.ports import Folders

from .stage import Stage

KEY = "0123456789abcdef"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage("[default]\nexten => s,1,NoOp()\n")
    stage.loop.close()
    stage.plan.folders = Folders(configuration=tmp_path)
    return stage


@pytest.fixture
def channel(stage: Stage) -> Channel:
    return stage.channel()


def read(stage: Stage, name: str, arguments: str = "", channel: Channel | None = None) -> str:
    return stage.plan.functions.read(stage.plan, channel, name, arguments)


def refusal(stage: Stage, name: str, arguments: str, channel: Channel | None = None) -> str:
    with pytest.raises(FunctionError) as refused:
        read(stage, name, arguments, channel)
    return str(refused.value)


def test_what_is_encrypted_comes_back(stage: Stage) -> None:
    assert read(stage, "AES_ENCRYPT", f"{KEY},hello") == "SWn6AlRxv8c5ps3GrutoCw=="  # as the program openssl has it
    for text in ("", "hello", "a,b and a text of more than one block", "ä" * 8):
        assert read(stage, "AES_DECRYPT", f"{KEY},{read(stage, 'AES_ENCRYPT', f'{KEY},{text}')}") == text


def test_keys_and_texts_that_are_none_are_refused(stage: Stage) -> None:
    assert "the key has 5 characters, not 16" in refusal(stage, "AES_ENCRYPT", "short,hello")
    assert "5 bytes are no whole blocks of 16" in refusal(stage, "AES_DECRYPT", f"{KEY},aGVsbG8=")


def test_a_sum_of_digits(stage: Stage) -> None:
    assert read(stage, "DIGIT_SUM", "1234") == "10"
    assert "is not digits alone" in refusal(stage, "DIGIT_SUM", "12a")


def test_a_uuid_is_one(stage: Stage) -> None:
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", read(stage, "UUID"))


def test_channels_by_their_names(stage: Stage, channel: Channel) -> None:
    assert read(stage, "CHANNELS") == channel.name
    assert read(stage, "CHANNELS", "^Test/") == channel.name
    assert read(stage, "CHANNELS", "^PJSIP/") == ""
    assert "is not a regular expression" in refusal(stage, "CHANNELS", "(")


def test_the_blacklist_is_a_family_of_the_database(stage: Stage, channel: Channel) -> None:
    class Listed:
        def get(self, family: str, key: str) -> str | None:
            return "1" if (family, key) == ("blacklist", "6001") else None

    assert read(stage, "BLACKLIST", "", channel) == "0"
    stage.plan.database = Listed()  # type: ignore[assignment]
    assert read(stage, "BLACKLIST", "", channel) == "1"


def test_values_of_configuration_files(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "x.conf").write_text("[base](!)\ncodec=gsm\n[a](base)\ncodec = ulaw\ncodec = alaw\n")
    assert read(stage, "AST_CONFIG", "x.conf,a,codec") == "gsm"
    assert read(stage, "AST_CONFIG", "x.conf,a,codec,1") == "ulaw"
    assert read(stage, "AST_CONFIG", "x.conf,a,codec,-1") == "alaw"
    assert read(stage, "AST_CONFIG", "x.conf,a,codec,3") == ""
    assert read(stage, "AST_CONFIG", "x.conf,b,codec") == ""
    for wrong in ("../x.conf,a,codec", "y.conf,a,codec", "x.conf,a", "x.conf,a,codec,first"):
        refusal(stage, "AST_CONFIG", wrong)


def test_files_that_would_be_said(stage: Stage) -> None:
    assert read(stage, "SAYFILES", "a1") == "letters/a&digits/1"
    assert read(stage, "SAYFILES", "35,number") == "digits/30&digits/5"
    assert read(stage, "SAYFILES", "1*,digits") == "digits/1&digits/star"
    assert "supported are alpha, digits, number, phonetic" in refusal(stage, "SAYFILES", "1,money")
    assert "is not a whole number" in refusal(stage, "SAYFILES", "one,number")


def test_the_machine(stage: Stage, channel: Channel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "uptime").write_text("7250.12 9000.00\n")
    (tmp_path / "meminfo").write_text("MemTotal:       16000 kB\nMemFree:        4000 kB\n")
    (tmp_path / "17").mkdir()
    monkeypatch.setattr(machine, "PROC", tmp_path)
    found = {item: read(stage, "SYSINFO", item) for item in ("numcalls", "uptime", "numprocs", "totalram", "freeswap")}
    assert found == {"numcalls": "1", "uptime": "2", "numprocs": "1", "totalram": "16000", "freeswap": "0"}
    assert float(read(stage, "SYSINFO", "loadavg")) >= 0
    assert "is none of loadavg, numcalls" in refusal(stage, "SYSINFO", "color")
