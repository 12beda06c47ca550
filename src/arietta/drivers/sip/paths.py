"""Which calls need more than RTP to an address, and what they share: rules, and certificates."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from arietta.config.endpoint import Endpoint
from arietta.config.kinds import AccessRule, HostPort, allows
from arietta.media.engine import MediaEngine, MediaError, RtpPort
from arietta.sdp import IceSide, fresh_ice, reflexive_candidate

if TYPE_CHECKING:
    import asyncio

    from arietta.drivers.sip.media_path import Certificates, LegPath
    from arietta.drivers.sip.public_address import PublicAddress

log = logging.getLogger(__name__)


class PathRules(msgspec.Struct, frozen=True):
    """What rtp.conf says of them."""

    has_ice: bool = True
    mtu: int = 1200
    """Longest datagram of DTLS."""
    candidates: tuple[tuple[AccessRule, ...], ...] = ()
    """Access lists that an address of ours must pass to be named by ICE."""
    stun_server: HostPort | None = None
    """Who says how we are seen from outside."""
    stun: tuple[tuple[AccessRule, ...], ...] = ()
    """Access lists that an address of ours must pass for that to be named besides."""


class MediaPaths:
    """Makes the media paths of legs."""

    def __init__(
        self, engine: MediaEngine, loop: asyncio.AbstractEventLoop, folder: Path, rules: PathRules | None = None
    ) -> None:
        """`folder` is where relative names of certificates begin."""
        self._engine = engine
        self._loop = loop
        self._folder = folder
        self._rules = rules or PathRules()
        self._certificates: Certificates | None = None
        self._public: PublicAddress | None = None

    def start(self) -> None:
        """Begin to ask how we are seen from outside, if anybody is named who says so."""
        server = self._rules.stun_server
        if server is not None and self._rules.has_ice:
            from arietta.drivers.sip.public_address import PublicAddress

            self._public = PublicAddress(server, self._loop)
            self._public.start()

    async def stop(self) -> None:
        """Ask no more."""
        if self._public is not None:
            await self._public.stop()

    def ice(self, address: str, port: int) -> IceSide:
        """Our ICE of a port that is named by an address, with new credentials."""
        seen_as = self._public.host if self._public is not None else None
        if seen_as is None or seen_as == address or not all(allows(rule, address) for rule in self._rules.stun):
            return fresh_ice()
        if (":" in seen_as) != (":" in address):
            return fresh_ice()
        return fresh_ice(reflexive_candidate(seen_as, address, port))

    def prepare(self, endpoints: Iterable[Endpoint]) -> None:
        """Read and make certificates now, so that no call waits for it; those that cannot be used are logged."""
        if self._certificates is not None:
            self._certificates.reload()
        for endpoint in endpoints:
            if not self.are_needed_by(endpoint):
                continue
            try:
                self._certificates_now().of(endpoint)
            except MediaError as problem:
                log.error("%s", problem)

    def are_needed_by(self, endpoint: Endpoint) -> bool:
        """Whether media of an endpoint is more than RTP to an address."""
        return self.uses_dtls(endpoint) or self.uses_ice(endpoint)

    def uses_ice(self, endpoint: Endpoint, address: str = "") -> bool:
        """Whether ICE is offered and taken, with an address of ours if it is known."""
        rules = self._rules
        if not endpoint.ice_support or not rules.has_ice:
            return False
        return not address or all(allows(rule, address) for rule in rules.candidates)

    def uses_dtls(self, endpoint: Endpoint) -> bool:
        """Whether keys are agreed by DTLS; encryption that is optional is left out where it cannot be."""
        return endpoint.media_encryption == "dtls" and self._engine.srtp_missing is None

    def open(
        self,
        endpoint: Endpoint,
        port: RtpPort,
        *,
        changed: Callable[[], None],
        failed: Callable[[str], None],
    ) -> LegPath | None:
        """The path of a leg; None where RTP goes to an address, MediaError for certificates that cannot be used."""
        if not self.are_needed_by(endpoint):
            return None
        from arietta.drivers.sip.media_path import LegPath

        identity = self._certificates_now().of(endpoint) if self.uses_dtls(endpoint) else None
        return LegPath(port, identity, self._loop, mtu=self._rules.mtu, changed=changed, failed=failed)

    def _certificates_now(self) -> Certificates:
        if self._certificates is None:
            from arietta.drivers.sip.media_path import Certificates

            self._certificates = Certificates(self._folder)
        return self._certificates
