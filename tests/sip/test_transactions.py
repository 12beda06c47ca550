"""The four transactions alone: every timer of RFC 3261 17, RFC 6026, RFC 4320."""

from __future__ import annotations

import weakref

import pytest

from arietta.sip.message import Request, parse
from arietta.sip.timers import TimerQueue, Timers
from arietta.sip.transactions import (
    AckReceived,
    InviteClientTransaction,
    InviteServerTransaction,
    NonInviteClientTransaction,
    NonInviteServerTransaction,
    ResponseReceived,
    Send,
    State,
    TimedOut,
    Transport,
    TransportFailed,
)

UDP = Transport("UDP", "192.0.2.1", 5060)
TCP = Transport("TCP", "192.0.2.1", 5060)
PEER = ("192.0.2.2", 5060)


def request(method: str) -> Request:
    return Request(method, "sip:x@192.0.2.2", [
        ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"), ("From", "<sip:a@b>;tag=1"), ("To", "<sip:x@y>"),
        ("Call-ID", "c"), ("CSeq", f"5 {method}"), ("Route", "<sip:p;lr>"),
    ])  # fmt: skip


def start(kind, transport=UDP):
    method = "INVITE" if "NonInvite" not in kind.__name__ else "OPTIONS"
    transaction = kind("key", request(method), PEER, transport, Timers())
    transaction.start(0.0)
    return transaction


def sends_until(transaction, end: float) -> list[float]:
    """The times at which something was sent, from now until `end`."""
    times = [0.0] * sum(isinstance(output, Send) for output in transaction.outputs())
    while (when := transaction.next_timeout()) is not None and when <= end:
        transaction.handle_timeout(when)
        times += [when] * sum(isinstance(output, Send) for output in transaction.sink)
        transaction.sink[:] = [output for output in transaction.sink if not isinstance(output, Send)]
    return times


def answer(transaction, status: int):
    return transaction.request.create_response(status, to_tag="t")


def kinds(transaction) -> list[type]:
    return [type(output) for output in transaction.outputs()]


def test_invite_client_retransmits_by_timer_a_until_b():
    transaction = start(InviteClientTransaction)
    assert sends_until(transaction, 100) == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert kinds(transaction) == [TimedOut] and transaction.state is State.TERMINATED


def test_non_invite_client_retransmits_by_timer_e_until_f():
    transaction = start(NonInviteClientTransaction)
    assert sends_until(transaction, 100) == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert kinds(transaction) == [TimedOut] and transaction.state is State.TERMINATED


@pytest.mark.parametrize("kind", [InviteClientTransaction, NonInviteClientTransaction])
def test_reliable_transports_do_not_retransmit(kind):
    transaction = start(kind, TCP)
    assert sends_until(transaction, 100) == [0]
    assert kinds(transaction) == [TimedOut]


def test_invite_client_proceeding_waits_for_ever():
    transaction = start(InviteClientTransaction)
    transaction.receive(answer(transaction, 180), 0.1)
    assert kinds(transaction) == [Send, ResponseReceived]
    assert transaction.next_timeout() is None


def test_non_invite_client_proceeding_retransmits_every_t2():
    transaction = start(NonInviteClientTransaction)
    transaction.outputs()
    transaction.receive(answer(transaction, 100), 0.1)
    assert sends_until(transaction, 9) == [0.5, 4.5, 8.5]


def test_invite_client_acknowledges_every_refusal_until_d():
    transaction = start(InviteClientTransaction)
    transaction.outputs()
    refusal = answer(transaction, 486)
    transaction.receive(refusal, 1.0)
    send, event = transaction.outputs()
    ack = parse(send.data)
    assert (ack.method, ack.to_tag, ack.cseq.number, ack.via.branch) == ("ACK", "t", 5, "z9hG4bK1")
    assert ack.get("Route") == "<sip:p;lr>" and isinstance(event, ResponseReceived)
    assert transaction.receive(refusal, 2.0)
    assert [output.data for output in transaction.outputs()] == [send.data]
    assert transaction.next_timeout() == 33.0
    transaction.handle_timeout(33.0)
    assert transaction.state is State.TERMINATED


def test_invite_client_accepted_passes_every_2xx_until_m():
    transaction = start(InviteClientTransaction, TCP)
    transaction.outputs()
    for now in (1.0, 2.0):
        transaction.receive(answer(transaction, 200), now)
        assert kinds(transaction) == [ResponseReceived]
    assert not transaction.receive(answer(transaction, 486), 3.0)
    assert transaction.next_timeout() == 33.0


@pytest.mark.parametrize(("transport", "state"), [(UDP, State.COMPLETED), (TCP, State.TERMINATED)])
def test_non_invite_client_lingers_t4_on_udp_only(transport, state):
    transaction = start(NonInviteClientTransaction, transport)
    transaction.receive(answer(transaction, 200), 1.0)
    assert transaction.state is state
    assert transaction.next_timeout() == (6.0 if transport is UDP else None)


def test_invite_server_repeats_its_refusal_by_timer_g_until_h():
    transaction = start(InviteServerTransaction)
    transaction.respond(answer(transaction, 486), 0.0)
    assert sends_until(transaction, 100) == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert kinds(transaction) == [TimedOut]


