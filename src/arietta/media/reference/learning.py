"""Which source an RTP port listens to: strict learning (RFC 4961, RFC 3550 A.1)."""

from __future__ import annotations

from ..engine import Address

__all__ = ["SourceLearner"]

MOST_CANDIDATES = 8


class SourceLearner:
    """Locks on the first source that sends `probation` packets in sequence, and then hears no other.

    Until it is locked, packets from the signalled address are heard at once, those from elsewhere only when they
    passed probation while the signalled address kept silent. Locked, another source is learnt only after `expect`
    named a new address or the locked one was silent for `relearn_ns`.
    """

    __slots__ = (
        "_candidates",
        "_expected",
        "_expected_at",
        "_probation",
        "_relearn_ns",
        "heard_at",
        "locked",
        "strict",
    )

    def __init__(self, *, strict: bool, probation: int, relearn_ns: int) -> None:
        self.strict = strict
        self._probation = probation
        self._relearn_ns = relearn_ns
        self.locked: Address | None = None
        self.heard_at = 0
        """When the locked source was last heard, in ns."""
        self._expected: Address | None = None
        self._expected_at: int | None = None
        self._candidates: dict[Address, tuple[int, int]] = {}

    def expect(self, address: Address | None) -> None:
        """The far end signalled where it is; another place than before starts learning anew."""
        if address == self._expected:
            return
        self._expected = address
        self._expected_at = None
        self.locked = None
        self._candidates.clear()

    def accept(self, source: Address, sequence: int, now_ns: int) -> bool:
        """Whether a packet is heard."""
        if source == self.locked:
            self.heard_at = now_ns
            return True
        if not self.strict:
            self._lock(source, now_ns)
            return True
        if self.locked is not None and now_ns - self.heard_at < self._relearn_ns:
            return False
        following, count = self._candidates.get(source, (sequence, 0))
        count = count + 1 if sequence == following else 1
        if source not in self._candidates and len(self._candidates) >= MOST_CANDIDATES:
            del self._candidates[next(iter(self._candidates))]
        self._candidates[source] = ((sequence + 1) & 0xFFFF, count)
        signalled = source == self._expected
        if signalled:
            self._expected_at = now_ns
        elif self._expected_at is not None and now_ns - self._expected_at < self._relearn_ns:
            return False
        if count >= self._probation:
            self._lock(source, now_ns)
            return True
        return signalled and self.locked is None

    def _lock(self, source: Address, now_ns: int) -> None:
        self.locked = source
        self.heard_at = now_ns
        self._candidates.clear()
