"""Ports that hear each other."""

from __future__ import annotations

import warnings
from array import array
from enum import Enum, auto
from math import cos, pi
from operator import mul
from typing import TYPE_CHECKING

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # the standard library's until 3.12, then audioop-lts
    import audioop

from ..codecs.host import host_codec
from ..engine import EventHandler, Generator, MixerMode
from .feed import GeneratorFeed
from .frame import Converter, Frame
from .local import MixPort
from .port import BasePort
from .udp import UdpPort

if TYPE_CHECKING:
    from .core import Core
    from .recorder import RecorderUnit

__all__ = ["MixerUnit"]

SCALE = 256
"""Samples are summed in 32 bits with this factor, so that 128 loud members do not overflow."""


WIDE_TICKS = 100
"""A mix keeps its rate for two seconds after the last that had it."""
SETTLE_TICKS = 10
"""Packets that wait are heard so much after a relay."""


class _Turn(Enum):
    """How far a mixer is on its way to another path.

    Another path has other delays, and its resamplers begin with nothing behind them. So it runs beside the old one for
    two ticks: unheard in the first, in the second each listener's sound is faded over to it.
    """

    NONE = auto()
    WARMING = auto()
    FADING = auto()


class _Member:
    __slots__ = ("announcer", "converter", "energy", "muted", "next_converter", "next_hearing")

    def __init__(self, *, muted: bool, announcer: bool) -> None:
        self.muted = muted
        self.announcer = announcer
        self.converter = Converter()
        self.next_converter = Converter()
        self.next_hearing = Converter()
        """While the mixer turns to another path: as speaker and as listener there."""
        self.energy = 0
        """Of what was mixed of it in the last tick that had to choose."""


