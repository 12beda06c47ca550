"""The media engine's interface: what a call's owner may ask of its audio.

Every method is called on the thread of the asyncio loop that was given to `MediaEngine.start`, returns at once and
never blocks on the network or on a disk. Callbacks (`on_event`, `on_end`, `on_frame`) run on that loop's thread
too, never inside the call that causes them, in the order in which things happened; all of one tick come in one
`call_soon_threadsafe`. Callers never see a packet. Times are milliseconds of audio, sample rates Hz.

Formats are codec names as the dialplan writes them: `ulaw`, `alaw`, `gsm`, `slin` (8 kHz), `slin12`, `slin16`,
`slin24`, `slin32`, `slin44`, `slin48`, `slin96`, `slin192`.

What a port sends is the first of these that has something: digits being sent, the player, the generator, the echo
or link. When none has, nothing is sent at all. A player that ends or is stopped falls back to what is below it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from .tones import Tones

__all__ = [
    "ADAPTIVE",
    "Digit",
    "DigitBegan",
    "DigitEnded",
    "DigitHandler",
    "DigitOut",
    "Direction",
    "EngineClosed",
    "EngineSettings",
    "EngineStatistics",
    "EventHandler",
    "Files",
    "FrameHandler",
    "Generator",
    "HeadHandler",
    "JitterRules",
    "MediaEngine",
    "MediaError",
    "MediaEvent",
    "MediaStarted",
    "MediaStopped",
    "Mixer",
    "MixerMode",
    "Music",
    "NoPortsLeft",
    "OtherCodec",
    "PacketHandler",
    "PacketHead",
    "PlayEnd",
    "PlayEndReason",
    "Player",
    "Port",
    "RecordEnd",
    "RecordEndReason",
    "RecordOptions",
    "Recorder",
    "ReportHandler",
    "RtpPort",
    "RtpSettings",
    "RtpStatistics",
    "Samples",
    "Side",
    "Silence",
    "Source",
    "SrtpKeys",
    "StreamPort",
    "TalkStarted",
    "TalkStopped",
    "ToneDetected",
    "Tones",
]

Digit = str
"""One of `0123456789*#ABCD`."""

Address = tuple[str, int]
"""Numeric IPv4 or IPv6 address and port."""


class MediaError(Exception):
    """What the engine cannot do, in words for the log."""


class NoPortsLeft(MediaError):
    """No free even/odd pair of UDP ports between rtpstart and rtpend."""


class EngineClosed(MediaError):
    """The engine was stopped, or was never started."""


# -- what is asked -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What an engine is built with; rtp.conf's part of it is read once at start."""

    rtp_start: int = 10000
    """First UDP port of the range; an odd one is raised to the next even."""
    rtp_end: int = 20000
    """Last UDP port of the range, inclusive (RTCP's port included)."""
    strict_rtp: bool = True
    """Whether packets from elsewhere than the learnt source are dropped."""
    probation: int = 4
    """Packets in sequence after which a source is locked (RFC 3550 A.1 has 2)."""
    relearn_ms: int = 5000
    """Silence of the locked source after which another one may be learnt."""
    cache_bytes: int = 64 << 20
    """Bound on decoded and encoded sounds kept in memory."""
    music: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    """Music class to the folder of its files, played in order of their names, or to its files in their order."""
    music_random: frozenset[str] = frozenset()
    """Classes whose files are shuffled."""
    threads: int = 0
    """Threads of the native engine; 0 is one for each core this process may use."""
    mix_loudest: int = 0
    """Members that a mix hears at a time, the loudest; 0 is all of them."""
    rtcp_interval_ms: int = 5000
    """Time between two reports of a port."""
    digit_silence_ms: int = 375
    """A digit of telephone-event whose packets stop coming has ended after so long."""
    checksums: bool = True
    """Whether UDP checksums are made over IPv4; over IPv6 they always are (RFC 8200 8.1)."""
    replay_protection: bool = True
    """Whether a packet of SRTP that was heard before is dropped (RFC 3711 3.3.2)."""


@dataclass(frozen=True, slots=True)
class Files:
    """Sound files played one after the other, as one piece."""

    paths: tuple[str, ...]
    """Absolute, with extension (`SoundLibrary.find` gives them); the extension names the format."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Audio in memory."""

    data: bytes
    """Signed 16-bit samples in host order, one channel."""
    rate: int = 8000


