"""BlindTransfer and AttendedTransfer: what is asked of the server, and how its answer is told."""

from __future__ import annotations

from typing import Any

import pytest

from arietta.channels.channel import Channel
from arietta.errors import Conflict, NotFound

from .stage import Stage


class Transfers:
    """Writes down what is asked, or refuses it."""

    def __init__(self, refusal: Exception | None) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self._refusal = refusal

    def blind_transfer(self, channel: Channel, context: str, exten: str, *, is_external: bool) -> None:
        self._take("blind", context, exten, is_external)

    def attended_transfer(self, channel: Channel, context: str, exten: str, rules: Any) -> None:
        self._take("attended", context, exten, rules.no_answer_seconds)

    def _take(self, *what: Any) -> None:
        self.asked.append(what)
        if self._refusal is not None:
            raise self._refusal


def after(steps: str, variable: str, refusal: Exception | None = None) -> tuple[list[tuple[Any, ...]], list[str]]:
    """What was asked of the server, and the values of the variable."""
    stage = Stage("[default]\nexten => s,1,NoOp()\n" + "".join(f"same => n,{step}\n" for step in steps.splitlines()))
    transfers = Transfers(refusal)
    stage.plan.transferring = transfers  # type: ignore[assignment]
    stage.run(stage.channel())
    return transfers.asked, stage.variables(variable)


@pytest.mark.parametrize(
    ("steps", "asked"),
    [
        ("BlindTransfer(200)", ("blind", "default", "200", False)),
        ("BlindTransfer(200,sales)", ("blind", "sales", "200", False)),
    ],
)
def test_a_blind_transfer(steps: str, asked: tuple[Any, ...]) -> None:
    assert after(steps, "BLINDTRANSFERSTATUS") == ([asked], ["SUCCESS"])


def test_an_attended_transfer_has_the_rules_of_features_conf() -> None:
    asked, told = after("Set(TRANSFER_CONTEXT=sales)\nAttendedTransfer(200)", "ATTENDEDTRANSFERSTATUS")
    assert (asked, told) == ([("attended", "sales", "200", 15)], ["SUCCESS"])


@pytest.mark.parametrize(
    ("refusal", "blind", "attended"),
    [(NotFound("there is no extension 9"), "INVALID", "FAILURE"), (Conflict("nobody"), "FAILURE", "FAILURE")],
)
def test_what_cannot_be_is_told(refusal: Exception, blind: str, attended: str) -> None:
    assert after("BlindTransfer(9)", "BLINDTRANSFERSTATUS", refusal)[1] == [blind]
    assert after("AttendedTransfer(9)", "ATTENDEDTRANSFERSTATUS", refusal)[1] == [attended]


@pytest.mark.parametrize("step", ["BlindTransfer()", "AttendedTransfer()"])
def test_without_an_extension_the_call_ends(step: str, caplog: pytest.LogCaptureFixture) -> None:
    assert after(step, "BLINDTRANSFERSTATUS") == ([], [])
    assert "names no extension" in caplog.text
