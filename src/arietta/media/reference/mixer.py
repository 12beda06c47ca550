"""Ports that hear each other."""

from __future__ import annotations

import warnings
from array import array
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


class _Member:
    __slots__ = ("announcer", "converter", "energy", "muted")

    def __init__(self, *, muted: bool, announcer: bool) -> None:
        self.muted = muted
        self.announcer = announcer
        self.converter = Converter()
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
        elif background is None and len(offers) == 1:
            ((speaker, frame),) = offers.items()
            for port in self._members:
                if port is not speaker:
                    self._give(port, frame)
            if isinstance(speaker, MixPort):
                speaker.incoming = frame
        elif background is None and len(offers) == 2 and len(self._members) == 2:
            (one, first), (other, second) = offers.items()
            self._give(one, second)
            self._give(other, first)
        else:
            self._tick_mix(offers, background)

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

    def _tick_mix(self, offers: dict[BasePort, Frame], background: Frame | None) -> None:
        rate = max([frame.rate for frame in offers.values()], default=8000)
        size = rate // 50 * 2
        total: bytes | None = None
        own: dict[BasePort, bytes] = {}
        said = {port: self._members[port].converter.samples(frame, rate) for port, frame in offers.items()}
        most = self.core.settings.mix_loudest
        if 0 < most < len(said):
            said = self._loudest(said, most)
        if background is not None:
            total = _wide(self._generator_converter.samples(background, rate), size)
        for port, narrow in said.items():
            samples = _wide(narrow, size)
            own[port] = samples
            total = samples if total is None else audioop.add(total, samples, 4)
        if total is None:
            total = bytes(2 * size)
        shared: Frame | None = None
        for port in self._members:
            part = own.get(port)
            if part is None or isinstance(port, MixPort):
                if shared is None:
                    shared = Frame.of_samples(_narrow(total), rate)
                self._give(port, shared)
            else:
                minus = audioop.add(total, audioop.mul(part, 4, -1), 4)
                self._give(port, Frame.of_samples(_narrow(minus), rate))

    def _loudest(self, said: dict[BasePort, bytes], most: int) -> dict[BasePort, bytes]:
        """Those that are heard: whoever was in the last tick counts twice as loud, and silence is not mixed."""
        for port, samples in said.items():
            member = self._members[port]
            values = array("h", samples)
            member.energy = sum(map(mul, values, values)) * (2 if member.energy > 0 else 1)
        least = sorted((self._members[port].energy for port in said), reverse=True)[most - 1]
        heard: dict[BasePort, bytes] = {}
        for port, samples in said.items():
            member = self._members[port]
            if member.energy < least or len(heard) >= most or member.energy == 0:
                member.energy = 0
            else:
                heard[port] = samples
        return heard

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
