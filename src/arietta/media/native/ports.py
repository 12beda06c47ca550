"""Ports and mixers of the engine in C: the interface's words for its numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

from ..codecs import is_codec
from ..engine import (
    Address,
    DigitHandler,
    DigitOut,
    Direction,
    EventHandler,
    FrameHandler,
    Generator,
    HeadHandler,
    JitterRules,
    MediaError,
    MediaEvent,
    MixerMode,
    PacketHandler,
    PacketHead,
    PlayEnd,
    RecordEnd,
    RecordOptions,
    ReportHandler,
    RtpSettings,
    RtpStatistics,
    Samples,
    Side,
    Source,
    SrtpKeys,
)
from ..engine import Mixer as MixerInterface
from ..engine import Port as PortInterface
from ..tones import Tones, ToneSegment, render
from ..volume import check_volume
from ..writers import recording_format
from .playing import NativeGenerator, NativePlayer
from .recording import SIDES, NativeRecorder

if TYPE_CHECKING:
    from .core import NativeCore

__all__ = ["NativeMixer", "NativePort", "NativeRtpPort", "NativeStreamPort"]

DIGITS = frozenset("0123456789*#ABCD")
BEEP = Tones((ToneSegment((1400,), 0, 200, True),))
PLAIN_RECORDING = RecordOptions()
_MODES = (MixerMode.RELAY, MixerMode.PAIR, MixerMode.MIX, MixerMode.HOLDING)
_SENDS = (Direction.SENDRECV, Direction.SENDONLY)
_RECEIVES = (Direction.SENDRECV, Direction.RECVONLY)


class _Switch(IntEnum):
    """module_switches.c's switch_kind."""

    MUTE = 0
    ECHO = 1
    PASS_DIGITS = 2
    TALK = 3
    TONE = 4
    INBAND = 5


