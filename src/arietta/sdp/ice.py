"""ICE in session descriptions (RFC 8839): who checks, with which credentials, and where somebody may be reached.

Not done here: TCP candidates (RFC 6544) and host names of candidates (mDNS); both are passed over, as they may be.
"""

from __future__ import annotations

import re
import secrets
import string
from ipaddress import ip_address

import msgspec

from arietta.sdp.bundle import transport_attribute, transport_attributes
from arietta.sdp.description import Line, Media, SessionDescription

UFRAG_CHARACTERS, PASSWORD_CHARACTERS = 8, 24
"""Of ours: 48 and 144 bits; RFC 8839 5.4 wants 24 and 128."""
MOST_CANDIDATES = 64
HOST_PRIORITY = (126 << 24) | (65535 << 8) | 255
"""Of where we are (RFC 8445 5.1.2),"""
REFLEXIVE_PRIORITY = (100 << 24) | (65535 << 8) | 255
"""and of how that is seen from outside."""

_ALPHABET = string.ascii_letters + string.digits + "+/"
_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_CANDIDATE = re.compile(
    r"([A-Za-z0-9+/]{1,32}) ([0-9]{1,3}) (\S{1,20}) ([0-9]{1,10}) (\S{1,255}) ([0-9]{1,5}) typ (\S{1,20})(?: .*)?"
)


class IceError(ValueError):
    """Why the ICE of a description cannot be used."""


class Candidate(msgspec.Struct, frozen=True):
    """One place where somebody may be reached over UDP."""

    address: str
    """Numeric."""
    port: int
    priority: int
    kind: str = "host"
    """host, srflx, prflx or relay."""
    component: int = 1
    base: tuple[str, int] | None = None
    """Of one of ours that is not host: where it really is."""

    def __str__(self) -> str:
        """The attribute's value."""
        foundation = 1 if self.base is None else 2
        related = f" raddr {self.base[0]} rport {self.base[1]}" if self.base is not None else ""
        place = f"{self.address} {self.port}"
        return f"{foundation} {self.component} udp {self.priority} {place} typ {self.kind}{related}"


class IceSide(msgspec.Struct, frozen=True):
    """One side's ICE."""

    ufrag: str
    password: str
    is_lite: bool = False
    candidates: tuple[Candidate, ...] = ()
    """Of RTP, the best first; one that trickles may have none yet (RFC 8838). Of ours: those besides the host's."""

    def __repr__(self) -> str:
        return f"IceSide({self.ufrag!r}, …, {self.is_lite}, {self.candidates})"


def reflexive_candidate(seen_as: str, address: str, port: int) -> Candidate:
    """How a place of ours is seen from outside, by a NAT that keeps ports."""
    return Candidate(seen_as, port, REFLEXIVE_PRIORITY, "srflx", base=(address, port))


def fresh_ice(*candidates: Candidate) -> IceSide:
    """New credentials of ours, and candidates besides the host's."""
    ufrag = "".join(secrets.choice(_ALPHABET) for _ in range(UFRAG_CHARACTERS))
    password = "".join(secrets.choice(_ALPHABET) for _ in range(PASSWORD_CHARACTERS))
    return IceSide(ufrag, password, True, candidates)


def ice_of(description: SessionDescription, section: Media) -> IceSide | None:
    """The ICE of a section; None without any, IceError when it is broken."""
    ufrag = transport_attribute(description, section, "ice-ufrag")
    password = transport_attribute(description, section, "ice-pwd")
    if ufrag is None and password is None:
        return None
    if ufrag is None or not _UFRAG.fullmatch(ufrag):
        raise IceError(f"a=ice-ufrag {(ufrag or 'missing')[:20]!r} is not 4 to 256 letters, digits, + and /")
    if password is None or not _PASSWORD.fullmatch(password):
        raise IceError("a=ice-pwd is not 22 to 256 letters, digits, + and /")
    found = map(_candidate, transport_attributes(description, section, "candidate")[:MOST_CANDIDATES])
    candidates = sorted((one for one in found if one is not None), key=lambda one: -one.priority)
    return IceSide(ufrag, password, description.attribute("ice-lite") is not None, tuple(candidates))


def ice_lines(ours: IceSide, address: str, port: int, *, has_rtcp: bool) -> list[Line]:
    """What a section says of our ICE, with the port above for RTCP if it has one of its own."""
    candidates = [Candidate(address, port, HOST_PRIORITY), *ours.candidates]
    if has_rtcp:
        candidates += [_above(one) for one in candidates]
    return [
        ("a", f"ice-ufrag:{ours.ufrag}"),
        ("a", f"ice-pwd:{ours.password}"),
        *(("a", f"candidate:{one}") for one in candidates),
        ("a", "end-of-candidates"),
    ]


def _above(one: Candidate) -> Candidate:
    """The same place for RTCP (RFC 8445 5.1.2.1: a component counts as 256 less its number)."""
    base = (one.base[0], one.base[1] + 1) if one.base is not None else None
    return Candidate(one.address, one.port + 1, one.priority - 1, one.kind, 2, base)


def _candidate(value: str) -> Candidate | None:
    """One that can be sent to; None for another component, transport, or a name."""
    match = _CANDIDATE.fullmatch(value)
    if match is None or match[3].lower() != "udp" or match[2] != "1" or not 0 < int(match[6]) <= 65535:
        return None
    try:
        ip_address(match[5])
    except ValueError:
        return None
    return Candidate(match[5], int(match[6]), int(match[4]), match[7])
