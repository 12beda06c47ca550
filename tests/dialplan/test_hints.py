"""The states of extensions: made of devices, followed while somebody watches, carried over a reload."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.config.conf import parse_conf
from arietta.dialplan.hints import MAX_DEVICES, TEXTS, WORDS, ExtensionState, ExtensionStates, combined
from arietta.dialplan.interpreter import Interpreter
from arietta.dialplan.reader import read_dialplan
from arietta.model import facts

from .stage import Stage, VirtualLoop

PLAN = """
[default]
exten => 6001,hint,Test/alice
exten => 6002,hint,Test/bob&Custom:door,CustomPresence:bob
exten => _7XX,hint,Custom:room${EXTEN:1}
include => more
[more]
exten => 6003,hint,${HOUSE}
[globals]
HOUSE=Custom:house
"""
DEVICES = (
    "NOT_INUSE",
    "INUSE",
    "BUSY",
    "INVALID",
    "UNAVAILABLE",
    "RINGING",
    "RINGINUSE",
    "ONHOLD",
    "UNKNOWN",
)


class Devices:
    """Devices and presences that are as a test says, and count how often they are asked."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.seen: tuple[str, str, str, bool] = ("not_set", "", "", False)
        self.asked = 0

    def read(self, name: str) -> Any:
        self.asked += 1
        return self.seen if name.startswith("CustomPresence:") else self.states.get(name, "NOT_INUSE")


class Watched:
    """A plan with somebody who watches."""

    def __init__(self, loop: VirtualLoop, text: str = PLAN) -> None:
        self.stage = Stage(text, loop)
        self.plan: Interpreter = self.stage.plan
        self.devices = Devices()
        self.plan.devices = self.plan.presences = self.devices  # type: ignore[assignment]
        self.told: list[ExtensionState | None] = []

    @property
    def hints(self) -> ExtensionStates:
        return self.plan.hints

    def watch(self, exten: str, context: str = "default") -> ExtensionState | None:
        return self.hints.watch(context, exten, self.told.append)

    def turn(self, device: str, state: str) -> None:
        self.devices.states[device] = state
        self.hints.device_changed(device)

    def replace(self, text: str) -> None:
        self.plan.replace(read_dialplan(parse_conf(text, "extensions.conf")))


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    with closing(VirtualLoop()) as made:
        yield made


@pytest.fixture
def it(loop: VirtualLoop) -> Watched:
    return Watched(loop)


def texts(told: list[ExtensionState | None]) -> list[str]:
    return ["gone" if state is None else state.text for state in told]


def test_news_are_told_once_and_what_is_none_is_not(it: Watched) -> None:
    assert it.watch("6001") == ExtensionState("default", "6001", "Test/alice", 0, watchers=1)
    for state in ("RINGING", "RINGING", "INUSE", "BUSY", "NOT_INUSE"):
        it.turn("Test/alice", state)
    assert texts(it.told) == ["Ringing", "InUse", "Busy", "Idle"]


def test_what_nobody_watches_is_not_worked_out(it: Watched) -> None:
    assert not it.hints.follows("Test/alice")
    it.turn("Test/alice", "INUSE")
    it.turn("Test/nobody", "INUSE")
    assert it.devices.asked == 0
    it.watch("6001")
    assert it.hints.follows("TEST/ALICE")
    it.hints.unwatch("default", "6001", it.told.append)


def test_who_watches_no_more_is_told_no_more(it: Watched) -> None:
    tell = it.told.append
    it.hints.watch("default", "6001", tell)
    it.hints.unwatch("default", "6001", tell)
    it.hints.unwatch("default", "6001", tell)
    it.turn("Test/alice", "INUSE")
    assert it.told == []


def test_several_devices_and_a_presence_are_one_state(it: Watched) -> None:
    it.watch("6002")
    it.turn("Custom:door", "INUSE")
    it.turn("Test/bob", "RINGING")
    it.devices.seen = ("away", "lunch", "back at two", False)
    it.hints.device_changed("CustomPresence:bob")
    assert texts(it.told) == ["InUse", "InUse&Ringing", "InUse&Ringing"]
    last = it.told[-1]
    assert last is not None
    assert last.shown == (9, "away", "lunch", "back at two")


