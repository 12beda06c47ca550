"""Reliable provisional responses as ladders (RFC 3262)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.sip.errors import ProtocolError
from arietta.sip.events import (
    Acked,
    Answered,
    Ended,
    Failed,
    Incoming,
    Pracked,
    Provisional,
    RequestInDialog,
)
from arietta.sip.invite import SessionState
from arietta.sip.message import Request, Response, parse
from arietta.sip.profile import Profile
from arietta.sip.reliable import RAck, ReliableReceiver, ReliableSender, parse_rack
from arietta.sip.transactions import Send

from .net import ANSWER, SDP, Network, Party

RELIABLE_183 = ["INVITE", "100 INVITE", "183 INVITE", "PRACK", "200 PRACK"]


@pytest.fixture
def network() -> Network:
    return Network(latency=0.001)


def party(network: Network, number: int, reliable: str) -> Party:
    return Party(network, f"192.0.2.{number}", profile=Profile(reliable=reliable))  # type: ignore[arg-type]


def pair(network: Network, caller: str = "yes", callee: str = "peer_supported") -> tuple[Party, Party]:
    return party(network, 1, caller), party(network, 2, callee)


def watch(network: Network) -> list[Request | Response]:
    seen: list[Request | Response] = []
    network.drop = lambda message: bool(seen.append(message))
    return seen


def last(seen: list[Request | Response], what: str | int) -> Request | Response:
    return [m for m in seen if (m.method if isinstance(m, Request) else m.status) == what][-1]


def is_request(method: str):
    return lambda message: isinstance(message, Request) and message.method == method


def test_an_answer_in_a_183_is_acknowledged_and_counts(network):
    caller, callee = pair(network)
    callee.on[Incoming] = lambda event: event.session.ring(callee.now, 183, ANSWER)
    seen = watch(network)
    caller.call(callee)
    network.advance(5)
    assert network.ladder == RELIABLE_183  # and no retransmission
    progress, prack = last(seen, 183), last(seen, "PRACK")
    assert progress.get("Require") == "100rel"
    assert prack.get("RAck") == f"{progress.get('RSeq')} 1 INVITE"
    assert 1 <= int(progress.get("RSeq")) < 2**31
    assert prack.cseq.number == 2 and caller.told(Provisional).sdp == ANSWER
    callee.do(callee.session.accept(callee.now, ANSWER))
    network.advance(1)
    assert last(seen, 200).body == b"" and caller.told(Answered).sdp == b""  # RFC 6337 2: it was answered before
    assert callee.session.state is caller.session.state is SessionState.CONFIRMED
    caller.do(caller.session.bye(caller.now))
    network.advance(1)
    assert last(seen, "BYE").cseq.number == 3 and callee.told(Ended).by == "remote"


@pytest.mark.parametrize(
    ("caller", "callee", "is_reliable"),
    [
        ("no", "yes", False),
        ("no", "peer_supported", False),
        ("yes", "no", False),
        ("yes", "yes", False),
        ("yes", "peer_supported", True),
        ("peer_supported", "required", True),
        ("required", "yes", True),
        ("required", "required", True),
    ],
)
def test_who_gets_reliable_responses(network, caller, callee, is_reliable):
    caller, callee = pair(network, caller, callee)
    callee.on[Incoming] = lambda event: event.session.ring(callee.now)
    caller.call(callee)
    network.advance(1)
    assert caller.told(Provisional).status == 180
    assert network.ladder[3:] == (["PRACK", "200 PRACK"] if is_reliable else [])


def test_required_of_who_does_not_know_it(network):
    caller, callee = pair(network, "no", "required")
    seen = watch(network)
    caller.call(callee)
    callee.call(caller)
    network.advance(1)
    assert caller.told(Failed).status == 421 and last(seen, 421).get("Require") == "100rel"
    assert callee.told(Failed).status == 420 and last(seen, 420).get("Unsupported") == "100rel"


def test_without_prack_the_response_is_repeated_and_the_call_refused(network):
    caller, callee = pair(network)
    callee.on[Incoming] = lambda event: event.session.ring(callee.now)
    network.drop = is_request("PRACK")
    caller.call(callee)
    network.advance(31.9)
    assert network.ladder.count("180 INVITE") == 7  # 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5
    assert caller.told().count("Provisional") == 1  # and told once
    network.advance(1)
    assert caller.told(Failed).status == 504
    assert (callee.told(Ended).by, callee.told(Ended).status) == ("timeout", 504)
    network.advance(120)
    assert len(caller.agent) == len(callee.agent) == len(callee.agent.layer) == 0


@pytest.mark.parametrize("seed", range(20))
def test_lost_responses_and_pracks_are_made_good(seed):
    network = Network(seed=seed, loss=0.3, latency=0.05)
    caller, callee = pair(network)
    callee.on[Incoming] = lambda event: event.session.ring(callee.now, 183, ANSWER)
    caller.call(callee)
    network.advance(25)
    callee.do(callee.session.accept(callee.now, ANSWER))
    network.advance(25)
    assert callee.told().count("Acked") == 1 and caller.told(Provisional).sdp == ANSWER


def test_200_waits_for_the_prack_of_a_description(network):
    caller, callee = pair(network)
    callee.on[Incoming] = lambda event: event.session.ring(callee.now, 183, ANSWER)
    network.drop = is_request("PRACK")
    caller.call(callee)
    network.advance(1)
    assert callee.do(callee.session.accept(callee.now, ANSWER))
    assert not callee.session.accept(callee.now, ANSWER) and not callee.session.ring(callee.now)
    network.advance(2)
    assert "200 INVITE" not in network.ladder  # RFC 3262 3
    network.drop = lambda message: False
    network.advance(5)
    assert callee.told(Acked) and caller.told(Answered)


def test_200_does_not_wait_for_the_prack_of_ringing(network):
    caller, callee = pair(network)
    callee.on[Incoming] = lambda event: event.session.ring(callee.now)
    network.drop = is_request("PRACK")
    caller.call(callee)
    network.advance(0.2)
    callee.do(callee.session.accept(callee.now, ANSWER))
    network.advance(0.2)
    network.drop = lambda message: False
    network.advance(5)
    assert network.ladder.count("180 INVITE") == 1
    assert "200 PRACK" in network.ladder  # it may still come: RFC 3262 3
    assert callee.session.state is caller.session.state is SessionState.CONFIRMED


def test_a_second_response_waits_for_the_prack_of_the_first(network):
    caller, callee = pair(network)

    def ring_and_play(event: Incoming) -> None:
        event.session.ring(callee.now, 180)
        event.session.ring(callee.now, 183, ANSWER)

    callee.on[Incoming] = ring_and_play
    seen = watch(network)
    caller.call(callee)
    network.advance(1)
    assert network.ladder[2:] == ["180 INVITE", "PRACK", "200 PRACK", "183 INVITE", "PRACK", "200 PRACK"]
    assert int(last(seen, 183).get("RSeq")) == int(last(seen, 180).get("RSeq")) + 1


def test_a_minute_later_it_rings_under_a_new_number(network):
    caller, callee = pair(network)
    callee.on[Incoming] = lambda event: event.session.ring(callee.now, 183, ANSWER)
    seen = watch(network)
    caller.call(callee)
    network.advance(61)
    assert network.ladder.count("PRACK") == 2
    assert [m.body for m in seen if isinstance(m, Response) and m.status == 183] == [ANSWER, b""]


def test_cancelled_while_a_prack_is_missing(network):
    caller, callee = pair(network)
    callee.on[Incoming] = lambda event: event.session.ring(callee.now)
    network.drop = is_request("PRACK")
    caller.call(callee)
    network.advance(1)
    caller.do(caller.session.cancel(caller.now))
    network.advance(60)
    assert callee.told(Ended).by == "remote" and callee.told().count("Ended") == 1
    assert network.ladder.count("180 INVITE") <= 2


@pytest.mark.parametrize(
    ("rack", "status"), [("1 1 INVITE", 481), ("{} 7 INVITE", 481), ("{} 1 BYE", 481), ("soon", 400), ("", 400)]
)
def test_a_prack_of_nothing_is_refused_and_the_call_rings_on(network, rack, status):
    caller, callee = pair(network)
    callee.on[Incoming] = lambda event: event.session.ring(callee.now)
    seen: list[Request | Response] = []
    network.drop = lambda message: bool(seen.append(message)) or is_request("PRACK")(message)
    caller.call(callee)
    network.advance(0.2)
    number = last(seen, 180).get("RSeq")
    network.drop = lambda message: False
    wrong = caller.session.dialog.create_request("PRACK", [("RAck", rack.format(number))])
    transaction = caller.agent.send_request(wrong, callee.address, caller.transport, caller.now)
    network.advance(0.2)
    [answer] = [e for e in caller.events if getattr(e, "transaction", None) is transaction]
    assert answer.response.status == status
    assert callee.session.state is SessionState.INCOMING


def test_a_prack_where_nothing_was_reliable_gets_481(network):
    caller, callee = pair(network, "yes", "yes")
    callee.on[Incoming] = lambda event: event.session.ring(callee.now)
    caller.call(callee)
    network.advance(1)
    prack = caller.session.dialog.create_request("PRACK", [("RAck", "1 1 INVITE")])
    transaction = caller.agent.send_request(prack, callee.address, caller.transport, caller.now)
    network.advance(1)
    [answer] = [e for e in caller.events if getattr(e, "transaction", None) is transaction]
    assert answer.response.status == 481


def test_offer_in_the_183_and_answer_in_the_prack(network):
    caller, callee = pair(network)
    callee.on[Incoming] = lambda event: event.session.lacks_offer and event.session.ring(callee.now, 183, SDP)
    caller.on[Provisional] = lambda event: event.session.prack(caller.now, ANSWER)
    seen = watch(network)
    caller.call(callee, sdp=b"")
    network.advance(1)
    assert network.ladder == RELIABLE_183
    assert callee.told(Pracked).sdp == ANSWER and not callee.session.lacks_offer
    callee.do(callee.session.accept(callee.now, SDP))
    network.advance(1)
    assert last(seen, "ACK").body == last(seen, 200).body == b""
    assert callee.session.state is SessionState.CONFIRMED


def test_a_response_without_the_offer_it_should_make_is_not_reliable(network):
    caller, callee = pair(network)
    callee.on[Incoming] = lambda event: event.session.ring(callee.now)
    caller.call(callee, sdp=b"")
    network.advance(1)
    assert network.ladder == ["INVITE", "100 INVITE", "180 INVITE"]  # RFC 3262 5


def test_a_new_offer_in_a_prack_is_answered_in_its_200(network):
    caller, callee = pair(network)
    callee.on[Incoming] = lambda event: event.session.ring(callee.now, 183, ANSWER)
    callee.on[RequestInDialog] = lambda event: event.session.respond(
        event.transaction, callee.now, 200, body=ANSWER, content_type="application/sdp"
    )
    caller.call(callee)
    seen: list[Request | Response] = []
    network.drop = lambda message: bool(seen.append(message)) or is_request("PRACK")(message)
    network.advance(0.2)
    network.drop = lambda message: False
    rack = f"{last(seen, 183).get('RSeq')} 1 INVITE"
    prack = caller.session.dialog.create_request("PRACK", [("RAck", rack)], SDP, "application/sdp")
    transaction = caller.agent.send_request(prack, callee.address, caller.transport, caller.now)
    network.advance(0.2)
    [answer] = [e for e in caller.events if getattr(e, "transaction", None) is transaction]
    assert (answer.response.status, answer.response.body) == (200, ANSWER)
    assert callee.told(RequestInDialog).request.sdp == SDP


def test_two_forks_that_take_turns_get_rising_numbers(network):
    caller, callee = pair(network)
    caller.call(callee)
    network.advance(1)
    invite, numbers = caller.session.invite, []
    for tag, number in (("a", 5), ("b", 90), ("a", 6), ("a", 8), ("b", 90), ("b", 91)):
        fields = [("Contact", "<sip:192.0.2.3>"), ("Require", "100rel"), ("RSeq", str(number))]
        ringing = invite.create_response(180, to_tag=tag, headers=fields)
        caller.agent.receive(bytes(ringing), callee.address, caller.transport, caller.now)
        sent = [parse(o.data) for o in caller.agent.outputs() if isinstance(o, Send)]
        numbers += [(m.to_tag, m.get("RAck").split()[0], m.cseq.number) for m in sent]
    # 8 comes out of order, 90 came before: RFC 3262 4
    assert numbers == [("a", "5", 2), ("b", "90", 3), ("a", "6", 4), ("b", "91", 5)]


@given(st.text(max_size=30))
def test_any_rack_is_read_or_refused(value):
    try:
        assert parse_rack(str(parse_rack(value))) == parse_rack(value)
    except ProtocolError as problem:
        assert problem.status == 400


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**31 - 1))
def test_what_is_written_is_read(number, cseq):
    rack = RAck(number, cseq, "INVITE")
    assert parse_rack(str(rack)) == rack


@given(st.lists(st.tuples(st.text(max_size=12), st.text("ab", max_size=2)), max_size=60))
def test_any_rseq_leaves_the_receiver_whole(responses):
    receiver = ReliableReceiver()
    for number, tag in responses:
        fields = {"To": [f"<sip:b@b>;tag={tag}"], "RSeq": [number], "CSeq": ["1 INVITE"]}
        receiver.take(Response(180, None, fields))


def test_few_responses_wait():
    sender = ReliableSender(1, 0.5)
    for _ in range(1000):
        sender.put(Response(180), 0.0)
    assert len(sender._waiting) == 8
