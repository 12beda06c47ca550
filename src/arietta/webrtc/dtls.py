"""DTLS that agrees on the keys of SRTP (RFC 5764), over OpenSSL: datagrams go in, datagrams and keys come out.

OpenSSL has a clock of its own for what it sends again: `handle_timeout` asks it, whatever `now` is. Not done here:
data over DTLS (what comes is dropped), renegotiation, master key identifiers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from arietta.sdp import DtlsTerms, Fingerprint, SecureKeys

EXPORTER_LABEL = b"EXTRACTOR-dtls_srtp"
SUITES = {
    b"SRTP_AEAD_AES_256_GCM": ("AEAD_AES_256_GCM", 32, 12),
    b"SRTP_AEAD_AES_128_GCM": ("AEAD_AES_128_GCM", 16, 12),
    b"SRTP_AES128_CM_SHA1_80": ("AES_CM_128_HMAC_SHA1_80", 16, 14),
    b"SRTP_AES128_CM_SHA1_32": ("AES_CM_128_HMAC_SHA1_32", 16, 14),
}
"""Protection profiles, the best first: the suite's name, and the bytes of its master key and salt."""
SHORT_TAGS = b"SRTP_AES128_CM_SHA1_32"
DTLS_1_2 = 0xFEFD
MTU = 1200
RECORD_HEADER_BYTES = 13
MOST_DATAGRAMS = 500
"""That a handshake may take; a lossless one takes about ten."""
CERTIFICATE_DAYS = 3650
"""The key is in memory alone and ends with the process; peers compare the fingerprint."""


PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class DtlsFailed(msgspec.Struct, frozen=True):
    """The handshake has ended without keys."""

    reason: str


class Trust(msgspec.Struct, frozen=True):
    """Who must have signed the peer's certificate, besides its fingerprint being right."""

    file: str = ""
    folder: str = ""


