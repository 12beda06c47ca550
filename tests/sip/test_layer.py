"""The transaction layer: matching, routing of responses, bounds, refusals."""

from __future__ import annotations

import pytest

from arietta.sip.layer import TransactionLayer
from arietta.sip.message import Request, parse
from arietta.sip.transactions import (
    AckReceived,
    CancelReceived,
    RequestReceived,
    ResponseReceived,
    Send,
    Transport,
    TransportFailed,
)

UDP = Transport("UDP", "192.0.2.100", 5060)
TCP = Transport("TCP", "192.0.2.100", 5060)
SOURCE = ("192.0.2.7", 40000)


def message(method="OPTIONS", *, via="SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", tag="", cid="c", uri="sip:x@y", extra=""):
    return (
        f"{method} {uri} SIP/2.0\r\nVia: {via}\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>{tag}\r\nCall-ID: {cid}\r\n"
        f"CSeq: 1 {method}\r\n{extra}Content-Length: 0\r\n\r\n"
    ).encode()


@pytest.fixture
def layer() -> TransactionLayer:
    return TransactionLayer()


def receive(layer, data, transport=UDP, now=1.0):
    layer.receive(data, SOURCE, transport, now)
    return layer.outputs()


@pytest.mark.parametrize(
    ("via", "destination", "noted"),
    [
        ("SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1", ("192.0.2.7", 5060), None),
        ("SIP/2.0/UDP 192.0.2.7:5070;branch=z9hG4bK1", ("192.0.2.7", 5070), None),
        ("SIP/2.0/UDP phone:5070;branch=z9hG4bK1", ("192.0.2.7", 5070), ("192.0.2.7", None)),
        ("SIP/2.0/UDP 10.0.0.1:5070;rport;branch=z9hG4bK1", SOURCE, ("192.0.2.7", "40000")),
        ("SIP/2.0/UDP 192.0.2.7;maddr=192.0.2.55;branch=z9hG4bK1", ("192.0.2.55", 5060), None),
        ("SIP/2.0/UDP 192.0.2.7;maddr=224.2.0.1;branch=z9hG4bK1", ("192.0.2.7", 5060), None),
    ],
)
def test_responses_go_where_rfc_3261_and_3581_say(layer, via, destination, noted):
    [event] = receive(layer, message(via=via))
    layer.respond(event.transaction, event.request.create_response(200, to_tag="t"), 1.0)
    [send] = layer.outputs()
    assert send.destination == destination
    answered = parse(send.data).via
    assert answered.branch == "z9hG4bK1"
    if noted:
        assert (answered.parameter("received"), answered.parameter("rport")) == noted
    else:
        assert answered.parameter("received") is None


def test_on_tcp_responses_use_the_connection_then_the_sent_by_port(layer):
    [event] = receive(layer, message(via="SIP/2.0/TCP 192.0.2.7:5070;branch=z9hG4bK1"), TCP)
    layer.respond(event.transaction, event.request.create_response(100), 1.0)
    [send] = layer.outputs()
    assert send.destination == SOURCE
    layer.transport_failed(send, 1.0)
    [again] = layer.outputs()
    assert again.destination == ("192.0.2.7", 5070) and again.data == send.data
    layer.transport_failed(again, 1.0)
    assert [type(output) for output in layer.outputs()] == [TransportFailed]


def test_retransmissions_are_absorbed_and_answered(layer):
    [event] = receive(layer, message())
    assert receive(layer, message()) == []
    layer.respond(event.transaction, event.request.create_response(200), 1.0)
    [send] = layer.outputs()
    [again] = receive(layer, message())
    assert again.data == send.data
    assert layer.counters["retransmissions"] == 2


@pytest.mark.parametrize(
    "other",
    [
        message(via="SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2", cid="d"),
        message(via="SIP/2.0/UDP 192.0.2.1:5061;branch=z9hG4bK1", cid="d"),
        message("MESSAGE"),
    ],
)
def test_what_makes_another_transaction(layer, other):
    receive(layer, message())
    [event] = receive(layer, other)
    assert isinstance(event, RequestReceived)


def test_rfc_2543_requests_match_by_their_fields(layer):
    old = "SIP/2.0/UDP 192.0.2.7"
    [event] = receive(layer, message("INVITE", via=old))
    assert receive(layer, message("INVITE", via=old)) == []
    layer.respond(event.transaction, event.request.create_response(486, to_tag="t"), 1.0)
    layer.outputs()
    assert receive(layer, message("ACK", via=old, tag=";tag=t")) == []
    assert event.transaction.state == "confirmed"


def test_ack_to_a_2xx_goes_up_and_ack_to_a_refusal_does_not(layer):
    [event] = receive(layer, message("INVITE"))
    layer.respond(event.transaction, event.request.create_response(200, to_tag="t"), 1.0)
    layer.outputs()
    ack = message("ACK", via="SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK9", tag=";tag=t")
    assert [type(output) for output in receive(layer, ack)] == [AckReceived]


def test_cancel(layer):
    [event] = receive(layer, message("INVITE"))
    layer.respond(event.transaction, event.request.create_response(180, to_tag="t"), 1.0)
    layer.outputs()
    cancelled, send = receive(layer, message("CANCEL"))
    assert isinstance(cancelled, CancelReceived) and cancelled.transaction is event.transaction
    response = parse(send.data)
    assert (response.status, response.cseq.method, response.to_tag) == (200, "CANCEL", "t")
    layer.respond(event.transaction, event.request.create_response(487, to_tag="t"), 1.0)
    layer.outputs()
    [send] = receive(layer, message("CANCEL"))  # again: only the 200
    assert parse(send.data).status == 200


