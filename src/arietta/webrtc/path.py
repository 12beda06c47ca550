"""The way that media takes to one peer: found by ICE, its keys agreed by DTLS; sans-IO.

It is fed what comes on the port and is no media, and says what to send there, where media goes, and with which keys.
Checks that the peer still agrees (RFC 7675) are the peer's, who is a full agent: this side watches the media alone.
"""

from __future__ import annotations

import msgspec

from arietta.sdp import DtlsTerms, IceSide, SecureKeys
from arietta.stun import is_stun
from arietta.webrtc.dtls import MTU, Association, DtlsFailed, Identity
from arietta.webrtc.ice import LiteAgent, best_candidate

Address = tuple[str, int]

CONNECT_WITHIN_S = 30.0
"""From the agreement to the first keys."""
DATAGRAMS_A_SECOND = 100
"""That are looked at; those beyond are dropped before they cost anything."""
MOST_SOURCES = 16
"""Places a peer may have proved to be at, of which DTLS is taken."""


class SendPacket(msgspec.Struct, frozen=True):
    """A datagram for the port to send."""

    data: bytes
    target: Address
    is_rtcp: bool = False
    """From the port of RTCP, where it has one of its own."""


class Reached(msgspec.Struct, frozen=True):
    """Media goes here from now on."""

    address: Address
    is_rtcp: bool = False
    """That is so of the reports, which have a port of their own."""


class Keyed(msgspec.Struct, frozen=True):
    """Media is protected with these from now on."""

    keys: SecureKeys


class PathFailed(msgspec.Struct, frozen=True):
    """It leads nowhere, and never will."""

    reason: str


PathOutput = SendPacket | Reached | Keyed | PathFailed


