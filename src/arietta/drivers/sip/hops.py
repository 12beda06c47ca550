"""The servers that one request may go to, and those that did not answer lately (RFC 3263 4.3)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import NamedTuple

from arietta.sip.transactions import Address, Transport

SHUNNED_S = 30.0
"""How long a server that did not answer is tried last."""
MAX_SHUNNED = 1000


class Hop(NamedTuple):
    """One server, with the transport that leads to it."""

    address: Address
    transport: Transport


class Shunned:
    """Servers that did not answer: a call need not wait for them again."""

    def __init__(self) -> None:
        self._until: OrderedDict[Address, float] = OrderedDict()

    def add(self, address: Address, now: float) -> None:
        """Try a server last for a while."""
        self._until[address] = now + SHUNNED_S
        self._until.move_to_end(address)
        while len(self._until) > MAX_SHUNNED:
            self._until.popitem(last=False)

    def order(self, hops: Iterable[Hop], now: float) -> tuple[Hop, ...]:
        """The same servers, those that did not answer behind the others."""
        if not self._until:
            return tuple(hops)
        return tuple(sorted(hops, key=lambda hop: self._until.get(hop.address, now) > now))


def is_no_answer(status: int, *, has_response: bool) -> bool:
    """Whether the next server is tried: nothing came, or the server said that it cannot now."""
    return status == 503 or not has_response


def is_unreached(status: int, *, has_response: bool) -> bool:
    """Whether the next contact is tried: nothing came, or a server on the way says that it does not get there.

    430 is that of an edge proxy whose flow to the phone has failed (RFC 5626 5.3.1).
    """
    return status in (408, 430, 503) or not has_response
