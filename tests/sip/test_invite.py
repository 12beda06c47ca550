"""Calls as ladders between two parties on a virtual network."""

from __future__ import annotations

import pytest

from arietta.sip.auth import Credentials, DigestClient, DigestServer, Outcome
from arietta.sip.events import (
    Acked,
    Answered,
    Ended,
    Failed,
    Incoming,
    InfoReceived,
    OfferDue,
    Provisional,
    ReferReceived,
    ReInvite,
    ReInviteAnswered,
    ReInviteFailed,
    RequestAnswered,
)
from arietta.sip.invite import SessionState
from arietta.sip.message import Request, Response, parse
from arietta.sip.transactions import RequestReceived, Send

from .net import ANSWER, SDP, Network, Party


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def caller(network: Network) -> Party:
    return Party(network, "192.0.2.1")


@pytest.fixture
def callee(network: Network) -> Party:
    return Party(network, "192.0.2.2")


def establish(caller: Party, callee: Party) -> None:
    callee.on[Incoming] = lambda event: event.session.accept(callee.now, ANSWER)
    caller.call(callee)
    caller.network.advance(1)
    assert caller.session.state is SessionState.CONFIRMED
    assert callee.session.state is SessionState.CONFIRMED
    caller.network.ladder.clear()


def is_request(method: str):
    return lambda message: isinstance(message, Request) and message.method == method


def is_response(status: int, method: str):
    return lambda m: isinstance(m, Response) and m.status == status and m.cseq.method == method


def both_forgotten(caller: Party, callee: Party) -> None:
    caller.network.advance(120)
    assert len(caller.agent) == len(callee.agent) == 0
    assert len(caller.agent.layer) == len(callee.agent.layer) == 0
    assert caller.agent.next_timeout() is None and callee.agent.next_timeout() is None


def test_call_answered_and_ended_by_the_caller(network, caller, callee):
    caller.call(callee)
    network.advance(0.5)
    callee.do(callee.session.ring(callee.now))
    network.advance(2)
    callee.do(callee.session.accept(callee.now, ANSWER))
    network.advance(1)
    assert callee.told() == ["RequestReceived", "Incoming", "Acked"]
    assert caller.told() == ["Provisional", "Answered"]
    assert callee.told(Incoming).sdp == SDP
    assert caller.told(Provisional).status == 180
    assert caller.told(Answered).sdp == ANSWER
    caller.do(caller.session.bye(caller.now, [("Reason", "Q.850;cause=16")]))
    network.advance(1)
    assert network.ladder == ["INVITE", "100 INVITE", "180 INVITE", "200 INVITE", "ACK", "BYE", "200 BYE"]
    ended = callee.told(Ended)
    assert (ended.by, ended.reasons[0].cause) == ("remote", 16)
    assert caller.told(Ended).by == "local"
    both_forgotten(caller, callee)


def test_call_ended_by_the_callee(network, caller, callee):
    establish(caller, callee)
    callee.do(callee.session.bye(callee.now))
    network.advance(1)
    assert network.ladder == ["BYE", "200 BYE"]
    assert caller.told(Ended).by == "remote"
    both_forgotten(caller, callee)


def test_offer_in_the_200_and_answer_in_the_ack(network, caller, callee):
    callee.on[Incoming] = lambda event: event.session.accept(callee.now, SDP)
    caller.on[Answered] = lambda event: event.session.acknowledge(caller.now, ANSWER)
    caller.call(callee, sdp=b"")
    network.advance(1)
    assert callee.told(Incoming).sdp == b""
    assert callee.told(Acked).sdp == ANSWER


@pytest.mark.parametrize("status", [404, 486, 603])
def test_rejected(network, caller, callee, status):
    callee.on[Incoming] = lambda event: event.session.reject(
        callee.now, status, None, [("Reason", 'SIP;cause=200;text="Call completed elsewhere"')]
    )
    caller.call(callee)
    network.advance(1)
    failed = caller.told(Failed)
    assert (failed.status, failed.reasons[0].text) == (status, "Call completed elsewhere")
    assert network.ladder == ["INVITE", "100 INVITE", f"{status} INVITE", "ACK"]
    assert callee.told(Ended).by == "local"
    both_forgotten(caller, callee)


