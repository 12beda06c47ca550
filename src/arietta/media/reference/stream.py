"""One stream that is received: its decoders, and what is made up for what got lost."""

from __future__ import annotations

from collections import deque

from ..codecs import Codec, Transcode
from .frame import FRAME_MS, Frame
from .plc import HISTORY_MS, Plc

__all__ = ["ReceivedStream"]


class ReceivedStream:
    """Frames of a stream's payloads, in order.

    They are decoded only when somebody needs their samples. Concealment needs the last of them, so those are kept, and
    the first after a loss, which it blends with what it made up.
    """

    __slots__ = ("_decoders", "_lost", "_plc", "_plc_rate", "_recent")

    def __init__(self) -> None:
        self._decoders: dict[str, Transcode] = {}
        self._recent: deque[Frame] = deque(maxlen=HISTORY_MS // FRAME_MS)
        """Came, and were not shown to the concealment yet."""
        self._plc: Plc | None = None
        self._plc_rate = 0
        self._lost = False
        """The last frame was made up."""

    def clear(self) -> None:
        """Another stream begins."""
        self._decoders.clear()
        self._recent.clear()
        self._plc = None
        self._lost = False

    def frame(self, codec: Codec, payload: bytes) -> Frame:
        """A frame that came."""
        decode = self._decoders.get(codec.name)
        if decode is None:
            decode = self._decoders[codec.name] = codec.decoder()
        frame = Frame(codec, payload, decode)
        blends = self._lost and self._plc is not None and self._plc_rate == codec.rate
        self._lost = False
        if blends and self._plc is not None:
            return Frame.of_samples(self._plc.hear(frame.samples()), codec.rate)
        self._recent.append(frame)
        return frame

    def made_up(self, codec: Codec) -> Frame:
        """In place of a frame that was lost.

        A decoder that makes them up by itself (Opus) is to be asked here instead.
        """
        if self._plc is None or self._plc_rate != codec.rate:
            self._plc, self._plc_rate = Plc(codec.rate), codec.rate
        for frame in self._recent:
            if frame.rate == codec.rate:
                self._plc.hear(frame.samples())
        self._recent.clear()
        self._lost = True
        return Frame.of_samples(self._plc.conceal(codec.rate * FRAME_MS // 1000), codec.rate)
