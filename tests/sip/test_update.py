"""Offers by UPDATE as ladders, and offers that cross (RFC 3311)."""

from __future__ import annotations

import pytest

from arietta.sip.events import (
    Answered,
    Incoming,
    OfferDue,
    ReInvite,
    ReInviteAnswered,
    ReInviteFailed,
    RequestAnswered,
    RequestInDialog,
)
from arietta.sip.invite import SessionState
from arietta.sip.message import Response
from arietta.sip.profile import Profile

from .net import ANSWER, SDP, Network, Party

CHANGED = SDP.replace(b"4000", b"4002")
OLD = tuple(method for method in Profile().allow if method != "UPDATE")


@pytest.fixture
def network() -> Network:
    return Network(latency=0.001)


def pair(network: Network, **callee: object) -> tuple[Party, Party]:
    one = Party(network, "192.0.2.1", profile=Profile(reliable="yes"))
    return one, Party(network, "192.0.2.2", profile=Profile(reliable="peer_supported", **callee))  # type: ignore[arg-type]


def ring(network: Network, caller: Party, callee: Party, answer: bytes = ANSWER) -> None:
    """A call that rings, with an answer in its 183 or without one."""
    callee.on[Incoming] = lambda event: event.session.ring(callee.now, 183, answer)
    caller.call(callee)
    network.advance(1)
    network.ladder.clear()


def establish(network: Network, caller: Party, callee: Party) -> None:
    callee.on[Incoming] = lambda event: event.session.accept(callee.now, ANSWER)
    caller.call(callee)
    network.advance(1)
    network.ladder.clear()


def answering(party: Party) -> None:
    """The party answers every UPDATE."""
    party.on[RequestInDialog] = lambda event: event.session.respond(
        event.transaction, party.now, 200, body=ANSWER, content_type="application/sdp"
    )


@pytest.mark.parametrize("by", ["caller", "callee"])
def test_both_may_change_what_a_reliable_response_answered(network, by):
    caller, callee = pair(network)
    ring(network, caller, callee)
    asks, other = (caller, callee) if by == "caller" else (callee, caller)
    answering(other)
    assert not asks.session.may_reinvite and asks.session.may_update
    assert asks.do(asks.session.update(asks.now, CHANGED))
    assert not asks.session.may_update  # one at a time
    network.advance(1)
    assert network.ladder == ["UPDATE", "200 UPDATE"]
    assert other.told(RequestInDialog).request.sdp == CHANGED
    assert asks.told(RequestAnswered).response.sdp == ANSWER
    assert asks.session.may_update
    callee.do(callee.session.accept(callee.now, ANSWER))
    network.advance(1)
    assert caller.told(Answered).sdp == b""  # RFC 3261 13.2.1: no answer any more
    assert caller.session.state is callee.session.state is SessionState.CONFIRMED


def test_nothing_may_be_changed_before_the_first_answer(network):
    caller, callee = pair(network)
    ring(network, caller, callee, answer=b"")
    for party in (caller, callee):
        assert not party.session.may_update and not party.session.update(party.now, CHANGED)
    assert network.ladder == []


def test_an_unreliable_answer_is_none(network):
    caller, callee = Party(network, "192.0.2.1"), Party(network, "192.0.2.2")
    ring(network, caller, callee)
    assert not caller.session.may_update and not callee.session.may_update


def test_who_takes_no_update_gets_none(network):
    caller, callee = pair(network, allow=OLD)
    ring(network, caller, callee)
    assert not caller.session.may_update
    assert callee.session.may_update  # the caller takes it


@pytest.mark.parametrize(("by", "status"), [("caller", 500), ("callee", 491)])
def test_an_offer_that_is_too_early_is_refused(network, by, status):
    """RFC 3311 5.2: 500 to who has an offer without answer there, 491 to whom an offer without answer went."""
    caller, callee = pair(network)
    ring(network, caller, callee, answer=b"")
    asks = caller if by == "caller" else callee
    seen: list[Response] = []
    network.drop = lambda message: bool(seen.append(message)) if isinstance(message, Response) else False
    asks.do(asks.session.request(asks.now, "UPDATE", CHANGED, content_type="application/sdp"))
    network.advance(1)
    assert network.ladder == ["UPDATE", f"{status} UPDATE"]
    assert ("Retry-After" in seen[-1].headers) == (status == 500)