class MixerUnit:
    """One conference, pair or holding room."""

    def __init__(self, core: Core, *, holding: bool, pair: bool = False) -> None:
        self.core = core
        self.closed = False
        self._holding = holding
        self._pair = pair
        """Made by linking two ports: it ends when one of them leaves."""
        self._members: dict[BasePort, _Member] = {}
        self._recorders: list[RecorderUnit] = []
        """Those that keep the members apart, each on a track."""
        self._generator: GeneratorFeed | None = None
        self._offers: dict[BasePort, Frame] = {}
        self._generator_converter = Converter()
        self._next_generator_converter = Converter()
        self._path = 0
        """How members hear each other: mixed at this rate; 0: each hears the other's frames as they are."""
        self._next_path = 0
        self._turn = _Turn.NONE
        self._wide_rate = 0
        """That the mix has, because of what was offered."""
        self._wide_until = 0
        """The tick that may lower it."""
        self._relay_rate = 0
        """Of the two whose packets passed as they came, until the next tick."""
        self._settled = 0
        """The tick that may leave that rate: the two are heard by then."""
        self._last_tick = -2
        self._mode = MixerMode.HOLDING if holding else MixerMode.PAIR

    # -- commands --

    @property
    def mode(self) -> MixerMode:
        return self._mode

    def port(self, on_event: EventHandler | None = None) -> MixPort:
        with self.core.lock:
            port = MixPort(self.core, on_event)
            self.core.adopt(port)
            if not self.closed:
                self.join(port, muted=False, announcer=True)
            return port

    def generate(self, generator: Generator | None) -> None:
        with self.core.lock:
            if self.closed:
                return
            codec = host_codec(8000)
            self._generator = GeneratorFeed(self.core, generator, codec) if generator is not None else None
            self.update()

    def close(self) -> None:
        with self.core.lock:
            if self.closed:
                return
            self.closed = True
            self._generator = None
            for port in list(self._members):
                self.leave(port)
            self.core.forget_mixer(self)

    # -- membership --

    def join(self, port: BasePort, *, muted: bool, announcer: bool) -> None:
        """A port that is in no mixer becomes a member."""
        self._members[port] = _Member(muted=muted, announcer=announcer)
        port.mixer = self
        port.membership_changed()

    def leave(self, port: BasePort) -> None:
        """A member becomes alone."""
        self._members.pop(port, None)
        self._offers.pop(port, None)
        port.mixer = None
        port.incoming = None
        if isinstance(port, UdpPort):
            port.relay = None
        port.membership_changed()
        self.update()
        if self._pair and not self.closed and len(self._members) < 2:
            self.close()

    def update(self) -> None:
        """Choose the mode after anything that bears on it."""
        members = [m for m in self._members if not isinstance(m, MixPort) or m.working]
        relays = self._relay_pair(members)
        if self._holding:
            self._mode = MixerMode.HOLDING
        elif relays is not None:
            self._mode = MixerMode.RELAY
        elif len(members) <= 2 and self._generator is None:
            self._mode = MixerMode.PAIR
        else:
            self._mode = MixerMode.MIX
        for member in self._members:
            if isinstance(member, UdpPort):
                member.relay = None
        if relays is not None:
            one, other = relays
            one.relay, other.relay = other, one
            self._relay_rate = one.rate
        self._admit_parties()
        if self._generator is not None and self._members:
            self.core.activate_mixer(self)

    def _admit_parties(self) -> None:
        ears = [port for port in self._members if isinstance(port, MixPort)]
        self._recorders = [one for ear in ears for one in ear.recorders if one.keeps_apart]
        for recorder in self._recorders:
            for port in list(self._members):
                if not isinstance(port, MixPort):
                    recorder.admit(port)

    def _relay_pair(self, members: list[BasePort]) -> tuple[UdpPort, UdpPort] | None:
        if self._holding or self._generator is not None or len(members) != 2:
            return None
        one, other = members
        if not isinstance(one, UdpPort) or not isinstance(other, UdpPort):
            return None
        for port, peer in ((one, other), (other, one)):
            settings = port.settings
            received = port.received_codec()
            if (
                settings is None
                or peer.settings is None
                or port.overheard
                or not port.is_plain
                or port.evens_out
                or port.muted_in
                or self._members[port].muted
                or settings.send_codec != peer.settings.send_codec
                or settings.ptime_ms != peer.settings.ptime_ms
                or (received is not None and received.name != settings.send_codec)
            ):
                return None
        return one, other

    # -- the tick --

    def offer(self, port: BasePort, frame: Frame) -> None:
        """What a member received in this tick."""
        member = self._members.get(port)
        if member is None or member.muted or (self._holding and not member.announcer):
            return
        self._offers[port] = frame
        self.core.activate_mixer(self)

    def tick(self, tick: int) -> None:
        """Give each member what it is to hear."""
        offers = self._offers
        self._offers = {}
        background: Frame | None = None
        if self._generator is not None:
            payload = self._generator.next(tick)
            if payload is not None:
                background = Frame(host_codec(8000), payload)
        if not offers and background is None:
            return
        for recorder in self._recorders:
            recorder.hear(offers)
        if self._holding:
            self._tick_holding(offers, background)
        else:
            self._choose_path(offers, background, tick)
            heard = self._hear(self._path, offers, background, following=False)
            if self._turn is not _Turn.NONE:
                heard = self._turned(heard, offers, background)
            for port, frame in heard.items():
                self._give(port, frame)

    def busy(self) -> bool:
        """Whether it needs the next tick."""
        return self._generator is not None and bool(self._members)

    def _tick_holding(self, offers: dict[BasePort, Frame], background: Frame | None) -> None:
        frame = background
        for announced in offers.values():
            frame = announced
        if frame is None:
            return
        for port, member in self._members.items():
            if port not in offers and not (member.announcer and not isinstance(port, MixPort)):
                self._give(port, frame)

    def _hear(
        self, path: int, offers: dict[BasePort, Frame], background: Frame | None, *, following: bool
    ) -> dict[BasePort, Frame]:
        """What each member hears on a path: the one that is heard, or the following."""
        alone = len(offers) == 1 and background is None
        if path == 0 or (alone and all(frame.rate == path for frame in offers.values())):
            return self._hear_directly(offers)
        heard = self._hear_mixed(path, offers, background, following=following)
        if alone:
            for port in offers:
                if not isinstance(port, MixPort):
                    heard.pop(port, None)
        return heard

    def _hear_directly(self, offers: dict[BasePort, Frame]) -> dict[BasePort, Frame]:
        """Each hears the first other who speaks; a mixer's own hears itself too when nobody else does."""
        heard: dict[BasePort, Frame] = {}
        for port in self._members:
            frame = next((said for speaker, said in offers.items() if speaker is not port), None)
            if frame is None and isinstance(port, MixPort):
                frame = offers.get(port)
            if frame is not None:
                heard[port] = frame
        return heard

    def _hear_mixed(
        self, rate: int, offers: dict[BasePort, Frame], background: Frame | None, *, following: bool
    ) -> dict[BasePort, Frame]:
        size = rate // 50 * 2
        total = bytes(2 * size)
        own: dict[BasePort, bytes] = {}
        said: dict[BasePort, bytes] = {}
        for port, frame in offers.items():
            member = self._members[port]
            said[port] = (member.next_converter if following else member.converter).samples(frame, rate)
        most = self.core.settings.mix_loudest
        if 0 < most < len(said):
            if not (following and self._path):  # the two paths of a turn agree on who is heard
                self._choose_loudest(said, most)
            said = {port: samples for port, samples in said.items() if self._members[port].energy > 0}
        if background is not None:
            converter = self._next_generator_converter if following else self._generator_converter
            total = _wide(converter.samples(background, rate), size)
        for port, narrow in said.items():
            samples = own[port] = _wide(narrow, size)
            total = audioop.add(total, samples, 4)
        heard: dict[BasePort, Frame] = {}
        shared: Frame | None = None
        for port in self._members:
            part = own.get(port)
            if part is None or isinstance(port, MixPort):
                if shared is None:
                    shared = Frame.of_samples(_narrow(total), rate)
                heard[port] = shared
            else:
                minus = audioop.add(total, audioop.mul(part, 4, -1), 4)
                heard[port] = Frame.of_samples(_narrow(minus), rate)
        return heard

    # -- from one path to another --

    def _choose_path(self, offers: dict[BasePort, Frame], background: Frame | None, tick: int) -> None:
        mixes = self._generator is not None or len(self._members) > 2
        path = self._mix_rate(offers, tick) if mixes else 0
        pause = tick != self._last_tick + 1  # nobody heard anything just now
        self._last_tick = tick
        relayed = self._relay_rate if self._mode is not MixerMode.RELAY else 0
        if relayed:
            self._settled = tick + SETTLE_TICKS
            self._relay_rate = 0
        if path and relayed:
            path = relayed
        elif path and self._path and tick < self._settled:
            path = self._path
        if pause or relayed:
            self._turn = _Turn.NONE
            self._path = path
        elif self._turn is _Turn.WARMING:
            self._turn = _Turn.FADING
        elif path != self._path and (
            background is not None
            or any((path or frame.rate) != (self._path or frame.rate) for frame in offers.values())
        ):
            self._turn = _Turn.WARMING
            self._next_path = path
        else:
            self._path = path

    def _mix_rate(self, offers: dict[BasePort, Frame], tick: int) -> int:
        """That of the best offer, and some time longer: who speaks with pauses does not change it each time."""
        rate = max([frame.rate for frame in offers.values()], default=8000)
        if rate >= self._wide_rate or tick >= self._wide_until:
            self._wide_rate = rate
            self._wide_until = tick + WIDE_TICKS
        return self._wide_rate

    def _turned(
        self, heard: dict[BasePort, Frame], offers: dict[BasePort, Frame], background: Frame | None
    ) -> dict[BasePort, Frame]:
        """What each member hears in a tick of the turn."""
        upcoming = self._hear(self._next_path, offers, background, following=True)
        if self._turn is _Turn.WARMING:
            for port, frame in upcoming.items():
                if (rate := port.heard_rate) is not None:
                    self._members[port].next_hearing.samples(frame, rate)
            return heard
        fades: dict[BasePort, Frame] = {}
        for port, member in self._members.items():
            old, new = heard.get(port), upcoming.get(port)
            if (either := new or old) is not None:
                rate = port.heard_rate or either.rate
                before = port.converter.samples(old, rate) if old is not None else b""
                after = member.next_hearing.samples(new, rate) if new is not None else b""
                fades[port] = Frame.of_samples(_faded(before, after, rate), rate)
            member.converter, member.next_converter = member.next_converter, Converter()
            port.converter, member.next_hearing = member.next_hearing, Converter()
        self._generator_converter, self._next_generator_converter = self._next_generator_converter, Converter()
        self._path = self._next_path
        self._turn = _Turn.NONE
        return fades

    def _choose_loudest(self, said: dict[BasePort, bytes], most: int) -> None:
        """Those that are heard: whoever was in the last tick counts twice as loud, and silence is not mixed."""
        for port, samples in said.items():
            member = self._members[port]
            values = array("h", samples)
            member.energy = sum(map(mul, values, values)) * (2 if member.energy > 0 else 1)
        least = sorted((self._members[port].energy for port in said), reverse=True)[most - 1]
        heard = 0
        for port in said:
            member = self._members[port]
            if member.energy < least or heard >= most or member.energy == 0:
                member.energy = 0
            else:
                heard += 1

    def _give(self, port: BasePort, frame: Frame) -> None:
        port.incoming = frame
        self.core.activate(port)

    # -- digits --

    def digit_began(self, speaker: BasePort, digit: str) -> None:
        for port in self._listeners(speaker):
            port.pass_digit_began(digit)

    def digit_ended(self, speaker: BasePort, digit: str, duration_ms: int) -> None:
        for port in self._listeners(speaker):
            port.pass_digit_ended(digit, duration_ms)

    def _listeners(self, speaker: BasePort) -> list[BasePort]:
        if self._holding:
            return []
        return [port for port in self._members if port is not speaker]


def _wide(samples: bytes, size: int) -> bytes:
    if len(samples) != size:
        samples = samples[:size].ljust(size, b"\0")
    return audioop.mul(audioop.lin2lin(samples, 2, 4), 4, 1 / SCALE)


def _narrow(samples: bytes) -> bytes:
    """Back to 16 bits, saturated."""
    return audioop.lin2lin(audioop.mul(samples, 4, SCALE), 4, 2)


def _faded(before: bytes, after: bytes, rate: int) -> bytes:
    """A tick of one sound that becomes another over half of it, by a raised cosine; missing samples are silence."""
    size, half = rate // 50, rate // 100
    old, new = (array("h", samples[: 2 * size].ljust(2 * size, b"\0")) for samples in (before, after))
    for n in range(half):
        weight = int(16384 * (1 - cos(pi * (n + 0.5) / half)))
        new[n] = (old[n] * (32768 - weight) + new[n] * weight) >> 15
    return new.tobytes()