def test_redirected(network, caller, callee):
    callee.on[Incoming] = lambda event: event.session.reject(
        callee.now, 302, None, [("Contact", "<sip:2000@192.0.2.9>, <sip:3000@192.0.2.9>;q=0.1")]
    )
    caller.call(callee)
    network.advance(1)
    assert [contact.uri.user for contact in caller.told(Failed).contacts] == ["2000", "3000"]


def test_nobody_there(network, caller):
    ghost = Party(Network(), "192.0.2.66")
    caller.call(ghost)
    network.advance(31.9)
    assert caller.events == []
    network.advance(0.2)
    assert caller.told(Failed).status == 408
    assert network.ladder == ["INVITE"] * 7  # timer A: 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5


def test_cancelled_while_ringing(network, caller, callee):
    callee.on[Incoming] = lambda event: event.session.ring(callee.now)
    caller.call(callee)
    network.advance(3)
    caller.do(caller.session.cancel(caller.now, [("Reason", "Q.850;cause=19")]))
    network.advance(1)
    assert sorted(network.ladder[3:]) == ["200 CANCEL", "487 INVITE", "ACK", "CANCEL"]
    ended = callee.told(Ended)
    assert (ended.by, ended.status, ended.reasons[0].cause) == ("remote", 487, 19)
    assert (caller.told(Ended).by, caller.told(Ended).status) == ("local", 487)
    both_forgotten(caller, callee)


def test_cancel_waits_for_a_provisional_response(network, caller, callee):
    caller.call(callee)
    caller.do(caller.session.cancel(caller.now))
    assert network.ladder == ["INVITE"]  # RFC 3261 9.1
    network.advance(1)
    assert "CANCEL" in network.ladder
    assert caller.told() == ["Ended"]


def test_cancel_crossing_200(network, caller, callee):
    callee.on[Incoming] = lambda event: event.session.ring(callee.now)
    caller.call(callee)
    network.advance(1)
    caller.do(caller.session.cancel(caller.now))
    callee.do(callee.session.accept(callee.now, ANSWER))
    network.advance(2)
    assert caller.told(Ended).by == "local"
    assert callee.told(Ended).by == "remote"
    assert network.ladder.count("BYE") == 1 and network.ladder.count("ACK") == 1
    assert "487 INVITE" not in network.ladder
    both_forgotten(caller, callee)


def test_cancelled_before_the_driver_made_a_session(network, caller, callee):
    waiting: list[RequestReceived] = []
    callee.on[RequestReceived] = waiting.append
    caller.call(callee)
    network.advance(0.1)
    callee.agent.layer.respond(waiting[0].transaction, waiting[0].request.create_response(100), callee.now)
    network.advance(0.1)
    caller.do(caller.session.cancel(caller.now))
    network.advance(1)
    assert caller.told(Ended).status == 487
    assert callee.agent.accept_invite(waiting[0], callee.contact, callee.now) is None
    assert len(callee.agent) == 0


def test_cancel_without_any_final_response_gives_up(network, caller, callee):
    network.drop = is_response(487, "INVITE")
    callee.on[Incoming] = lambda event: event.session.ring(callee.now)
    caller.call(callee)
    network.advance(1)
    caller.do(caller.session.cancel(caller.now))
    network.advance(33)
    assert caller.told(Ended).status == 487


def test_a_phone_that_never_acks_gets_a_bye(network, caller, callee):
    network.drop = is_request("ACK")
    callee.on[Incoming] = lambda event: event.session.accept(callee.now, ANSWER)
    caller.call(callee)
    network.advance(31.5)
    assert network.ladder.count("200 INVITE") == 10  # 0, 0.5, 1.5, 3.5, then every 4 s: RFC 3261 13.3.1.4
    assert network.ladder.count("ACK") == 10
    network.advance(2)
    assert callee.told(Ended).by == "timeout"
    assert "BYE" in network.ladder
    assert caller.told(Ended).by == "remote"
    both_forgotten(caller, callee)


