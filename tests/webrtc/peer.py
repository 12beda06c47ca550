"""A peer with full ICE: it checks, nominates, and shakes hands; as a browser does it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from arietta import stun
from arietta.sdp import DtlsSide, DtlsTerms, IceSide, SecureKeys
from arietta.stun import StunMessage, parse_stun, write_stun
from arietta.webrtc.dtls import Association, Identity, make_certificate

Address = tuple[str, int]


def new_identity(name: str = "tests", **options: object) -> Identity:
    return Identity(*make_certificate(name), **options)  # type: ignore[arg-type]


def side_of(identity: Identity, setup: str = "actpass") -> DtlsSide:
    """What the identity's description says."""
    return DtlsSide((identity.fingerprint("sha-256"),), setup)


def terms_of(identity: Identity, *, is_client: bool) -> DtlsTerms:
    """What somebody agreed on with whom has the identity."""
    return DtlsTerms((identity.fingerprint("sha-256"),), is_client)


def check(
    ours: IceSide,
    theirs: IceSide,
    *more: tuple[int, bytes],
    nominates: bool = True,
    password: str | None = None,
    kind: int = stun.BINDING_REQUEST,
) -> bytes:
    """A check of who has `ours`, for who has `theirs`."""
    attributes = [
        (stun.USERNAME, f"{theirs.ufrag}:{ours.ufrag}".encode()),
        (stun.PRIORITY, b"\x6e\x00\x01\xff"),
        (stun.ICE_CONTROLLING, bytes(8)),
        *([(stun.USE_CANDIDATE, b"")] if nominates else []),
        *more,
    ]
    key = (theirs.password if password is None else password).encode()
    return write_stun(kind, secrets.token_bytes(12), tuple(attributes), key=key, fingerprint=True)


def error_of(answer: bytes | None) -> int:
    """The status of an error answer."""
    assert answer is not None
    message: StunMessage = parse_stun(answer)
    assert message.kind == stun.BINDING_ERROR
    value = message.first(stun.ERROR_CODE)
    assert value is not None
    return value[2] * 100 + value[3]


@dataclass
class Handshaker:
    """One side of a handshake, and what it has got."""

    association: Association
    keys: list[SecureKeys] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def take(self, *datagrams: bytes) -> list[bytes]:
        """Receive; gives what it sends."""
        for data in datagrams:
            self.association.receive(data)
        sent = []
        for output in self.association.outputs():
            if isinstance(output, bytes):
                sent.append(output)
            elif isinstance(output, SecureKeys):
                self.keys.append(output)
            else:
                self.failures.append(output.reason)
        return sent


def shake(client: Handshaker, server: Handshaker, *, turns: int = 6) -> None:
    """Let both talk until nobody says anything."""
    flight = client.take()
    for _ in range(turns):
        flight = client.take(*server.take(*flight))
        if not flight:
            return
