"""STUN Binding requests on a SIP socket: how phones keep their NAT open and see it move (RFC 5626 3.5.2, RFC 8489)."""

from __future__ import annotations

from arietta.stun import (
    BINDING_REQUEST,
    BINDING_SUCCESS,
    StunError,
    is_stun,
    parse_stun,
    write_stun,
    xor_mapped_address,
)

from .transactions import Address

__all__ = ["answer_binding", "is_stun"]


def answer_binding(data: bytes, source: Address) -> bytes | None:
    """What answers a Binding request (RFC 8489 6.3.1); None for what is none, or asks for more than an address."""
    try:
        request = parse_stun(data)
    except StunError:
        return None
    if request.kind != BINDING_REQUEST or request.unknown(frozenset()):
        return None
    return write_stun(BINDING_SUCCESS, request.transaction, (xor_mapped_address(source, request.transaction),))
