"""Source learning in C, step by step as in Python."""

from __future__ import annotations

import ctypes
import socket
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.media.reference.learning import SourceLearner

from .leaves import leaf

RELEARN_NS = 1_000_000_000


class Address(ctypes.Structure):
    _fields_ = [
        ("family", ctypes.c_uint8),
        ("port", ctypes.c_uint16),
        ("scope", ctypes.c_uint32),
        ("ip", ctypes.c_uint8 * 16),
    ]


class Candidate(ctypes.Structure):
    _fields_ = [("source", Address), ("following", ctypes.c_uint16), ("count", ctypes.c_int)]


class Learner(ctypes.Structure):
    _fields_ = [
        ("strict", ctypes.c_bool),
        ("probation", ctypes.c_int),
        ("relearn_ns", ctypes.c_int64),
        ("locked", Address),
        ("heard_at", ctypes.c_int64),
        ("expected", Address),
        ("expected_at", ctypes.c_int64),
        ("candidates", ctypes.c_int),
        ("candidate", Candidate * 8),
    ]


learning = leaf("learning")
learning.learner_accept.restype = ctypes.c_bool


def native(address: tuple[str, int] | None) -> Address:
    found = Address()
    if address is not None:
        six = ":" in address[0]
        packed = socket.inet_pton(socket.AF_INET6 if six else socket.AF_INET, address[0])
        found.family, found.port = 6 if six else 4, address[1]
        ctypes.memmove(found.ip, packed, len(packed))
        if not six:
            found.ip[8] = address[1] & 0xFF  # bytes behind an IPv4 address mean nothing
    return found


def place(address: Address) -> tuple[str, int] | None:
    if not address.family:
        return None
    family, size = (socket.AF_INET6, 16) if address.family == 6 else (socket.AF_INET, 4)
    return socket.inet_ntop(family, bytes(address.ip[:size])), address.port


PLACES = [("192.0.2.1", 4000), ("192.0.2.1", 4002), ("192.0.2.2", 4000), ("2001:db8::1", 4000)]
CROWD = [("198.51.100.7", port) for port in range(5000, 5012)]

sources = st.sampled_from(PLACES)
moves = st.one_of(
    st.tuples(st.just("expect"), sources | st.none()),
    st.tuples(st.just("packet"), sources, st.sampled_from([1, 1, 1, 0, 2]), st.sampled_from([20, 20, 600, 1000, 3000])),
    st.tuples(st.just("packet"), st.sampled_from(CROWD), st.sampled_from([1, 1, 5]), st.just(1)),
)


@pytest.mark.parametrize("strict", [True, False])
@given(probation=st.integers(1, 5), course=st.lists(moves, max_size=80))
@settings(deadline=None, max_examples=200)
def test_it_learns_as_in_python(strict: bool, probation: int, course: list[Any]) -> None:
    ours = Learner()
    learning.learner_init(ctypes.byref(ours), strict, probation, ctypes.c_int64(RELEARN_NS))
    theirs = SourceLearner(strict=strict, probation=probation, relearn_ns=RELEARN_NS)
    now_ns = 0
    sequences: dict[tuple[str, int], int] = {}
    for move in course:
        if move[0] == "expect":
            learning.learner_expect(ctypes.byref(ours), ctypes.byref(native(move[1])))
            theirs.expect(move[1])
        else:
            _, source, step, ms = move
            now_ns += ms * 1_000_000
            sequence = sequences[source] = (sequences.get(source, 65533) + step) & 0xFFFF
            heard = learning.learner_accept(
                ctypes.byref(ours), ctypes.byref(native(source)), sequence, ctypes.c_int64(now_ns)
            )
            assert heard == theirs.accept(source, sequence, now_ns)
        assert place(ours.locked) == theirs.locked
        if theirs.locked is not None:
            assert ours.heard_at == theirs.heard_at


def test_nowhere_can_be_no_address_at_all() -> None:
    ours = Learner()
    learning.learner_init(ctypes.byref(ours), True, 1, ctypes.c_int64(RELEARN_NS))
    learning.learner_expect(ctypes.byref(ours), ctypes.byref(native(PLACES[0])))
    learning.learner_accept(ctypes.byref(ours), ctypes.byref(native(PLACES[0])), 1, ctypes.c_int64(0))
    assert place(ours.locked) == PLACES[0]
    learning.learner_expect(ctypes.byref(ours), None)
    assert (place(ours.locked), place(ours.expected)) == (None, None)
