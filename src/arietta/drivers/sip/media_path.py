"""The skin of a leg's media path: on its port, with one timer; and the certificates of endpoints.

Imported when an endpoint needs it: OpenSSL for Python takes a third of a second and ten megabytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from OpenSSL import SSL

from arietta import sdp
from arietta.config.endpoint import Endpoint
from arietta.media.engine import Address, MediaError, RtpPort
from arietta.webrtc import Keyed, MediaPath, PathFailed, Reached, SendPacket
from arietta.webrtc.dtls import Identity, PrivateKey, Trust, make_certificate, read_certificate, reason_of

CHECKS_CHAIN = ("yes", "certificate")
"""Values of dtls_verify that want a certificate signed by who is trusted."""


class LegPath:
    """A `MediaPath` on a leg's port. `changed` is called when target or keys are others, `failed` when it has."""

    def __init__(
        self,
        port: RtpPort,
        identity: Identity | None,
        loop: asyncio.AbstractEventLoop,
        *,
        mtu: int,
        changed: Callable[[], None],
        failed: Callable[[str], None],
    ) -> None:
        self.identity = identity
        self.target: Address | None = None
        """Where media goes; None: not known yet."""
        self.rtcp_target: Address | None = None
        """Where its reports go, if ICE has found that out."""
        self.keys: sdp.SecureKeys | None = None
        """None: not agreed yet."""
        self._path = MediaPath(identity, mtu=mtu)
        self._port = port
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None
        self._changed: Callable[[], None] | None = changed
        self._failed: Callable[[str], None] | None = failed
        port.take_packets(self._received)

    def offer(self, ours: sdp.IceSide | None) -> None:
        """The peer is about to see our credentials."""
        if ours is not None:
            self._path.offer(ours)

    def agree(self, agreed: sdp.Negotiated, ours: sdp.IceSide | None, *, is_symmetric: bool) -> None:
        """Take what was agreed; target and keys are as far as they are known when it returns."""
        self._path.agree(
            self._loop.time(),
            (agreed.address, agreed.port),
            ice=(ours, agreed.ice) if ours is not None and agreed.ice is not None else None,
            dtls=agreed.dtls,
            is_symmetric=is_symmetric,
        )
        if agreed.dtls is None:
            self.keys = None
        self._drain()

    def close(self) -> None:
        """End it; nothing is told any more."""
        self._changed = self._failed = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _received(self, data: bytes, source: Address, is_rtcp: bool) -> None:
        if self._changed is None:
            return
        self._path.receive(data, source, self._loop.time(), is_rtcp=is_rtcp)
        if self._drain() and self._changed is not None:
            self._changed()

    def _timeout(self) -> None:
        self._timer = None
        self._path.handle_timeout(self._loop.time())
        if self._drain() and self._changed is not None:
            self._changed()

    def _drain(self) -> bool:
        """Send and note what has come of it, then set the timer; whether target or keys are others now."""
        is_news = False
        for output in self._path.outputs():
            match output:
                case SendPacket(data=data, target=target, is_rtcp=is_rtcp):
                    self._port.send_packet(data, target, control=is_rtcp)
                case Reached(address=address, is_rtcp=True):
                    self.rtcp_target, is_news = address, True
                case Reached(address=address):
                    self.target, is_news = address, True
                case Keyed(keys=keys):
                    self.keys, is_news = keys, True
                case PathFailed(reason=reason):
                    self._tell_failure(reason)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._path.next_timeout(self._loop.time())
        if deadline is not None and self._changed is not None:
            self._timer = self._loop.call_at(deadline, self._timeout)
        return is_news

    def _tell_failure(self, reason: str) -> None:
        failed, self._failed = self._failed, None
        if failed is not None:
            self._loop.call_soon(failed, reason)  # whoever agrees at this moment is not to be ended by its own call


class Certificates:
    """The certificates of endpoints: from files, or one made for all at the first need."""

    def __init__(self, folder: Path) -> None:
        """`folder` is where relative names begin."""
        self._folder = folder
        self._made: tuple[x509.Certificate, PrivateKey] | None = None
        self._identities: dict[tuple[str, ...], Identity] = {}

    def reload(self) -> None:
        """Read files again when they are needed next; who has made a certificate keeps it."""
        self._identities.clear()

    def of(self, endpoint: Endpoint) -> Identity | None:
        """What an endpoint's handshakes are made with; None without DTLS, MediaError for files that cannot be used."""
        if endpoint.media_encryption != "dtls":
            return None
        options = (
            *(endpoint.dtls_cert_file, endpoint.dtls_private_key, endpoint.dtls_verify, endpoint.dtls_ca_file),
            *(endpoint.dtls_ca_path, endpoint.dtls_cipher, str(endpoint.srtp_tag_32)),
        )
        identity = self._identities.get(options)
        if identity is None:
            identity = self._identities[options] = self._make(endpoint)
        return identity

    def _make(self, endpoint: Endpoint) -> Identity:
        try:
            if endpoint.dtls_cert_file:
                certificate = self._folder / endpoint.dtls_cert_file
                key = self._folder / (endpoint.dtls_private_key or endpoint.dtls_cert_file)
                pair: tuple[x509.Certificate, PrivateKey] = read_certificate(certificate, key)
            else:
                self._made = self._made or make_certificate("arietta")
                pair = self._made
            trust = None
            if endpoint.dtls_verify in CHECKS_CHAIN:
                file, folder = endpoint.dtls_ca_file, endpoint.dtls_ca_path
                trust = Trust(str(self._folder / file) if file else "", str(self._folder / folder) if folder else "")
            identity = Identity(*pair, trust=trust, ciphers=endpoint.dtls_cipher, short_tags=endpoint.srtp_tag_32)
            _ = identity.context
        except (OSError, ValueError, SSL.Error) as problem:
            reason = reason_of(problem) if isinstance(problem, SSL.Error) else str(problem)
            raise MediaError(f"DTLS of endpoint {endpoint.name} cannot be: {reason}") from None
        return identity
