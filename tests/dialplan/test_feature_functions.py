"""FEATURE and FEATUREMAP: what features.conf says, for one channel and those it calls."""

from __future__ import annotations

import pytest

from arietta.channels import signals

from .stage import Stage, walk


@pytest.mark.parametrize(
    ("steps", "shown"),
    [
        ("NoOp(${FEATUREMAP(blindxfer)} ${FEATUREMAP(atxfer)} ${FEATURE(pickupexten)})", "#  *8"),
        ("Set(FEATUREMAP(atxfer)=*2)\nsame => n,NoOp(${FEATUREMAP(atxfer)} ${FEATUREMAP(blindxfer)})", "*2 #"),
        ("Set(FEATUREMAP(blindxfer)=)\nsame => n,NoOp(${FEATUREMAP(blindxfer)})", ""),
        ("Set(FEATURE(transferdigittimeout)=9)\nsame => n,NoOp(${FEATURE(transferdigittimeout)})", "9"),
        ("Set(FEATURE(atxferdropcall)=yes)\nsame => n,NoOp(${FEATURE(atxferdropcall)})", "yes"),
        ("Set(FEATURE(inherit)=yes)\nsame => n,NoOp(${FEATURE(inherit)})", "yes"),
        ("NoOp(${FEATURE(inherit)})", "no"),
        ("NoOp(${FEATURE(rubbish)})", ""),
    ],
)
def test_what_is_read_and_written(steps: str, shown: str) -> None:
    taken, _ = walk(f"[default]\nexten => s,1,{steps}\n")
    assert taken[-1].partition(" ")[2] == f"NoOp({shown})"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("FEATUREMAP(atxfer)=x1", "atxfer x1 is not up to 11 of the keys"),
        ("FEATUREMAP(parkcall)=#7", "parkcall has no keys"),
        ("FEATUREMAP(what)=1", "'what' is none of blindxfer, atxfer"),
        ("FEATURE(transferdigittimeout)=soon", "transferdigittimeout soon is not a whole number"),
        ("FEATURE(what)=1", "'what' is none of featuredigittimeout"),
    ],
)
def test_what_cannot_be_written_is_told(written: str, reason: str, caplog: pytest.LogCaptureFixture) -> None:
    taken, _ = walk(f"[default]\nexten => s,1,Set({written})\nsame => n,NoOp(after)\n")
    assert taken[-1].endswith("NoOp(after)")
    assert reason in caplog.text


@pytest.mark.parametrize(("inherits", "keys"), [("yes", "*2"), ("no", "")])
def test_called_channels_have_the_settings_of_the_caller(inherits: str, keys: str) -> None:
    stage = Stage(
        "[default]\nexten => s,1,Set(FEATUREMAP(atxfer)=*2)\n"
        f"same => n,Set(FEATURE(inherit)={inherits})\nsame => n,Dial(Test/a)\n"
    )
    seen: list[str | None] = []
    stage.phones.scripts["a"] = [(1, signals.Answered()), (5, signals.HungUp(16))]
    stage.later(2, lambda: seen.append(stage.plan.read(stage.phones.made[0], "FEATUREMAP(atxfer)")))
    stage.run(stage.channel())
    assert seen == [keys]