class NativePort:
    """Where audio enters and leaves one leg."""

    two_sided = True
    """A mixer's own hears the mix alone."""

    def __init__(self, core: NativeCore, number: int, on_event: EventHandler | None) -> None:
        self.core = core
        self.number = number
        """What the engine knows it by."""
        self.closed = False
        self._on_event = on_event
        self._codec = (core.engine.codec(number) or ("slin", 8000))[0]
        self._player: NativePlayer | None = None
        self._generator: NativeGenerator | None = None
        core.ports[number] = self

    @property
    def codec(self) -> str:
        """Format of what is sent."""
        return "slin" if self._codec == "host" else self._codec

    def play(self, source: Source, *, offset_ms: int = 0, on_end: Callable[[PlayEnd], None]) -> NativePlayer:
        """See the interface."""
        self._player = player = NativePlayer(self.core, self.number, source, offset_ms, on_end)
        return player

    def generate(self, generator: Generator | None) -> None:
        """See the interface."""
        if self.closed:
            return
        if generator is None:
            self._generator = None
            self.core.engine.generate(self.number, False, 0)
            return
        self._generator = NativeGenerator(self.core, self.number, generator)
        self._load_generator()

    def send_digits(self, digits: Sequence[DigitOut], on_end: Callable[[], None] | None = None) -> None:
        """See the interface; MediaError when more than a thousand would wait."""
        known = [(one.digit, one.duration_ms, one.gap_ms) for one in digits if one.digit in DIGITS]
        token = self.core.token(on_end)
        try:
            if not self.core.engine.send_digits(self.number, known, token):
                self.core.post_token(token)
        except ValueError as error:
            self.core.tokens.pop(token, None)
            raise MediaError(str(error)) from None

    def mute(self, incoming: bool | None = None, outgoing: bool | None = None) -> None:
        """See the interface."""
        values = [-1 if value is None else int(value) for value in (incoming, outgoing)]
        self.core.engine.switch(self.number, _Switch.MUTE, *values)

    def volume(self, side: Side, factor: float) -> None:
        """See the interface."""
        check_volume(side, factor)
        self.core.engine.volume(self.number, SIDES[side.value], factor)

    def record(
        self,
        path: str,
        format: str,
        options: RecordOptions = PLAIN_RECORDING,
        *,
        on_end: Callable[[RecordEnd], None],
    ) -> NativeRecorder:
        """See the interface."""
        form = recording_format(format, options, two_sided=self.two_sided)
        recorder = NativeRecorder(self.core, self.number, path, form, options, on_end)
        if options.beep and not self.closed:
            samples, _ = render(BEEP, 8000)
            self.play(Samples(samples), on_end=lambda end: recorder.begin())
        return recorder

    def link(
        self, other: PortInterface | MixerInterface | None, *, muted: bool = False, announcer: bool = False
    ) -> None:
        """See the interface."""
        if self.closed:
            return
        engine = self.core.engine
        if other is None:
            engine.link(self.number, 0, False, False)
        elif isinstance(other, NativeMixer) and other.core is self.core:
            if other.closed:
                raise MediaError("the mixer is closed")
            engine.link(self.number, other.number, muted, announcer)
        elif isinstance(other, NativePort) and other.core is self.core:
            if other is self or other.closed:
                engine.link(self.number, 0, False, False)
            else:
                engine.link_pair(self.number, other.number, muted, announcer)
        else:
            raise MediaError(f"{type(other).__name__} is no port or mixer of this engine")

    def pass_digits(self, on: bool) -> None:
        """See the interface."""
        self.core.engine.switch(self.number, _Switch.PASS_DIGITS, on)

    def echo(self, on: bool) -> None:
        """See the interface."""
        self.core.engine.switch(self.number, _Switch.ECHO, on)

    def detect_talk(self, threshold: int | None, silence_ms: int = 2500) -> None:
        """See the interface."""
        self.core.engine.switch(self.number, _Switch.TALK, -1 if threshold is None else threshold, silence_ms)

    def detect_tone(
        self, frequency_hz: int | None, duration_ms: int = 500, *, side: Side = Side.IN, repeats: int = 0
    ) -> None:
        """See the interface."""
        if side not in (Side.IN, Side.OUT):
            raise MediaError(f"tones are detected on side in or out, not {side.value}")
        number = SIDES[side.value]
        self.core.engine.switch(self.number, _Switch.TONE, number, frequency_hz or 0, duration_ms, repeats)

    def detect_digits(self, inband: bool) -> None:
        """See the interface."""
        self.core.engine.switch(self.number, _Switch.INBAND, inband)

    def close(self) -> None:
        """See the interface."""
        if self.closed:
            return
        self.closed = True
        self.core.ports.pop(self.number, None)
        self._on_event = None
        self._player = self._generator = None
        self.core.engine.close_port(self.number)
        self._release()

    def tell(self, event: MediaEvent) -> None:
        """The engine says so."""
        if self._on_event is not None:
            self._on_event(event)

    def _load_generator(self) -> None:
        codec = self.core.engine.codec(self.number)
        if self._generator is not None and codec is not None:
            self._generator.load(codec[1])

    def _use_codec(self, name: str) -> None:
        """Another codec is sent from now on; what is played goes on where it is."""
        if name == self._codec:
            return
        self._codec = name
        if self._player is not None:
            self._player.load()
        self._load_generator()

    def _release(self) -> None:
        """Give back what the kind of port holds."""


