"""The presence of people: set, told, kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from arietta.bus import Bus
from arietta.model import facts
from arietta.stasis import presence
from arietta.stasis.presence import MAX_LENGTH, Presence, PresenceStates
from arietta.store import Store


def test_it_is_told_once_and_outlives_the_process(tmp_path: Path) -> None:
    bus, store = Bus(), Store(tmp_path / "store.sqlite3")
    states = PresenceStates(bus, store)
    seen: list[facts.PresenceStateChanged] = []
    followed: list[str] = []
    bus.subscribe(facts.PresenceStateChanged.topics[0], seen.append)
    states.follower = followed.append
    away = Presence("away", "lunch", "back at two")
    assert states.get("CustomPresence:ann") == Presence()
    for name in ("CustomPresence:ann", "custompresence: ann "):
        states.set(name, away)
    assert [(one.provider, one.state, one.subtype, one.message) for one in seen] == [
        ("CustomPresence:ann", "away", "lunch", "back at two")
    ]
    assert followed == ["CustomPresence:ann"]
    store.close()
    again = Store(tmp_path / "store.sqlite3")
    assert PresenceStates(Bus(), again).items() == [("CustomPresence:ann", away)]
    again.close()


@pytest.mark.parametrize(
    ("provider", "given", "why"),
    [
        ("PJSIP/ann", Presence("away"), "presence 'PJSIP/ann' cannot be set, CustomPresence:NAME can"),
        ("CustomPresence: ", Presence("away"), "cannot be set"),
        ("CustomPresence:ann", Presence("asleep"), "'asleep' is no presence, which are not_set, unavailable"),
        ("CustomPresence:ann", Presence("away", "x" * (MAX_LENGTH + 1)), "subtype has 1025 characters, 1024 at most"),
        ("CustomPresence:ann", Presence("away", "", "x" * (MAX_LENGTH + 1)), "message has 1025 characters"),
    ],
)
def test_what_cannot_be_set(tmp_path: Path, provider: str, given: Presence, why: str) -> None:
    store = Store(tmp_path / "store.sqlite3")
    states = PresenceStates(Bus(), store)
    with pytest.raises(ValueError, match=why):
        states.set(provider, given)
    assert states.items() == []
    store.close()


def test_there_is_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "MAX_PROVIDERS", 1)
    store = Store(tmp_path / "store.sqlite3")
    states = PresenceStates(Bus(), store)
    states.set("CustomPresence:ann", Presence("away"))
    with pytest.raises(ValueError, match="there are 1 providers of presence, which is the limit"):
        states.set("CustomPresence:bob", Presence("away"))
    states.set("CustomPresence:ann", Presence("dnd"))
    assert states.get("CustomPresence:ann").state == "dnd"
    store.close()
