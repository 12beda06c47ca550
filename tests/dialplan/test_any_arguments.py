"""Whatever an application is given, the call ends, nothing is left of it, and the failure is never ours."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arietta.channels import signals
from arietta.dialplan.applications.standard import standard_applications
from arietta.dialplan.ports import Folders
from arietta.media.engine import RecordEnd, RecordEndReason

from .stage import Leg, Stage

PROGRAMS = ("AGI", "DeadAGI", "EAGI")
"""They start what they are given, which no virtual loop does."""
NAMES = sorted(one.name for one in standard_applications() if one.name not in PROGRAMS)
PIECES = st.sampled_from([
    *"abBcCdDeEfFgGiIjJkKlLmMnNoOpPqQrRsStTuUvVwWxXyYzZ", *"0123456789*#", *",,,,,,()[]&&?:=^@/|\\\"'$ ", "-1", "0.5",
    "nan", "inf", "1e999", "99999999999999999999", "Test/1", "Test/none", "default", "s", "h", "x.wav", "../x", "hello",
    "nosuch", "app", "exten", "NoOp", "ü", "\u2028",
])  # fmt: skip
ARGUMENTS = st.lists(PIECES, max_size=14).map("".join)


class Silence:
    """An engine with its ports, mixers and recorders, from which nothing comes."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *arguments, **particulars: self

    def record(self, path: str, form: str, *rest: object, on_end: Callable[[RecordEnd], None]) -> Silence:
        return Recording(lambda: on_end(RecordEnd(RecordEndReason.STOPPED, f"{path}.{form}", 0, 0, 0)))


class Recording(Silence):
    """A recorder that ends when it is stopped."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end: Callable[[], None] | None = end

    def stop(self) -> None:
        end, self._end = self._end, None
        if end is not None:
            end()

    cancel = stop


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("folders")


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arguments=ARGUMENTS)
def test_any_arguments(name: str, arguments: str, folders: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.clear()
    stage = Stage("[default]\nexten => s,1,NoOp()\n same => n,TryExec(${WHAT}(${ARGUMENTS}))\nexten => 5,1,NoOp()\n")
    stage.registry.engine = Silence()  # type: ignore[assignment]
    stage.plan.folders = Folders(folders, folders, folders, folders)
    stage.phones.scripts["1"] = [(1.0, signals.Answered())]
    stage.plan.globals.update(WHAT=name, ARGUMENTS=arguments)
    leg = Leg()
    leg.port = Silence()  # type: ignore[assignment]
    channel = stage.channel()
    channel.leg = leg  # type: ignore[assignment]
    stage.press(channel, "5#", 0.5)
    stage.later(3.0, channel.receive, signals.HungUp(16))
    with caplog.at_level(logging.WARNING):
        stage.run(channel)
    failed = [record.getMessage() for record in caplog.records if record.exc_info]
    assert not failed, (name, arguments, failed)
    left = [one.name for one in stage.registry if one not in stage.phones.made]
    assert not left, (name, arguments)