def test_bye_waits_for_the_ack(network, caller, callee):
    network.drop = is_request("ACK")
    callee.on[Incoming] = lambda event: event.session.accept(callee.now, ANSWER)
    caller.call(callee)
    network.advance(1)
    assert callee.do(callee.session.bye(callee.now))
    assert "BYE" not in network.ladder  # RFC 3261 15
    network.drop = lambda message: False
    network.advance(2)
    assert callee.told(Ended).by == "local" and caller.told(Ended).by == "remote"


def test_bye_before_ack(network, caller, callee):
    network.drop = is_request("ACK")
    callee.on[Incoming] = lambda event: event.session.accept(callee.now, ANSWER)
    caller.call(callee)
    network.advance(1)
    caller.do(caller.session.bye(caller.now))
    network.advance(1)
    assert callee.told(Ended).by == "remote"
    repeated = network.ladder.count("200 INVITE")
    network.advance(40)
    assert network.ladder.count("200 INVITE") == repeated


def test_bye_crossing_bye(network, caller, callee):
    establish(caller, callee)
    caller.do(caller.session.bye(caller.now))
    callee.do(callee.session.bye(callee.now))
    network.advance(1)
    assert network.ladder.count("200 BYE") == 2
    assert caller.told(Ended).by == callee.told(Ended).by == "local"
    both_forgotten(caller, callee)


def test_bye_without_answer_ends_all_the_same(network, caller, callee):
    establish(caller, callee)
    network.drop = lambda message: True
    caller.do(caller.session.bye(caller.now))
    assert caller.told(Ended).by == "local"
    network.advance(33)
    assert caller.session.state is SessionState.TERMINATED and len(caller.agent) == 0


def test_end_does_what_the_state_needs(network, caller, callee):
    caller.call(callee)
    network.advance(1)
    assert callee.do(callee.session.end(callee.now, 480))
    network.advance(1)
    assert caller.told(Failed).status == 480
    assert not caller.session.end(caller.now) and not callee.session.end(callee.now)


def test_reinvite(network, caller, callee):
    establish(caller, callee)
    callee.on[ReInvite] = lambda event: event.session.accept(callee.now, ANSWER)
    assert caller.do(caller.session.reinvite(caller.now, SDP))
    network.advance(1)
    assert callee.told(ReInvite).sdp == SDP
    assert caller.told(ReInviteAnswered).sdp == ANSWER
    assert network.ladder == ["INVITE", "100 INVITE", "200 INVITE", "ACK"]
    assert caller.session.state is callee.session.state is SessionState.CONFIRMED


def test_reinvite_refused_leaves_the_session(network, caller, callee):
    establish(caller, callee)
    caller.on[ReInvite] = lambda event: event.session.reject(caller.now, 488)
    callee.do(callee.session.reinvite(callee.now, SDP))
    network.advance(1)
    assert callee.told(ReInviteFailed).status == 488
    assert caller.session.state is SessionState.CONFIRMED
    assert callee.do(callee.session.bye(callee.now))


def test_crossing_reinvites_are_both_refused_and_tried_again(network, caller, callee):
    establish(caller, callee)
    for party in (caller, callee):
        party.on[ReInvite] = lambda event, party=party: event.session.accept(party.now, ANSWER)
        party.on[OfferDue] = lambda event, party=party: event.session.reinvite(party.now, SDP)
        party.do(party.session.reinvite(party.now, SDP))
    network.advance(0.3)
    assert network.ladder.count("491 INVITE") == 2  # RFC 3261 14.1
    network.advance(6)
    assert caller.told(ReInviteAnswered) and callee.told(ReInviteAnswered)