def test_invite_server_confirmed_absorbs_acks_until_i():
    transaction = start(InviteServerTransaction)
    transaction.respond(answer(transaction, 486), 0.0)
    transaction.outputs()
    for now in (1.0, 2.0):
        assert transaction.receive(request("ACK"), now)
    assert transaction.receive(request("INVITE"), 3.0)
    assert transaction.outputs() == [] and transaction.state is State.CONFIRMED
    transaction.handle_timeout(6.0)
    assert transaction.state is State.TERMINATED


def test_invite_server_repeats_its_last_provisional():
    transaction = start(InviteServerTransaction)
    transaction.receive(request("INVITE"), 0.0)
    assert transaction.outputs() == []
    transaction.respond(answer(transaction, 180), 0.0)
    transaction.receive(request("INVITE"), 0.5)
    first, second = transaction.outputs()
    assert first.data == second.data


def test_invite_server_accepted_lets_2xx_through_and_absorbs_invites_until_l():
    transaction = start(InviteServerTransaction, TCP)
    assert transaction.respond(answer(transaction, 200), 0.0)
    assert transaction.respond(answer(transaction, 200), 0.5)
    assert transaction.receive(request("INVITE"), 0.6)
    transaction.receive(request("ACK"), 0.7)
    assert kinds(transaction) == [Send, Send, AckReceived]
    assert not transaction.respond(answer(transaction, 486), 1.0)
    assert transaction.next_timeout() == 32.0


def test_non_invite_server():
    transaction = start(NonInviteServerTransaction)
    assert transaction.receive(request("OPTIONS"), 0.1) and transaction.outputs() == []
    transaction.respond(answer(transaction, 180), 0.2)
    assert transaction.outputs() == []  # RFC 4320 4.1
    transaction.respond(answer(transaction, 200), 0.3)
    transaction.receive(request("OPTIONS"), 0.4)
    first, second = transaction.outputs()
    assert first.data == second.data
    assert not transaction.respond(answer(transaction, 500), 0.5)
    assert transaction.next_timeout() == pytest.approx(32.3)


def test_non_invite_server_never_sends_408():
    transaction = start(NonInviteServerTransaction)
    transaction.respond(answer(transaction, 408), 0.0)
    assert transaction.outputs() == [] and transaction.state is State.COMPLETED  # RFC 4320 4.2


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (InviteClientTransaction, State.TERMINATED),
        (NonInviteClientTransaction, State.TERMINATED),
        (InviteServerTransaction, State.PROCEEDING),  # RFC 6026 7.1
        (NonInviteServerTransaction, State.TERMINATED),
    ],
)
def test_transport_errors(kind, state):
    transaction = start(kind)
    transaction.outputs()
    transaction.transport_failed(0.1)
    assert kinds(transaction) == [TransportFailed] and transaction.state is state


class Alarm:
    def __init__(self, deadline: float) -> None:
        self.deadline, self.queued_at = deadline, float("inf")

    def handle_timeout(self, now: float) -> None:
        self.deadline = float("inf")


def test_timer_queue_follows_deadlines_that_move():
    queue, first, second = TimerQueue(), Alarm(5.0), Alarm(7.0)
    for alarm in (first, second):
        queue.schedule(alarm)
    first.deadline = 9.0
    second.deadline = 3.0
    queue.schedule(second)
    assert queue.next_timeout() == 3.0
    assert queue.pop_due(2.0) is None
    assert queue.pop_due(10.0) is second
    second.deadline = float("inf")
    assert queue.next_timeout() == 9.0
    assert queue.pop_due(10.0) is first and queue.pop_due(10.0) is None
    first.deadline = float("inf")
    assert queue.next_timeout() is None and len(queue) == 0


def test_timer_queue_lets_go_of_what_it_forgets():
    queue, gone, kept = TimerQueue(), Alarm(1000.0), Alarm(5.0)
    queue.schedule(gone)
    queue.schedule(kept)
    watch = weakref.ref(gone)
    queue.forget(gone)
    del gone
    assert watch() is None and len(queue) == 1
    queue.forget(kept)
    queue.schedule(kept)
    assert queue.next_timeout() == 5.0 and queue.pop_due(6.0) is kept and queue.pop_due(2000.0) is None


def test_timer_queue_sweeps_out_what_means_nothing():
    queue, kept = TimerQueue(), Alarm(5000.0)
    queue.schedule(kept)
    for number in range(5000):
        ended = Alarm(10_000.0 + number)
        queue.schedule(ended)
        queue.forget(ended)
        assert len(queue._heap) <= 1002
    assert queue.next_timeout() == 5000.0


def test_timer_queue_holds_an_owner_once_however_often_it_comes_nearer():
    queue, owner = TimerQueue(), Alarm(100.0)
    for deadline in (100.0, 50.0, 25.0):
        owner.deadline = deadline
        queue.schedule(owner)
    watch = weakref.ref(owner)
    queue.forget(owner)
    del owner
    assert watch() is None and queue.next_timeout() is None
