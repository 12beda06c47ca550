"""Session descriptions and their negotiation (RFC 8866, RFC 3264): values and pure functions."""

from arietta.sdp.codecs import CODECS, Codec, PayloadTable, UnknownCodec, codec_named, payload_table
from arietta.sdp.crypto import SRTP_SUITES, Crypto, CryptoError, SecureKeys, parse_crypto
from arietta.sdp.description import (
    Connection,
    Direction,
    Media,
    Origin,
    SdpError,
    SessionDescription,
    parse,
)
from arietta.sdp.dtls import DtlsError, DtlsSide, DtlsTerms, Fingerprint
from arietta.sdp.ice import Candidate, IceError, IceSide, fresh_ice, ice_of, reflexive_candidate
from arietta.sdp.negotiation import (
    Negotiated,
    OfferSettings,
    Refusal,
    answer_offer,
    make_offer,
    offered_codecs,
    read_answer,
    sending,
)
from arietta.sdp.packet_time import PacketTime

__all__ = [
    "CODECS",
    "SRTP_SUITES",
    "Candidate",
    "Codec",
    "Connection",
    "Crypto",
    "CryptoError",
    "Direction",
    "DtlsError",
    "DtlsSide",
    "DtlsTerms",
    "Fingerprint",
    "IceError",
    "IceSide",
    "Media",
    "Negotiated",
    "OfferSettings",
    "Origin",
    "PacketTime",
    "PayloadTable",
    "Refusal",
    "SdpError",
    "SecureKeys",
    "SessionDescription",
    "UnknownCodec",
    "answer_offer",
    "codec_named",
    "fresh_ice",
    "ice_of",
    "make_offer",
    "offered_codecs",
    "parse",
    "parse_crypto",
    "payload_table",
    "read_answer",
    "reflexive_candidate",
    "sending",
]