class NativeRtpPort(NativePort):
    """A port on UDP."""

    def __init__(self, core: NativeCore, number: int, local_port: int, on_event: EventHandler) -> None:
        super().__init__(core, number, on_event)
        self._local_port = local_port
        self._last = RtpStatistics()
        self._keys: SrtpKeys | None = None
        self._on_packet: PacketHandler | None = None
        self._on_report: ReportHandler | None = None
        self._on_head: HeadHandler | None = None

    @property
    def local_port(self) -> int:
        """Even; RTCP is on the next one."""
        return self._local_port

    def configure(self, settings: RtpSettings) -> None:
        """See the interface."""
        for name in (settings.send_codec, *settings.receive.values()):
            if not is_codec(name):
                raise MediaError(f"no codec {name!r} in this engine")
        for address in (settings.remote_address, settings.remote_rtcp):
            if address is not None and not 0 < address[1] <= 65535:
                raise MediaError(f"remote port {address[1]} of {address[0]} is outside 1..65535")
        if self.closed:
            return
        try:
            self._secure(settings.srtp)
            self.core.engine.configure(
                self.number,
                settings.remote_address,
                settings.remote_rtcp,
                settings.send_codec,
                settings.send_payload_type,
                list(settings.receive.items()),
                settings.ptime_ms,
                -1 if settings.telephone_event_pt is None else settings.telephone_event_pt,
                settings.telephone_event_rate,
                list(settings.receive_events.items()),
                settings.direction in _SENDS,
                settings.direction in _RECEIVES,
                settings.symmetric,
                settings.rtcp_mux,
                settings.dtmf_inband,
                settings.timeout_ms,
                settings.keepalive_ms,
                settings.awaits_keys,
                settings.tos,
                settings.cos,
            )
        except (ValueError, LookupError, RuntimeError) as error:
            raise MediaError(str(error)) from None
        self._use_codec(settings.send_codec)

    def buffer(self, rules: JitterRules) -> None:
        """See the interface."""
        if not self.closed:
            self.core.engine.buffer(self.number, rules.fixed, rules.target_ms, rules.largest_ms, rules.resync_ms)

    def take_packets(self, on_packet: PacketHandler | None) -> None:
        """See the interface."""
        if self.closed:
            return
        self._on_packet = on_packet
        self.core.engine.set_aside(self.number, on_packet is not None)

    def send_packet(self, data: bytes, target: Address, *, control: bool = False) -> None:
        """See the interface."""
        if not self.closed:
            self.core.engine.send_packet(self.number, data, *target, control)

    def hand_over(self) -> None:
        """Datagrams for its owner wait."""
        for data, source, control in self.core.engine.packets(self.number):
            if self._on_packet is not None:
                self._on_packet(data, source, control)

    def tell_reports(self, on_report: ReportHandler | None) -> None:
        """See the interface."""
        if self.closed:
            return
        self._on_report = on_report
        self.core.engine.tell_reports(self.number, on_report is not None)

    def hand_over_reports(self) -> None:
        """Reports for its owner wait."""
        for data, sent, peer in self.core.engine.reports(self.number):
            if self._on_report is not None:
                self._on_report(data, sent, peer)

    def tell_heads(self, on_head: HeadHandler | None) -> None:
        """See the interface."""
        if self.closed:
            return
        self._on_head = on_head
        self.core.engine.tell_heads(self.number, on_head is not None)

    def hand_over_heads(self) -> None:
        """Headers for its owner wait."""
        for head in self.core.engine.heads(self.number):
            if self._on_head is not None:
                self._on_head(PacketHead(*head))

    def _secure(self, keys: SrtpKeys | None) -> None:
        """Use other keys from now on; one that stays goes on counting where it is."""
        before, engine = self._keys, self.core.engine
        if keys == before:
            return
        if keys is None:
            engine.secure(self.number)
        else:
            same_suite = before is not None and before.suite == keys.suite
            ours = b"" if before is not None and same_suite and before.local_key == keys.local_key else keys.local_key
            theirs = (
                b"" if before is not None and same_suite and before.remote_key == keys.remote_key else keys.remote_key
            )
            engine.secure(self.number, keys.suite, ours, keys.suite, theirs)
        self._keys = keys

    def statistics(self) -> RtpStatistics:
        """See the interface; of a closed port what was true last."""
        numbers = self.core.engine.statistics(self.number)
        if numbers is None:
            return self._last
        sent, received, tx_jitter, rx_jitter, tx_lost, rx_lost, rtt, ssrc, remote, tx_octets, rx_octets = numbers[:11]
        remote_jitter, local_jitter, remote_loss, local_loss, round_trip = numbers[13]
        self._last = RtpStatistics(
            txcount=sent,
            rxcount=received,
            txjitter=tx_jitter,
            rxjitter=rx_jitter,
            remote_maxjitter=remote_jitter[0],
            remote_minjitter=remote_jitter[1],
            remote_normdevjitter=remote_jitter[2],
            remote_stdevjitter=remote_jitter[3],
            local_maxjitter=local_jitter[0],
            local_minjitter=local_jitter[1],
            local_normdevjitter=local_jitter[2],
            local_stdevjitter=local_jitter[3],
            txploss=tx_lost,
            rxploss=rx_lost,
            remote_maxrxploss=remote_loss[0],
            remote_minrxploss=remote_loss[1],
            remote_normdevrxploss=remote_loss[2],
            remote_stdevrxploss=remote_loss[3],
            local_maxrxploss=local_loss[0],
            local_minrxploss=local_loss[1],
            local_normdevrxploss=local_loss[2],
            local_stdevrxploss=local_loss[3],
            rtt=rtt,
            maxrtt=round_trip[0],
            minrtt=round_trip[1],
            normdevrtt=round_trip[2],
            stdevrtt=round_trip[3],
            local_ssrc=ssrc,
            remote_ssrc=remote,
            txoctetcount=tx_octets,
            rxoctetcount=rx_octets,
        )
        return self._last

    def close(self) -> None:
        """See the interface."""
        if not self.closed:
            self.statistics()
        super().close()

    def _release(self) -> None:
        self._on_packet = self._on_report = self._on_head = None
        self.core.pairs.give_back(self._local_port)


