"""A walk through the operations: the state before and the events are the state after, and nothing outlives it.

`ARIETTA_WALKS=500` takes that many walks, each time others; without it they are few and always the same.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from .walking import MAKING, OPERATIONS, Walk

WALKS = int(os.environ.get("ARIETTA_WALKS", "0"))


class RandomWalk(RuleBasedStateMachine):
    """Hypothesis chooses the steps, and shortens the way to what it finds."""

    def __init__(self) -> None:
        super().__init__()
        self.data: st.DataObject | None = None
        self.folder = tempfile.TemporaryDirectory()
        self.walk = Walk(self.choose, Path(self.folder.name))

    def choose(self, options: Sequence[Any]) -> Any:
        """What a rule draws; the first, when the walk is over."""
        return options[0] if self.data is None else self.data.draw(st.sampled_from(list(options)))

    @rule(data=st.data(), operation=st.sampled_from(OPERATIONS))
    def ask(self, data: st.DataObject, operation: Any) -> None:
        self.data = data
        self.walk.ask(operation)

    @rule(data=st.data(), operation=st.sampled_from(MAKING))
    def make(self, data: st.DataObject, operation: Any) -> None:
        self.data = data
        self.walk.ask(operation)

    @rule(data=st.data())
    def call(self, data: st.DataObject) -> None:
        self.data = data
        self.walk.call()

    @rule(data=st.data())
    def phone_does(self, data: st.DataObject) -> None:
        self.data = data
        self.walk.phone_does()

    @rule(data=st.data())
    def wait(self, data: st.DataObject) -> None:
        self.data = data
        self.walk.wait()

    @rule(data=st.data())
    def other_application(self, data: st.DataObject) -> None:
        self.data = data
        self.walk.other_application()

    @rule()
    def check(self) -> None:
        self.walk.check()

    def teardown(self) -> None:
        self.data = None
        try:
            self.walk.check()
            self.walk.end()
        finally:
            self.walk.close()
            self.folder.cleanup()


TestRandomWalk = RandomWalk.TestCase
TestRandomWalk.settings = settings(
    max_examples=WALKS or 20,
    stateful_step_count=60,
    deadline=None,
    derandomize=not WALKS,
    database=None,
    suppress_health_check=list(HealthCheck),
)
