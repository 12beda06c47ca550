"""The peer's failures in RTP."""

from __future__ import annotations

__all__ = ["ProtocolError"]


class ProtocolError(Exception):
    """Bytes that are no RTP, RTCP or telephone event: drop them, count them, go on."""
