"""Reports of RTCP that the owner of a port wants to see: those that it sends, and those that come."""

from __future__ import annotations

import pytest

from arietta.media.engine import Address
from arietta.rtp import ReceiverReport, ReportBlock, SenderReport, SourceDescription, compound, parse_compound

from .virtual import Phone, World

pytestmark = pytest.mark.usefixtures("each_engine")


def told(phone: Phone) -> list[tuple[bytes, bool, Address]]:
    """What the owner is told from now on."""
    reports: list[tuple[bytes, bool, Address]] = []
    phone.port.tell_reports(lambda data, sent, peer: reports.append((data, sent, peer)))
    return reports


def receive(phone: Phone, data: bytes, source: Address | None = None) -> None:
    """A compound that comes to the port of RTCP."""
    phone.port.receive_control(data, source or phone.address, phone.world.now)


def traffic(world: World, phone: Phone, ms: int) -> None:
    for _ in range(ms // 20):
        phone.send(bytes(160))
        world.run(20)


def test_a_report_that_is_sent_and_one_that_comes(world: World) -> None:
    phone = world.phone()
    reports = told(phone)
    traffic(world, phone, 5100)
    (mine,) = phone.control()[:1]
    host, port = phone.address
    assert [(sent, peer) for _, sent, peer in reports] == [(True, (host, port + 1))]
    assert parse_compound(reports[0][0]) == (mine,)

    block = ReportBlock(phone.port.statistics().local_ssrc, 64, 12, 7, 80, 1, 65536)
    theirs = SenderReport(9, 1 << 32, 160, 10, 1600, (block,))
    receive(phone, compound([theirs, SourceDescription(((9, "phone"),))]))
    world.run(20)
    assert parse_compound(reports[1][0]) == (theirs,)
    assert reports[1][1:] == (False, phone.address)


def test_nobody_has_to_want_them_and_strangers_are_not_told_of(world: World) -> None:
    phone = world.phone()
    traffic(world, phone, 5100)
    reports = told(phone)
    receive(phone, compound([ReceiverReport(9)]), ("203.0.113.9", 6666))
    receive(phone, b"\x80\xc8\0")
    world.run(20)
    assert reports == []
    phone.port.tell_reports(None)
    receive(phone, compound([ReceiverReport(9)]))
    world.run(20)
    assert reports == []


def test_what_waits_is_bounded(world: World) -> None:
    phone = world.phone()
    phone.send(bytes(160))
    world.run(20)
    reports = told(phone)
    many = ReceiverReport(1, tuple(ReportBlock(n, 0, 0, 0, 0, 0, 0) for n in range(31)))
    receive(phone, compound([many]))
    for ssrc in range(10, 20):
        receive(phone, compound([ReceiverReport(ssrc)]))
    world.run(20)
    found = [parse_compound(data)[0] for data, _, _ in reports]
    assert [report.ssrc for report in found if isinstance(report, ReceiverReport)] == [16, 17, 18, 19]