def test_updates_that_cross_are_both_refused_and_made_again(network):
    caller, callee = pair(network)
    ring(network, caller, callee)
    for party in (caller, callee):
        answering(party)
        party.on[OfferDue] = lambda event, party=party: event.session.update(party.now, CHANGED)
        party.do(party.session.update(party.now, CHANGED))
    network.advance(0.3)
    assert network.ladder.count("491 UPDATE") == 2 and not caller.session.may_update
    network.advance(6)
    assert network.ladder.count("200 UPDATE") == 2


def test_a_reinvite_that_crosses_an_update_is_refused_too(network):
    caller, callee = pair(network)
    establish(network, caller, callee)
    callee.on[ReInvite] = lambda event: event.session.accept(callee.now, ANSWER)
    answering(caller)
    caller.on[OfferDue] = lambda event: event.session.reinvite(caller.now, CHANGED)
    callee.do(callee.session.update(callee.now, CHANGED))
    caller.do(caller.session.reinvite(caller.now, SDP))
    network.advance(0.5)
    assert network.ladder.count("491 INVITE") == network.ladder.count("491 UPDATE") == 1
    network.advance(5)
    assert caller.told(ReInviteAnswered).sdp == ANSWER and callee.told(ReInvite).sdp == CHANGED


@pytest.mark.parametrize("status", [500, 504])
def test_an_offer_that_comes_too_early_is_made_again_when_the_peer_says(network, status):
    caller, callee = pair(network)
    establish(network, caller, callee)
    headers = (("Retry-After", "4 (busy);duration=9"),)
    callee.on[ReInvite] = lambda event: event.session.reject(callee.now, status, None, headers)
    caller.on[OfferDue] = lambda event: event.session.reinvite(caller.now, CHANGED, event.headers)
    caller.do(caller.session.reinvite(caller.now, SDP, (("X-Why", "hold"),)))
    network.advance(3.9)
    assert OfferDue not in map(type, caller.events) and not caller.session.may_reinvite
    callee.on[ReInvite] = lambda event: event.session.accept(callee.now, ANSWER)
    network.advance(1)
    assert caller.told(OfferDue).headers == (("X-Why", "hold"),)
    assert callee.told(ReInvite).request.get("X-Why") == "hold"
    assert caller.told(ReInviteAnswered)


@pytest.mark.parametrize("headers", [(), (("Retry-After", "soon"),), (("Retry-After", "3600"),)])
def test_an_offer_that_is_refused_for_good_is_told(network, headers):
    caller, callee = pair(network)
    establish(network, caller, callee)
    callee.on[ReInvite] = lambda event: event.session.reject(callee.now, 500, None, headers)
    caller.do(caller.session.reinvite(caller.now, SDP))
    network.advance(5)
    assert caller.told(ReInviteFailed).status == 500


def test_an_offer_is_not_made_for_ever(network):
    caller, callee = pair(network)
    establish(network, caller, callee)
    callee.on[ReInvite] = lambda event: event.session.reject(callee.now, 491)
    caller.on[OfferDue] = lambda event: event.session.reinvite(caller.now, CHANGED)
    caller.do(caller.session.reinvite(caller.now, SDP))
    network.advance(100)
    assert network.ladder.count("491 INVITE") == 11
    assert caller.told(ReInviteFailed).status == 491


def test_a_session_that_ends_makes_its_offer_no_more(network):
    caller, callee = pair(network)
    establish(network, caller, callee)
    callee.on[ReInvite] = lambda event: event.session.reject(callee.now, 491)
    caller.do(caller.session.reinvite(caller.now, SDP))
    network.advance(0.1)
    callee.do(callee.session.bye(callee.now))
    network.advance(60)
    assert OfferDue not in map(type, caller.events)
    assert len(caller.agent) == len(callee.agent) == 0