@dataclass(frozen=True, slots=True)
class Silence:
    """Packets of silence; as a generator for ever."""

    duration_ms: int | None = None
    """None is for ever."""


@dataclass(frozen=True, slots=True)
class Music:
    """The music of a class, shared by all its listeners at the same position."""

    music_class: str = "default"
    """A class without files, or unknown, plays `default`; without that, silence."""


Source = Files | Samples | Silence | Tones | Music
"""What a player plays. Tones and Music never end by themselves."""

Generator = Tones | Silence | Music | Files
"""What a port sends when it has nothing better; Files are repeated."""


@dataclass(frozen=True, slots=True)
class DigitOut:
    """One digit to send."""

    digit: Digit
    duration_ms: int = 100
    gap_ms: int = 100
    """Pause after it."""


class Direction(Enum):
    """RFC 8866 6.7, seen from this side."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"


class Side(Enum):
    """Which of a port's two streams, in ARI's words."""

    NONE = "none"
    IN = "in"
    """What comes from the far end."""
    OUT = "out"
    """What goes to the far end."""
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """Keys of a secure stream that were agreed by signalling (RFC 4568, RFC 5764)."""

    suite: str
    """`AES_CM_128_HMAC_SHA1_80`, `AES_CM_128_HMAC_SHA1_32`, `AEAD_AES_128_GCM` or `AEAD_AES_256_GCM`."""
    local_key: bytes
    """Master key and salt of what is sent."""
    remote_key: bytes
    """Master key and salt of what is received."""

    def __repr__(self) -> str:
        return f"SrtpKeys({self.suite!r}, …)"


@dataclass(frozen=True, slots=True)
class RtpSettings:
    """What offer and answer agreed for one RTP stream."""

    remote_address: Address | None
    """Where packets go until a source is learnt; None: nothing is sent before."""
    send_codec: str
    send_payload_type: int
    receive: Mapping[int, str]
    """Payload type to codec; others are dropped and counted."""
    remote_rtcp: Address | None = None
    """None: remote_address's port plus one (RFC 3550 11)."""
    ptime_ms: int = 20
    """10 to 120 in steps of 10 (20 for gsm); others are rounded to the nearest."""
    telephone_event_pt: int | None = None
    """RFC 4733 payload type of both directions; None: digits are sent in-band."""
    telephone_event_rate: int = 0
    """Its clock in Hz; 0: that of the codec."""
    receive_events: Mapping[int, int] = field(default_factory=dict)
    """Further payload types of events that may arrive, eight at most, and their clocks in Hz."""
    direction: Direction = Direction.SENDRECV
    symmetric: bool = True
    """Send to the source that was learnt (RFC 4961)."""
    rtcp_mux: bool = False
    """RFC 5761: RTCP comes and goes on the RTP port."""
    dtmf_inband: bool = False
    """Send digits as tones even though telephone-event was negotiated."""
    timeout_ms: int = 0
    """`MediaStopped` after so much silence of the far end; 0 never. Another limit than before counts from now on."""
    keepalive_ms: int = 0
    """Send a packet of comfort noise when nothing was sent for so long (RFC 6263); 0 never."""
    tos: int = 0
    """Traffic class of what is sent: all eight bits of it (RFC 2474)."""
    cos: int = 0
    """Priority of what is sent on a link that has such (IEEE 802.1p): 0 to 7."""
    srtp: SrtpKeys | None = None
    """None: plain RTP. MediaError in the reference engine, which has no ciphers. A key that was in use before stays."""
    awaits_keys: bool = False
    """The keys are agreed on the port itself (RFC 5764): as long as there is no `srtp` nothing is sent or heard."""


MOST_BUFFERED_MS = 500
LEAST_RESYNC_MS, MOST_RESYNC_MS = 100, 60_000


