"""Both engines on the same random courses: the same events in the same order, the same packets at the same time."""

from __future__ import annotations

import itertools
import os
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from arietta.media.codecs import CODECS
from arietta.media.engine import EngineSettings, JitterRules, RtpPort
from arietta.rtp import RtpPacket

from .conftest import NATIVE_MISSING
from .courses import Course, make_sounds, spoken
from .virtual import MS, Phone, World

pytestmark = pytest.mark.skipif(NATIVE_MISSING is not None, reason=str(NATIVE_MISSING))

FIRST = int(os.environ.get("ARIETTA_FIRST_SEED", "0"))
SEEDS = range(FIRST, FIRST + int(os.environ.get("ARIETTA_SEEDS", "30")))
STEPS = 120
LEAST_BITS = 8
PHONES = ("ulaw", "alaw", "slin", "slin16", "slin48")


class Events(list[Any]):
    """What a phone's port tells goes to the course."""

    def __init__(self, tell: Callable[[Any], None]) -> None:
        super().__init__()
        self.append = tell  # type: ignore[method-assign]


@dataclass
class Told:
    """Everything that could be seen of one run."""

    events: list[tuple[Any, ...]]
    packets: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    """By phone: (ms, sequence, timestamp, type, marker, payload), the numbers counted from the first."""
    files: dict[str, bytes] = field(default_factory=dict)


def run(engine: str, seed: int, folder: Path) -> Told:
    """The course of a seed on one engine."""
    folder.mkdir()
    sounds = make_sounds(folder)
    World.engine = engine
    world = World(EngineSettings(music={"default": sounds[:2]}, rtp_start=20000, rtp_end=20998))
    phones: dict[str, Phone] = {}

    def open_rtp(course: Course, name: str) -> tuple[RtpPort, Callable[[], None]]:
        random = course.random
        phone = phones[name] = Phone(world, (f"10.0.1.{len(phones) + 1}", 4000), random.choice(PHONES))
        phone.events = Events(course.hears(name))
        phone.call(
            telephone_event_pt=random.choice((None, 101)),
            ptime_ms=random.choice((20, 20, 20, 40, 60)),
            timeout_ms=random.choice((0, 500)),
        )
        if random.random() < 0.4:
            phone.port.buffer(random.choice((JitterRules(True, 60), JitterRules(False, 20, 100, 200))))
        return phone.port, lambda: talk(course, phone)

    course = Course(world.core, seed, folder, open_rtp, lambda: (world.now - 10**12) / MS, comparable=True)
    told = Told(course.told)
    try:
        pauses = Random(seed)
        for _ in range(STEPS):
            course.step()
            world.core.deliver()
            world.run(pauses.choice((0, 7, 20, 20, 40, 100)))
            for name, phone in phones.items():
                told.packets.setdefault(name, []).extend(seen(world, phone))
        course.finish()
        world.core.deliver()
        world.run(1000)
    finally:
        world.core.close()
        world.core.deliver()
        World.engine = "reference"
    assert all(course.plays.values()) and all(course.recordings.values())
    told.files = {Path(path).name: Path(path).read_bytes() for path in course.files if Path(path).exists()}
    return told


