"""DTLS-SRTP in session descriptions (RFC 5763, RFC 8122, RFC 8842): whose certificate it will be, and who begins."""

from __future__ import annotations

import binascii

import msgspec

from arietta.sdp.bundle import transport_attribute, transport_attributes
from arietta.sdp.description import Line, Media, SessionDescription

HASH_BYTES = {"sha-512": 64, "sha-384": 48, "sha-256": 32, "sha-224": 28, "sha-1": 20}
"""The hashes that can be compared, the best first. MD5 and MD2 prove nothing (RFC 8122 5)."""
SETUPS = ("active", "passive", "actpass", "holdconn")


class DtlsError(ValueError):
    """Why the DTLS of a description cannot be used."""


class Fingerprint(msgspec.Struct, frozen=True):
    """The hash of a certificate."""

    name: str
    """Of the hash function, as in HASH_BYTES."""
    digest: bytes

    def __str__(self) -> str:
        """The attribute's value."""
        return f"{self.name} {self.digest.hex(':').upper()}"


class DtlsSide(msgspec.Struct, frozen=True):
    """One side's DTLS."""

    fingerprints: tuple[Fingerprint, ...]
    """One of them is that of its certificate."""
    setup: str = "actpass"
    """active begins, passive waits, actpass leaves it to the answer."""


class DtlsTerms(msgspec.Struct, frozen=True):
    """What both sides agreed on."""

    fingerprints: tuple[Fingerprint, ...]
    """The peer's certificate has one of them."""
    is_client: bool
    """We begin."""


def dtls_of(description: SessionDescription, section: Media, *, default_setup: str) -> DtlsSide | None:
    """The DTLS of a section; None without any, DtlsError when it is broken."""
    values = transport_attributes(description, section, "fingerprint")
    if not values:
        return None
    setup = (transport_attribute(description, section, "setup") or default_setup).lower()
    if setup not in SETUPS:
        raise DtlsError(f"a=setup {setup[:20]!r} is none of {', '.join(SETUPS)}")
    found = [one for one in map(parse_fingerprint, values) if one is not None]
    if not found:
        raise DtlsError(f"no a=fingerprint of a hash that is known: {', '.join(HASH_BYTES)}")
    best = next(name for name in HASH_BYTES if any(one.name == name for one in found))
    return DtlsSide(tuple(one for one in found if one.name == best), setup)  # RFC 8122 5.1: the best hash counts


def parse_fingerprint(value: str) -> Fingerprint | None:
    """Read an `a=fingerprint`; None for a hash that is not known, DtlsError when it is broken."""
    name, _, digits = value.partition(" ")
    name = name.lower()
    if name not in HASH_BYTES:
        return None
    try:
        digest = binascii.unhexlify(digits.strip().replace(":", ""))
    except ValueError:
        raise DtlsError(f"a=fingerprint {value[:40]!r} has no hexadecimal digits") from None
    if len(digest) != HASH_BYTES[name]:
        raise DtlsError(f"a=fingerprint of {name} has {len(digest)} bytes instead of {HASH_BYTES[name]}")
    return Fingerprint(name, digest)


def dtls_lines(ours: DtlsSide) -> list[Line]:
    """What a section says of our DTLS."""
    return [*(("a", f"fingerprint:{one}") for one in ours.fingerprints), ("a", f"setup:{ours.setup}")]


def setup_to_answer(theirs: str, wish: str) -> str:
    """Our a=setup in an answer (RFC 5763 5); DtlsError when nobody would begin."""
    if theirs == "holdconn":
        raise DtlsError("a=setup:holdconn, which leaves nobody to begin")
    if theirs == "actpass":
        return "passive" if wish == "passive" else "active"
    return "passive" if theirs == "active" else "active"


def begins_after_answer(offered: str, answered: str) -> bool:
    """Whether we begin, after an answer to our a=setup; DtlsError when nobody, or everybody would."""
    if answered not in ("active", "passive") or offered == answered:
        raise DtlsError(f"a=setup:{offered} is answered with a=setup:{answered}")
    return answered == "passive"