class MediaPath:
    """ICE and DTLS of one stream."""

    def __init__(self, identity: Identity | None, *, mtu: int = MTU) -> None:
        """Without an identity there is no DTLS, whose datagrams are no longer than `mtu`."""
        self._identity = identity
        self._mtu = mtu
        self._agent = LiteAgent()
        self._association: Association | None = None
        self._terms: DtlsTerms | None = None
        self._has_checks = False  # the peer finds the way
        self._is_symmetric = False
        self._target: Address | None = None
        self._rtcp_target: Address | None = None
        self._sources: dict[Address, None] = {}  # proven, the latest last
        self._outputs: list[PathOutput] = []
        self._deadline: float | None = None
        self._failed = False
        self._allowed = float(DATAGRAMS_A_SECOND)
        self._allowed_at = 0.0

    # -- what the descriptions say --

    def offer(self, ours: IceSide) -> None:
        """Answer checks with credentials that the peer is about to see."""
        self._agent.use(ours, None)

    def agree(
        self,
        now: float,
        address: Address,
        *,
        ice: tuple[IceSide, IceSide] | None,
        dtls: DtlsTerms | None,
        is_symmetric: bool = False,
    ) -> None:
        """Take what was agreed, again after each offer; `ice` is our side and theirs, `address` counts without it.

        `is_symmetric` takes DTLS from wherever it comes first, where there is no ICE that would tell.
        """
        self._is_symmetric = is_symmetric
        self._has_checks = ice is not None and not ice[1].is_lite
        if ice is not None:
            self._agent.use(*ice)
        if not self._has_checks:
            self._go_to(best_candidate(ice[1], address[0]) or address if ice is not None else address)
        if dtls is not None and dtls != self._terms:
            self._terms = dtls
            self._association = None
            self._deadline = now + CONNECT_WITHIN_S
        elif self._has_checks and self._target is None and self._deadline is None:
            self._deadline = now + CONNECT_WITHIN_S
        self._begin()

    # -- what the port tells --

    def receive(self, data: bytes, source: Address, now: float, *, is_rtcp: bool = False) -> None:
        """Take a datagram that is STUN or DTLS; on the port of RTCP there is no DTLS."""
        if self._failed or not self._may_pass(now):
            return
        if is_rtcp:
            self._check_rtcp(data, source)
        elif is_stun(data):
            self._check(data, source)
        elif self._association_with(source) is not None:
            self._take_dtls(data, source)  # OpenSSL passes over what is none

    def next_timeout(self, now: float) -> float | None:
        """When `handle_timeout` is to be called."""
        if self._failed:
            return None
        again = self._association.next_timeout(now) if self._association is not None else None
        return min((moment for moment in (again, self._deadline) if moment is not None), default=None)

    def handle_timeout(self, now: float) -> None:
        """Send again what was not answered; give up when it takes too long."""
        if self._deadline is not None and now >= self._deadline:
            missing = "no keys were agreed by DTLS" if self._target is not None else "no ICE check has nominated a pair"
            self._fail(f"{missing} within {CONNECT_WITHIN_S:g} s")
        elif self._association is not None and not self._failed:
            self._association.handle_timeout()
            self._drain_dtls()

    def outputs(self) -> list[PathOutput]:
        """What has come of it since the last time."""
        outputs, self._outputs = self._outputs, []
        return outputs

    # -- inside --

    def _may_pass(self, now: float) -> bool:
        self._allowed = min(DATAGRAMS_A_SECOND, self._allowed + (now - self._allowed_at) * DATAGRAMS_A_SECOND)
        self._allowed_at = now
        if self._allowed < 1:
            return False
        self._allowed -= 1
        return True

    def _check(self, data: bytes, source: Address) -> None:
        taken = self._agent.receive(data, source)
        if taken.answer is not None:
            self._outputs.append(SendPacket(taken.answer, source))
        if not taken.is_genuine:
            return
        self._sources.pop(source, None)
        self._sources[source] = None
        if len(self._sources) > MOST_SOURCES:
            del self._sources[next(iter(self._sources))]
        if taken.is_nominated and self._has_checks:
            self._go_to(source)
            self._begin()

    def _check_rtcp(self, data: bytes, source: Address) -> None:
        """The second component (RFC 8445 4): nominated by itself, with the credentials of the first."""
        taken = self._agent.receive(data, source)
        if taken.answer is not None:
            self._outputs.append(SendPacket(taken.answer, source, is_rtcp=True))
        if taken.is_nominated and self._has_checks and source != self._rtcp_target:
            self._rtcp_target = source
            self._outputs.append(Reached(source, is_rtcp=True))

    def _go_to(self, address: Address) -> None:
        if address == self._target:
            return
        self._target = address
        self._outputs.append(Reached(address))
        self._settle()

    def _settle(self) -> None:
        """Wait no more once it is known where to send, and with which keys."""
        agreed = self._terms is None or (self._association is not None and self._association.ended)
        if agreed and self._target is not None:
            self._deadline = None

    def _begin(self) -> None:
        """Begin the handshake that is ours to begin, once it is known where to."""
        terms = self._terms
        if self._association is None and self._target is not None and terms is not None and terms.is_client:
            self._associate(terms)

    def _association_with(self, source: Address) -> Association | None:
        """The association that a datagram from there belongs to; strangers get none (RFC 5763 6.7.1)."""
        terms = self._terms
        if terms is None:
            return None
        if self._has_checks:
            known = source in self._sources
        else:
            unsettled = self._association is None or not self._association.ended
            known = source == self._target or (self._is_symmetric and unsettled)
        if not known:
            return None
        return self._association or self._associate(terms)

    def _associate(self, terms: DtlsTerms) -> Association:
        assert self._identity is not None
        self._association = Association(self._identity, terms, mtu=self._mtu)
        self._drain_dtls()
        return self._association

    def _take_dtls(self, data: bytes, source: Address) -> None:
        assert self._association is not None
        if not self._has_checks:
            self._go_to(source)
        self._association.receive(data)
        self._drain_dtls(source)

    def _drain_dtls(self, source: Address | None = None) -> None:
        """Pass on what the handshake says, to where it was heard from last."""
        if self._association is None:
            return
        for output in self._association.outputs():
            if isinstance(output, bytes):
                target = source or self._target
                if target is not None:
                    self._outputs.append(SendPacket(output, target))
            elif isinstance(output, DtlsFailed):
                self._fail(f"DTLS failed: {output.reason}")
            else:
                self._outputs.append(Keyed(output))
                self._settle()

    def _fail(self, reason: str) -> None:
        self._failed = True
        self._deadline = None
        self._outputs.append(PathFailed(reason))