@dataclass(frozen=True, slots=True)
class JitterRules:
    """How an RTP port evens out what arrives; MediaError when it is made with what cannot be."""

    fixed: bool = False
    """Whether it stays as deep as it is; else it gets deeper when packets come late, and less deep afterwards."""
    target_ms: int = 40
    """How deep it is at first, and at least: 20 to MOST_BUFFERED_MS."""
    largest_ms: int = 200
    """How deep it gets, unless it is fixed: target_ms to MOST_BUFFERED_MS."""
    resync_ms: int = 0
    """A packet this far from what is due begins a new stream; 0: as many packets as usual, however long they are."""

    def __post_init__(self) -> None:
        if not 20 <= self.target_ms <= MOST_BUFFERED_MS:
            raise MediaError(f"a jitter buffer of {self.target_ms} ms is outside 20..{MOST_BUFFERED_MS}")
        if not self.fixed and not self.target_ms <= self.largest_ms <= MOST_BUFFERED_MS:
            limits = f"{self.target_ms}..{MOST_BUFFERED_MS}"
            raise MediaError(f"a jitter buffer's greatest depth of {self.largest_ms} ms is outside {limits}")
        if self.resync_ms and not LEAST_RESYNC_MS <= self.resync_ms <= MOST_RESYNC_MS:
            raise MediaError(f"resync after {self.resync_ms} ms is outside {LEAST_RESYNC_MS}..{MOST_RESYNC_MS}")


ADAPTIVE = JitterRules()
"""Those of each port at first."""


@dataclass(frozen=True, slots=True)
class RecordOptions:
    """How a recording is made."""

    side: Side = Side.IN
    """IN: what is received; OUT: what is sent; BOTH: the two mixed. A mixer's own port records the mix."""
    beep: bool = False
    """Send a short tone first; it is not recorded."""
    max_duration_ms: int = 0
    """0 is without limit."""
    max_silence_ms: int = 0
    """Ends the recording after so much silence; 0 never."""
    append: bool = False
    """Go on at the end of a file that exists; else it is replaced."""
    tracks: bool = False
    """With BOTH, in wav and wav16: two channels, received left, sent right.

    Of a mixer's own port a channel for each party that it has or gets, 16 at most, in the order in which they joined:
    what each says as it enters the mix. What the mixer itself plays is in none.
    """
    silence_threshold: int = 128
    """Energy (root mean square of the samples, 0 to 32767) below which a frame counts as silence."""


# -- what is told -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MediaStarted:
    """The first packet or frame of the far end arrived (again after a `MediaStopped`)."""


@dataclass(frozen=True, slots=True)
class MediaStopped:
    """Nothing came from the far end for `RtpSettings.timeout_ms`."""

    silence_ms: int


@dataclass(frozen=True, slots=True)
class DigitBegan:
    """The far end pressed a key."""

    digit: Digit


@dataclass(frozen=True, slots=True)
class DigitEnded:
    """The far end let a key go; exactly one follows each `DigitBegan`."""

    digit: Digit
    duration_ms: int


@dataclass(frozen=True, slots=True)
class TalkStarted:
    """The far end talks (`Port.detect_talk`)."""


@dataclass(frozen=True, slots=True)
class TalkStopped:
    """The far end is silent again."""

    duration_ms: int
    """How long it talked."""


@dataclass(frozen=True, slots=True)
class ToneDetected:
    """The tone of `Port.detect_tone` was heard for its whole duration."""

    frequency_hz: int


@dataclass(frozen=True, slots=True)
class OtherCodec:
    """Audio of the far end begins to come in a codec that is not the one which is sent to it."""

    payload_type: int
    """One of `RtpSettings.receive`."""


MediaEvent = (
    MediaStarted | MediaStopped | DigitBegan | DigitEnded | TalkStarted | TalkStopped | ToneDetected | OtherCodec
)

EventHandler = Callable[[MediaEvent], None]
FrameHandler = Callable[[bytes], None]
"""Gets 20 ms of audio in the stream's format: bytes of a codec, or samples in host order for slin."""


PacketHandler = Callable[[bytes, Address, bool], None]
"""Gets a datagram that is no media, where it came from, and whether it came on the port of RTCP."""
ReportHandler = Callable[[bytes, bool, Address], None]
"""Gets a report of RTCP, whether it was sent (or else came), and where it went or came from."""


@dataclass(frozen=True, slots=True)
class PacketHead:
    """What the header of one RTP packet said."""

    sent: bool
    """Whether it was sent, or else came."""
    peer: Address
    payload_type: int
    sequence: int
    timestamp: int
    size: int
    """Bytes of the payload."""


HeadHandler = Callable[[PacketHead], None]
"""Gets the header of each packet that was sent, or that came and was used."""

DigitHandler = Callable[[Digit, int], None]
"""Gets a digit and how long it was, in ms."""


