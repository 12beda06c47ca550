"""The jitter buffer: packets in by sequence number, 20 ms frames out by time."""

from __future__ import annotations

from ..codecs import Codec
from ..codecs.host import FRAME_MS
from ..engine import ADAPTIVE, MOST_BUFFERED_MS, JitterRules

__all__ = ["JitterBuffer"]

MOST_MS = MOST_BUFFERED_MS
"""More than this waiting is too much: the oldest are dropped down to the target."""
MOST_CONCEALED = 5
"""Frames in a row that are made up for lost ones; a longer gap is left out."""
WINDOW_FRAMES = 250
"""Frames after which the depth is looked at: a sender's faster clock costs one frame then."""
MOST_LATE, MOST_AHEAD = 100, 1000
"""Packets that a jump may have which begins no new stream, unless the rules say it in milliseconds."""


class JitterBuffer:
    """Orders one stream's packets; adapts its depth to the jitter unless it is fixed; bounded in time and count.

    It waits for the target depth at the beginning of a talk spurt. A packet that is missing while later ones wait is
    told as lost, to be made up by who asks; one that comes after its time is dropped, and deepens the target.
    """

    __slots__ = (
        "_codec",
        "_concealed",
        "_frames",
        "_least",
        "_next",
        "_playing",
        "_rules",
        "_stock",
        "_waiting",
        "_waiting_ms",
        "dropped",
        "lost",
        "target_ms",
    )

    def __init__(self, rules: JitterRules = ADAPTIVE) -> None:
        self.target_ms = rules.target_ms
        self._rules = rules
        self.dropped = 0
        """Packets too late, double or too many."""
        self.lost = 0
        """Packets told as lost."""
        self._waiting: dict[int, tuple[Codec, bytes]] = {}
        self._waiting_ms = 0
        self._next = -1
        self._playing = False
        self._codec: Codec | None = None
        self._stock = b""
        self._concealed = 0
        self._least = MOST_MS
        self._frames = 0

    def clear(self) -> None:
        """Forget what waits, and begin a new stream."""
        self._waiting.clear()
        self._waiting_ms = 0
        self._next = -1
        self._playing = False
        self._frames = 0
        self._stock = b""

    @property
    def empty(self) -> bool:
        """Nothing will come out before something comes in."""
        return not self._waiting and not self._stock

    @property
    def depth_ms(self) -> int:
        """How much waits."""
        stock = self._codec.ms_of(self._stock) if self._codec is not None else 0
        return self._waiting_ms + stock

    def put(self, sequence: int, codec: Codec, payload: bytes) -> None:
        """Take one packet."""
        duration = codec.ms_of(payload)
        if not self._in_time(sequence, duration) or duration == 0 or sequence in self._waiting:
            self.dropped += 1
            return
        self._waiting[sequence] = (codec, payload)
        self._waiting_ms += duration
        while self._waiting_ms > MOST_MS and len(self._waiting) > 1:
            oldest = self._oldest()
            dropped, data = self._waiting.pop(oldest)
            self._waiting_ms -= dropped.ms_of(data)
            self._next = (oldest + 1) & 0xFFFF
            self.dropped += 1

    def _in_time(self, sequence: int, duration: int) -> bool:
        """False when its time is over; a jump of the sequence numbers begins a new stream."""
        if self._next < 0:
            return True
        ahead = ((sequence - self._next + 0x8000) & 0xFFFF) - 0x8000
        resync = self._rules.resync_ms // duration + 1 if self._rules.resync_ms and duration else 0
        if ahead <= -(resync or MOST_LATE) or ahead > (resync or MOST_AHEAD):
            self.clear()
        elif ahead < 0:
            if self._playing and not self._rules.fixed and self.target_ms < self._rules.largest_ms:
                self.target_ms += FRAME_MS
            return False
        return True

    def get(self) -> tuple[Codec, bytes | None] | None:
        """The frame of this tick, without bytes when it was lost; None when there is nothing to hear."""
        if not self._playing:
            if self.depth_ms < self.target_ms:
                return None if not self._waiting else self._impatient()
            self._begin()
        frame = self._take()
        if frame is None:
            self._playing = False
            self._concealed = self._frames = 0
            return None
        self._watch_depth()
        return frame

    def _impatient(self) -> tuple[Codec, bytes | None] | None:
        """A spurt shorter than the target must come out too: it waits as long as the target at most."""
        self._frames += 1
        if self._frames * FRAME_MS < self.target_ms:
            return None
        self._begin()
        return self._take()

    def _begin(self) -> None:
        self._playing = True
        self._frames = 0
        self._least = MOST_MS
        if self._waiting:
            self._next = self._oldest()

    def _oldest(self) -> int:
        anchor = self._next if self._next >= 0 else next(iter(self._waiting))
        return min(self._waiting, key=lambda s: (s - anchor + 0x8000) & 0xFFFF)

    def _take(self) -> tuple[Codec, bytes | None] | None:
        while True:
            codec = self._codec
            if codec is not None and self._stock:
                # A packet of varying frames comes out whole.
                size = codec.bytes_of(FRAME_MS) if codec.frame_bytes > 0 else len(self._stock)
                if len(self._stock) >= size:
                    frame, self._stock = self._stock[:size], self._stock[size:]
                    self._concealed = 0
                    return codec, frame
            packet = self._waiting.pop(self._next, None)
            if packet is None:
                return self._missing(codec)
            self._next = (self._next + 1) & 0xFFFF
            self._waiting_ms -= packet[0].ms_of(packet[1])
            if packet[0] is not codec:
                self._codec, self._stock = packet[0], packet[1]
            else:
                self._stock += packet[1]

    def _missing(self, codec: Codec | None) -> tuple[Codec, bytes | None] | None:
        if codec is None:
            return None
        if not self._waiting:
            if not self._stock:
                return None
            size = codec.bytes_of(FRAME_MS)
            frame = self._stock + codec.silence[len(self._stock) : size]
            self._stock = b""
            return codec, frame
        self.lost += 1
        self._next = (self._next + 1) & 0xFFFF
        if self._concealed >= MOST_CONCEALED:
            oldest = self._oldest()
            self.lost += (oldest - self._next) & 0xFFFF
            self._next = oldest
        self._stock = b""
        self._concealed += 1
        return codec, None

    def _watch_depth(self) -> None:
        """Shorten the delay by a frame when even the least depth of a window is more than needed."""
        depth = self.depth_ms
        if depth < self._least:
            self._least = depth
        self._frames += 1
        if self._frames < WINDOW_FRAMES:
            return
        if self._least > self.target_ms and self._waiting:
            codec = self._codec
            if codec is not None and self._stock and len(self._stock) >= codec.bytes_of(FRAME_MS):
                self._stock = self._stock[codec.bytes_of(FRAME_MS) :]
            else:
                self._take()
            self.dropped += 1
        elif self.target_ms > self._rules.target_ms and self._least > FRAME_MS:
            self.target_ms -= FRAME_MS
        self._frames = 0
        self._least = MOST_MS