def test_a_hint_of_a_pattern_lives_while_it_is_watched(it: Watched) -> None:
    before = len(it.hints)
    tell = it.told.append
    state = it.hints.watch("default", "712", tell)
    assert state is not None
    assert (state.hint, len(it.hints)) == ("Custom:room12", before + 1)
    it.turn("Custom:room12", "INUSE")
    it.turn("Custom:room13", "INUSE")
    assert texts(it.told) == ["InUse"]
    it.hints.unwatch("default", "712", tell)
    assert len(it.hints) == before


def test_included_contexts_and_variables_count(it: Watched) -> None:
    state = it.watch("6003")
    assert state is not None
    assert (state.context, state.hint) == ("more", "Custom:house")
    assert it.watch("6009") is None
    assert it.watch("6001", "nowhere") is None


def test_a_reload_carries_watchers_over(it: Watched) -> None:
    for exten in ("6001", "6002", "712"):
        it.watch(exten)
    it.turn("Test/alice", "INUSE")
    it.told.clear()
    it.devices.states["Custom:gate"] = "RINGING"
    it.replace(PLAN.replace("Test/bob&Custom:door,CustomPresence:bob", "Custom:gate").replace("exten => _7", ";"))
    assert sorted(texts(it.told)) == ["Ringing", "gone"]
    it.turn("Test/alice", "NOT_INUSE")
    it.turn("Custom:room12", "INUSE")
    it.turn("Custom:door", "INUSE")
    assert texts(it.told)[2:] == ["Idle"]


def test_facts_are_told_of_all_hints_to_who_wants_them(it: Watched) -> None:
    seen: list[facts.ExtensionStateChanged] = []
    it.stage.bus.subscribe(facts.ExtensionStateChanged.topics[0], seen.append)
    assert it.hints.follows("Test/alice")
    it.turn("Test/alice", "INUSE")
    it.replace("[default]\nexten => 6001,1,Hangup()\n")
    assert [(one.exten, one.status_text) for one in seen] == [
        ("6001", "InUse"),
        ("6001", "Deactivated"),
        ("6002", "Removed"),
        ("6003", "Removed"),
    ]


def test_a_hint_has_a_limit_of_devices(loop: VirtualLoop, caplog: pytest.LogCaptureFixture) -> None:
    many = "&".join(f"Custom:d{number}" for number in range(MAX_DEVICES + 1))
    it = Watched(loop, f"[default]\nexten => 1,hint,{many}\n")
    assert f"hint 1@default names {MAX_DEVICES + 1} devices, the first {MAX_DEVICES} count" in caplog.text
    it.watch("1")
    it.turn(f"Custom:d{MAX_DEVICES}", "INUSE")
    it.turn(f"Custom:d{MAX_DEVICES - 1}", "INUSE")
    assert texts(it.told) == ["InUse"]


@given(st.lists(st.sampled_from(DEVICES), max_size=6))
def test_any_devices_make_a_state_that_has_words(states: list[str]) -> None:
    status = combined(states)
    assert status in TEXTS
    assert status in WORDS
    assert combined(states[::-1]) == status
    assert combined(states + states) == status


@pytest.mark.parametrize(
    ("states", "text"),
    [
        ([], "Idle"),
        (["BUSY", "BUSY"], "Busy"),
        (["BUSY", "NOT_INUSE"], "InUse"),
        (["UNAVAILABLE", "INVALID"], "Unavailable"),
        (["UNAVAILABLE", "NOT_INUSE"], "Idle"),
        (["RINGING", "NOT_INUSE"], "Ringing"),
        (["RINGING", "INUSE"], "InUse&Ringing"),
        (["ONHOLD"], "Hold"),
        (["ONHOLD", "INUSE"], "InUse&Hold"),
        (["RINGINUSE"], "InUse&Ringing"),
    ],
)
def test_how_devices_combine(states: list[str], text: str) -> None:
    assert TEXTS[combined(states)] == text