def test_second_invite_while_one_is_open_gets_500(network, caller, callee):
    establish(caller, callee)
    caller.do(caller.session.reinvite(caller.now, SDP))
    network.advance(0.2)
    dialog = caller.session.dialog
    second = dialog.create_request("INVITE", [("Contact", caller.contact)])
    transaction = caller.agent.send_request(second, callee.address, caller.transport, caller.now)
    network.advance(1)
    [answer] = [e for e in caller.events if getattr(e, "transaction", None) is transaction]
    assert answer.response.status == 500 and 0 <= int(answer.response.get("Retry-After")) <= 10


def test_reinvite_to_a_peer_that_lost_the_call(network, caller, callee):
    establish(caller, callee)
    callee.agent._sessions.clear()
    caller.do(caller.session.reinvite(caller.now, SDP))
    network.advance(1)
    assert caller.told(Ended).by == "timeout"  # RFC 3261 12.2.1.2


def test_requests_in_the_dialog(network, caller, callee):
    establish(caller, callee)
    callee.on[InfoReceived] = lambda e: e.session.respond(e.transaction, callee.now, 200)
    callee.on[ReferReceived] = lambda e: e.session.respond(e.transaction, callee.now, 202)
    session = caller.session
    caller.do(session.request(caller.now, "INFO", b"Signal=5\r\n", content_type="application/dtmf-relay"))
    network.advance(1)
    assert callee.told(InfoReceived).request.body == b"Signal=5\r\n"
    assert caller.told(RequestAnswered).status == 200
    caller.do(session.request(caller.now, "REFER", headers=[("Refer-To", "<sip:2000@192.0.2.2>")]))
    network.advance(1)
    assert callee.told(ReferReceived).refer_to.uri.user == "2000"
    assert caller.told(RequestAnswered).status == 202
    caller.do(session.request(caller.now, "PUBLISH"))
    network.advance(1)
    assert caller.told(RequestAnswered).response.get("Allow").startswith("INVITE, ACK")
    network.drop = lambda message: True
    caller.do(session.request(caller.now, "INFO"))
    network.advance(33)
    assert caller.told(RequestAnswered).status == 408


def test_out_of_order_request_gets_500_with_retry_after(network, caller, callee):
    establish(caller, callee)
    dialog = caller.session.dialog
    old = dialog.create_request("OPTIONS")
    old.set("CSeq", "0 OPTIONS")
    transaction = caller.agent.send_request(old, callee.address, caller.transport, caller.now)
    network.advance(1)
    [answer] = [e for e in caller.events if getattr(e, "transaction", None) is transaction]
    assert answer.response.status == 500 and answer.response.get("Retry-After")


@pytest.mark.parametrize("change", ["remote tag", "local tag", "call id"])
def test_request_of_no_dialog_gets_481(network, caller, callee, change):
    establish(caller, callee)
    request = caller.session.dialog.create_request("BYE")
    header = {"remote tag": "To", "local tag": "From", "call id": "Call-ID"}[change]
    request.set(header, request.get(header) + "x")
    transaction = caller.agent.send_request(request, callee.address, caller.transport, caller.now)
    network.advance(1)
    [answer] = [e for e in caller.events if getattr(e, "transaction", None) is transaction]
    assert answer.response.status == 481
    assert callee.session.state is SessionState.CONFIRMED


def test_100rel_is_refused_politely(network, caller, callee):
    caller.session = caller.agent.invite(
        "sip:1000@192.0.2.2", callee.address, caller.transport, caller.contact, caller.now,
        from_="<sip:a@192.0.2.1>", sdp=SDP, headers=[("Require", "100rel, timer")],
    )  # fmt: skip
    network.advance(1)
    failed = caller.told(Failed)
    assert failed.status == 420 and failed.response.get("Unsupported") == "100rel, timer"
    assert "Incoming" not in callee.told()


