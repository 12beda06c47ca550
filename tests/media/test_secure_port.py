"""SRTP on a port of the engine in C: who has the keys hears, who has not does not, and numbers are never used twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from arietta.media.engine import EngineSettings, MediaError, Samples, SrtpKeys
from arietta.media.native import why_not
from arietta.rtp import RtpPacket

from .virtual import Phone, World, loudness, tone

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))

SUITE = "AES_CM_128_HMAC_SHA1_80"
OURS, THEIRS, OTHERS = bytes(range(30)), bytes(range(1, 31)), bytes(range(2, 32))
KEYS = SrtpKeys(SUITE, OURS, THEIRS)


@dataclass
class Ciphers:
    """The phone's side of the keys."""

    protect: Any
    unprotect: Any


def ciphers(suite: str = SUITE, ours: bytes = OURS, theirs: bytes = THEIRS) -> Ciphers:
    from arietta.media.native._engine import Srtp

    return Ciphers(Srtp(suite, theirs).protect, Srtp(suite, ours).unprotect)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(World, "engine", "native")
    return World()


def heard(world: World, phone: Phone, far: Ciphers) -> bytes:
    """What the phone can make out of what arrived."""
    world.flush()
    inbox = world.network.inboxes[phone.address]
    packets = [far.unprotect(data) for data in inbox]
    inbox.clear()
    from arietta.media.codecs import CODECS

    decode = CODECS["ulaw"].decoder()
    return b"".join(decode(RtpPacket.parse(packet).payload) for packet in packets if packet is not None)


def say(phone: Phone, far: Ciphers, *, count: int = 50) -> None:
    """A tone, protected."""
    from arietta.media.codecs import CODECS

    samples, encode = tone(1000, 20 * count), CODECS["ulaw"].encoder()
    for n in range(count):
        packet = RtpPacket(0, phone.sequence, phone.timestamp, phone.ssrc, encode(samples[320 * n : 320 * n + 320]))
        sealed = far.protect(bytes(packet))
        phone.world.at(20 * n, lambda sealed=sealed: phone.raw(sealed))  # type: ignore[misc]
        phone.sequence, phone.timestamp = (phone.sequence + 1) & 0xFFFF, (phone.timestamp + 160) & 0xFFFFFFFF


@pytest.mark.parametrize(
    ("suite", "size"),
    [(SUITE, 30), ("AES_CM_128_HMAC_SHA1_32", 30), ("AEAD_AES_128_GCM", 28), ("AEAD_AES_256_GCM", 44)],
)
def test_who_has_the_keys_hears(world: World, suite: str, size: int) -> None:
    keys = SrtpKeys(suite, bytes(range(size)), bytes(range(1, size + 1)))
    far = ciphers(suite, keys.local_key, keys.remote_key)
    phone = world.phone(srtp=keys)
    phone.port.echo(True)
    say(phone, far)
    world.run(1200)
    assert loudness(heard(world, phone, far)[3200:12800], 1000) == pytest.approx(8000, rel=0.1)


def test_what_is_not_protected_by_the_agreed_keys_is_dropped(world: World) -> None:
    phone = world.phone(srtp=KEYS)
    phone.say(tone(1000, 400))
    say(phone, ciphers(theirs=OTHERS), count=20)
    world.run(600)
    assert phone.events == []
    assert world.core.stats().packets_dropped == 40


def test_keys_that_stay_go_on_counting(world: World) -> None:
    """A hold is a new agreement with the same keys: what was heard is no news after it, and no number is used twice."""
    far = ciphers()
    phone = world.phone(srtp=KEYS)
    phone.port.play(Samples(tone(500, 4000)), on_end=lambda end: None)
    world.run(1000)
    assert heard(world, phone, far)
    replayed = far.protect(bytes(RtpPacket(0, 7, 0, phone.ssrc, b"\xff" * 160)))
    phone.raw(replayed)
    phone.configure(srtp=KEYS)
    phone.raw(replayed)
    assert world.core.stats().packets_dropped == 1
    world.run(1000)
    assert heard(world, phone, far)
    phone.configure(srtp=SrtpKeys(SUITE, OURS, OTHERS))  # the far end has new ones; ours count on
    phone.raw(ciphers(theirs=OTHERS).protect(bytes(RtpPacket(0, 8, 0, phone.ssrc, b"\xff" * 160))))
    world.run(1000)
    assert heard(world, phone, far)
    assert world.core.stats().packets_dropped == 1


def test_encryption_ends_when_it_is_agreed_so(world: World) -> None:
    phone = world.phone(srtp=KEYS)
    phone.configure()
    phone.port.play(Samples(tone(500, 400)), on_end=lambda end: None)
    world.run(500)
    assert loudness(phone.heard(), 500) > 7000


def test_what_was_heard_before_is_heard_again_where_that_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(World, "engine", "native")
    world, far = World(EngineSettings(replay_protection=False)), ciphers()
    phone = world.phone(srtp=KEYS)
    packets = [far.protect(bytes(RtpPacket(0, n, 160 * n, phone.ssrc, b"\xff" * 160))) for n in range(200)]
    for packet in (*packets, packets[199], packets[150]):
        phone.raw(packet)
    phone.raw(packets[0])  # too old for RTP, not for its cipher
    phone.raw(packets[50][:-1] + b"!")  # forged, all the same
    assert (phone.port.statistics().rxcount, world.core.stats().packets_dropped) == (202, 2)


@pytest.mark.parametrize(("suite", "key"), [("NONE_SUCH", OURS), (SUITE, OURS[1:]), (SUITE, OURS + b"x")])
def test_keys_that_fit_no_suite_are_refused(world: World, suite: str, key: bytes) -> None:
    with pytest.raises(MediaError):
        world.phone(srtp=SrtpKeys(suite, key, key))
