"""Codes of keys that are pressed in a talk: which code was meant, and which keys meant none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Meant:
    """The keys of a code were pressed."""

    code: str


@dataclass(frozen=True, slots=True)
class NotMeant:
    """Keys that belong to no code: they are for whoever the call is with."""

    keys: str


class Keys:
    """The keys of one side: feed it what is pressed, drain its outputs, and let its time pass."""

    def __init__(self, codes: Iterable[str], timeout: float) -> None:
        self.codes = tuple(code for code in codes if code)
        self.timeout = timeout
        """Longest time in seconds between two keys of a code."""
        self._pressed = ""
        self._due: float | None = None
        self._outputs: list[Meant | NotMeant] = []

    def receive(self, key: str, now: float) -> None:
        """A key was pressed; a code that is complete is meant, also if it begins a longer one."""
        self._pressed += key
        while self._pressed and not self._begins_code():
            self._say_nothing_meant(1)
        if self._pressed in self.codes and self._pressed:
            self._outputs.append(Meant(self._pressed))
            self._pressed = ""
        self._due = now + self.timeout if self._pressed else None

    def handle_timeout(self, now: float) -> None:
        """The next key did not come: those before it mean nothing."""
        if self._due is not None and now >= self._due:
            self.flush()

    def flush(self) -> None:
        """No more keys will come: those that are there mean nothing."""
        if self._pressed:
            self._say_nothing_meant(len(self._pressed))
        self._due = None

    def next_timeout(self) -> float | None:
        """When `handle_timeout` is due."""
        return self._due

    def outputs(self) -> list[Meant | NotMeant]:
        """What there is to say since the last call, in order."""
        said, self._outputs = self._outputs, []
        return said

    def _begins_code(self) -> bool:
        return any(code.startswith(self._pressed) for code in self.codes)

    def _say_nothing_meant(self, count: int) -> None:
        keys, self._pressed = self._pressed[:count], self._pressed[count:]
        if self._outputs and isinstance(self._outputs[-1], NotMeant):
            keys = self._outputs.pop().keys + keys  # type: ignore[union-attr]
        self._outputs.append(NotMeant(keys))
