"""A lite agent of ICE for one stream (RFC 8445): it answers the peer's checks and never makes any.

Not done here: the controlling role of a lite agent that faces another one. There, no checks are made at all, and the
candidates of the descriptions are used as they are (`best_candidate`).
"""

from __future__ import annotations

from ipaddress import ip_address

import msgspec

from arietta import stun
from arietta.sdp import IceSide
from arietta.stun import StunError, StunMessage, parse_stun, write_stun

Address = tuple[str, int]

KNOWN = frozenset((stun.USERNAME, stun.MESSAGE_INTEGRITY, stun.PRIORITY, stun.USE_CANDIDATE))
"""Attributes of a check that have to be understood, and are."""
GENERATIONS = 2
"""Credentials at a time: after a restart those before stay good until the new ones are used (RFC 8445 9)."""
REASONS = {400: "Bad Request", 401: "Unauthenticated", 420: "Unknown Attribute", 487: "Role Conflict"}


class CheckTaken(msgspec.Struct, frozen=True):
    """What came of a datagram."""

    answer: bytes | None = None
    """To go back to where it came from; never longer than the datagram was, unless its sender has the password."""
    is_genuine: bool = False
    """Its sender has the password."""
    is_nominated: bool = False
    """Media is to go to its source from now on."""


NOTHING = CheckTaken()


class LiteAgent:
    """Answers connectivity checks with the credentials of the descriptions."""

    def __init__(self) -> None:
        self._generations: list[tuple[IceSide, IceSide | None]] = []  # ours and theirs, the newest first

    def use(self, ours: IceSide, theirs: IceSide | None) -> None:
        """Take the credentials of a description; None: the peer's are not known yet."""
        if self._generations and self._generations[0][0].ufrag == ours.ufrag:
            self._generations[0] = (ours, theirs or self._generations[0][1])
            return
        self._generations.insert(0, (ours, theirs))
        del self._generations[GENERATIONS:]

    def receive(self, data: bytes, source: Address) -> CheckTaken:
        """Take a datagram of STUN (RFC 8445 7.3)."""
        try:
            request = parse_stun(data)
        except StunError:
            return NOTHING
        if request.kind != stun.BINDING_REQUEST:
            return NOTHING  # indications keep a NAT open, answers are of checks that we never made
        username = request.first(stun.USERNAME)
        if username is None or request.first(stun.MESSAGE_INTEGRITY) is None:
            return self._refuse(data, request, 400)
        known = self._generation_of(username)
        if known is None or not request.is_signed_by(known[0].password.encode()):
            return self._refuse(data, request, 401)
        ours, key = known[0], known[0].password.encode()
        unknown = request.unknown(KNOWN)
        if unknown:
            types = b"".join(number.to_bytes(2, "big") for number in unknown)
            return self._refuse(data, request, 420, (stun.UNKNOWN_ATTRIBUTES, types), key=key)
        if request.first(stun.PRIORITY) is None:  # RFC 8445 7.1.1: each check has one
            return self._refuse(data, request, 400, key=key)
        if request.first(stun.ICE_CONTROLLED) is not None:  # RFC 8445 6.1.1: who faces a lite agent controls
            return self._refuse(data, request, 487, key=key)
        mapped = stun.xor_mapped_address(source, request.transaction)
        answer = write_stun(stun.BINDING_SUCCESS, request.transaction, (mapped,), key=key, fingerprint=True)
        nominated = request.first(stun.USE_CANDIDATE) is not None and ours == self._generations[0][0]
        if nominated:
            del self._generations[1:]
        return CheckTaken(answer, is_genuine=True, is_nominated=nominated)

    def _generation_of(self, username: bytes) -> tuple[IceSide, IceSide | None] | None:
        """The credentials that a check is meant for: its user name is ours and theirs (RFC 8445 7.2.2)."""
        for ours, theirs in self._generations:
            if theirs is None:
                if username.startswith(f"{ours.ufrag}:".encode()):
                    return ours, theirs
            elif username == f"{ours.ufrag}:{theirs.ufrag}".encode():
                return ours, theirs
        return None

    @staticmethod
    def _refuse(
        data: bytes, request: StunMessage, status: int, *more: tuple[int, bytes], key: bytes | None = None
    ) -> CheckTaken:
        attributes = (stun.error_code(status, REASONS[status]), *more)
        answer = write_stun(stun.BINDING_ERROR, request.transaction, attributes, key=key, fingerprint=True)
        return CheckTaken(answer if key is not None or len(answer) <= len(data) else None, is_genuine=key is not None)


def best_candidate(theirs: IceSide, of_family: str) -> Address | None:
    """Where a lite peer is: its best candidate of the family of an address (RFC 8445 6.1.2.2 and 8.2.2)."""
    try:
        version = ip_address(of_family.partition("%")[0]).version
    except ValueError:  # a name, of any family
        version = None
    fitting = (one for one in theirs.candidates if version in (None, ip_address(one.address).version))
    return next(((one.address, one.port) for one in fitting), None)
