"""Opus (RFC 6716, RFC 7587) through the system's libopus: 48 kHz, one channel, packets of 20 ms."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_int, c_int32, c_void_p
from functools import lru_cache

__all__ = ["RATE", "OpusDecoder", "OpusEncoder", "available", "packet_ms"]

RATE = 48000
FRAME_SAMPLES = 960
MOST_SAMPLES = 5760
"""A packet holds 120 ms at most (RFC 6716 3.2.5)."""
MOST_BYTES = 1275

# Numbers of libopus's interface (opus_defines.h).
APPLICATION_VOIP = 2048
SET_COMPLEXITY = 4010
COMPLEXITY = 5
"""Of 10: 0.2 ms of CPU for a packet; the default of 9 takes 0.35 and saves no bytes."""
SET_INBAND_FEC = 4012
SET_PACKET_LOSS_PERC = 4014
EXPECTED_LOSS_PERC = 5
"""Without any, no packet carries what corrects the one before."""

_TWO_AND_A_HALF_MS = {"silk": (4, 8, 16, 24), "hybrid": (4, 8, 4, 8), "celt": (1, 2, 4, 8)}


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL | None:
    """libopus with its types, None where there is none."""
    for name in ("libopus.so.0", "libopus.0.dylib"):
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        library.opus_encoder_create.argtypes = [c_int32, c_int, c_int, POINTER(c_int)]
        library.opus_encoder_create.restype = c_void_p
        library.opus_encoder_destroy.argtypes = [c_void_p]
        library.opus_encode.argtypes = [c_void_p, c_char_p, c_int, c_char_p, c_int32]
        library.opus_decoder_create.argtypes = [c_int32, c_int, POINTER(c_int)]
        library.opus_decoder_create.restype = c_void_p
        library.opus_decoder_destroy.argtypes = [c_void_p]
        library.opus_decode.argtypes = [c_void_p, c_char_p, c_int32, c_char_p, c_int, c_int]
        return library
    return None


def available() -> bool:
    """Whether libopus is there."""
    return _library() is not None


def packet_ms(data: bytes) -> int:
    """Milliseconds of a packet by its TOC byte (RFC 6716 3.1), rounded down; 0 when broken."""
    if not data:
        return 0
    config, code = data[0] >> 3, data[0] & 3
    mode = "silk" if config < 12 else "hybrid" if config < 16 else "celt"
    frames = (1, 2, 2, data[1] & 63 if len(data) > 1 else 0)[code]
    ms = frames * _TWO_AND_A_HALF_MS[mode][config & 3] * 5 // 2
    return ms if ms <= 120 else 0


class OpusEncoder:
    """One stream's encoder: packets of 20 ms, or of another number of samples that Opus has (RFC 6716 2.1.4)."""

    def __init__(self, samples: int = FRAME_SAMPLES) -> None:
        self._samples = samples
        library = _library()
        assert library is not None, "nobody asks for Opus without libopus"
        self._destroy = library.opus_encoder_destroy
        self._encode = library.opus_encode
        self._coder = library.opus_encoder_create(RATE, 1, APPLICATION_VOIP, None)
        if not self._coder:
            raise MemoryError
        for request, value in (
            (SET_COMPLEXITY, COMPLEXITY),
            (SET_INBAND_FEC, 1),
            (SET_PACKET_LOSS_PERC, EXPECTED_LOSS_PERC),
        ):
            library.opus_encoder_ctl(c_void_p(self._coder), request, c_int32(value))
        self._room = ctypes.create_string_buffer(MOST_BYTES)

    def __del__(self) -> None:
        if getattr(self, "_coder", None):
            self._destroy(self._coder)

    def encode(self, samples: bytes) -> bytes:
        """One packet of the first samples, filled with silence."""
        frame = samples[: 2 * self._samples].ljust(2 * self._samples, b"\0")
        size = self._encode(self._coder, frame, self._samples, self._room, MOST_BYTES)
        return self._room.raw[: max(0, size)]


class OpusDecoder:
    """One stream's decoder."""

    def __init__(self) -> None:
        library = _library()
        assert library is not None, "nobody asks for Opus without libopus"
        self._destroy = library.opus_decoder_destroy
        self._decode = library.opus_decode
        self._coder = library.opus_decoder_create(RATE, 1, None)
        if not self._coder:
            raise MemoryError
        self._room = ctypes.create_string_buffer(2 * MOST_SAMPLES)

    def __del__(self) -> None:
        if getattr(self, "_coder", None):
            self._destroy(self._coder)

    def decode(self, data: bytes) -> bytes:
        """Samples of a packet; no packet, or a broken one, is 20 ms made up from what was before."""
        count = 0
        if packet_ms(data):
            count = self._decode(self._coder, data, len(data), self._room, MOST_SAMPLES, 0)
        if count <= 0:
            count = self._decode(self._coder, None, 0, self._room, FRAME_SAMPLES, 0)
        return self._room.raw[: 2 * max(0, count)]
