"""Broken packets and impossible numbers between commands of every kind; `tools/sanitize.sh` looks at the memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from arietta.media.engine import (
    DigitOut,
    EngineSettings,
    JitterRules,
    MediaError,
    RecordOptions,
    RtpPort,
    Silence,
    SrtpKeys,
)
from arietta.rtp import Bye, ReceiverReport, ReportBlock, RtpPacket, SenderReport, SourceDescription, compound

from ..conftest import NATIVE_MISSING
from ..courses import Course, make_sounds
from ..virtual import Phone, World

pytestmark = [
    pytest.mark.skipif(NATIVE_MISSING is not None, reason=str(NATIVE_MISSING)),
    pytest.mark.timeout(600),
]

FIRST = int(os.environ.get("ARIETTA_FIRST_SEED", "0"))
SEEDS = range(FIRST, FIRST + int(os.environ.get("ARIETTA_SEEDS", "12")))
STEPS = 400
CODECS = ("ulaw", "alaw", "slin", "gsm", "g722", "slin16", "slin48", "slin192")
NUMBERS = (-(2**63), -(2**31), -1, 0, 1, 3, 19, 20, 21, 10**6, 2**31 - 1, 2**31, 2**62, 2**63 - 1)


def packet(random: Random, phone: Phone) -> bytes:
    """RTP of the stream, sound in most of its parts."""
    jump = random.choice((1, 1, 1, 1, 0, -1, 2, 40, 3000, 40000))
    phone.sequence = (phone.sequence + jump) & 0xFFFF
    phone.timestamp = (phone.timestamp + 160 * jump) & 0xFFFFFFFF
    number = random.choice((phone.number, phone.number, phone.number, 101, 101, 13, 0, 127))
    size = random.choice((0, 1, 4, 33, 159, 160, 161, 320, 640, 1400, 1900))
    ssrc = phone.ssrc if random.random() < 0.95 else random.getrandbits(32)
    return bytes(
        RtpPacket(number, phone.sequence, phone.timestamp, ssrc, random.randbytes(size), marker=random.random() < 0.1)
    )


def report(random: Random, phone: Phone) -> bytes:
    """RTCP of the stream."""
    block = ReportBlock(*(random.getrandbits(size) for size in (32, 8, 23, 32, 32, 32, 32)))
    first = random.choice(
        (SenderReport(phone.ssrc, random.getrandbits(64), 1, 2, 3, (block,)), ReceiverReport(phone.ssrc, (block,)))
    )
    return compound((first, random.choice((SourceDescription(((phone.ssrc, "phone"),)), Bye((phone.ssrc,))))))


def broken(random: Random, data: bytes) -> bytes:
    """Some bytes of it turned, cut or repeated; now and then something else altogether."""
    changed = bytearray(data)
    for _ in range(random.choice((0, 0, 0, 1, 2, 8))):
        if changed:
            changed[random.randrange(min(len(changed), 64))] = random.choice((0, 0xFF, 0x80, random.getrandbits(8)))
    cut = random.random()
    if cut < 0.1:
        del changed[random.randrange(len(changed) + 1) :]
    elif cut < 0.15:
        changed *= 2
    elif cut < 0.2:
        return random.randbytes(random.randrange(2300))
    return bytes(changed)


def attack(course: Course, phone: Phone) -> None:
    """A few datagrams for the port, from the phone or from a stranger."""
    random = course.random
    for n in range(random.randrange(1, 30)):
        control = random.random() < 0.15
        data = broken(random, report(random, phone) if control else packet(random, phone))
        source = phone.address if random.random() < 0.9 else ("10.9.9.9", random.randrange(1, 65536))
        receive = phone.port.receive_control if control else phone.port.receive
        phone.world.at(random.choice((0, 5, 20)) * n, lambda: receive(data, source, phone.world.now))  # noqa: B023


def agree(course: Course, phone: Phone) -> None:
    """Another codec, or another anything: offers are repeated while packets come."""
    random = course.random
    phone.codec = random.choice(CODECS)
    key = random.randbytes(30)
    phone.configure(
        ptime_ms=random.choice((20, 10, 60, 120, *NUMBERS[2:9])),
        telephone_event_pt=random.choice((None, 101, phone.number)),
        rtcp_mux=random.random() < 0.5,
        dtmf_inband=random.random() < 0.3,
        symmetric=random.random() < 0.8,
        timeout_ms=random.choice((0, 100, 500)),
        srtp=random.choice((None, None, None, SrtpKeys("AES_CM_128_HMAC_SHA1_80", key, key))),
    )
    phone.port.buffer(random.choice((JitterRules(), JitterRules(True, 500), JitterRules(False, 20, 500, 100))))


def impossible(course: Course) -> None:
    """Numbers that nobody in his senses asks for."""
    random = course.random
    if not course.ports:
        return
    port = course.ports[course.any_port()]

    def number() -> int:
        return random.choice(NUMBERS)

    player = port.play(Silence(random.choice((0, 60, None))), offset_ms=number(), on_end=lambda end: None)
    player.skip(number())
    port.detect_talk(number() & 0x7FFFFFFF, number() & 0x7FFFFFFF)
    port.detect_tone(number() & 0x7FFFFFFF, number() & 0x7FFFFFFF, repeats=number() & 0x7FFFFFFF)
    port.send_digits([DigitOut("1", number() & 0x7FFFFFFF, number() & 0x7FFFFFFF)])
    options = RecordOptions(max_duration_ms=number(), max_silence_ms=number(), silence_threshold=number() & 0x7FFFFFFF)
    port.record(str(course.folder / "odd"), "wav", options, on_end=lambda end: None).stop()


@pytest.mark.parametrize("seed", SEEDS)
def test_any_bytes_at_any_time_are_survived(seed: int, tmp_path: Path) -> None:
    World.engine = "native"
    sounds = make_sounds(tmp_path)
    settings = EngineSettings(music={"default": sounds}, rtp_start=20000, rtp_end=20998, relearn_ms=200)
    world = World(settings)
    count = 0

    def open_rtp(course: Course, name: str) -> tuple[RtpPort, Callable[[], None]]:
        nonlocal count
        count += 1
        phone = Phone(world, (f"10.0.1.{count % 250}", 4000 + count), course.random.choice(CODECS))
        phone.call()
        return phone.port, lambda: course.random.choice((attack, attack, attack, agree))(course, phone)

    course = Course(world.core, seed, tmp_path, open_rtp)
    pauses = Random(seed)
    try:
        for step in range(STEPS):
            course.step()
            if step % 10 == 0:
                try:
                    impossible(course)
                except (MediaError, OverflowError, ValueError):
                    pass
            world.run(pauses.choice((0, 7, 20, 40, 200)))
        course.finish()
        world.run(100)
        statistics = world.core.stats()
        assert (statistics.ports, statistics.mixers, statistics.active_ports) == (0, 0, 0)
        assert all(course.plays.values()) and all(course.recordings.values())
    finally:
        world.core.close()
        World.engine = "reference"
