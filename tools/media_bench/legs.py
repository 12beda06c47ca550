"""What both ends of a leg agreed on."""

from __future__ import annotations

import hashlib

from arietta.media.codecs import CODECS
from arietta.media.engine import RtpSettings, SrtpKeys

from .cases import Case

__all__ = ["settings"]

SUITE = "AES_CM_128_HMAC_SHA1_80"


def settings(
    case: Case, leg: int, rtp: tuple[str, int], rtcp: tuple[str, int] | None, *, near: bool, symmetric: bool = True
) -> RtpSettings:
    """The leg as one end sees it; near: the engine that is measured."""
    codec = CODECS[case.codec(leg)]
    payload_type = codec.payload_type
    assert payload_type is not None
    return RtpSettings(
        rtp,
        codec.name,
        payload_type,
        {payload_type: codec.name},
        remote_rtcp=rtcp,
        symmetric=symmetric,
        srtp=_keys(leg, near) if case.srtp else None,
    )


def _keys(leg: int, near: bool) -> SrtpKeys:
    local, remote = (hashlib.sha256(f"{leg} {end}".encode()).digest()[:30] for end in (near, not near))
    return SrtpKeys(SUITE, local, remote)