class PlayEndReason(Enum):
    """Why a player ended."""

    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    """The file is missing or broken; `PlayEnd.error` says which."""
    CLOSED = "closed"
    """Its port was closed."""


@dataclass(frozen=True, slots=True)
class PlayEnd:
    """How a player ended; told exactly once."""

    reason: PlayEndReason
    position_ms: int
    error: str | None = None


class RecordEndReason(Enum):
    """Why a recording ended."""

    STOPPED = "stopped"
    CANCELLED = "cancelled"
    """The file was discarded."""
    MAX_DURATION = "max_duration"
    MAX_SILENCE = "max_silence"
    CLOSED = "closed"
    """Its port was closed; the file is kept."""
    FAILED = "failed"
    """The file could not be written; `RecordEnd.error` says why."""


@dataclass(frozen=True, slots=True)
class RecordEnd:
    """How a recording ended; told exactly once, when the file is complete."""

    reason: RecordEndReason
    path: str
    """The file as it was asked for, with its extension."""
    duration_ms: int
    """Of what this recording added to the file."""
    talking_ms: int
    silence_ms: int
    error: str | None = None


@dataclass(frozen=True, slots=True)
class RtpStatistics:
    """ARI's RTPstat without the channel: packets, and seconds for jitter and round trips."""

    txcount: int = 0
    rxcount: int = 0
    txjitter: float = 0.0
    rxjitter: float = 0.0
    remote_maxjitter: float = 0.0
    remote_minjitter: float = 0.0
    remote_normdevjitter: float = 0.0
    remote_stdevjitter: float = 0.0
    local_maxjitter: float = 0.0
    local_minjitter: float = 0.0
    local_normdevjitter: float = 0.0
    local_stdevjitter: float = 0.0
    txploss: int = 0
    rxploss: int = 0
    remote_maxrxploss: float = 0.0
    remote_minrxploss: float = 0.0
    remote_normdevrxploss: float = 0.0
    remote_stdevrxploss: float = 0.0
    local_maxrxploss: float = 0.0
    local_minrxploss: float = 0.0
    local_normdevrxploss: float = 0.0
    local_stdevrxploss: float = 0.0
    rtt: float = 0.0
    maxrtt: float = 0.0
    minrtt: float = 0.0
    normdevrtt: float = 0.0
    stdevrtt: float = 0.0
    local_ssrc: int = 0
    remote_ssrc: int = 0
    txoctetcount: int = 0
    rxoctetcount: int = 0


@dataclass(frozen=True, slots=True)
class EngineStatistics:
    """Counters of an engine since its start, for /metrics and `core show` commands."""

    ports: int
    """Open ports of every kind."""
    mixers: int
    ticks: int
    late_ticks: int
    """Ticks that were skipped because their time had passed."""
    packets_sent: int
    packets_received: int
    packets_dropped: int
    """Received and not used: too short, wrong payload type, wrong source, too late, too many."""
    send_errors: int
    cached_bytes: int
    active_ports: int = 0
    """Ports that need the next tick."""
    tick_ns: int = 0
    """Time spent in ticks."""
    events_dropped: int = 0
    """Digits and the like that were not told because too much waited."""
    packets_lost: int = 0
    """That their senders numbered and that never came; one that comes late takes its loss back."""
    threads: int = 1
    """Threads that carry the audio."""


# -- who is asked -------------------------------------------------------------------------------------------------


