"""PrivacyManager and Zapateller: what callers without a number go through."""

from __future__ import annotations

import pytest

from .stage import Stage


def called(step: str, *, number: str = "", digits: str = "") -> tuple[list[str], Stage]:
    """What the far end is told in a step, and the stage, while the caller presses keys from 3.1 s on."""
    stage = Stage(
        f"[default]\nexten => s,1,{step}\n same => n,Set(WHO=${{CALLERID(all)}})\n[known]\nexten => _88X.,1,NoOp()\n"
    )
    channel = stage.channel(number=number)
    stage.press(channel, digits, 3.1, 0.2)
    return stage.run(channel), stage


def test_a_caller_with_a_number_is_left_alone() -> None:
    told, stage = called("PrivacyManager()", number="6001")
    assert told == ["hangup 0"]
    assert stage.variables("PRIVACYMGRSTATUS") == ["SUCCESS"]


def test_a_caller_without_a_number_types_one() -> None:
    told, stage = called("PrivacyManager()", digits="0123456789#")
    assert told[:3] == ["answer", "sound:privacy-unident", "sound:please-enter-your"]
    assert stage.variables("PRIVACYMGRSTATUS") == ["SUCCESS"]
    assert stage.variables("WHO") == ['"Privacy Manager" <0123456789>']


@pytest.mark.parametrize(
    ("step", "digits", "status"),
    [
        ("PrivacyManager(1,3)", "12#", "FAILED"),
        ("PrivacyManager(1,3)", "123#", "SUCCESS"),
        ("PrivacyManager(1,3,,known)", "123#", "FAILED"),
        ("PrivacyManager(1,3,,known)", "8812#", "SUCCESS"),
        ("PrivacyManager(2)", "", "FAILED"),
    ],
)
def test_what_counts_as_a_number(step: str, digits: str, status: str) -> None:
    assert called(step, digits=digits)[1].variables("PRIVACYMGRSTATUS") == [status]


@pytest.mark.parametrize("step", ["PrivacyManager(0)", "PrivacyManager(,99)", "PrivacyManager(,,x)", "Zapateller(x)"])
def test_arguments_that_make_no_sense_end_the_call_by_name(step: str, caplog: pytest.LogCaptureFixture) -> None:
    _, stage = called(step)
    assert f"{step.partition('(')[0]}(): " in caplog.text
    assert stage.variables("WHO") == []


@pytest.mark.parametrize(
    ("step", "number", "told", "status"),
    [
        ("Zapateller()", "6001", ["tones", "tones"], "ZAPPED"),
        ("Zapateller(answer)", "6001", ["answer", "tones", "tones"], "ANSWERED"),
        ("Zapateller(answer,nocallerid)", "6001", [], "NOTHING"),
        ("Zapateller(nocallerid)", "", ["tones", "tones"], "ZAPPED"),
    ],
)
def test_the_tone_of_a_number_that_is_not_there(step: str, number: str, told: list[str], status: str) -> None:
    words, stage = called(step, number=number)
    assert [word.partition(" ")[0] for word in words[:-1]] == told
    assert stage.variables("ZAPATELLERSTATUS") == [status]