class NativeStreamPort(NativePort):
    """A port whose far end is Python code."""

    def __init__(
        self,
        core: NativeCore,
        number: int,
        on_event: EventHandler,
        on_frame: FrameHandler,
        on_digit: DigitHandler | None,
    ) -> None:
        super().__init__(core, number, on_event)
        self._on_frame: FrameHandler | None = on_frame
        self._on_digit = on_digit

    def push(self, data: bytes) -> None:
        """See the interface."""
        self.core.engine.push(self.number, data)

    def flush(self) -> None:
        """See the interface."""
        self.core.engine.flush(self.number)

    @property
    def buffered_ms(self) -> int:
        """See the interface."""
        return self.core.engine.buffered(self.number)[0]

    @property
    def dropped_ms(self) -> int:
        """See the interface; 0 once it is closed."""
        return self.core.engine.buffered(self.number)[1]

    def digit(self, digit: str, duration_ms: int) -> None:
        """See the interface."""
        if len(digit) == 1 and digit in DIGITS:
            self.core.engine.stream_digit(self.number, digit, duration_ms)

    def hand_over(self) -> None:
        """The engine has frames for the far end."""
        for frame in self.core.engine.frames(self.number):
            if self._on_frame is not None:
                self._on_frame(frame)

    def tell_digit(self, digit: str, duration_ms: int) -> None:
        """A digit that was sent has ended."""
        if self._on_digit is not None:
            self._on_digit(digit, duration_ms)

    def _release(self) -> None:
        self._on_frame = self._on_digit = None


class NativeMixer:
    """Ports that hear each other."""

    def __init__(self, core: NativeCore, number: int) -> None:
        self.core = core
        self.number = number
        self.closed = False
        self._mode = MixerMode.PAIR
        core.mixers[number] = self

    @property
    def mode(self) -> MixerMode:
        """How it works at the moment."""
        mode = self.core.engine.mixer_mode(self.number)
        if mode is not None:
            self._mode = _MODES[mode]
        return self._mode

    def port(self, on_event: EventHandler | None = None) -> NativePort:
        """See the interface; MediaError when it is closed."""
        number = self.core.engine.mixer_port(self.number)
        if number is None:
            raise MediaError("the mixer is closed")
        port = NativePort(self.core, number, on_event)
        port.two_sided = False
        return port

    def generate(self, generator: Generator | None) -> None:
        """See the interface."""
        if self.closed:
            return
        if generator is None:
            self.core.engine.generate(self.number, False, 0)
        else:
            NativeGenerator(self.core, self.number, generator).load(8000)

    def close(self) -> None:
        """See the interface."""
        if self.closed:
            return
        self._mode = self.mode
        self.closed = True
        self.core.mixers.pop(self.number, None)
        self.core.engine.close_mixer(self.number)
