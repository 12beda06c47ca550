"""DISA: who may dial from outside, and what becomes of the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from arietta.dialplan.ports import Folders

from .stage import Stage, leg_of

PLAN = """
[default]
exten => s,1,DISA({})
same => n,Set(AT=after)
[disa]
exten => 12,1,Set(AT=12 by ${{CALLERID(num)}})
[vip]
exten => _9.,1,Set(AT=${{EXTEN}} by ${{CALLERID(num)}})
exten => i,1,Set(AT=invalid ${{INVALID_EXTEN}})
"""


def dialled(arguments: str, digits: str, folder: Path | None = None) -> tuple[list[str], list[str]]:
    """Where the call went, and what the far end was told; a `-` in the digits is a pause of four seconds."""
    stage = Stage(PLAN.format(arguments))
    if folder is not None:
        stage.plan.folders = Folders(configuration=folder)
    channel = stage.channel()
    start = 0.5
    for piece in digits.split("-"):
        stage.press(channel, piece, start)
        start += 4
    return stage.variables("AT") if stage.run(channel) else [], leg_of(channel).said


@pytest.mark.parametrize(
    ("arguments", "digits", "went"),
    [
        ("4321", "4321#-12", ["12 by 6001"]),
        ("no-password", "12", ["12 by 6001"]),
        ("no-password,vip,<555>,,p", "912345#", ["912345 by 555"]),
        ("no-password,vip", "8", ["invalid 8"]),
        ("4321", "1234#-12", []),
        ("4321", "#-12", []),
        ("no-password", "8", []),
    ],
)
def test_who_dials_what(arguments: str, digits: str, went: list[str]) -> None:
    at, told = dialled(arguments, digits)
    assert at == went
    assert told[0] == "answer"
    assert ("tones congestion" in told) is (not went)


def test_passcodes_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "codes").write_text('; code,context,caller\n11\n22,vip,"Boss" <777>\n\n')
    assert dialled("codes", "22#-9123", tmp_path)[0] == ["9123 by 777"]
    assert dialled("codes", "11#-12", tmp_path)[0] == ["12 by 6001"]
    assert dialled("codes", "33#-12", tmp_path)[0] == []


@pytest.mark.parametrize("arguments", ["", "nofile", "1,,,box@default", "1,,,,z"])
def test_arguments_that_make_no_sense_end_the_call_by_name(arguments: str, caplog: pytest.LogCaptureFixture) -> None:
    assert dialled(arguments, "")[0] == []
    assert "DISA(): " in caplog.text
