"""STUN Binding requests on a SIP socket: how phones keep their NAT open and see it move (RFC 5626 3.5.2, RFC 8489)."""

from __future__ import annotations

from arietta.stun import (
    BINDING_REQUEST,
    BINDING_SUCCESS,
    StunError,
    is_stun,
    mapped_address,
    parse_stun,
    write_stun,
    xor_mapped_address,
)

from .transactions import Address

__all__ = ["answer_binding", "ask_binding", "is_stun", "read_binding"]


def answer_binding(data: bytes, source: Address) -> bytes | None:
    """What answers a Binding request (RFC 8489 6.3.1); None for what is none, or asks for more than an address."""
    try:
        request = parse_stun(data)
    except StunError:
        return None
    if request.kind != BINDING_REQUEST or request.unknown(frozenset()):
        return None
    return write_stun(BINDING_SUCCESS, request.transaction, (xor_mapped_address(source, request.transaction),))


def ask_binding(transaction: bytes) -> bytes:
    """A Binding request; `transaction` are 12 bytes that nobody can guess."""
    return write_stun(BINDING_REQUEST, transaction)


def read_binding(data: bytes) -> tuple[bytes, Address | None] | None:
    """The transaction of what answers a Binding request, and where we are seen; None for anything else."""
    try:
        message = parse_stun(data)
    except StunError:
        return None
    return (message.transaction, mapped_address(message)) if message.kind == BINDING_SUCCESS else None
