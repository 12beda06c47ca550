"""The SIP of calls in memory: whose, for how long, how much of it; and messages in the log and in captures."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.cli.ladders import draw
from arietta.cli.server_switch import ServerSwitch
from arietta.cli.serving import Stop
from arietta.drivers.sip.history import OVERHEAD_BYTES, CallHistory, Limits, call_id_of
from arietta.errors import BadRequest, Conflict, NotFound
from arietta.server import Server
from arietta.sip.transactions import Transport
from arietta.testing import Phone, VirtualLoop
from arietta.testing.plugin import Switch

from .running import FILES, PJSIP

UDP = Transport("UDP", "10.0.0.1", 5060, "udp")
PEER = ("10.0.0.2", 5060)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def message(call_id: str, method: str = "INVITE", size: int = 300) -> bytes:
    head = f"{method} sip:1000@10.0.0.1 SIP/2.0\r\nCall-ID: {call_id}\r\n\r\n".encode()
    return head + bytes(max(0, size - len(head)))


def kept(history: CallHistory) -> list[str]:
    return [call.call_id.decode() for call in history.calls()]


def total(history: CallHistory) -> int:
    return sum(call.bytes_kept for call in history.calls())


# ------------------------------------------------------------------------------------------------- what is kept


def test_only_calls_are_kept(clock: Clock) -> None:
    history = CallHistory(clock)
    for method in ("REGISTER", "OPTIONS", "BYE", "INVITED"):
        history.observe("<", message(method, method), PEER, UDP)
    history.observe("<", message("a"), PEER, UDP)
    history.observe(">", b"SIP/2.0 100 Trying\r\ni: a\r\n\r\n", PEER, UDP)
    history.observe("<", b"SIP/2.0 404 Not Found\r\nCall-ID: b\r\n\r\n", PEER, UDP)
    assert kept(history) == ["a"]
    assert [(m.direction, m.data[:7]) for m in history.calls()[0].messages] == [("<", b"INVITE "), (">", b"SIP/2.0")]


def test_a_call_stays_for_its_life_and_some_minutes(clock: Clock) -> None:
    history = CallHistory(clock, Limits(seconds=600))
    history.observe("<", message("long"), PEER, UDP)
    history.begun("long", "1.1", "PJSIP/alice-00000001", "1.1")
    clock.now = 5000
    assert history.find("1.1") is not None
    history.ended("long", "1.1")
    clock.now = 5599
    found = history.find("pjsip/ALICE-00000001")
    assert found is not None and found.linkedid == "1.1"
    clock.now = 5601
    assert history.find("long") is None
    assert history.total_bytes == 0


def test_a_call_without_channel_is_kept_from_its_beginning(clock: Clock) -> None:
    history = CallHistory(clock, Limits(seconds=600))
    history.observe("<", message("refused"), PEER, UDP)
    clock.now = 599
    assert kept(history) == ["refused"]
    clock.now = 601
    assert kept(history) == []


def test_the_beginning_of_a_long_call_and_its_newest_messages_stay(clock: Clock) -> None:
    history = CallHistory(clock, Limits(call_bytes=20 * (300 + OVERHEAD_BYTES)))
    for number in range(100):
        clock.now = number
        history.observe("<", message("a", "INVITE" if not number else "INFO"), PEER, UDP)
    (call,) = history.calls()
    times = [m.time for m in call.messages]
    assert times[:3] == [0, 1, 2] and times[-3:] == [97, 98, 99]
    assert len(times) + call.left_out == 100
    assert call.bytes_kept == history.total_bytes <= history.limits.call_bytes


def test_calls_that_are_over_leave_before_those_that_live(clock: Clock) -> None:
    history = CallHistory(clock, Limits(total_bytes=10_000))
    for name in "abcdef":
        history.observe("<", message(name), PEER, UDP)
        history.begun(name, name, name, name)
    history.ended("c", "")
    history.ended("b", "")
    for name in "ghijkl":
        history.observe("<", message(name), PEER, UDP)
        history.begun(name, name, name, name)
    assert history.total_bytes == total(history) <= 10_000
    assert "b" not in kept(history) and "c" not in kept(history) and kept(history)[-1] == "l"


def test_nothing_is_kept_with_no_memory(clock: Clock) -> None:
    history = CallHistory(clock)
    history.observe("<", message("a"), PEER, UDP)
    history.configure(Limits(total_bytes=0))
    assert kept(history) == [] and history.total_bytes == 0 and not history.enabled
    history.begun("b", "1", "x", "1")
    assert history.find("1") is None


@given(st.lists(st.tuples(st.sampled_from("oibe"), st.integers(0, 5), st.integers(0, 3000)), max_size=60))
@settings(deadline=None)
def test_the_books_are_right_whatever_comes(steps: list[tuple[str, int, int]]) -> None:
    clock = Clock()
    history = CallHistory(clock, Limits(total_bytes=9000, call_bytes=4000, seconds=30))
    for what, number, size in steps:
        clock.now += size / 300
        name = f"c{number}"
        if what == "o":
            history.observe("<", message(name, size=size), PEER, UDP)
        elif what == "i":
            history.observe(">", message(name, "INFO", size), PEER, UDP)
        elif what == "b":
            history.begun(name, name, name, name)
        else:
            history.ended(name, name)
        assert history.total_bytes <= 9000
    clock.now += 31
    for number in range(6):
        history.ended(f"c{number}", "")
    clock.now += 31
    assert kept(history) == [] and history.total_bytes == 0


@pytest.mark.parametrize(
    "head",
    ["Call-ID: a@b", "call-id:a@b", "CALL-ID :  a@b  ", "i: a@b", "I:a@b", "Call-ID:\r\n a@b", "Call-ID: \r\n\ta@b"],
)
def test_a_call_id_as_it_may_be_written(head: str) -> None:
    assert call_id_of(f"INVITE sip:a SIP/2.0\r\nVia: x\r\n{head}\r\nTo: y\r\n\r\n".encode()) == b"a@b"


@given(st.binary(max_size=200))
def test_no_bytes_are_too_odd(data: bytes) -> None:
    assert b"\r" not in call_id_of(data + b"\r\nCall-ID: " + data)


# --------------------------------------------------------------------------------------------- a whole server


@pytest.fixture
def console(switchboard: Server) -> ServerSwitch:
    return ServerSwitch(switchboard, Stop())


def test_the_ladder_of_a_dialled_call_has_both_legs_also_after_its_end(
    loop: VirtualLoop, switchboard: Server, registered: Callable[[str], Phone], console: ServerSwitch
) -> None:
    alice, bob = registered("alice"), registered("bob")
    bob.on_invite = lambda call: call.answer()

    async def story() -> None:
        call = await alice.invite("1100")
        await call.answered()
        living = console.sip.ladder(console.channels()[0].snapshot.id, with_peer=True)
        assert [view.alive for view in living] == [True, True]
        await call.hang_up()

    loop.run(story())
    loop.advance(1)
    calls = console.sip.calls()
    assert [view.alive for view in calls] == [False, False]
    assert [view.channel.partition("-")[0] for view in calls] == ["PJSIP/alice", "PJSIP/bob"]
    alone = console.sip.ladder(calls[1].channel, with_peer=False)
    assert len(alone) == 1
    both = console.sip.ladder(calls[1].channel, with_peer=True)
    drawn = draw(both)
    steps = ("INVITE 1100", "401 Unauthorized", "INVITE bob", "200 OK", "BYE")
    places = [drawn.find(step) for step in steps]
    assert -1 not in places and places == sorted(places), drawn
    assert "ulaw" in drawn
    secrets = b"".join(m.data for view in both for m in view.messages)
    assert b"********" in secrets and b'response="*' in secrets
    loop.advance(601)
    assert not console.sip.calls()
    with pytest.raises(NotFound, match="pjsip show ladders"):
        console.sip.ladder(calls[1].channel, with_peer=False)


def test_messages_in_the_log_and_in_a_capture(
    loop: VirtualLoop,
    switchboard: Server,
    registered: Callable[[str], Phone],
    console: ServerSwitch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    alice = registered("alice")
    capture = tmp_path / "sip.pcap"
    caplog.set_level(logging.INFO)

    def shown() -> list[str]:
        told = [r.getMessage() for r in caplog.records if r.name == "arietta.verbose"]
        caplog.clear()
        return [line for line in told if line.startswith(("<---", "--->"))]

    loop.run(alice.options())
    assert not shown()
    assert "all peers" in console.sip.log(["on"])
    loop.run(alice.options())
    came, went = shown()
    assert came.startswith("<---") and "UDP 10.0.0.2:5060" in came and "\nOPTIONS sip:" in came
    assert went.startswith("--->") and "\nSIP/2.0 200 OK" in went
    console.sip.log(["host", "10.9.9.0/24"])
    loop.run(alice.options())
    assert not shown()
    console.sip.log(["add", "10.0.0.2"])
    console.sip.log(["verbose", "off"])
    assert str(capture) in console.sip.log(["pcap", str(capture)])
    loop.run(alice.register())
    assert not shown()
    console.sip.log(["verbose", "on"])
    assert console.sip.log(["off"]) == "SIP messages are not logged."
    loop.run(alice.options())
    assert not shown()
    data = capture.read_bytes()
    assert data.count(b"REGISTER sip:") >= 1 and b"Authorization: Digest" in data
    assert b'response="' + b"*" * 32 in data
    for words, refusal in (
        (["host", "nowhere"], BadRequest), (["sideways"], BadRequest), (["pcap"], BadRequest),
        (["pcap", str(capture)], Conflict), (["verbose", "maybe"], BadRequest),
    ):  # fmt: skip
        with pytest.raises(refusal):
            console.sip.log(words)


def test_a_flood_is_not_shown_whole(
    loop: VirtualLoop, switchboard: Server, console: ServerSwitch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    console.sip.log(["on"])
    log = switchboard.sip.message_log
    for _ in range(1000):
        log._observe("<", message("a"), PEER, UDP)
    told = [r for r in caplog.records if r.getMessage().startswith("<---")]
    assert 200 <= len(told) <= 400


def test_debug_of_the_configuration(loop: VirtualLoop, switch: Switch) -> None:
    files = {**FILES, "pjsip.conf": PJSIP + "[global]\ntype=global\ndebug=10.0.0.2\n[l]\ntype=ladder\nmemory=0\n"}

    async def story() -> None:
        async with switch(files) as server:
            assert isinstance(server, Server)
            assert str(server.sip.message_log) == "SIP messages of 10.0.0.2/32 are written to the log."
            assert server.sip.history.observe not in server.sip.observers

    loop.run(story())
