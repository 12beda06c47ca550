"""What is measured: how legs are tied together, and what the engine does for them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

__all__ = ["CASES", "PACKETS_PER_SECOND", "Case"]

PACKETS_PER_SECOND = 50
"""Of one leg, each way."""
PROBED_LEGS = 16
"""At most so many legs are looked at packet by packet."""
LEVEL = 8000
LOUDEST_SUM = 16000
QUIETEST = 40


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the table."""

    name: str
    title: str
    legs: int
    group: int = 0
    """Legs to a mixer; 0 is without mixers, -1 is all in one."""
    codecs: tuple[str, ...] = ("ulaw",)
    """Of the legs in turn."""
    does: str = "talk"
    """talk: phones talk and hear each other; play, music: they hear a file; record: they are recorded; idle."""
    srtp: bool = False
    asterisk: str = ""
    """The reference's µs for each leg and second."""

    def with_legs(self, legs: int) -> Case:
        """The same with so many legs, whole groups of them."""
        whole = max(self.group, len(self.codecs), 1)
        return replace(self, legs=max(whole, legs // whole * whole))

    @property
    def talks(self) -> bool:
        """Whether phones send."""
        return self.does != "idle"

    @property
    def hears(self) -> bool:
        """Whether phones are sent anything."""
        return self.does not in ("idle", "record")

    @property
    def members(self) -> int:
        """Legs to a mixer; 0 without."""
        return self.legs if self.group < 0 else self.group

    def codec(self, leg: int) -> str:
        """What the leg speaks."""
        return self.codecs[leg % len(self.codecs)]

    def probed(self) -> list[int]:
        """The legs that are looked at closely, spread over all."""
        if not self.hears:
            return []
        count = min(PROBED_LEGS, max(1, self.legs // 2))
        return [n * self.legs // count for n in range(count)]

    def frequency(self, leg: int) -> int:
        """What the leg's phone sings; that of a probed leg is no other's, nor a harmonic of what others sing."""
        probed = self.probed()
        return 1511 + 53 * probed.index(leg) if leg in probed else 300 + 50 * (leg % 16)

    def level(self, leg: int) -> int:
        """Amplitude of its tone: all of a mixer together do not clip, and those of probed legs stand out."""
        each = max(QUIETEST, LOUDEST_SUM // max(1, self.members))
        return min(LEVEL, 4 * each if leg in self.probed() else each)

    def heard_by(self, leg: int) -> dict[int, int]:
        """Frequencies that the leg must hear, and how loud; those sung by several may cancel out and do not count."""
        if self.members == 0:
            return {440: LEVEL}
        first = leg // self.members * self.members
        others = [n for n in range(first, first + self.members) if n != leg]
        singers = Counter(self.frequency(n) for n in others)
        return {self.frequency(n): self.level(n) for n in others if singers[self.frequency(n)] == 1}


CASES = (
    Case("relay", "two parties, ulaw", 400, 2, asterisk="710–965 (400)"),
    Case("srtp", "two parties, ulaw, SRTP", 400, 2, srtp=True),
    Case("transcode", "two parties, ulaw to alaw", 400, 2, ("ulaw", "alaw"), asterisk="1,350–1,367 (400)"),
    Case("g722", "two parties, ulaw to G.722", 400, 2, ("ulaw", "g722")),
    Case("conf4", "conferences of four", 400, 4, asterisk="1,459–1,550 (400)"),
    Case("conf10", "one conference of 10", 10, -1, asterisk="1,517–1,801 (10)"),
    Case("conf100", "one conference of 100", 100, -1, asterisk="1,087–1,141 (100)"),
    Case("conf500", "one conference of 500", 500, -1, asterisk="1,150–1,221 (200)"),
    Case("play", "a file to each", 400, does="play", asterisk="1,695–1,767 (400)"),
    Case("moh", "one music class to all", 400, does="music"),
    Case("record", "each to a WAV file", 200, does="record", asterisk="554–613 (200)"),
    Case("idle", "open ports, no media", 1000, does="idle"),
)