def talk(course: Course, phone: Phone) -> None:
    """Speech in the phone's codec, now and then one packet less, or a digit."""
    random, codec = course.random, CODECS[phone.codec]
    if random.random() < 0.2 and not phone.port.closed:
        digit(course, phone)
        return
    samples = spoken(random, 300)
    encode, size = codec.encoder(), codec.rate // 50 * 2
    for n in range(len(samples) // size):
        piece = encode(samples[n * size : n * size + size])
        if random.random() < 0.03:
            phone.world.at(20 * n + random.choice((0, 9)), lambda: lose(phone))
        else:
            phone.world.at(20 * n + random.choice((0, 0, 9)), lambda piece=piece: phone.send(piece))


def lose(phone: Phone) -> None:
    phone.sequence = (phone.sequence + 1) & 0xFFFF
    phone.timestamp = (phone.timestamp + CODECS[phone.codec].clock_rate // 50) & 0xFFFFFFFF


def digit(course: Course, phone: Phone) -> None:
    """RFC 4733: six packets of one event, the last three of its end."""
    event, volume = course.random.randrange(16), 10
    for n, duration in enumerate((160, 320, 480, 800, 800, 800)):
        data = bytes((event, (0x80 if n >= 3 else 0) | volume)) + duration.to_bytes(2, "big")
        packet = RtpPacket(101, phone.sequence, phone.timestamp, phone.ssrc, data, marker=n == 0)
        phone.sequence = (phone.sequence + 1) & 0xFFFF
        phone.world.at(20 * n, lambda packet=packet: phone.raw(bytes(packet)))
    phone.timestamp = (phone.timestamp + 960) & 0xFFFFFFFF


def seen(world: World, phone: Phone) -> list[tuple[Any, ...]]:
    fresh = phone.collect()
    if not fresh:
        return []
    first = phone.received[0]
    return [
        (
            round((world.now - 10**12) / MS),
            (packet.sequence - first.sequence) & 0xFFFF,
            (packet.timestamp - first.timestamp) & 0xFFFFFFFF,
            packet.payload_type,
            packet.marker,
            packet.payload,
        )
        for packet in fresh
    ]


# -- how alike --


def samples_of(form: str, data: bytes) -> array[int]:
    """In host order."""
    return array("h", CODECS[form].decoder()(data) if form in ("ulaw", "alaw") else data)


def alike(form: str, here: bytes, there: bytes) -> bool:
    """Equal, or LEAST_BITS apart: the two convert sample rates with floats that are added in another order.

    One bit for each conversion and each sum on the way, again each time a snoop that whispers hears itself. In ulaw and
    alaw that may be the next step: a sixteenth of the value, 16 at least.
    """
    if here == there:
        return True
    if len(here) != len(there):
        return False
    steps = form in ("ulaw", "alaw")
    pairs = zip(samples_of(form, here), samples_of(form, there), strict=True)
    return all(abs(one - other) <= LEAST_BITS + (steps and 16 + abs(one) // 15) for one, other in pairs)


def same_event(here: tuple[Any, ...], there: tuple[Any, ...]) -> bool:
    if here == there:
        return True
    match here, there:
        case (_, _, (str(form), bytes(data))), (_, _, (str(), bytes(other))):
            return here[:2] == there[:2] and alike(form, data, other)
    return False


def same_packet(here: tuple[Any, ...], there: tuple[Any, ...]) -> bool:
    if here == there:
        return True
    form = {0: "ulaw", 8: "alaw"}.get(here[3], "network")
    return here[:-1] == there[:-1] and alike(form, swapped(form, here[-1]), swapped(form, there[-1]))


def swapped(form: str, data: bytes) -> bytes:
    """Linear audio travels in network order (RFC 3551 4.5.11)."""
    if form == "network" and len(data) % 2 == 0:
        values = array("h", data)
        values.byteswap()
        return values.tobytes()
    return data


def same_file(name: str, here: bytes, there: bytes) -> bool:
    form, head = name.rsplit(".", 1)[1], 44 if ".wav" in name else 0
    return here[:head] == there[:head] and alike(form, here[head:], there[head:])


@pytest.mark.parametrize("seed", SEEDS)
def test_both_engines_do_the_same(seed: int, tmp_path: Path) -> None:
    reference, native = run("reference", seed, tmp_path / "reference"), run("native", seed, tmp_path / "native")
    for here, there in itertools.zip_longest(reference.events, native.events):
        assert same_event(here, there), (here, there)
    assert reference.packets.keys() == native.packets.keys()
    for name, packets in reference.packets.items():
        for here, there in itertools.zip_longest(packets, native.packets[name]):
            assert same_packet(here, there), (name, here, there)
    assert reference.files.keys() == native.files.keys()
    for name, data in reference.files.items():
        assert same_file(name, data, native.files[name]), name
