"""Arithmetic of 16-bit sequence numbers and 32-bit timestamps, which wrap (RFC 3550 5.1)."""

from __future__ import annotations

__all__ = [
    "sequence_add",
    "sequence_difference",
    "sequence_newer",
    "timestamp_add",
    "timestamp_difference",
]


def sequence_add(sequence: int, count: int) -> int:
    """The sequence number so many packets later (or earlier, when negative)."""
    return (sequence + count) & 0xFFFF


def sequence_difference(newer: int, older: int) -> int:
    """How many packets newer is after older: -32768 to 32767."""
    return ((newer - older + 0x8000) & 0xFFFF) - 0x8000


def sequence_newer(one: int, other: int) -> bool:
    """Whether one comes after other."""
    return 0 < ((one - other) & 0xFFFF) < 0x8000


def timestamp_add(timestamp: int, units: int) -> int:
    """The timestamp so many clock units later (or earlier, when negative)."""
    return (timestamp + units) & 0xFFFFFFFF


def timestamp_difference(newer: int, older: int) -> int:
    """How many clock units newer is after older: -2**31 to 2**31-1."""
    return ((newer - older + 0x80000000) & 0xFFFFFFFF) - 0x80000000
