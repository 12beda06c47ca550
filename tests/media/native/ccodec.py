"""The codecs in C, called through ctypes."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_bool, c_char_p, c_int, c_size_t, c_void_p
from functools import lru_cache

from .leaves import leaf

__all__ = ["CodecC", "Stream", "codec_named", "codecs"]

ROOM = 200_000


class CodecC(ctypes.Structure):
    """codec_t of codec.h."""

    _fields_ = [
        ("name", c_char_p),
        ("id", c_int),
        ("rate", c_int),
        ("clock_rate", c_int),
        ("frame_ms", c_int),
        ("frame_bytes", c_int),
        ("stateless", c_bool),
        ("linear", c_bool),
        ("encoder_size", c_size_t),
        ("decoder_size", c_size_t),
        ("encoder_open", ctypes.CFUNCTYPE(c_bool, c_void_p)),
        ("decoder_open", ctypes.CFUNCTYPE(c_bool, c_void_p)),
        ("encoder_close", ctypes.CFUNCTYPE(None, c_void_p)),
        ("decoder_close", ctypes.CFUNCTYPE(None, c_void_p)),
        ("encode", ctypes.CFUNCTYPE(c_int, c_void_p, c_char_p, c_int, c_void_p, c_int)),
        ("decode", ctypes.CFUNCTYPE(c_int, c_void_p, c_char_p, c_int, c_void_p, c_int)),
        ("conceal", ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)),
        ("silence", c_void_p),
        ("silence_bytes", c_int),
    ]

    @property
    def quiet(self) -> bytes:
        """Its silence."""
        return ctypes.string_at(self.silence, self.silence_bytes) if self.silence else b""


@lru_cache(maxsize=1)
def codecs() -> ctypes.CDLL:
    """The table, ready for use."""
    library = leaf("codec")
    for function in (library.codec_at, library.codec_named, library.codec_host):
        function.restype = POINTER(CodecC)
    library.codec_ms.argtypes = [POINTER(CodecC), c_char_p, c_int]
    library.codec_available.restype = c_bool
    library.codecs_init()
    return library


def codec_named(name: str) -> CodecC:
    """One entry of it."""
    found = codecs().codec_named(name.encode())
    assert found, name
    return found.contents


class Stream:
    """One encoder and one decoder."""

    def __init__(self, name: str) -> None:
        self.codec = codec_named(name)
        self._encoder = ctypes.create_string_buffer(self.codec.encoder_size or 1)
        self._decoder = ctypes.create_string_buffer(self.codec.decoder_size or 1)
        assert not self.codec.encoder_open or self.codec.encoder_open(self._encoder)
        assert not self.codec.decoder_open or self.codec.decoder_open(self._decoder)

    def close(self) -> None:
        """Give back what they hold."""
        if self.codec.encoder_close:
            self.codec.encoder_close(self._encoder)
        if self.codec.decoder_close:
            self.codec.decoder_close(self._decoder)

    def encode(self, samples: bytes, room: int = ROOM) -> bytes | None:
        """None: an error."""
        out = ctypes.create_string_buffer(room + 1)
        written = self.codec.encode(self._encoder, samples, len(samples) // 2, out, room)
        assert written <= room
        assert out.raw[room] == 0
        return out.raw[:written] if written >= 0 else None

    def decode(self, data: bytes, room: int = ROOM) -> bytes | None:
        """Room in samples."""
        out = ctypes.create_string_buffer(2 * room + 1)
        count = self.codec.decode(self._decoder, data, len(data), out, room)
        assert count <= room
        assert out.raw[2 * room] == 0
        return out.raw[: 2 * count] if count >= 0 else None

    def conceal(self, count: int) -> bytes | None:
        """Samples of a lost frame."""
        out = ctypes.create_string_buffer(2 * count)
        written = self.codec.conceal(self._decoder, out, count)
        return out.raw[: 2 * written] if written >= 0 else None