def test_body_that_is_no_session_description_gets_415(network, caller, callee):
    caller.agent.invite(
        "sip:1000@192.0.2.2", callee.address, caller.transport, caller.contact, caller.now,
        from_="<sip:a@192.0.2.1>", headers=[("Content-Type", "text/plain")],
    ).invite.body = b"hello"  # fmt: skip
    network.advance(0)  # the first copy left without the body
    request = Request("INVITE", "sip:1000@192.0.2.2", [
        ("From", "<sip:a@192.0.2.1>;tag=1"), ("To", "<sip:1000@192.0.2.2>"), ("Call-ID", "x"), ("CSeq", "1 INVITE"),
        ("Contact", caller.contact), ("Content-Type", "text/plain"),
    ], b"hello")  # fmt: skip
    transaction = caller.agent.send_request(request, callee.address, caller.transport, caller.now)
    network.advance(1)
    [answer] = [e for e in caller.events if getattr(e, "transaction", None) is transaction]
    assert answer.response.status == 415 and answer.response.get("Accept") == "application/sdp"


def test_digest_on_invite_and_bye(network, caller, callee):
    server = DigestServer("arietta")
    users = {"alice": Credentials("alice", "wonder")}

    def authenticate(received: RequestReceived) -> None:
        verdict = server.check(received.request, users.get, callee.now)
        if verdict.outcome is Outcome.ACCEPTED:
            callee.session = callee.agent.accept_invite(received, callee.contact, callee.now)
        else:
            callee.agent.respond(received.transaction, callee.now, 401, headers=server.challenge(callee.now))

    callee.on[RequestReceived] = authenticate
    callee.on[Incoming] = lambda event: event.session.accept(callee.now, ANSWER)
    caller.call(callee, credentials=DigestClient(Credentials("alice", "wonder")))
    network.advance(1)
    assert network.ladder == ["INVITE", "401 INVITE", "ACK", "INVITE", "100 INVITE", "200 INVITE", "ACK"]
    assert caller.told() == ["Answered"]
    assert caller.session.dialog.local_cseq == 2
    caller.do(caller.session.bye(caller.now))
    network.advance(1)
    assert callee.told(Ended).by == "remote"


def test_wrong_password_fails_after_one_try(network, caller, callee):
    server = DigestServer("arietta")
    callee.on[RequestReceived] = lambda received: callee.agent.respond(
        received.transaction, callee.now, 401, headers=server.challenge(callee.now)
    )
    caller.call(callee, credentials=DigestClient(Credentials("alice", "wrong")))
    network.advance(1)
    assert caller.told(Failed).status == 401
    assert network.ladder.count("INVITE") == 2


def test_forked_answers_are_acknowledged_and_ended(network, caller, callee):
    """One INVITE, two phones answer: the first is the call, the second gets ACK and BYE (13.2.2.4)."""
    callee.on[Incoming] = lambda event: event.session.accept(callee.now, ANSWER)
    caller.call(callee)
    network.advance(1)
    invite = caller.session.invite
    other = invite.create_response(200, to_tag="fork2", headers=[("Contact", "<sip:192.0.2.3:5060>")], body=ANSWER)
    seen: list[bytes] = []
    for _ in range(2):
        caller.agent.receive(bytes(other), ("192.0.2.2", 5060), caller.transport, caller.now)
        seen += [o.data for o in caller.agent.outputs() if isinstance(o, Send)]
    requests = [parse(data) for data in seen]
    assert [(r.method, r.to_tag) for r in requests] == [("ACK", "fork2"), ("BYE", "fork2"), ("ACK", "fork2")]
    assert caller.session.state is SessionState.CONFIRMED and caller.told() == ["Answered"]


def test_early_media_then_answer_of_the_same_fork_keeps_the_dialog(network, caller, callee):
    callee.on[Incoming] = lambda event: event.session.ring(callee.now, 183, ANSWER)
    caller.call(callee)
    network.advance(1)
    assert caller.told(Provisional).sdp == ANSWER
    early = caller.session.dialog
    assert not early.confirmed
    callee.do(callee.session.accept(callee.now, ANSWER))
    network.advance(1)
    assert caller.session.dialog.confirmed and caller.session.dialog.remote_tag == early.remote_tag


