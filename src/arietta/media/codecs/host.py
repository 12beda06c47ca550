"""The engines' own format: ticks of samples in host order."""

from __future__ import annotations

from functools import lru_cache

from .registry import Codec

__all__ = ["FRAME_MS", "feed_codec", "host_codec"]

FRAME_MS = 20
"""One tick."""


def _identity(data: bytes) -> bytes:
    return data


@lru_cache(maxsize=32)
def host_codec(rate: int) -> Codec:
    """The engine's own format: samples in host order."""
    return Codec(
        name="slin" if rate == 8000 else f"slin{rate // 1000}",
        rate=rate,
        payload_type=None,
        encoding="L16",
        frame_ms=10,
        frame_bytes=rate // 100 * 2,
        encoder=lambda: _identity,
        decoder=lambda: _identity,
        silence=bytes(rate // 50 * 2),
        linear=True,
        stateless=True,
    )


def feed_codec(codec: Codec) -> Codec:
    """In whose bytes sound for a port of a codec is kept: varying frames are encoded for each listener."""
    return codec if codec.frame_bytes > 0 else host_codec(codec.rate)