class Player(Protocol):
    """One source being played on one port. After its end every method does nothing."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def stop(self) -> None:
        """End it; `on_end` gets STOPPED."""

    def restart(self) -> None:
        """Go on from the beginning."""

    def skip(self, ms: int) -> None:
        """Move by so much, backwards when negative; before the beginning is the beginning, after the end ends it."""

    @property
    def position_ms(self) -> int:
        """How much of the source was played."""


class Recorder(Protocol):
    """One file being recorded from one port. After its end every method does nothing."""

    def pause(self) -> None:
        """Leave out what follows; the clocks of the limits stand."""

    def resume(self) -> None: ...

    def mute(self) -> None:
        """Record silence in place of what follows."""

    def unmute(self) -> None: ...

    def stop(self) -> None:
        """Complete the file; `on_end` gets STOPPED."""

    def cancel(self) -> None:
        """Discard what was recorded; a file that was there before stays as it was. `on_end` gets CANCELLED."""

    @property
    def duration_ms(self) -> int:
        """How much was recorded."""


class Port(Protocol):
    """Where audio enters and leaves one leg. After `close` every method does nothing (players end at once)."""

    def play(self, source: Source, *, offset_ms: int = 0, on_end: Callable[[PlayEnd], None]) -> Player:
        """Send a source; one that is being played on this port ends as STOPPED.

        A file that is missing or broken ends the player as FAILED.
        """

    def generate(self, generator: Generator | None) -> None:
        """Set what is sent in the background; None ends it."""

    def send_digits(self, digits: Sequence[DigitOut], on_end: Callable[[], None] | None = None) -> None:
        """Send digits after those already being sent, as RFC 4733 events when negotiated, else as tones.

        Digits outside 0-9 * # A-D are skipped. `on_end` is called when the last pause is over or the port is closed.
        """

    def mute(self, incoming: bool | None = None, outgoing: bool | None = None) -> None:
        """Silence a direction; None leaves it as it is.

        Outgoing: nothing at all is sent (digits neither), players go on unheard. Incoming: nobody hears it, digits
        are still told.
        """

    def volume(self, side: Side, factor: float) -> None:
        """Multiply what is heard of it (IN), or what it sends (OUT), from now on; 1 leaves it as it is.

        What it detects (digits, tones, talk) is heard before. MediaError outside of 0 to 100, and for other sides.
        """

    def record(
        self,
        path: str,
        format: str,
        options: RecordOptions = RecordOptions(),
        *,
        on_end: Callable[[RecordEnd], None],
    ) -> Recorder:
        """Record to `path.format`; its folder must exist.

        Formats: wav, wav16, wav49 (or WAV), gsm, ulaw, alaw, sln, sln12 to sln192. Raises MediaError for another. A
        file that cannot be written ends the recorder as FAILED. Several recorders may run at once.
        """

    def link(self, other: Port | Mixer | None, *, muted: bool = False, announcer: bool = False) -> None:
        """Connect it: a Port hears it and is heard (and loses its own link), a Mixer counts it as a member, None ends.

        muted: the others do not hear it. announcer: in a holding mixer, all others hear it. Digits received are
        sent on to the others unless `pass_digits(False)`.
        """

    def pass_digits(self, on: bool) -> None:
        """Whether the others of its link hear the digits it receives; True at first."""

    def echo(self, on: bool) -> None:
        """Send back what is received, digits included."""

    def detect_talk(self, threshold: int | None, silence_ms: int = 2500) -> None:
        """Tell `TalkStarted`/`TalkStopped`; None ends it.

        The threshold is a root mean square of samples; 256 is usual.
        """

    def detect_tone(
        self, frequency_hz: int | None, duration_ms: int = 500, *, side: Side = Side.IN, repeats: int = 0
    ) -> None:
        """Tell `ToneDetected` each time the tone lasted so long; None ends it.

        Side is IN or OUT; after so many repeats it ends by itself, 0 is never.
        """

    def detect_digits(self, inband: bool) -> None:
        """Whether to listen for digits as tones in the audio; those of telephone-event are always told."""

    def close(self) -> None:
        """End all of it and release its sockets at once; players and recorders end as CLOSED, no event follows."""

    @property
    def codec(self) -> str:
        """Format of what is sent: of the settings, the stream, or `slin` before any."""


class RtpPort(Port, Protocol):
    """A port on UDP."""

    @property
    def local_port(self) -> int:
        """Even; RTCP is on the next one."""

    def configure(self, settings: RtpSettings) -> None:
        """Take what was agreed, again at each re-offer; a changed remote address starts learning anew.

        Before the first call packets are received and dropped. Raises MediaError for a codec the engine lacks
        or a port outside 1..65535.
        """

    def buffer(self, rules: JitterRules) -> None:
        """Even out what arrives in another way from now on; what waits is forgotten.

        Packets of a port with rules other than ADAPTIVE are evened out for everybody, and never passed on as they come.
        """

    def take_packets(self, on_packet: PacketHandler | None) -> None:
        """Hear what is neither RTP nor RTCP from now on: STUN and DTLS, by their first byte (RFC 7983); None ends it.

        Needs no `configure`. Datagrams above 1500 bytes, and those beyond 16 that wait, are dropped and counted.
        """

    def tell_reports(self, on_report: ReportHandler | None) -> None:
        """See every RTCP report that is sent or comes from now on (RFC 3550 6.4), without encryption; None ends it.

        Of each compound the first packet alone. At most four wait: older ones give way.
        """

    def tell_heads(self, on_head: HeadHandler | None) -> None:
        """See the header of every packet of RTP from now on; None ends it. At most 256 wait: older ones give way."""

    def send_packet(self, data: bytes, target: Address, *, control: bool = False) -> None:
        """Send a datagram from the port of RTP, or of RTCP, as it is, once it hears packets or is configured.

        Never blocks.
        """

    def statistics(self) -> RtpStatistics: ...


class StreamPort(Port, Protocol):
    """A port whose far end is Python code; what it sends goes to `on_frame`."""

    def push(self, data: bytes) -> None:
        """Give audio of the far end, in the stream's format, any length.

        What the buffer (`buffer_ms` of `open_stream`) cannot hold pushes out the oldest, in whole frames of 20 ms,
        counted in `dropped_ms`: what is heard is never later than the buffer is long.
        """

    def flush(self) -> None:
        """Forget what was pushed and not heard yet."""

    @property
    def buffered_ms(self) -> int:
        """How much was pushed and not heard yet."""

    @property
    def dropped_ms(self) -> int:
        """How much was pushed out unheard by what came later; a flush does not count. 0 once it is closed."""

    def digit(self, digit: Digit, duration_ms: int) -> None:
        """The far end pressed a key (for protocols with a digit message)."""


class MixerMode(Enum):
    """How a mixer works at the moment, after the commands given so far."""

    RELAY = "relay"
    """Two RTP members of one codec and nobody listening in: payloads pass undecoded, on arrival (native_rtp)."""
    PAIR = "pair"
    """One or two members that hear each other (simple_bridge)."""
    MIX = "mix"
    """Each hears the sum of the others (softmix)."""
    HOLDING = "holding"
    """Each hears the generator or announcers, and is heard by none (holding_bridge)."""


class Mixer(Protocol):
    """Ports that hear each other; `Port.link` joins and leaves."""

    @property
    def mode(self) -> MixerMode: ...

    def port(self, on_event: EventHandler | None = None) -> Port:
        """A member without a far end: its player is heard by all (announcer), its recorder records the mix.

        It does not change the mode unless it plays or records; close it when done.
        """

    def generate(self, generator: Generator | None) -> None:
        """Music or tones that all members hear, mixed under what they say; None ends it."""

    def close(self) -> None:
        """All members leave, and hear nothing."""


class MediaEngine(Protocol):
    """Everything audible in one process."""

    @property
    def name(self) -> str:
        """`reference` or `native`."""

    @property
    def srtp_missing(self) -> str | None:
        """Why it cannot encrypt (`RtpSettings.srtp`); None when it can."""

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin; the loop is where callbacks run."""

    def stop(self) -> None:
        """Close every port and end the thread; returns when it has ended (at most a tick)."""

    def open_rtp(self, *, bind: str, on_event: EventHandler) -> RtpPort:
        """A port on an even/odd UDP pair of the range, bound to the address (`0.0.0.0`, `::`, or one of the host's).

        Raises NoPortsLeft; MediaError when the address cannot be bound.
        """

    def open_pipe(self, on_event_a: EventHandler, on_event_b: EventHandler) -> tuple[Port, Port]:
        """Two crossed ends: what one sends the other receives, digits too (Local channels)."""

    def open_stream(
        self,
        *,
        format: str,
        on_event: EventHandler,
        on_frame: FrameHandler,
        on_digit: DigitHandler | None = None,
        buffer_ms: int = 2000,
    ) -> StreamPort:
        """A port whose far end is Python code (AudioSocket, WebSocket). Raises MediaError for an unknown format.

        Digits that are sent go to `on_digit` when they end; without one they are tones in the audio.
        """

    def open_snoop(self, target: Port, *, spy: Side, whisper: Side, on_event: EventHandler) -> Port:
        """A port that receives what the target receives (IN), sends (OUT) or both, and whispers what it sends.

        Whispering OUT is heard by the target's far end, IN by those the target is linked to, mixed with the rest.
        Closing the target leaves the snoop open and silent.
        """

    def open_mixer(self, *, holding: bool = False) -> Mixer: ...

    def stats(self) -> EngineStatistics: ...
