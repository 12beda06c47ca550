"""How long the parts of one Dial took, as variables of the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arietta.channels.channel import Channel

NAMES = ("RINGTIME", "PROGRESSTIME", "ANSWEREDTIME", "DIALEDTIME")


class Times:
    """Moments of one Dial, on the loop's clock."""

    def __init__(self, caller: Channel) -> None:
        self._caller = caller
        self._loop = caller.registry.loop
        for name in NAMES:
            caller.variables[name] = caller.variables[f"{name}_MS"] = ""
        self.begin()

    def begin(self) -> None:
        """The called are about to be called."""
        self._started_at = self._loop.time()
        self._answered_at: float | None = None

    def reached(self, status: str) -> None:
        """Somebody rings, or sends early media: the first time counts."""
        name = {"RINGING": "RINGTIME", "PROGRESS": "PROGRESSTIME"}.get(status)
        if name is not None and not self._caller.variables[name]:
            self._keep(name, self._started_at)

    def answered(self) -> None:
        """Somebody answered."""
        self._answered_at = self._loop.time()

    def ended(self) -> None:
        """It is over."""
        self._keep("DIALEDTIME", self._started_at)
        if self._answered_at is not None:
            self._keep("ANSWEREDTIME", self._answered_at)

    def _keep(self, name: str, since: float) -> None:
        passed = self._loop.time() - since
        self._caller.variables[name] = str(int(passed))
        self._caller.variables[f"{name}_MS"] = str(round(passed * 1000))