def test_cancel_of_nothing(layer):
    [send] = receive(layer, message("CANCEL"))
    assert parse(send.data).status == 481


def test_the_same_request_by_two_ways_is_a_loop(layer):
    receive(layer, message("INVITE"))
    [send] = receive(layer, message("INVITE", via="SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2"))
    assert parse(send.data).status == 482


def test_a_request_tried_again_after_its_answer_is_no_loop(layer):
    [event] = receive(layer, message())
    layer.respond(event.transaction, event.request.create_response(200, to_tag="t"), 1.0)
    layer.outputs()
    [event] = receive(layer, message(via="SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2"))
    assert isinstance(event, RequestReceived)


def test_stateless_refusals_repeat_their_tag(layer):
    broken = message(extra="Max-Forwards: 999\r\n")
    first, second = receive(layer, broken) + receive(layer, broken)
    assert parse(first.data.replace(b"999", b"70")).status == 400
    assert first.data == second.data and parse(first.data).to_tag


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\0\0\0\0", b"garbage", b"\xff" * 50, b"SIP/2.0 200 OK\r\n\r\n"])
def test_noise_is_dropped_and_counted(layer, data):
    assert receive(layer, data) == []
    assert layer.counters["keepalives"] + layer.counters["dropped.malformed"] == 1


def test_malformed_ack_is_never_answered(layer):
    assert receive(layer, message("ACK", extra="Max-Forwards: x\r\n")) == []


def fill(layer, count, now=1.0):
    return [
        receive(layer, message(via=f"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{n}", cid=f"c{n}"), now=now)[0]
        for n in range(count)
    ]


@pytest.mark.parametrize("name", ["From", "To"])
def test_malformed_ack_of_a_call_that_was_answered_goes_to_nobody(layer, name):
    [event] = receive(layer, message("INVITE"))
    layer.respond(event.transaction, event.request.create_response(200, to_tag="t"), 1.0)
    layer.outputs()
    ack = message("ACK").replace(f"\r\n{name}: ".encode(), f'\r\n{name}: "'.encode())
    assert receive(layer, ack) == [] and layer.counters["dropped.malformed"] == 1


@pytest.mark.parametrize("transport", [UDP, TCP])
@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_what_is_answered_once_leaves_nothing(layer, method, transport):
    answers = []
    for _ in range(2):
        [event] = receive(layer, message(method), transport)
        assert layer.respond_once(event.transaction, 401, (), 1.0)
        assert not layer.respond_once(event.transaction, 401, (), 1.0)
        [send] = layer.outputs()
        layer.transport_failed(send, 1.0)
        answers.append(send.data)
    assert answers[0] == answers[1] and parse(answers[0]).to_tag  # 8.2.7: a retransmission has the same tag
    assert len(layer) == 0 and layer.next_timeout() is None and layer.outputs() == []


def test_too_many_transactions_get_503_with_retry_after():
    layer = TransactionLayer(max_transactions=3)
    fill(layer, 3)
    [send] = fill_one_more(layer)
    refused = parse(send.data)
    assert refused.status == 503 and refused.get("Retry-After") == "5"
    assert len(layer) == 3 and layer.counters["refused.overload"] == 1


def test_finished_transactions_make_room_the_oldest_first():
    layer = TransactionLayer(max_transactions=3)
    events = fill(layer, 3)
    for event in (events[1], events[0]):
        layer.respond(event.transaction, event.request.create_response(200), 1.0)
    layer.outputs()
    [event] = fill_one_more(layer)
    assert isinstance(event, RequestReceived) and len(layer) == 3
    assert events[1].transaction.state == "terminated" and events[0].transaction.state == "completed"


def fill_one_more(layer):
    return receive(layer, message(via="SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKmore", cid="more"))


def test_requests_of_ours(layer):
    request = Request("OPTIONS", "sip:x@192.0.2.7", [
        ("From", "<sip:a@b>;tag=1"), ("To", "<sip:x@y>"), ("Call-ID", "c"), ("CSeq", "1 OPTIONS"),
    ])  # fmt: skip
    transaction = layer.send_request(request, SOURCE, UDP, 1.0, user="me")
    [send] = layer.outputs()
    sent = parse(send.data)
    assert sent.via.branch.startswith("z9hG4bK") and sent.via.parameter("rport") == ""
    assert isinstance(sent, Request)
    response = bytes(sent.create_response(200, to_tag="t"))
    [event] = receive(layer, response)
    assert isinstance(event, ResponseReceived) and event.transaction is transaction and transaction.user == "me"
    assert receive(layer, response) == []  # absorbed
    stray = response.replace(sent.via.branch.encode(), b"z9hG4bKother")
    assert receive(layer, stray) == []
    assert layer.counters["dropped.stray_response"] == 2
    layer.handle_timeout(layer.next_timeout())
    assert len(layer) == 0 and layer.next_timeout() is None


def test_ipv6(layer):
    via = "SIP/2.0/UDP [2001:db8::7]:5070;branch=z9hG4bK1"
    layer.receive(message(via=via), ("2001:db8::7", 40000), UDP, 1.0)
    [event] = layer.outputs()
    layer.respond(event.transaction, event.request.create_response(200), 1.0)
    [send] = layer.outputs()
    assert isinstance(send, Send) and send.destination == ("2001:db8::7", 5070)
    assert Transport("UDP", "2001:db8::1", 5060).sent_by == "[2001:db8::1]:5060"
