"""What all kinds of ports have in common: what they send, who listens to them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ..codecs import Codec, Transcode
from ..codecs.host import FRAME_MS, feed_codec
from ..engine import (
    DigitBegan,
    DigitEnded,
    DigitOut,
    EventHandler,
    Generator,
    MediaError,
    MediaEvent,
    Mixer,
    PlayEnd,
    PlayEndReason,
    RecordEnd,
    RecordEndReason,
    RecordOptions,
    Samples,
    Side,
    Source,
    TalkStarted,
    TalkStopped,
    ToneDetected,
)
from ..engine import Port as PortInterface
from ..tones import DIGIT_LEVEL, Tones, ToneSegment, digit_tones, render
from ..volume import check_volume
from ..writers import recording_format
from .detect import InbandDigits, TalkDetector, ToneDetector
from .digits import DigitSender
from .feed import Feed, GeneratorFeed, PlayerUnit
from .frame import Converter, Frame, mixed, scaled
from .recorder import RecorderUnit

if TYPE_CHECKING:
    from .core import Core
    from .local import SnoopPort
    from .mixer import MixerUnit

__all__ = ["BasePort"]

DIGITS = frozenset("0123456789*#ABCD")
BEEP = Tones((ToneSegment((1400,), 0, 200, True),))
PLAIN_RECORDING = RecordOptions()
MOST_WHISPERS = 10


class BasePort:
    """One leg's audio.

    In each tick it is active the engine calls tick_in, then its mixer, then tick_out and tick_taps.
    """

    two_sided = True
    """A mixer's own hears the mix alone."""
    sends_in_its_codec = True
    """Some pass on frames of any rate."""

    def __init__(self, core: Core, codec: Codec, on_event: EventHandler | None) -> None:
        self.core = core
        self.closed = False
        self._on_event = on_event
        self._codec = codec
        self._encoder = codec.encoder()
        self._played: Transcode | None = None
        """Decodes what is played for those who overhear it; None until it has to, or when frames do not depend."""
        self.converter = Converter()
        """Of what its mixer gives."""
        self.player: PlayerUnit | None = None
        self._generator: Feed | None = None
        self.digits: DigitSender | None = None
        self._echo = False
        self.muted_in = False
        self.muted_out = False
        self._volumes = {Side.IN: 1.0, Side.OUT: 1.0}
        """What samples are multiplied with."""
        self.mixer: MixerUnit | None = None
        self.passes_digits = True
        self.recorders: list[RecorderUnit] = []
        self.snoops: list[SnoopPort] = []
        self._talk: TalkDetector | None = None
        self._tones: dict[Side, ToneDetector] = {}
        self._inband: InbandDigits | None = None
        self.whispers_in: deque[Frame] = deque(maxlen=MOST_WHISPERS)
        self.whispers_out: deque[Frame] = deque(maxlen=MOST_WHISPERS)
        self._whisper_converters = (Converter(), Converter())
        self.incoming: Frame | None = None
        """What the mixer gave it in this tick."""
        self.frame_in: Frame | None = None
        """What it received in this tick."""
        self.frame_out: Frame | None = None
        """What it sent in this tick; only kept while somebody listens."""
        self.hearing = False
        """Somebody wants what it receives."""
        self.tapped = False
        """Somebody wants frame_in and frame_out at the end of the tick."""

    # -- commands --

    @property
    def codec(self) -> str:
        return self._codec.name

    @property
    def rate(self) -> int:
        """Of what it sends."""
        return self._codec.rate

    def play(self, source: Source, *, offset_ms: int = 0, on_end: Callable[[PlayEnd], None]) -> PlayerUnit:
        with self.core.lock:
            if self.player is not None:
                self.player.finish(PlayEndReason.STOPPED)
            player = PlayerUnit(self, source, self._codec, offset_ms, on_end)
            if self.closed:
                player.finish(PlayEndReason.CLOSED)
                return player
            self.player = player
            self._changed()
            self.core.activate(self)
            return player

    def generate(self, generator: Generator | None) -> None:
        with self.core.lock:
            if self.closed:
                return
            self._generator = GeneratorFeed(self.core, generator, self._codec) if generator is not None else None
            self._changed()
            self.core.activate(self)

    def send_digits(self, digits: Sequence[DigitOut], on_end: Callable[[], None] | None = None) -> None:
        with self.core.lock:
            told = on_end if on_end is not None else _nothing
            if self.closed:
                self.core.emit_plain(told)
                return
            known = [digit for digit in digits if digit.digit in DIGITS]
            self._sender().send(known, lambda: self.core.emit_plain(told))
            self.core.activate(self)

    def mute(self, incoming: bool | None = None, outgoing: bool | None = None) -> None:
        with self.core.lock:
            if incoming is not None:
                self.muted_in = incoming
            if outgoing is not None:
                self.muted_out = outgoing
            self._changed()

    def volume(self, side: Side, factor: float) -> None:
        check_volume(side, factor)
        with self.core.lock:
            self._volumes[side] = factor
            self._changed()

    def record(
        self,
        path: str,
        format: str,
        options: RecordOptions = PLAIN_RECORDING,
        *,
        on_end: Callable[[RecordEnd], None],
    ) -> RecorderUnit:
        form = recording_format(format, options, two_sided=self.two_sided)
        with self.core.lock:
            recorder = RecorderUnit(self, path, form, options, on_end)
            if self.closed:
                recorder.finish(RecordEndReason.CLOSED)
                return recorder
            self.recorders.append(recorder)
            if options.beep:
                samples, _ = render(BEEP, 8000)
                self.play(Samples(samples), on_end=lambda end: self._beeped(recorder))
            self._changed()
            self.core.activate(self)
            return recorder

    def link(self, other: PortInterface | Mixer | None, *, muted: bool = False, announcer: bool = False) -> None:
        with self.core.lock:
            if self.closed:
                return
            if self.mixer is not None:
                self.mixer.leave(self)
            if other is None:
                return
            if isinstance(other, BasePort) and (other is self or other.closed):
                return
            mixer = self.core.mixer_for(other)
            if isinstance(other, BasePort):
                if other.mixer is not None:
                    other.mixer.leave(other)
                mixer.join(other, muted=False, announcer=False)
            mixer.join(self, muted=muted, announcer=announcer)

    def pass_digits(self, on: bool) -> None:
        with self.core.lock:
            self.passes_digits = on

    def echo(self, on: bool) -> None:
        with self.core.lock:
            self._echo = on
            self._changed()

    def detect_talk(self, threshold: int | None, silence_ms: int = 2500) -> None:
        with self.core.lock:
            self._talk = TalkDetector(threshold, silence_ms) if threshold is not None else None
            self._changed()

    def detect_tone(
        self, frequency_hz: int | None, duration_ms: int = 500, *, side: Side = Side.IN, repeats: int = 0
    ) -> None:
        if side not in (Side.IN, Side.OUT):
            raise MediaError(f"tones are detected on side in or out, not {side.value}")
        with self.core.lock:
            if frequency_hz is None:
                self._tones.pop(side, None)
            else:
                self._tones[side] = ToneDetector(frequency_hz, duration_ms, repeats)
            self._changed()

    def detect_digits(self, inband: bool) -> None:
        with self.core.lock:
            self._inband = InbandDigits() if inband else None
            self._changed()

    def close(self) -> None:
        with self.core.lock:
            if self.closed:
                return
            self.closed = True
            if self.player is not None:
                self.player.finish(PlayEndReason.CLOSED)
            for recorder in list(self.recorders):
                recorder.finish(RecordEndReason.CLOSED)
            if self.digits is not None:
                self.digits.abandon()
            if self.mixer is not None:
                self.mixer.leave(self)
            for snoop in self.snoops:
                snoop.target_closed()
            self.snoops.clear()
            self._generator = None
            self.hearing = self.tapped = False
            self._on_event = None
            self.core.forget(self)
            self._release()

    # -- the tick --

    def tick_in(self, tick: int) -> None:
        """Take what was received, and give it to those who listen."""
        frame = self._pull(tick) if self.hearing else None
        if self.muted_in:
            frame = None
        if self._talk is not None or self._inband is not None or Side.IN in self._tones:
            self._detect(frame)
        if frame is not None and self._volumes[Side.IN] != 1:
            frame = scaled(frame, self._volumes[Side.IN])
        if self.whispers_in:
            whisper = self.whispers_in.popleft()
            rate = frame.rate if frame is not None else whisper.rate
            frame = mixed(frame, whisper, rate, self._whisper_converters)
        self.frame_in = frame
        if frame is not None and self.mixer is not None:
            self.mixer.offer(self, frame)

    def tick_out(self, tick: int) -> None:
        """Send the best there is."""
        player = self.player
        payload = player.next(tick) if player is not None else None
        incoming, self.incoming = self.incoming, None
        self.frame_out = None
        if self.digits is not None and self._tick_digits(tick):
            return
        if payload is None and self._generator is not None:
            payload = self._generator.next(tick)
        if self.muted_out:
            return
        if payload is not None:
            codec = feed_codec(self._codec)
            if self._goes_by_frames:
                if self._played is None and not codec.stateless:
                    self._played = codec.decoder()
                self._send_tapped(Frame(codec, payload, self._played), tick)
            elif codec is self._codec:
                self._send_payload(payload, tick)
            else:
                self._send_frame(Frame(codec, payload), tick)
            return
        if self._echo:
            incoming = self.frame_in
        if incoming is not None or self.whispers_out:
            if self._goes_by_frames:
                self._send_tapped(incoming, tick)
            elif incoming is not None:
                self._send_frame(incoming, tick)

    def tick_taps(self, tick: int) -> None:
        """Give the tick's frames to recorders and snoops."""
        for recorder in list(self.recorders):
            recorder.tick(self.frame_in, self.frame_out)
        for snoop in self.snoops:
            snoop.overhear(self.frame_in, self.frame_out)
        if Side.OUT in self._tones:
            self._detect_tone(Side.OUT, self.frame_out)
        self.frame_out = None

    def busy(self) -> bool:
        """Whether it needs the next tick."""
        player = self.player
        return (
            (player is not None and not player.paused)
            or self._generator is not None
            or (self.digits is not None and not self.digits.idle)
            or bool(self.recorders)
            or bool(self.whispers_in)
            or bool(self.whispers_out)
            or (self._talk is not None and self._talk.talking)
            or (self._inband is not None and self._inband.digit is not None)
            or (self.hearing and self._waiting())
        )

    @property
    def occupied(self) -> bool:
        """It has something better to send than its link."""
        return (
            self.player is not None or self._generator is not None or (self.digits is not None and not self.digits.idle)
        )

    # -- from its parts --

    def player_ended(self, player: PlayerUnit) -> None:
        if self.player is player:
            self.player = None
            self._changed()

    def recorder_ended(self, recorder: RecorderUnit) -> None:
        if recorder in self.recorders:
            self.recorders.remove(recorder)
            self._changed()

    def digit_began(self, digit: str) -> None:
        """The far end pressed a key."""
        self._tell(DigitBegan(digit))
        if self.passes_digits and self.mixer is not None:
            self.mixer.digit_began(self, digit)
        if self._echo:
            self.pass_digit_began(digit)

    def digit_ended(self, digit: str, duration_ms: int) -> None:
        """The far end let it go."""
        self._tell(DigitEnded(digit, duration_ms))
        if self.passes_digits and self.mixer is not None:
            self.mixer.digit_ended(self, digit, duration_ms)
        if self._echo:
            self.pass_digit_ended(digit, duration_ms)

    def pass_digit_began(self, digit: str) -> None:
        """Another member's digit goes out here."""
        self._sender().begin(digit)
        self.core.activate(self)

    def pass_digit_ended(self, digit: str, duration_ms: int) -> None:
        if self.digits is not None:
            self.digits.end(digit, duration_ms)

    def digit_out(self, digit: str, elapsed_ms: int, duration_ms: int | None, tick: int) -> bool:
        """As tones, unless the kind of port knows better."""
        if duration_ms is not None:
            return True
        samples, _ = render(digit_tones(digit), self._codec.rate, DIGIT_LEVEL)
        size = self._codec.rate // 50 * 2
        offset = elapsed_ms % 1000 // FRAME_MS * size
        self._send_tapped(Frame.of_samples(samples[offset : offset + size], self._codec.rate), tick)
        return True

    @property
    def heard_rate(self) -> int | None:
        """The rate at which it uses what its mixer gives; None: any."""
        return self._codec.rate if self.sends_in_its_codec else None

    def add_snoop(self, snoop: SnoopPort) -> None:
        self.snoops.append(snoop)
        self._changed()

    def remove_snoop(self, snoop: SnoopPort) -> None:
        if snoop in self.snoops:
            self.snoops.remove(snoop)
            self._changed()

    def membership_changed(self) -> None:
        """It joined or left a mixer."""
        if not self.closed:
            self._changed()

    # -- of each kind --

    def _pull(self, tick: int) -> Frame | None:
        """What was received for this tick."""
        return None

    def _waiting(self) -> bool:
        """Whether something received waits."""
        return False

    def _discard(self) -> None:
        """Forget what waits: nobody listens any more."""

    def _send_payload(self, payload: bytes, tick: int) -> None:
        """Send twenty milliseconds in the port's codec."""
        self._send_frame(Frame(self._codec, payload), tick)

    def _send_frame(self, frame: Frame, tick: int) -> None:
        """Send a frame of any codec."""
        self._send_payload(self._encoded(frame), tick)

    def _release(self) -> None:
        """Give back what the port holds."""

    # -- inside --

    def _at_heard_rate(self, frame: Frame) -> Frame:
        """So that those who listen have one rate, whatever the mix has."""
        rate = self.heard_rate
        if rate is None or frame.rate == rate:
            return frame
        return Frame.of_samples(self.converter.samples(frame, rate), rate)

    def _encoded(self, frame: Frame) -> bytes:
        codec = self._codec
        if frame.codec is codec:
            return frame.payload
        if frame.rate == codec.rate:
            if codec.stateless:
                return frame.encoded(codec)
            return self._encoder(frame.samples())
        return self._encoder(self.converter.samples(frame, codec.rate))

    def _send_tapped(self, frame: Frame | None, tick: int) -> None:
        if frame is not None:
            frame = self._at_heard_rate(frame)
            if self._volumes[Side.OUT] != 1:
                frame = scaled(frame, self._volumes[Side.OUT])
        if self.whispers_out:
            whisper = self.whispers_out.popleft()
            rate = frame.rate if frame is not None else whisper.rate
            frame = mixed(frame, whisper, rate, self._whisper_converters)
        if frame is None or self.muted_out:
            return
        self.frame_out = frame
        self._send_frame(frame, tick)

    def _tick_digits(self, tick: int) -> bool:
        assert self.digits is not None
        return self.digits.tick(tick)

    def _sender(self) -> DigitSender:
        if self.digits is None:
            self.digits = DigitSender(self)
        return self.digits

    def _use_codec(self, codec: Codec) -> None:
        """Send another codec from now on; what is played goes on where it is."""
        if codec is self._codec:
            return
        self._codec = codec
        self._encoder = codec.encoder()
        self._played = None
        if self.player is not None:
            self.player.load(codec)
        if self._generator is not None:
            self._generator.load(codec)

    def _changed(self) -> None:
        """Work out who listens after any command."""
        self.tapped = bool(self.recorders or self.snoops or Side.OUT in self._tones)
        own = bool(self._echo or self.tapped or self._talk is not None or self._inband is not None or self._tones)
        self.hearing = own or self.mixer is not None
        if self.mixer is not None:
            self.mixer.update()
        if self._waiting():
            if self.hearing:
                self.core.activate(self)
            else:
                self._discard()

    @property
    def _goes_by_frames(self) -> bool:
        """What it sends is looked at or changed on its way."""
        return self.tapped or bool(self.whispers_out) or self._volumes[Side.OUT] != 1

    @property
    def is_plain(self) -> bool:
        """Frames pass as loud as they are."""
        return all(factor == 1 for factor in self._volumes.values())

    @property
    def overheard(self) -> bool:
        """Somebody but the link listens, so its packets must be decoded."""
        return bool(self._echo or self.tapped or self._talk is not None or self._inband is not None or self._tones)

    def _tell(self, event: MediaEvent) -> None:
        if self._on_event is not None:
            self.core.emit(self._on_event, event)

    def _detect(self, frame: Frame | None) -> None:
        samples = frame.samples() if frame is not None else None
        if self._talk is not None:
            told = self._talk.hear(samples)
            if told == 0:
                self._tell(TalkStarted())
            elif told is not None:
                self._tell(TalkStopped(told))
        rate = frame.rate if frame is not None else 8000
        if self._inband is not None:
            heard = self._inband.hear(samples, rate)
            if heard is not None:
                digit, duration = heard
                if duration is None:
                    self.digit_began(digit)
                else:
                    self.digit_ended(digit, duration)
        if Side.IN in self._tones:
            self._detect_tone(Side.IN, frame)

    def _detect_tone(self, side: Side, frame: Frame | None) -> None:
        detector = self._tones[side]
        samples = frame.samples() if frame is not None else None
        if detector.hear(samples, frame.rate if frame is not None else 8000):
            self._tell(ToneDetected(detector.frequency))
            if detector.repeats < 0:
                del self._tones[side]
                self._changed()

    def _beeped(self, recorder: RecorderUnit) -> None:
        with self.core.lock:
            recorder.begin()


def _nothing() -> None:
    """Nobody waits."""
