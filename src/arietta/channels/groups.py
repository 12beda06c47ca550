"""Groups of pickup: a ringing call that is in a group may be answered by whoever picks that group's calls up."""

from __future__ import annotations

from dataclasses import dataclass

HIGHEST = 63


@dataclass(frozen=True, slots=True)
class Groups:
    """Numbered and named groups; both kinds are apart from each other."""

    numbered: frozenset[int] = frozenset()
    named: frozenset[str] = frozenset()

    def meets(self, other: Groups) -> bool:
        """Whether there is a group in both."""
        return not (self.numbered.isdisjoint(other.numbered) and self.named.isdisjoint(other.named))

    def with_numbers(self, text: str) -> Groups:
        """The same with other numbered groups, such as ``1,3-5``; ValueError for what is no list of them."""
        numbers: set[int] = set()
        for word in filter(None, map(str.strip, text.split(","))):
            first, dash, last = word.partition("-")
            low, high = int(first), int(last if dash else first)
            if not 0 <= low <= high <= HIGHEST:
                raise ValueError(f"group {word} is outside 0..{HIGHEST}")
            numbers.update(range(low, high + 1))
        return Groups(frozenset(numbers), self.named)

    def with_names(self, text: str) -> Groups:
        """The same with other named groups, parted by commas."""
        return Groups(self.numbered, frozenset(filter(None, map(str.strip, text.split(",")))))

    @property
    def numbers(self) -> str:
        """The numbered groups as text."""
        return ",".join(map(str, sorted(self.numbered)))

    @property
    def mask(self) -> int:
        """The numbered groups as the bits of a number."""
        return sum(1 << number for number in self.numbered)

    @property
    def names(self) -> str:
        """The named groups as text."""
        return ",".join(sorted(self.named))


NO_GROUPS = Groups()
