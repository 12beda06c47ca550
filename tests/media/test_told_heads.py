"""Headers of packets that the owner of a port wants to see: those that it sends, and those that come."""

from __future__ import annotations

import pytest

from arietta.media.engine import PacketHead, Samples
from arietta.rtp import RtpPacket

from .virtual import Phone, World, tone

pytestmark = pytest.mark.usefixtures("each_engine")


def told(phone: Phone) -> list[PacketHead]:
    """What the owner is told from now on."""
    heads: list[PacketHead] = []
    phone.port.tell_heads(heads.append)
    return heads


def test_packets_that_are_sent_and_that_come(world: World) -> None:
    phone = world.phone()
    heads = told(phone)
    phone.port.play(Samples(tone(500, 60)), on_end=lambda end: None)
    phone.sequence, phone.timestamp = 7, 1600
    phone.send(b"\xff" * 80)
    world.run(100)
    sent = phone.collect()
    assert heads[0] == PacketHead(False, phone.address, 0, 7, 1600, 80)
    assert heads[1:] == [PacketHead(True, phone.address, 0, one.sequence, one.timestamp, 160) for one in sent]
    assert len(sent) == 3


def test_what_is_not_used_is_not_told_nor_anything_when_nobody_wants_it(world: World) -> None:
    phone = world.phone()
    phone.send(b"\xff" * 160)
    heads = told(phone)
    phone.raw(bytes(RtpPacket(77, 1, 1, 1, b"unknown type")))
    phone.raw(b"\x80")
    world.run(20)
    assert heads == []
    phone.port.tell_heads(None)
    phone.send(b"\xff" * 160)
    world.run(20)
    assert heads == []


def test_those_that_wait_too_long_give_way(world: World) -> None:
    phone = world.phone()
    heads = told(phone)
    phone.sequence = 0
    for _ in range(300):
        phone.send(b"\xff" * 160)
    world.run(20)
    assert [head.sequence for head in heads] == list(range(44, 300))


def test_packets_that_are_passed_on_are_told_on_both_sides(world: World) -> None:
    one, other = world.phone(), world.phone()
    one.port.link(other.port)
    heads, others = told(one), told(other)
    one.send(b"\xff" * 160)
    world.run(20)
    assert [head.sent for head in heads] == [False]
    assert [head.sent for head in others] == [True]
    one.port.close()
    world.run(20)
