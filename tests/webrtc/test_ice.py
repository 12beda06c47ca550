"""A lite agent is checked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta import stun
from arietta.sdp import Candidate, IceSide
from arietta.stun import parse_stun, write_stun
from arietta.webrtc.ice import LiteAgent, best_candidate

from .peer import check, error_of

OURS = IceSide("ours", "o" * 24, is_lite=True)
THEIRS = IceSide("them", "t" * 24)
NEXT_OURS, NEXT_THEIRS = IceSide("next", "n" * 24, is_lite=True), IceSide("then", "h" * 24)
SOURCE = ("192.0.2.7", 50000)


@pytest.fixture
def agent() -> LiteAgent:
    agent = LiteAgent()
    agent.use(OURS, THEIRS)
    return agent


def test_a_check_is_answered_with_where_it_came_from(agent: LiteAgent) -> None:
    request = check(THEIRS, OURS, nominates=False)
    taken = agent.receive(request, SOURCE)
    assert (taken.is_genuine, taken.is_nominated) == (True, False)
    assert taken.answer is not None and len(taken.answer) <= len(request)
    answer = parse_stun(taken.answer)
    assert (answer.kind, answer.transaction) == (stun.BINDING_SUCCESS, parse_stun(request).transaction)
    assert answer.is_signed_by(b"o" * 24)
    assert (stun.XOR_MAPPED_ADDRESS, answer.first(stun.XOR_MAPPED_ADDRESS)) == stun.xor_mapped_address(
        SOURCE, answer.transaction
    )


def test_a_check_that_nominates(agent: LiteAgent) -> None:
    assert agent.receive(check(THEIRS, OURS), SOURCE).is_nominated


def test_checks_come_before_the_answer_does() -> None:
    agent = LiteAgent()
    agent.use(OURS, None)
    assert agent.receive(check(THEIRS, OURS), SOURCE).is_genuine
    agent.use(OURS, NEXT_THEIRS)
    assert not agent.receive(check(THEIRS, OURS), SOURCE).is_genuine
    agent.use(OURS, None)  # offered again: the peer stays who it is
    assert agent.receive(check(NEXT_THEIRS, OURS), SOURCE).is_genuine


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (write_stun(stun.BINDING_REQUEST, bytes(12), ((0x8022, bytes(40)),), key=b"o" * 24), 400),
        (write_stun(stun.BINDING_REQUEST, bytes(12), ((stun.USERNAME, b"ours:them" + bytes(40)),)), 400),
        (check(THEIRS, OURS, password="x" * 24), 401),
        (check(NEXT_THEIRS, OURS), 401),
        (check(THEIRS, NEXT_OURS), 401),
        (check(THEIRS, OURS, (0x7FFF, b"what")), 420),
        (check(THEIRS, OURS, (stun.ICE_CONTROLLED, bytes(8))), 487),
        (
            write_stun(stun.BINDING_REQUEST, bytes(12), ((stun.USERNAME, b"ours:them"),), key=b"o" * 24),
            400,
        ),
    ],
    ids=["nobody", "unsigned", "a wrong password", "another peer", "another call", "unknown", "a role", "no priority"],
)
def test_what_is_refused(agent: LiteAgent, request_: bytes, status: int) -> None:
    taken = agent.receive(request_, SOURCE)
    assert error_of(taken.answer) == status
    assert not taken.is_nominated


def test_a_refusal_names_what_is_not_understood(agent: LiteAgent) -> None:
    answer = agent.receive(check(THEIRS, OURS, (0x7FFF, b"")), SOURCE).answer
    assert answer is not None
    message = parse_stun(answer)
    assert message.first(stun.UNKNOWN_ATTRIBUTES) == b"\x7f\xff" and message.is_signed_by(b"o" * 24)


def test_strangers_are_told_no_more_than_they_said(agent: LiteAgent) -> None:
    assert agent.receive(write_stun(stun.BINDING_REQUEST, bytes(12)), SOURCE).answer is None


@pytest.mark.parametrize("kind", [stun.BINDING_INDICATION, stun.BINDING_SUCCESS, stun.BINDING_ERROR, 0x0003])
def test_what_is_no_request_is_not_answered(agent: LiteAgent, kind: int) -> None:
    taken = agent.receive(check(THEIRS, OURS, kind=kind), SOURCE)
    assert (taken.answer, taken.is_genuine) == (None, False)


def test_a_restart_keeps_the_old_way_until_the_new_one_is_nominated(agent: LiteAgent) -> None:
    agent.use(NEXT_OURS, NEXT_THEIRS)
    old = agent.receive(check(THEIRS, OURS), SOURCE)
    assert (old.is_genuine, old.is_nominated) == (True, False)
    assert not agent.receive(check(NEXT_THEIRS, NEXT_OURS, nominates=False), SOURCE).is_nominated
    assert agent.receive(check(THEIRS, OURS), SOURCE).is_genuine
    assert agent.receive(check(NEXT_THEIRS, NEXT_OURS), SOURCE).is_nominated
    assert error_of(agent.receive(check(THEIRS, OURS), SOURCE).answer) == 401


def test_two_lite_agents_use_their_descriptions() -> None:
    places = (Candidate("2001:db8::7", 5000, 300), Candidate("192.0.2.7", 4000, 200), Candidate("10.0.0.7", 4000, 100))
    lite = IceSide("them", "t" * 24, True, places)
    assert best_candidate(lite, "192.0.2.1") == ("192.0.2.7", 4000)
    assert best_candidate(lite, "2001:db8::1") == ("2001:db8::7", 5000)
    assert best_candidate(IceSide("them", "t" * 24, True), "192.0.2.1") is None


@given(st.binary(max_size=120), st.booleans())
def test_any_bytes(data: bytes, begins_well: bool) -> None:
    agent = LiteAgent()
    agent.use(OURS, THEIRS)
    data = b"\0\1" + len(data).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + bytes(12) + data if begins_well else data
    taken = agent.receive(data, SOURCE)
    assert not taken.is_genuine
    assert taken.answer is None or len(taken.answer) <= len(data)
