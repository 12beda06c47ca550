"""How a host is seen from outside: a STUN server is asked again and again (RFC 8489 6, RFC 8445 5.1.1.2); sans-IO."""

from __future__ import annotations

import secrets

from arietta import stun
from arietta.stun import Address, StunError, mapped_address, parse_stun, write_stun

FIRST_WAIT_S = 0.5
"""For an answer; twice as long after each repetition (RFC 8489 6.2.1)."""
MOST_REQUESTS = 7
LAST_WAIT_S = 16 * FIRST_WAIT_S
AGAIN_S = 60.0
"""From an answer, or from giving up, to the next request."""


class ReflexiveAddress:
    """Keeps the address of one socket as a STUN server sees it."""

    def __init__(self) -> None:
        self.address: Address | None = None
        """As it was told last; None before, and after a server that no longer answers."""
        self._transaction = b""
        self._sent = 0
        self._due: float | None = 0.0
        self._outputs: list[bytes] = []

    def receive(self, data: bytes, now: float) -> None:
        """Take a datagram of the server; what answers no request of ours is passed over."""
        try:
            answer = parse_stun(data)
        except StunError:
            return
        if not self._sent or answer.transaction != self._transaction:
            return
        if answer.kind not in (stun.BINDING_SUCCESS, stun.BINDING_ERROR):
            return
        self._settle(mapped_address(answer) if answer.kind == stun.BINDING_SUCCESS else None, now)

    def handle_timeout(self, now: float) -> None:
        """Ask, ask again, or give up for now."""
        if self._due is None or now < self._due:
            return
        if self._sent == MOST_REQUESTS:
            self._settle(None, now)
            return
        if self._sent == 0:
            self._transaction = secrets.token_bytes(12)
        self._outputs.append(write_stun(stun.BINDING_REQUEST, self._transaction, fingerprint=True))
        self._due = now + (FIRST_WAIT_S * 2**self._sent if self._sent < MOST_REQUESTS - 1 else LAST_WAIT_S)
        self._sent += 1

    def next_timeout(self) -> float | None:
        """When `handle_timeout` is to be called."""
        return self._due

    def outputs(self) -> list[bytes]:
        """Datagrams for the server."""
        outputs, self._outputs = self._outputs, []
        return outputs

    def _settle(self, address: Address | None, now: float) -> None:
        self.address = address
        self._sent = 0
        self._due = now + AGAIN_S
