"""Twenty milliseconds of audio, decoded and encoded as late and as seldom as possible."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # the standard library's until 3.12, then audioop-lts
    import audioop

from ..codecs import Codec, Resampler, Transcode
from ..codecs.host import host_codec

__all__ = ["Converter", "Frame", "level", "mixed", "scaled"]


class Frame:
    """One frame: a codec's payload that remembers what it was converted to."""

    __slots__ = ("_decode", "_forms", "_samples", "codec", "payload", "rate")

    def __init__(self, codec: Codec, payload: bytes, decode: Transcode | None = None) -> None:
        self.codec = codec
        self.payload = payload
        self.rate = codec.rate
        self._decode = decode
        self._samples: bytes | None = None
        self._forms: dict[str, bytes] | None = None

    @staticmethod
    def of_samples(samples: bytes, rate: int) -> Frame:
        """A frame of samples in host order."""
        return Frame(host_codec(rate), samples)

    def samples(self) -> bytes:
        """In host order at `rate`; a stream's own decoder is used once, in order."""
        if self._samples is None:
            decode = self._decode if self._decode is not None else self.codec.decoder()
            self._samples = decode(self.payload)
        return self._samples

    def encoded(self, codec: Codec) -> bytes:
        """In a codec of the same rate that has no memory; each codec once."""
        if codec is self.codec:
            return self.payload
        if self._forms is None:
            self._forms = {}
        form = self._forms.get(codec.name)
        if form is None:
            form = self._forms[codec.name] = codec.encoder()(self.samples())
        return form


class Converter:
    """One listener's sample rate conversion, with its memory."""

    __slots__ = ("_pair", "_resampler")

    def __init__(self) -> None:
        self._pair = (0, 0)
        self._resampler: Resampler | None = None

    def samples(self, frame: Frame, rate: int) -> bytes:
        """The frame's samples at a rate."""
        if frame.rate == rate:
            return frame.samples()
        if self._pair != (frame.rate, rate) or self._resampler is None:
            self._pair = (frame.rate, rate)
            self._resampler = Resampler(frame.rate, rate)
        return self._resampler.process(frame.samples())


def mixed(one: Frame | None, other: Frame | None, rate: int, converters: tuple[Converter, Converter]) -> Frame | None:
    """The saturated sum of two frames; either alone as it is."""
    if one is None or other is None:
        return one or other
    first = converters[0].samples(one, rate)
    second = converters[1].samples(other, rate)
    if len(first) != len(second):
        size = max(len(first), len(second))
        first, second = first.ljust(size, b"\0"), second.ljust(size, b"\0")
    return Frame.of_samples(audioop.add(first, second, 2), rate)


def scaled(frame: Frame, factor: float) -> Frame:
    """The frame, louder or quieter; saturated, rounded down."""
    return Frame.of_samples(audioop.mul(frame.samples(), 2, factor), frame.rate)


def level(samples: bytes) -> int:
    """Root mean square, 0 to 32767."""
    return audioop.rms(samples, 2)
