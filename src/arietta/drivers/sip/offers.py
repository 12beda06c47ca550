"""What the description of a call may have, as its endpoint says: codecs, encryption."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from arietta import sdp
from arietta.config.endpoint import Endpoint
from arietta.media.codecs import is_codec
from arietta.sip.uri import quote

if TYPE_CHECKING:
    from arietta.webrtc.dtls import Identity

SUITES = tuple(sdp.SRTP_SUITES)
SHORT_TAGS = "AES_CM_128_HMAC_SHA1_32"
SUITES_WITH_SHORT_TAGS = (SHORT_TAGS, *(suite for suite in SUITES if suite != SHORT_TAGS))


@lru_cache(maxsize=256)
@lru_cache(maxsize=256)
def carried(allowed: tuple[str, ...]) -> tuple[str, ...]:
    """The codecs of a list, `allow` or such, that the media engine can carry; opus only where libopus is."""
    names = (one.partition(":")[0] for one in allowed)
    return tuple(name for name in names if name in sdp.CODECS and is_codec(name))


def packet_time_of(endpoint: Endpoint) -> sdp.PacketTime:
    """How much audio packets of an endpoint have."""
    return _packet_time(endpoint.allow, endpoint.use_ptime)


@lru_cache(maxsize=256)
def _packet_time(allowed: tuple[str, ...], follows_peer: bool) -> sdp.PacketTime:
    pairs = (one.partition(":") for one in allowed)
    return sdp.PacketTime({name: int(length) for name, _, length in pairs if length}, follows_peer)


def codecs_of(endpoint: Endpoint, formats: Sequence[str]) -> tuple[str, ...]:
    """The codecs of a call: the endpoint's, or those of the formats that were asked for."""
    allowed = carried(endpoint.allow)
    wanted = tuple(name for name in formats if name in allowed)
    return wanted or allowed or ("ulaw", "alaw")


def suites_of(endpoint: Endpoint) -> tuple[str, ...]:
    """The SRTP suites of an endpoint, the best first."""
    if endpoint.media_encryption != "sdes":
        return ()
    return SUITES_WITH_SHORT_TAGS if endpoint.srtp_tag_32 else SUITES


def dtls_side(endpoint: Endpoint, identity: Identity | None) -> sdp.DtlsSide | None:
    """Our side of the handshake that a call is to begin with; None without DTLS."""
    if identity is None:
        return None
    return sdp.DtlsSide((identity.fingerprint(endpoint.dtls_fingerprint),), endpoint.dtls_setup)


def settings_of(
    endpoint: Endpoint,
    codecs: tuple[str, ...],
    *,
    address: str,
    port: int,
    session_id: int,
    direction: sdp.Direction,
    can_encrypt: bool,
    dtls: sdp.DtlsSide | None,
    ice: sdp.IceSide | None,
) -> sdp.OfferSettings:
    """Our side of an offer or answer in one call of an endpoint, with these codecs in their order."""
    return sdp.OfferSettings(
        address=address,
        port=port,
        codecs=codecs,
        telephone_event=endpoint.dtmf_mode in ("rfc4733", "auto", "auto_info"),
        session_id=session_id,
        direction=direction,
        rtcp_mux=endpoint.rtcp_mux,
        username=endpoint.sdp_owner,
        name=endpoint.sdp_session,
        prefer_ours=True,
        crypto_suites=suites_of(endpoint) if can_encrypt else (),
        crypto_optional=endpoint.media_encryption_optimistic,
        dtls=dtls,
        ice=ice,
        avpf=endpoint.use_avpf,
        force_avp=endpoint.force_avp,
        bundle=endpoint.bundle,
        packet_time=packet_time_of(endpoint),
    )


def warning_of(refusal: sdp.Refusal) -> tuple[tuple[str, str], ...]:
    """Why a description is refused, for people (RFC 3261 20.43)."""
    text = "".join(letter if " " <= letter <= "~" else "?" for letter in refusal.reason[:200])
    return (("Warning", f"399 arietta {quote(text)}"),)