class Identity:
    """A certificate of ours, with what is asked of the peers'; OSError, ValueError or SSL.Error for bad ones."""

    def __init__(
        self,
        certificate: x509.Certificate,
        key: PrivateKey,
        *,
        trust: Trust | None = None,
        ciphers: str = "",
        short_tags: bool = False,
    ) -> None:
        self._certificate = certificate
        self._key = key
        self._trust = trust
        self._ciphers = ciphers
        self._short_tags = short_tags

    def fingerprint(self, name: str) -> Fingerprint:
        """The hash of the certificate, by a name of RFC 8122."""
        return fingerprint_of(self._certificate, name)

    @cached_property
    def context(self) -> SSL.Context:
        """For all its associations."""
        context = SSL.Context(SSL.DTLS_METHOD)
        context.set_min_proto_version(DTLS_1_2)
        context.set_options(SSL.OP_NO_QUERY_MTU | SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.use_certificate(self._certificate)
        context.use_privatekey(self._key)
        context.check_privatekey()
        if self._ciphers:
            context.set_cipher_list(self._ciphers.encode())
        names = [name for name in SUITES if name != SHORT_TAGS]
        context.set_tlsext_use_srtp(b":".join([SHORT_TAGS, *names] if self._short_tags else names))
        if self._trust is not None:
            context.load_verify_locations(self._trust.file or None, self._trust.folder or None)
        checked = self._trust is not None
        # Without authorities the fingerprint is all that counts, once the handshake is done (RFC 5763 5).
        context.set_verify(
            SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT,
            lambda connection, certificate, error, depth, good: bool(good) or not checked,
        )
        return context


def make_certificate(name: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """One that signs itself, good from yesterday on: clocks differ."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
    return builder.sign(key, hashes.SHA256()), key


def read_certificate(certificate: Path, key: Path) -> tuple[x509.Certificate, PrivateKey]:
    """A certificate and its key from PEM files, which may be one; OSError or ValueError says what is wrong."""
    read = x509.load_pem_x509_certificate(certificate.read_bytes())
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise ValueError(f"the key in {key} is neither of an elliptic curve nor of RSA")
    return read, private


def fingerprint_of(certificate: x509.Certificate, name: str) -> Fingerprint:
    """The hash of a certificate."""
    encoded = certificate.public_bytes(serialization.Encoding.DER)
    return Fingerprint(name, hashlib.new(name.replace("-", ""), encoded).digest())


Output = bytes | SecureKeys | DtlsFailed
"""A datagram to send; what both sides agreed on, once; or why they did not."""


class Association:
    """One DTLS association: a handshake, and what may come after it."""

    def __init__(self, identity: Identity, terms: DtlsTerms, *, mtu: int = MTU) -> None:
        self.terms = terms
        self.ended = False
        """It is agreed, or has failed."""
        self._outputs: list[Output] = []
        self._datagrams = 0
        self._mtu = mtu
        self._connection = SSL.Connection(identity.context, None)
        self._connection.set_ciphertext_mtu(mtu)
        if terms.is_client:
            self._connection.set_connect_state()
            self._go_on()
        else:
            self._connection.set_accept_state()

    def receive(self, data: bytes) -> None:
        """Take a datagram of the peer."""
        self._datagrams += 1
        if self._datagrams > MOST_DATAGRAMS:
            if not self.ended:
                self._fail(f"more than {MOST_DATAGRAMS} datagrams for one handshake")
            return
        self._connection.bio_write(data)
        self._go_on()

    def next_timeout(self, now: float) -> float | None:
        """When `handle_timeout` is to be called."""
        if self.ended:
            return None
        left = self._connection.DTLSv1_get_timeout()
        return None if left is None else now + left

    def handle_timeout(self) -> None:
        """Send again what was not answered, if it is time."""
        if self.ended:
            return
        try:
            self._connection.DTLSv1_handle_timeout()
        except SSL.Error as error:
            self._fail(f"nobody answers: {reason_of(error)}")
            return
        self._collect()

    def outputs(self) -> list[Output]:
        """What has come of it since the last time."""
        outputs, self._outputs = self._outputs, []
        return outputs

    def _go_on(self) -> None:
        try:
            if self.ended:
                self._connection.recv(1 << 14)  # what was sent twice is answered again; data has no place here
            else:
                self._connection.do_handshake()
        except SSL.WantReadError:
            pass
        except SSL.Error as error:  # ZeroReturnError too: the peer said goodbye
            if not self.ended:
                self._collect()
                self._fail(reason_of(error))
            return
        else:
            if not self.ended:
                self._collect()
                self._agree()
                return
        self._collect()

    def _collect(self) -> None:
        """Cut what OpenSSL has written into datagrams, at the borders of its records (RFC 6347 4.1.1)."""
        try:
            written = self._connection.bio_read(1 << 17)
        except SSL.WantReadError:
            return
        datagram = b""
        position = 0
        while position < len(written):
            end = position + RECORD_HEADER_BYTES + int.from_bytes(written[position + 11 : position + 13], "big")
            if datagram and len(datagram) + end - position > self._mtu:
                self._outputs.append(datagram)
                datagram = b""
            datagram += written[position:end]
            position = end
        self._outputs.append(datagram)

    def _agree(self) -> None:
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        if certificate is None or not _is_one_of(certificate, self.terms.fingerprints):
            self._fail("the certificate is not the one whose fingerprint was described")
            return
        profile = self._connection.get_selected_srtp_profile()
        if profile not in SUITES:
            self._fail("no protection profile of SRTP in common")
            return
        suite, key_bytes, salt_bytes = SUITES[profile]
        material = self._connection.export_keying_material(EXPORTER_LABEL, 2 * (key_bytes + salt_bytes))
        ours, theirs = _keys_of(material, key_bytes, salt_bytes)
        if not self.terms.is_client:
            ours, theirs = theirs, ours
        self.ended = True
        self._datagrams = 0
        self._outputs.append(SecureKeys(suite, ours, theirs))

    def _fail(self, reason: str) -> None:
        self.ended = True
        self._datagrams = MOST_DATAGRAMS
        self._outputs.append(DtlsFailed(reason))


def _keys_of(material: bytes, key_bytes: int, salt_bytes: int) -> tuple[bytes, bytes]:
    """Key with salt of the client and of the server: the keys come first, then the salts (RFC 5764 4.2)."""
    salts = 2 * key_bytes
    client = material[:key_bytes] + material[salts : salts + salt_bytes]
    server = material[key_bytes:salts] + material[salts + salt_bytes :]
    return client, server


def _is_one_of(certificate: x509.Certificate, fingerprints: Sequence[Fingerprint]) -> bool:
    return any(fingerprint_of(certificate, one.name) == one for one in fingerprints)


def reason_of(error: SSL.Error) -> str:
    """What OpenSSL says, in its own words."""
    queue = error.args[0] if error.args and isinstance(error.args[0], list) else []
    return "; ".join(str(entry[2]) for entry in queue) or type(error).__name__
