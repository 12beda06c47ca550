"""Datagrams on the port of RTP that are no media: STUN and DTLS go to their owner, who sends from the port too."""

from __future__ import annotations

from collections import deque

import pytest

from arietta.media.engine import Address, Samples
from arietta.rtp import RtpPacket

from .virtual import SERVER, Phone, World, tone

pytestmark = pytest.mark.usefixtures("each_engine")

STUN, DTLS, ZRTP, TURN = b"\0\1" + bytes(18), b"\x16\xfe\xfd" + bytes(10), b"\x10" + bytes(20), b"\x40\0" + bytes(20)
STRANGER = ("203.0.113.9", 6666)


def taken(phone: Phone) -> list[tuple[bytes, Address]]:
    """What the port gives to its owner from now on."""
    packets: list[tuple[bytes, Address]] = []
    phone.port.take_packets(lambda data, source, control: packets.append((data, source)))
    return packets


def test_stun_and_dtls_go_to_the_owner(world: World) -> None:
    phone = world.phone()
    packets = taken(phone)
    for data in (STUN, DTLS, ZRTP, TURN, b""):
        phone.raw(data, source=STRANGER)
    phone.send(bytes(160))
    world.run(20)
    assert packets == [(STUN, STRANGER), (DTLS, STRANGER)]
    assert phone.port.statistics().rxcount == 1
    assert world.core.stats().packets_dropped == 3


def test_nobody_has_to_want_them(world: World) -> None:
    phone = world.phone()
    phone.raw(STUN)
    packets = taken(phone)
    phone.port.take_packets(None)
    phone.raw(DTLS)
    world.run(20)
    assert packets == []
    assert world.core.stats().packets_dropped == 2


def test_what_waits_is_bounded(world: World) -> None:
    phone = world.phone()
    packets = taken(phone)
    phone.raw(STUN + bytes(1500))
    for n in range(40):
        phone.raw(STUN + bytes([n]))
    world.run(20)
    assert packets == [(STUN + bytes([n]), phone.address) for n in range(16)]
    assert world.core.stats().packets_dropped == 25
    phone.raw(STUN)
    world.run(20)
    assert packets[16:] == [(STUN, phone.address)]


def test_the_owner_sends_from_the_port_before_anything_is_agreed(world: World) -> None:
    inbox = world.network.inboxes[STRANGER] = deque()
    port = world.core.open_rtp(bind=SERVER, on_event=lambda event: None)
    port.send_packet(STUN, STRANGER)
    packets: list[bytes] = []
    port.take_packets(lambda data, source, control: packets.append(data))
    port.send_packet(DTLS, STRANGER)
    port.receive(STUN, STRANGER, world.now)
    world.run(20)
    world.flush()
    assert list(inbox) == [DTLS]
    assert packets == [STUN]
    port.close()
    port.send_packet(DTLS, STRANGER)
    port.take_packets(lambda data, source, control: None)
    world.flush()
    assert list(inbox) == [DTLS]


def test_a_closed_port_tells_nothing(world: World) -> None:
    phone = world.phone()
    packets = taken(phone)
    phone.raw(STUN)
    phone.port.close()
    world.core.deliver()
    assert packets == []


def test_without_keys_nothing_is_sent_or_heard(world: World) -> None:
    phone = world.phone(awaits_keys=True, rtcp_mux=True, keepalive_ms=100)
    packets = taken(phone)
    phone.port.play(Samples(tone(1000, 400)), on_end=lambda end: None)
    for _ in range(10):
        phone.send(bytes(160))
    phone.raw(DTLS)
    world.run(6000)
    world.flush()
    assert not world.network.inboxes[phone.address]
    statistics = phone.port.statistics()
    assert (statistics.rxcount, statistics.txcount) == (0, 0)
    assert phone.events == []
    assert packets == [(DTLS, phone.address)]


def test_keys_that_come_later_let_it_through() -> None:
    from .test_secure_port import KEYS, ciphers, heard, say

    if World.engine != "native":
        pytest.skip("the reference engine has no ciphers")
    world, far = World(), ciphers()
    phone = world.phone(awaits_keys=True)
    phone.port.play(Samples(tone(1000, 2000)), on_end=lambda end: None)
    phone.send(bytes(160))
    world.run(500)
    assert heard(world, phone, far) == b""
    phone.configure(awaits_keys=True, srtp=KEYS)
    say(phone, far, count=10)
    plain = RtpPacket(0, 1, 160, phone.ssrc, bytes(160))
    phone.raw(bytes(plain))
    world.run(500)
    assert len(heard(world, phone, far)) == pytest.approx(8000, abs=640)
    assert phone.port.statistics().rxcount == 10


def test_those_on_the_port_of_reports_are_told_apart(world: World) -> None:
    phone = world.phone()
    inbox = world.network.inboxes[STRANGER] = deque()
    packets: list[tuple[bytes, Address, bool]] = []
    phone.port.take_packets(lambda data, source, control: packets.append((data, source, control)))
    phone.port.receive_control(STUN, STRANGER, world.now)
    phone.raw(STUN)
    world.run(20)
    assert packets == [(STUN, STRANGER, True), (STUN, phone.address, False)]
    phone.port.send_packet(STUN, STRANGER, control=True)
    world.flush()
    assert list(inbox) == [STUN]
