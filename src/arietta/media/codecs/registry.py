"""The codecs the reference engine speaks, by the names of the dialplan.

Inside the engine audio is signed 16-bit samples in host order, one channel, as bytes.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # the standard library's until 3.12, then audioop-lts
    import audioop

from . import opus
from .g722 import G722Decoder, G722Encoder
from .gsm import GsmDecoder, GsmEncoder
from .native import native

__all__ = ["CODECS", "Codec", "Transcode", "codec", "is_codec"]

Transcode = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True, eq=False)
class Codec:
    """One audio format on the wire."""

    name: str
    rate: int
    """Samples per second."""
    payload_type: int | None
    """Static payload type of RFC 3551 6; None is dynamic."""
    encoding: str
    """Encoding name of RFC 3551 and RFC 7587, for SDP: PCMU, PCMA, GSM, G722, opus, L16."""
    frame_ms: int
    """Shortest time a payload can hold."""
    frame_bytes: int
    """Bytes of frame_ms; 0 when they vary."""
    encoder: Callable[[], Transcode] = field(repr=False)
    """A new stream's encoder: samples, a multiple of frame_ms (one frame where bytes vary), to bytes."""
    decoder: Callable[[], Transcode] = field(repr=False)
    """A new stream's decoder: bytes to samples; bytes after the last whole frame are dropped."""
    silence: bytes = field(repr=False, default=b"")
    """Twenty milliseconds of silence, encoded; empty where bytes vary: a decoder makes it up of nothing."""
    linear: bool = False
    """The bytes are the samples themselves."""
    stateless: bool = False
    """Frames do not depend on each other: one encoding serves all listeners."""
    clock_rate: int = 0
    """Of its RTP timestamps; the sample rate, except for G.722 (RFC 3551 4.5.2)."""

    def __post_init__(self) -> None:
        if self.clock_rate == 0:
            object.__setattr__(self, "clock_rate", self.rate)

    def bytes_of(self, ms: int) -> int:
        """How many bytes hold so many milliseconds (a multiple of frame_ms); ValueError where bytes vary."""
        if self.frame_bytes == 0:
            raise ValueError(f"{self.name} has no fixed number of bytes for {ms} ms")
        return ms * self.frame_bytes // self.frame_ms

    def ms_of(self, data: bytes) -> int:
        """How many milliseconds a payload holds."""
        if self.frame_bytes == 0:
            return opus.packet_ms(data)
        return len(data) * self.frame_ms // self.frame_bytes


def _ulaw_encode(samples: bytes) -> bytes:
    return audioop.lin2ulaw(samples, 2)


def _ulaw_decode(data: bytes) -> bytes:
    return audioop.ulaw2lin(data, 2)


def _alaw_encode(samples: bytes) -> bytes:
    return audioop.lin2alaw(samples, 2)


def _alaw_decode(data: bytes) -> bytes:
    return audioop.alaw2lin(data, 2)


def _network_order(data: bytes) -> bytes:
    if len(data) % 2:
        data = data[:-1]
    return audioop.byteswap(data, 2) if sys.byteorder == "little" else data


def _stateless(
    name: str, rate: int, payload_type: int | None, encoding: str, width: int, encode: Transcode, decode: Transcode
) -> Codec:
    return Codec(
        name=name,
        rate=rate,
        payload_type=payload_type,
        encoding=encoding,
        frame_ms=10,
        frame_bytes=rate // 100 * width,
        encoder=lambda: encode,
        decoder=lambda: decode,
        silence=encode(bytes(rate // 50 * 2)),
        linear=encoding == "L16",
        stateless=True,
    )


def _encoder(name: str, python: Callable[[], Transcode]) -> Callable[[], Transcode]:
    """What makes encoders in C, or else those in Python."""
    engine = native()
    return python if engine is None else partial(engine.Encoder, name)


def _decoder(name: str, python: Callable[[], Transcode]) -> Callable[[], Transcode]:
    engine = native()
    return python if engine is None else partial(engine.Decoder, name)


def _gsm() -> Codec:
    return Codec(
        name="gsm",
        rate=8000,
        payload_type=3,
        encoding="GSM",
        frame_ms=20,
        frame_bytes=33,
        encoder=_encoder("gsm", lambda: GsmEncoder().encode),
        decoder=_decoder("gsm", lambda: GsmDecoder().decode),
        silence=GsmEncoder().encode(bytes(320)),
    )


def _g722() -> Codec:
    return Codec(
        name="g722",
        rate=16000,
        clock_rate=8000,
        payload_type=9,
        encoding="G722",
        frame_ms=10,
        frame_bytes=80,
        encoder=_encoder("g722", lambda: G722Encoder().encode),
        decoder=_decoder("g722", lambda: G722Decoder().decode),
        silence=G722Encoder().encode(bytes(640)),
    )


def _opus() -> Codec:
    return Codec(
        name="opus",
        rate=opus.RATE,
        payload_type=None,
        encoding="opus",
        frame_ms=20,
        frame_bytes=0,
        encoder=lambda: opus.OpusEncoder().encode,
        decoder=lambda: opus.OpusDecoder().decode,
    )


LINEAR_RATES = {
    "slin": 8000,
    "slin12": 12000,
    "slin16": 16000,
    "slin24": 24000,
    "slin32": 32000,
    "slin44": 44100,
    "slin48": 48000,
    "slin96": 96000,
    "slin192": 192000,
}

CODECS: dict[str, Codec] = {
    "ulaw": _stateless("ulaw", 8000, 0, "PCMU", 1, _ulaw_encode, _ulaw_decode),
    "alaw": _stateless("alaw", 8000, 8, "PCMA", 1, _alaw_encode, _alaw_decode),
    "gsm": _gsm(),
    "g722": _g722(),
    **({"opus": _opus()} if opus.available() else {}),
    **{
        name: _stateless(name, rate, None, "L16", 2, _network_order, _network_order)
        for name, rate in LINEAR_RATES.items()
    },
}


def codec(name: str) -> Codec:
    """The codec of that name; KeyError names one that is not spoken."""
    found = CODECS.get(name)
    if found is None:
        raise KeyError(f"no codec {name!r}; there are {', '.join(CODECS)}")
    return found


def is_codec(name: str) -> bool:
    """Whether the engine speaks it."""
    return name in CODECS
