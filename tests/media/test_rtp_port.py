"""One RTP port: where it listens, what it drops, what it counts, what it reports."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.media.engine import (
    ADAPTIVE,
    Direction,
    EngineClosed,
    EngineSettings,
    JitterRules,
    MediaError,
    MediaStarted,
    MediaStopped,
    MixerMode,
    NoPortsLeft,
    OtherCodec,
    RtpSettings,
    Samples,
    SrtpKeys,
)
from arietta.rtp import Bye, ReceiverReport, ReportBlock, RtpPacket, SenderReport, SourceDescription, compound

from .virtual import SERVER, Phone, World, loudness, tone

pytestmark = pytest.mark.usefixtures("each_engine")

ATTACKER = ("203.0.113.9", 6666)


def attack(phone: Phone, count: int, *, source: tuple[str, int] = ATTACKER, first: int = 100) -> None:
    for n in range(count):
        packet = RtpPacket(0, (first + n) & 0xFFFF, 160 * n, 0xBAD, b"\x00" * 160)
        phone.raw(bytes(packet), source=source)


def test_the_first_packet_is_told(world: World) -> None:
    phone = world.phone()
    assert phone.events == []
    phone.send(b"\xff" * 160)
    phone.send(b"\xff" * 160)
    world.run(0)
    assert phone.events == [MediaStarted()]


def test_another_codec_than_is_sent_is_told_once_for_each_agreement(world: World) -> None:
    receive = {0: "ulaw", 8: "alaw"}
    phone = world.phone(receive=receive)

    def told() -> list[object]:
        for number in (8, 8, 0, 8):
            phone.send(b"\xd5" * 160, number=number)
        world.run(0)
        events = [event for event in phone.events if isinstance(event, OtherCodec)]
        phone.events.clear()
        return events

    assert told() == [OtherCodec(8)]
    assert told() == []
    phone.configure(receive=receive)
    assert told() == [OtherCodec(8)]
    phone.configure(receive=receive, send_codec="alaw", send_payload_type=8)
    assert told() == [OtherCodec(0)]


def test_packets_before_the_settings_are_dropped() -> None:
    world = World()
    port = world.core.open_rtp(bind=SERVER, on_event=lambda event: None)
    port.receive(bytes(RtpPacket(0, 1, 1, 1, b"x")), ATTACKER, world.now)
    assert world.core.stats().packets_dropped == 1


def test_a_phone_behind_nat_is_learnt_and_sent_to(world: World) -> None:
    phone = world.phone()
    outside = ("198.51.100.7", 30000)
    world.network.inboxes[outside] = type(world.network.inboxes[phone.address])()
    phone.port.generate(None)
    for _ in range(6):
        phone.send(b"\xff" * 160, source=outside)
    phone.port.play(_second(), on_end=lambda end: None)
    world.run(100)
    assert phone.collect() == []
    assert len(world.network.inboxes[outside]) == 5
    assert phone.port.statistics().rxcount == 3  # the first three were its probation


def test_a_locked_source_cannot_be_moved_by_an_attacker(world: World) -> None:
    phone = world.phone()
    phone.port.echo(True)
    for n in range(300):
        world.at(20 * n, lambda: phone.send(b"\x55" * 160))
        world.at(20 * n + 5, lambda n=n: attack(phone, 1, first=1000 + n))  # type: ignore[misc]
    world.run(6000)
    assert {packet.payload for packet in phone.collect()} == {b"\x55" * 160}
    assert phone.port.locked_source == phone.address
    assert phone.port.send_target == phone.address
    assert phone.port.statistics().rxcount == 300
    assert world.core.stats().packets_dropped == 300


def test_an_attacker_who_comes_first_waits_while_the_signalled_phone_speaks(world: World) -> None:
    phone = world.phone()
    attack(phone, 3)
    phone.send(b"\xff" * 160)
    attack(phone, 20, first=103)
    assert phone.port.locked_source is None
    for _ in range(3):
        phone.send(b"\xff" * 160)
    assert phone.port.locked_source == phone.address


def test_packets_out_of_sequence_never_pass_probation(world: World) -> None:
    phone = world.phone()
    for n in range(0, 100, 2):
        attack(phone, 1, first=n)
    assert phone.port.locked_source is None
    assert phone.port.statistics().rxcount == 0


def test_after_long_silence_another_source_may_be_learnt(world: World) -> None:
    phone = world.phone()
    for _ in range(5):
        phone.send(b"\xff" * 160)
    world.run(4900)
    attack(phone, 10)
    assert phone.port.locked_source == phone.address
    world.run(200)
    attack(phone, 10, first=500)
    assert phone.port.locked_source == ATTACKER


def test_a_new_offer_with_a_new_address_is_learnt_anew_the_same_one_is_not(world: World) -> None:
    phone = world.phone()
    for _ in range(5):
        phone.send(b"\xff" * 160)
    phone.configure()
    assert phone.port.locked_source == phone.address
    moved = ("10.0.9.9", 5000)
    phone.configure(remote_address=moved)
    assert phone.port.send_target == moved
    assert phone.port.locked_source is None


def test_without_symmetry_packets_go_where_the_description_says(world: World) -> None:
    phone = world.phone(symmetric=False)
    for _ in range(6):
        phone.send(b"\xff" * 160, source=("10.0.1.1", 9999))
    assert phone.port.send_target == phone.address


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80",
        b"\x80\x00" * 5,
        b"\x00" * 172,
        b"\x9f\x00" + bytes(20),
        bytes(RtpPacket(77, 1, 1, 1, b"unknown type")),
        bytes(RtpPacket(101, 1, 1, 1, b"\x01\x0a")),
    ],
)
def test_broken_and_foreign_packets_are_counted_and_dropped(world: World, data: bytes) -> None:
    phone = world.phone()
    phone.raw(data)
    assert world.core.stats().packets_dropped == 1
    phone.send(b"\xff" * 160)
    assert phone.port.statistics().rxcount >= 1


def test_another_ssrc_needs_its_own_probation(world: World) -> None:
    phone = world.phone()
    for _ in range(5):
        phone.send(b"\xff" * 160)
    phone.ssrc ^= 1
    phone.send(b"\xff" * 160)
    phone.ssrc ^= 1
    phone.send(b"\xff" * 160)
    assert phone.port.statistics().rxcount == 6
    phone.ssrc ^= 1
    for _ in range(5):
        phone.send(b"\xff" * 160)
    assert phone.port.statistics().remote_ssrc == phone.ssrc


@given(st.lists(st.binary(max_size=40) | st.binary(max_size=30).map(lambda b: b"\x80\x65" + b), max_size=20))
@settings(max_examples=60, deadline=None)
def test_any_datagrams_on_either_port_do_no_harm(datagrams: list[bytes]) -> None:
    world = World()
    phone = world.phone(rtcp_mux=True)
    phone.port.echo(True)
    for data in datagrams:
        phone.raw(data)
        phone.port.receive_control(data, phone.address, world.now)
    world.run(100)
    stats = world.core.stats()
    assert stats.packets_received == len(datagrams)


def test_reports_every_five_seconds_while_there_is_traffic(world: World) -> None:
    phone = world.phone()
    phone.port.play(_second(6000), on_end=lambda end: None)
    phone.say(tone(400, 6000))
    world.run(5100)
    reports = phone.control()
    assert [type(report) for report in reports] == [SenderReport, SourceDescription]
    sender = reports[0]
    assert isinstance(sender, SenderReport)
    sent = len(phone.collect())
    assert sent - 6 <= sender.packets <= sent
    assert sender.octets == 160 * sender.packets
    (block,) = sender.blocks
    assert (block.ssrc, block.lost, block.fraction_lost) == (phone.ssrc, 0, 0)
    world.run(30_000)
    later = phone.control()
    assert len(later) == 2  # the one with the last packets; then silence
    assert world.core.next_deadline_ns is None


def test_reports_come_as_often_as_the_settings_say() -> None:
    world = World(EngineSettings(rtcp_interval_ms=1000))
    phone = world.phone()
    phone.port.play(_second(6000), on_end=lambda end: None)
    world.run(4100)
    assert len([report for report in phone.control() if isinstance(report, SenderReport)]) == 4
    world.core.close()


def test_round_trip_and_remote_loss_come_from_the_phones_reports(world: World) -> None:
    phone = world.phone()
    phone.port.play(_second(9000), on_end=lambda end: None)
    world.run(5100)
    sender = phone.control()[0]
    assert isinstance(sender, SenderReport)
    world.run(250)
    block = ReportBlock(phone.port.ssrc, 64, 12, 7, 80, (sender.ntp >> 16) & 0xFFFFFFFF, 65536 // 10)
    phone.port.receive_control(compound([ReceiverReport(9, (block,))]), phone.address, world.now)
    statistics = phone.port.statistics()
    assert statistics.txploss == 12
    assert statistics.txjitter == pytest.approx(0.01)
    assert statistics.remote_maxrxploss == pytest.approx(0.25)
    assert statistics.rtt == pytest.approx(0.25, abs=0.02)  # 350 ms less 100 ms of the phone's own
    stranger = compound([ReceiverReport(9, (ReportBlock(phone.port.ssrc, 0, 99, 7, 80, 0, 0),))])
    phone.port.receive_control(stranger, ATTACKER, world.now)
    assert phone.port.statistics().txploss == 12


def test_loss_and_jitter_of_what_is_received(world: World) -> None:
    phone = world.phone()
    for n in range(200):
        if n % 10 == 9:
            world.at(20 * n, lambda: _lose(phone))
        else:
            world.at(20 * n + (10 if n % 2 else 0), lambda: phone.send(b"\xff" * 160))
    world.run(4000)
    statistics = phone.port.statistics()
    assert statistics.rxcount == 180
    assert statistics.rxploss == 19  # the last one lost is not known yet
    assert 0.005 < statistics.rxjitter < 0.011
    assert statistics.rxoctetcount == 180 * 160
    assert world.core.stats().packets_lost == 19
    phone.port.close()
    assert world.core.stats().packets_lost == 19


def test_a_goodbye_is_said_when_something_was_sent(world: World) -> None:
    phone = world.phone()
    phone.port.play(_second(), on_end=lambda end: None)
    world.run(100)
    phone.port.close()
    assert isinstance(phone.control()[-1], Bye)
    silent = world.phone()
    silent.port.close()
    assert silent.control() == []


def test_silence_of_the_far_end_is_told_when_asked_for(world: World) -> None:
    phone = world.phone(timeout_ms=3000)
    phone.send(b"\xff" * 160)
    world.run(3100)
    assert phone.events == [MediaStarted(), MediaStopped(3000)]
    phone.send(b"\xff" * 160)
    world.run(0)
    assert phone.events[2:] == [MediaStarted()]


def test_the_engine_counts_what_it_does(world: World) -> None:
    phone = world.phone()
    phone.port.echo(True)
    phone.say(tone(400, 400))
    phone.raw(b"?")
    world.run(200)
    busy = world.core.stats()
    assert (busy.ports, busy.active_ports, busy.mixers) == (1, 1, 0)
    assert busy.packets_received - busy.packets_dropped == 11
    assert (busy.packets_dropped, busy.send_errors, busy.late_ticks, busy.events_dropped) == (1, 0, 0, 0)
    assert busy.packets_sent >= 7
    assert busy.tick_ns >= 0
    world.run(1000)
    assert world.core.stats().active_ports == 0


def test_a_sendonly_stream_is_not_listened_to(world: World) -> None:
    phone = world.phone(direction=Direction.SENDONLY)
    phone.port.echo(True)
    phone.say(tone(400, 200))
    world.run(300)
    assert phone.collect() == []


def test_ports_are_even_within_the_range_and_given_back_at_close() -> None:
    world = World(EngineSettings(rtp_start=10001, rtp_end=10007))
    ports = [world.core.open_rtp(bind=SERVER, on_event=lambda event: None) for _ in range(3)]
    assert sorted(port.local_port for port in ports) == [10002, 10004, 10006]
    with pytest.raises(NoPortsLeft, match="10002 and 10007"):
        world.core.open_rtp(bind=SERVER, on_event=lambda event: None)
    ports[1].close()
    again = world.core.open_rtp(bind=SERVER, on_event=lambda event: None)
    assert again.local_port == ports[1].local_port
    world.core.close()
    assert world.network.pairs == {}
    with pytest.raises(EngineClosed):
        world.core.open_rtp(bind=SERVER, on_event=lambda event: None)


def test_a_pair_that_another_program_holds_is_passed_over() -> None:
    world = World(EngineSettings(rtp_start=10000, rtp_end=10003))
    world.network.taken = {10000}
    assert world.core.open_rtp(bind=SERVER, on_event=lambda event: None).local_port == 10002
    with pytest.raises(MediaError, match=r"192\.0\.2\.1"):
        World().core.open_rtp(bind="192.0.2.1", on_event=lambda event: None)


@pytest.mark.parametrize("depth_ms", [20, 100, 300])
def test_a_jitter_buffer_of_fixed_depth_delays_by_it(world: World, depth_ms: int) -> None:
    phone = world.phone()
    phone.port.buffer(JitterRules(True, depth_ms))
    phone.port.echo(True)
    phone.say(tone(500, 1000))
    waited_ms = 0
    while not phone.collect() and waited_ms < 1000:
        world.run(10)
        waited_ms += 10
    assert depth_ms - 20 <= waited_ms <= depth_ms + 20


def test_keys_are_refused_where_there_are_no_ciphers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(World, "engine", "reference")
    keys = SrtpKeys("AES_CM_128_HMAC_SHA1_80", bytes(30), bytes(30))
    with pytest.raises(MediaError, match="no ciphers: AES_CM_128_HMAC_SHA1_80 needs the native engine"):
        World().phone(srtp=keys)


def test_an_unknown_codec_is_refused_by_name(world: World) -> None:
    port = world.core.open_rtp(bind=SERVER, on_event=lambda event: None)
    with pytest.raises(MediaError, match="'g729'"):
        port.configure(RtpSettings(None, "g729", 18, {18: "g729"}))


def test_echo_returns_what_was_said(world: World) -> None:
    phone = world.phone()
    phone.port.echo(True)
    phone.say(tone(800, 600))
    world.run(800)
    assert loudness(phone.heard()[:8000], 800) > 7000


def _second(ms: int = 1000) -> Samples:

    return Samples(tone(500, ms))


def test_packets_that_are_to_be_evened_out_are_not_passed_on_as_they_come(world: World) -> None:
    one, other = world.phone(), world.phone()
    mixer = world.core.open_mixer()
    one.port.link(mixer)
    other.port.link(mixer)
    assert mixer.mode is MixerMode.RELAY
    one.port.buffer(JitterRules(True, 200))
    assert mixer.mode is MixerMode.PAIR
    one.say(tone(500, 400))
    world.run(150)
    assert other.collect() == []
    world.run(400)
    assert loudness(other.heard(), 500) > 4000
    one.port.buffer(ADAPTIVE)
    assert mixer.mode is MixerMode.RELAY


def _lose(phone: Phone) -> None:
    phone.sequence = (phone.sequence + 1) & 0xFFFF
    phone.timestamp = (phone.timestamp + 160) & 0xFFFFFFFF


def test_silence_counts_anew_when_its_limit_is_another_one(world: World) -> None:
    phone = world.phone(timeout_ms=3000)
    world.run(2900)
    phone.configure(timeout_ms=10000)  # on hold
    world.run(9900)
    assert MediaStopped not in map(type, phone.events)
    phone.configure(timeout_ms=1000)
    world.run(990)
    assert MediaStopped not in map(type, phone.events)
    world.run(20)
    assert phone.events == [MediaStopped(1000)]
    phone.configure(timeout_ms=0)
    world.run(30000)
    assert phone.events == [MediaStopped(1000)]


def test_silence_goes_on_when_other_settings_change(world: World) -> None:
    phone = world.phone(timeout_ms=3000)
    world.run(2000)
    phone.configure(timeout_ms=3000, direction=Direction.SENDONLY)
    world.run(1010)
    assert phone.events == [MediaStopped(3000)]


@pytest.mark.parametrize("direction", [Direction.SENDRECV, Direction.INACTIVE])
def test_a_way_is_kept_open_with_comfort_noise(world: World, direction: Direction) -> None:
    phone = world.phone(keepalive_ms=5000, direction=direction)
    world.run(16000)
    packets = phone.collect()
    assert [(packet.payload_type, packet.payload) for packet in packets] == [(13, b"\x7f")] * 3
    assert {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(packets)} == {40000}
    phone.configure(keepalive_ms=0)
    world.run(20000)
    assert phone.collect() == []


def test_nothing_is_kept_open_that_is_used(world: World) -> None:
    phone = world.phone(keepalive_ms=1000)
    phone.port.play(Samples(tone(500, 3000)), on_end=lambda end: None)
    world.run(3900)
    assert {packet.payload_type for packet in phone.collect()} == {0}
    world.run(200)
    assert [packet.payload_type for packet in phone.collect()] == [13]