def test_ringing_is_repeated_every_minute(network, caller, callee):
    callee.on[Incoming] = lambda event: event.session.ring(callee.now)
    caller.call(callee)
    network.advance(150)
    assert network.ladder.count("180 INVITE") == 3  # RFC 3261 13.3.1.1


def test_bye_in_an_early_dialog_ends_the_invite_too(network, caller, callee):
    callee.on[Incoming] = lambda event: event.session.ring(callee.now)
    caller.call(callee)
    network.advance(1)
    bye = caller.session.dialog.create_request("BYE")
    caller.agent.send_request(bye, callee.address, caller.transport, caller.now)
    network.advance(1)
    assert "200 BYE" in network.ladder and "487 INVITE" in network.ladder
    assert callee.told(Ended).by == "remote"
    assert caller.told(Failed).status == 487


def test_route_set_of_a_proxy_is_followed(network, caller, callee):
    invite = (
        b"INVITE sip:1000@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKp\r\n"
        b"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKc\r\nRecord-Route: <sip:192.0.2.9;lr>, <sip:192.0.2.8;lr>\r\n"
        b"From: <sip:a@x>;tag=1\r\nTo: <sip:1000@192.0.2.2>\r\nCall-ID: rr\r\nCSeq: 1 INVITE\r\n"
        b"Contact: <sip:a@192.0.2.1:5070>\r\nContent-Length: 0\r\n\r\n"
    )
    callee.on[Incoming] = lambda event: event.session.accept(callee.now, SDP)
    callee.agent.receive(invite, ("192.0.2.9", 5060), callee.transport, callee.now)
    callee.drain()
    session = callee.session
    ack = parse(invite.replace(b"INVITE", b"ACK").replace(b"1000@192.0.2.2>", f"x>;tag={session.local_tag}".encode()))
    callee.agent.receive(bytes(ack), ("192.0.2.9", 5060), callee.transport, callee.now)
    session.bye(callee.now)
    [send] = [o for o in callee.agent.outputs() if isinstance(o, Send)]
    bye = parse(send.data)
    assert send.destination == ("192.0.2.9", 5060)
    assert bye.uri_text == "sip:a@192.0.2.1:5070"
    assert bye.values("Route") == ["<sip:192.0.2.9;lr>", "<sip:192.0.2.8;lr>"]


@pytest.mark.parametrize("seed", range(25))
def test_calls_survive_a_lossy_network(seed):
    network = Network(seed=seed, loss=0.25, latency=0.05)
    caller, callee = Party(network, "192.0.2.1"), Party(network, "192.0.2.2")
    callee.on[Incoming] = lambda event: event.session.ring(callee.now)
    caller.call(callee)
    network.advance(12)
    assert callee.session is not None
    callee.do(callee.session.accept(callee.now, ANSWER))
    network.advance(20)
    assert caller.told(Answered).sdp == ANSWER
    assert callee.told().count("Acked") == 1
    caller.do(caller.session.bye(caller.now))
    network.advance(40)
    assert callee.told(Ended).by == "remote" and caller.told(Ended).by == "local"
    assert caller.told().count("Ended") == callee.told().count("Ended") == 1
    both_forgotten(caller, callee)


def test_call_over_tcp(network):
    caller, callee = Party(network, "192.0.2.1", protocol="TCP"), Party(network, "192.0.2.2", protocol="TCP")
    establish(caller, callee)
    callee.do(callee.session.bye(callee.now))
    network.advance(0.5)
    assert caller.told(Ended).by == "remote"
    both_forgotten(caller, callee)


def test_transport_failure_of_the_invite(network, caller, callee):
    caller.session = caller.agent.invite(
        "sip:1000@192.0.2.2", callee.address, caller.transport, caller.contact, caller.now, from_="<sip:a@b>"
    )
    [send] = caller.agent.outputs()
    caller.agent.transport_failed(send, caller.now)
    caller.drain()
    assert caller.told(Failed).status == 503
