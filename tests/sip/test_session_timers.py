"""Session timers as ladders on a virtual clock (RFC 4028)."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.sip.errors import ProtocolError
from arietta.sip.events import Ended, Failed, Incoming, ReInvite, ReInviteFailed, RequestAnswered, RequestInDialog
from arietta.sip.invite import SessionState
from arietta.sip.message import Request, Response
from arietta.sip.profile import Profile
from arietta.sip.session_timer import SessionExpires, SessionTimer, TimerRules, parse_session_expires

from .net import ANSWER, SDP, Network, Party

CALL = ["INVITE", "100 INVITE", "200 INVITE", "ACK"]
OLD = ("INVITE", "ACK", "BYE", "CANCEL")
"""What a phone allows that knows no UPDATE."""


@pytest.fixture
def network() -> Network:
    return Network(latency=0.001)


def rules(mode: str = "yes", longest: int = 1800, least: int = 90) -> TimerRules:
    return TimerRules(mode, least, longest)  # type: ignore[arg-type]


def party(network: Network, number: int, timers: TimerRules, allow: tuple[str, ...] = Profile().allow) -> Party:
    one = Party(network, f"192.0.2.{number}", profile=Profile(timers=timers, allow=allow))
    one.on[Incoming] = lambda event: event.session.accept(one.now, ANSWER)
    one.on[ReInvite] = lambda event: event.session.accept(one.now, ANSWER)
    one.on[RequestInDialog] = lambda event: event.session.respond(event.transaction, one.now, 200)
    return one


def watch(network: Network) -> list[Request | Response]:
    """Every message from now on."""
    seen: list[Request | Response] = []
    network.drop = lambda message: bool(seen.append(message))
    return seen


def establish(caller: Party, callee: Party) -> list[Request | Response]:
    """A call that is up; the messages that made it so."""
    seen = watch(caller.network)
    caller.call(callee)
    caller.network.advance(1)
    assert caller.session.state is callee.session.state is SessionState.CONFIRMED
    caller.network.ladder.clear()
    return seen


def field(seen: list[Request | Response], what: str | int, name: str) -> str | None:
    """A header field of the last request with a method, or response with a status."""
    found = [m for m in seen if (m.method if isinstance(m, Request) else m.status) == what]
    return found[-1].get(name)


def test_both_agree_and_the_caller_refreshes_at_half_by_update(network):
    caller, callee = party(network, 1, rules()), party(network, 2, rules(longest=600))
    seen = establish(caller, callee)
    assert field(seen, "INVITE", "Supported") == "timer"
    assert (field(seen, "INVITE", "Session-Expires"), field(seen, "INVITE", "Min-SE")) == ("1800", "90")
    assert (field(seen, 200, "Session-Expires"), field(seen, 200, "Require")) == ("600;refresher=uac", "timer")
    network.advance(298)
    assert network.ladder == []
    network.advance(2)
    assert network.ladder == ["UPDATE", "200 UPDATE"]
    assert field(seen, "UPDATE", "Session-Expires") == "600;refresher=uac"
    assert caller.told().count("RequestAnswered") == 0  # the driver hears nothing of it
    network.advance(3600)
    assert network.ladder == ["UPDATE", "200 UPDATE"] * 13


def test_a_phone_without_update_is_refreshed_by_what_was_offered_last(network):
    caller, callee = party(network, 1, rules()), party(network, 2, rules(), OLD)
    seen = establish(caller, callee)
    network.advance(900)
    assert network.ladder == CALL
    assert [m.body for m in seen if isinstance(m, Request) and m.method == "INVITE"] == [SDP, SDP]


def test_update_that_is_refused_all_the_same_becomes_a_reinvite(network):
    caller, callee = party(network, 1, rules()), party(network, 2, rules())
    establish(caller, callee)
    callee.on[RequestInDialog] = lambda event: event.session.respond(event.transaction, callee.now, 501)
    network.advance(2000)
    assert network.ladder == ["UPDATE", "501 UPDATE", *CALL, *CALL]


def test_the_callee_refreshes_with_its_own_answer_when_the_caller_wants_it(network):
    caller, callee = party(network, 1, rules(), OLD), party(network, 2, rules())
    caller.session = caller.agent.invite(
        "sip:1000@192.0.2.2", callee.address, caller.transport, caller.contact, caller.now,
        from_="<sip:a@192.0.2.1>", sdp=SDP,
    )  # fmt: skip
    [send] = caller.agent.outputs()
    data = send.data.replace(b"Session-Expires: 1800", b"Session-Expires: 1200;refresher=uas")
    network.send(data, caller.address, callee.address)
    seen = watch(network)
    network.advance(1)
    assert field(seen, 200, "Session-Expires") == "1200;refresher=uas"
    network.ladder.clear()
    network.advance(600)
    assert network.ladder == CALL
    assert field(seen, "INVITE", "Session-Expires") == "1200;refresher=uac"
    assert next(m.body for m in reversed(seen) if isinstance(m, Request) and m.method == "INVITE") == ANSWER


def test_who_gets_no_refresh_ends_the_call_before_it_expires(network):
    caller, callee = party(network, 1, rules()), party(network, 2, rules())
    establish(caller, callee)
    callee.session.expiry_headers = (("Reason", "Q.850;cause=102"),)
    network.drop = lambda message: isinstance(message, Request) and message.method != "BYE"
    caller.agent._sessions.clear()
    caller.session._timer.stop()  # the phone has died
    network.advance(1800 - 32 - 2)
    assert callee.session.state is SessionState.CONFIRMED
    seen = watch(network)
    network.advance(2)
    ended = callee.told(Ended)
    assert (ended.by, ended.reasons[0].cause) == ("timeout", 102)  # RFC 4028 10: min(32, a third) before the end
    assert field(seen, "BYE", "Reason") == "Q.850;cause=102"
    network.advance(120)
    assert callee.agent.next_timeout() is None


def test_a_third_is_left_of_a_short_interval():
    timer = SessionTimer(rules(longest=90))
    timer.take_2xx(Response(200, None, {"Session-Expires": ["90;refresher=uas"]}), 1000)
    assert (timer.refresh_at, timer.expires_at) == (inf, 1060)


@pytest.mark.parametrize("allow", [Profile().allow, OLD], ids=["UPDATE", "INVITE"])
def test_a_refresh_that_nobody_answers_ends_the_call(network, allow):
    caller, callee = party(network, 1, rules()), party(network, 2, rules(), allow)
    establish(caller, callee)
    network.drop = lambda message: True
    network.advance(900 + 33)
    assert caller.told(Ended).by == "timeout"


def test_a_refresh_for_a_call_the_peer_has_lost_ends_it(network):
    caller, callee = party(network, 1, rules()), party(network, 2, rules())
    establish(caller, callee)
    callee.agent._sessions.clear()
    network.advance(900)
    assert network.ladder[:3] == ["UPDATE", "481 UPDATE", "BYE"]
    assert caller.told(Ended).by == "timeout"


@pytest.mark.parametrize("allow", [Profile().allow, OLD], ids=["UPDATE", "INVITE"])
def test_a_refused_refresh_is_tried_again_until_the_session_expires(network, allow):
    caller, callee = party(network, 1, rules()), party(network, 2, rules(), allow)
    establish(caller, callee)
    callee.on[RequestInDialog] = lambda event: event.session.respond(event.transaction, callee.now, 500)
    callee.on[ReInvite] = lambda event: event.session.reject(callee.now, 500)
    callee.session._timer.stop()
    network.advance(1800 - 40)
    assert caller.session.state is SessionState.CONFIRMED
    assert 5 < len([name for name in network.ladder if name.startswith("500")]) < 10
    network.advance(10)
    assert caller.told(Ended).by == "timeout" and network.ladder.count("BYE") == 1


def test_interval_that_is_too_small_is_asked_for_again_with_a_larger_one(network):
    caller, callee = party(network, 1, rules(longest=90)), party(network, 2, rules(least=300))
    seen = establish(caller, callee)
    assert field(seen, 422, "Min-SE") == "300"
    assert field(seen, "INVITE", "Session-Expires") == field(seen, "INVITE", "Min-SE") == "300"
    assert field(seen, "INVITE", "CSeq") == "2 INVITE"
    assert callee.session.invite.call_id == caller.session.invite.call_id
    assert field(seen, 200, "Session-Expires") == "300;refresher=uac"


def test_small_interval_of_a_proxy_for_a_phone_without_timers_is_taken(network):
    caller, callee = party(network, 1, rules("no")), party(network, 2, rules(least=300))
    caller.session = caller.agent.invite(
        "sip:1000@192.0.2.2", callee.address, caller.transport, caller.contact, caller.now,
        from_="<sip:a@192.0.2.1>", sdp=SDP, headers=[("Session-Expires", "100")],
    )  # fmt: skip
    seen = watch(network)
    network.advance(1)
    assert (field(seen, 200, "Session-Expires"), field(seen, 200, "Require")) == ("100;refresher=uas", None)
    network.advance(50)
    assert network.ladder[-2:] == ["UPDATE", "200 UPDATE"]


def test_a_refresh_may_be_refused_with_422_too(network):
    caller, callee = party(network, 1, rules(longest=200)), party(network, 2, rules())
    seen = establish(caller, callee)
    callee.session._timer.rules = rules(least=400)
    network.advance(100)
    assert network.ladder == ["UPDATE", "422 UPDATE", "UPDATE", "200 UPDATE"]
    assert field(seen, "UPDATE", "Session-Expires") == "400;refresher=uac"
    assert caller.session.state is SessionState.CONFIRMED


def test_422_again_and_again_ends_the_attempt(network):
    caller, callee = party(network, 1, rules()), party(network, 2, rules())
    least = iter(range(2000, 9000, 1000))
    callee.on[Incoming] = lambda event: event.session.reject(callee.now, 422, None, [("Min-SE", str(next(least)))])
    caller.call(callee)
    network.advance(5)
    assert caller.told(Failed).status == 422
    assert network.ladder.count("INVITE") == 4


@pytest.mark.parametrize(
    ("mode", "asks", "refreshes"), [("no", None, 0), ("yes", "1800", 0), ("always", "1800", 2)], ids=str
)
def test_a_phone_without_timers(network, mode, asks, refreshes):
    caller, callee = party(network, 1, rules(mode)), party(network, 2, rules("no"))
    seen = establish(caller, callee)
    assert field(seen, "INVITE", "Session-Expires") == asks
    network.advance(1900)
    assert network.ladder == ["UPDATE", "200 UPDATE"] * refreshes


@pytest.mark.parametrize(("mode", "refreshes"), [("yes", 0), ("always", 2)], ids=str)
def test_a_call_of_a_phone_without_timers(network, mode, refreshes):
    caller, callee = party(network, 1, rules("no")), party(network, 2, rules(mode))
    establish(caller, callee)
    network.advance(1900)
    assert network.ladder == ["UPDATE", "200 UPDATE"] * refreshes
    assert caller.session.state is callee.session.state is SessionState.CONFIRMED


def test_required_of_who_does_not_know_it(network):
    caller, callee = party(network, 1, rules("no")), party(network, 2, rules("required"))
    seen = watch(network)
    caller.call(callee)
    network.advance(1)
    assert caller.told(Failed).status == 421 and field(seen, 421, "Require") == "timer"
    callee.call(caller)
    network.advance(1)
    assert callee.told(Failed).status == 420 and field(seen, 420, "Unsupported") == "timer"


def test_a_reinvite_of_the_peer_refreshes_and_one_without_timer_ends_the_timer(network):
    caller, callee = party(network, 1, rules()), party(network, 2, rules())
    establish(caller, callee)
    network.advance(800)
    caller.do(caller.session.reinvite(caller.now, SDP))
    network.advance(800)
    assert network.ladder == CALL  # half of the interval counts from the re-INVITE on
    caller.session._timer.rules = rules("no")
    caller.do(caller.session.reinvite(caller.now, SDP))
    caller.session._timer.stop()
    network.advance(3600)
    assert network.ladder == CALL * 2
    assert callee.session.state is SessionState.CONFIRMED


def test_a_reinvite_of_who_waits_for_refreshes_keeps_the_other_as_refresher(network):
    caller, callee = party(network, 1, rules()), party(network, 2, rules())
    seen = establish(caller, callee)
    callee.do(callee.session.reinvite(callee.now, ANSWER))
    network.advance(1)
    assert field(seen, "INVITE", "Session-Expires") == "1800;refresher=uas"
    network.advance(900)
    assert network.ladder == [*CALL, "UPDATE", "200 UPDATE"]
    assert field(seen, "UPDATE", "From").endswith(caller.session.local_tag)


def test_an_update_of_the_driver_counts_as_refresh(network):
    caller, callee = party(network, 1, rules()), party(network, 2, rules())
    establish(caller, callee)
    network.advance(800)
    caller.do(caller.session.request(caller.now, "UPDATE"))
    network.advance(800)
    assert network.ladder == ["UPDATE", "200 UPDATE"]
    assert caller.told(RequestAnswered).status == 200


def test_an_update_while_it_rings_starts_no_timer(network):
    caller, callee = party(network, 1, rules()), party(network, 2, rules("always"))
    callee.on[Incoming] = lambda event: event.session.ring(callee.now)
    caller.call(callee)
    network.advance(1)
    fields = [("Session-Expires", "90;refresher=uac"), ("Supported", "timer"), ("Contact", caller.contact)]
    update = caller.session.dialog.create_request("UPDATE", fields)
    caller.agent.send_request(update, callee.address, caller.transport, caller.now)
    network.advance(100)
    assert callee.session.state is SessionState.INCOMING and "200 UPDATE" in network.ladder
    assert caller.do(caller.session.request(caller.now, "UPDATE"))
    network.advance(100)
    assert callee.session.state is SessionState.INCOMING and caller.session.state is SessionState.CALLING


def test_a_refused_change_leaves_the_timer(network):
    caller, callee = party(network, 1, rules()), party(network, 2, rules())
    establish(caller, callee)
    callee.on[ReInvite] = lambda event: event.session.reject(callee.now, 488)
    caller.do(caller.session.reinvite(caller.now, b"v=0\r\n"))
    network.advance(898)
    assert caller.told(ReInviteFailed).status == 488
    assert "UPDATE" not in network.ladder
    network.advance(2)
    assert network.ladder[-2:] == ["UPDATE", "200 UPDATE"]


def test_an_ended_call_is_forgotten_long_before_its_timer(network):
    caller, callee = party(network, 1, rules(longest=86400)), party(network, 2, rules(longest=86400))
    establish(caller, callee)  # a call that goes on, whose timer is before theirs
    for _ in range(3):
        establish(caller, callee)
        caller.do(caller.session.bye(caller.now))
    network.advance(100)
    assert len(caller.agent.layer._queue) == len(callee.agent.layer._queue) == 1


@pytest.mark.parametrize("value", ["", "x", "-1", "90;refresher=me"])
def test_malformed_session_expires(value):
    timer = SessionTimer(rules())
    request = Request("INVITE", "sip:a@b", {"Supported": ["timer"], "Session-Expires": [value]})
    with pytest.raises(ProtocolError, match=r"Session-Expires|refresher"):
        timer.check_interval(request)
    timer.take_2xx(Response(200, None, {"Session-Expires": [value]}), 0)
    assert not timer.is_running


def test_an_interval_is_not_shortened_below_what_the_peer_can_do():
    fields = {"Session-Expires": ["1800"], "Min-SE": ["1000"], "Supported": ["timer"]}
    answer = SessionTimer(rules(longest=600)).answer(Request("INVITE", "sip:a@b", fields), 0.0)
    assert dict(answer)["Session-Expires"] == "1000;refresher=uac"


@given(
    st.integers(0, 200).map(str) | st.text(max_size=40),
    st.text(max_size=20),
    st.sampled_from(["no", "yes", "required", "always"]),
)
def test_any_fields_of_a_peer_leave_a_timer_that_is_no_shorter_than_allowed(expires, least, mode):
    timer = SessionTimer(rules(mode))
    fields = {"Session-Expires": [expires], "Min-SE": [least], "Supported": ["timer"]}
    for take in (timer.answer, lambda message, now: timer.take_2xx(Response(200, None, fields), now)):
        take(Request("INVITE", "sip:a@b", fields), 1000.0)
        assert timer.expires_at >= 1060 and timer.refresh_at >= 1045 and timer.deadline > 1000
    timer.take_422(Response(422, None, fields))
    timer.request_fields()


@given(st.integers(0, 2**32 - 1), st.sampled_from([None, "uac", "uas"]))
def test_what_is_written_is_read(interval, refresher):
    value = SessionExpires(interval, refresher)
    assert parse_session_expires(str(value)) == value
