"""One stream that is received: its decoders, and what is made up for what got lost."""

from __future__ import annotations

from collections import deque

from ..codecs import Codec, Transcode
from ..codecs.host import FRAME_MS
from .frame import Frame
from .plc import HISTORY_MS, Plc

__all__ = ["ReceivedStream"]


class ReceivedStream:
    """Frames of a stream's payloads, in order.

    They are decoded only when somebody needs their samples. Concealment needs the last of them, so those are kept, and
    the first after a loss, which it blends with what it made up.
    """

    __slots__ = ("_decoders", "_lost", "_plc", "_plc_rate", "_recent", "_stash", "_stash_rate")

    def __init__(self) -> None:
        self._decoders: dict[str, Transcode] = {}
        self._recent: deque[Frame] = deque(maxlen=HISTORY_MS // FRAME_MS)
        """Came, and were not shown to the concealment yet."""
        self._plc: Plc | None = None
        self._plc_rate = 0
        self._lost = False
        """The last frame was made up."""
        self._stash = b""
        """Samples of packets that are not as long as a tick."""
        self._stash_rate = 0

    def clear(self) -> None:
        """Another stream begins."""
        self.forget_stash()
        self._decoders.clear()
        self._recent.clear()
        self._plc = None
        self._lost = False

    def frame(self, codec: Codec, payload: bytes) -> Frame:
        """A frame that came."""
        frame = Frame(codec, payload, self._decoder(codec))
        blends = self._lost and self._plc is not None and self._plc_rate == codec.rate
        self._lost = False
        if blends and self._plc is not None:
            return Frame.of_samples(self._plc.hear(frame.samples()), codec.rate)
        self._recent.append(frame)
        return frame

    def made_up(self, codec: Codec) -> Frame:
        """In place of a frame that was lost."""
        if codec.frame_bytes == 0:  # its decoder knows better
            return Frame.of_samples(self._decoder(codec)(b""), codec.rate)
        if self._plc is None or self._plc_rate != codec.rate:
            self._plc, self._plc_rate = Plc(codec.rate), codec.rate
        for frame in self._recent:
            if frame.rate == codec.rate:
                self._plc.hear(frame.samples())
        self._recent.clear()
        self._lost = True
        return Frame.of_samples(self._plc.conceal(codec.rate * FRAME_MS // 1000), codec.rate)

    def stash(self, codec: Codec, payload: bytes) -> None:
        """A packet that came, of a codec whose packets are of any length."""
        if codec.rate != self._stash_rate:
            self._stash, self._stash_rate = b"", codec.rate
        self._stash += self._decoder(codec)(payload)

    def unstash(self, *, all: bool = False) -> Frame | None:
        """A tick's part of what is stashed; with all, less than that is filled with silence."""
        size = self._stash_rate * FRAME_MS // 1000 * 2
        if not self._stash or (len(self._stash) < size and not all):
            return None
        samples, self._stash = self._stash[:size], self._stash[size:]
        return Frame.of_samples(samples.ljust(size, b"\0"), self._stash_rate)

    @property
    def stashed(self) -> bool:
        """Something waits to be taken."""
        return bool(self._stash)

    def forget_stash(self) -> None:
        self._stash = b""

    def _decoder(self, codec: Codec) -> Transcode:
        decode = self._decoders.get(codec.name)
        if decode is None:
            decode = self._decoders[codec.name] = codec.decoder()
        return decode
