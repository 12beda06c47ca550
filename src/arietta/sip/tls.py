"""TLS over any stream, sans-IO, and whose certificate a peer showed (RFC 3261 26.3, RFC 5922).

```
stream = TlsStream(context, server_side=True)
plain = stream.receive(data)        # then, whatever it raised or returned:
carrier.write(stream.outputs())
```
"""

from __future__ import annotations

import ssl
from ipaddress import ip_address
from typing import Any

__all__ = ["TlsStream", "certificate_is_for", "explain"]

READ_AT_ONCE = 65536


class TlsStream:
    """One end of a TLS connection. Every call may leave bytes in `outputs()` that have to go to the peer."""

    def __init__(self, context: ssl.SSLContext, *, server_side: bool, server_name: str = "") -> None:
        """`server_name` is what a client asks for (SNI); an IP address is not told (RFC 6066 3)."""
        self.established = False
        """True once the handshake is done."""
        self.ended = False
        """True once the peer has said that it sends no more."""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=server_name or None
        )

    def begin(self) -> None:
        """Say the first word, which is the client's."""
        self._shake_hands()

    def receive(self, data: bytes) -> bytes:
        """Take bytes of the peer and give what they mean; ssl.SSLError ends the connection, see `explain`."""
        self._incoming.write(data)
        if not self.established and not self._shake_hands():
            return b""
        pieces = []
        try:
            while piece := self._object.read(READ_AT_ONCE):
                pieces.append(piece)
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        return b"".join(pieces)

    def write(self, data: bytes) -> None:
        """Send bytes, once the handshake is done."""
        self._object.write(data)

    def close(self) -> None:
        """Say that we send no more (RFC 8446 6.1)."""
        if self.established:
            try:
                self._object.unwrap()
            except ssl.SSLError:
                pass  # the peer has not said it yet, and need not

    def outputs(self) -> bytes:
        """What has to go to the peer."""
        return self._outgoing.read()

    @property
    def certificate(self) -> dict[str, Any]:
        """What the peer's certificate says, as `ssl` gives it; empty when it was not asked for or not verified."""
        return self._object.getpeercert() or {}

    @property
    def version(self) -> str:
        """Such as TLSv1.3."""
        return self._object.version() or ""

    def _shake_hands(self) -> bool:
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        self.established = True
        return True


def certificate_is_for(certificate: dict[str, Any], host: str, *, wildcards: bool = False) -> bool:
    """Whether a certificate speaks for a SIP domain (RFC 5922 7.1, 7.2).

    Its `sip:` URIs decide, else its DNS names and addresses, else its common name. Wildcards are against 7.2.
    """
    names = certificate.get("subjectAltName", ())
    host = host.lower().rstrip(".")
    uris = [value for kind, value in names if kind == "URI" and value.lower().startswith(("sip:", "sips:"))]
    if uris:
        return any(uri.partition(":")[2].lower() == host for uri in uris)
    if _is_address(host):
        found = [value.strip() for kind, value in names if kind == "IP Address"]
        return any(_is_address(value) and ip_address(value) == ip_address(host) for value in found)
    domains = [value for kind, value in names if kind == "DNS"]
    if not names:
        subject = certificate.get("subject", ())
        domains = [value for pairs in subject for kind, value in pairs if kind == "commonName"]
    return any(_names(domain.lower().rstrip("."), host, wildcards) for domain in domains)


def explain(problem: ssl.SSLError) -> str:
    """Why a TLS connection failed, and whose refusal it was."""
    reason = problem.reason or ""
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {problem.verify_message}"
    if "ALERT" in reason:
        return f"it refused us: {reason.partition('ALERT_')[2].replace('_', ' ').lower()}"
    match reason:
        case "PEER_DID_NOT_RETURN_A_CERTIFICATE":
            return "it showed no certificate"
        case "HTTP_REQUEST" | "HTTPS_PROXY_REQUEST" | "WRONG_VERSION_NUMBER" | "UNKNOWN_PROTOCOL" | "RECORD_TOO_SMALL":
            return "what it speaks is not TLS"
        case _:
            return reason.replace("_", " ").lower() or str(problem)


def _names(domain: str, host: str, wildcards: bool) -> bool:
    if domain == host:
        return True
    return wildcards and domain.startswith("*.") and host.partition(".")[2] == domain[2:]


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
