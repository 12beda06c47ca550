"""Keys of secure media in session descriptions (RFC 4568, RFC 7714): the attribute `a=crypto` as a value.

Not done here: master key identifiers, several keys in one attribute, a key derivation rate, and the parameters that
take encryption or authentication away. An attribute that asks for one of them is passed over, as RFC 4568 6.3 has it.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets

import msgspec

SRTP_SUITES = {
    "AEAD_AES_256_GCM": 44,
    "AEAD_AES_128_GCM": 28,
    "AES_CM_128_HMAC_SHA1_80": 30,
    "AES_CM_128_HMAC_SHA1_32": 30,
}
"""The suites that can be agreed, the best first, and the bytes of their master key with its salt."""

ATTRIBUTE = "crypto"
MAX_TAG_DIGITS = 9  # RFC 4568 9.1
LONGEST_LIFETIME = 1 << 48  # RFC 3711 9.2
IGNORED_PARAMETERS = ("-", "WSH=")
"""RFC 4568 6.3.6, 6.3.7: what may be ignored: extensions that say so, and the hint at the size of the window."""

_INLINE = re.compile(r"inline:([A-Za-z0-9+/]+={0,2})(?:\|([^|:]+))?(?:\|([^|]+))?", re.IGNORECASE)
_LIFETIME = re.compile(r"2\^([0-9]{1,2})|([0-9]{1,15})")


class CryptoError(ValueError):
    """Why an `a=crypto` cannot be used, in words without its key."""


class Crypto(msgspec.Struct, frozen=True):
    """One `a=crypto`: a key for what its writer sends."""

    tag: int
    """Names the attribute within its section; the answer repeats it."""
    suite: str
    key: bytes
    """Master key and salt."""

    def __repr__(self) -> str:
        return f"Crypto({self.tag}, {self.suite!r}, …)"

    def __str__(self) -> str:
        """The attribute's value."""
        return f"{self.tag} {self.suite} inline:{base64.b64encode(self.key).decode()}"


class SecureKeys(msgspec.Struct, frozen=True):
    """What both sides agreed on to protect one stream."""

    suite: str
    local: bytes
    """Master key and salt of what we send."""
    remote: bytes
    """Master key and salt of what the peer sends."""

    def __repr__(self) -> str:
        return f"SecureKeys({self.suite!r}, …)"


def fresh(tag: int, suite: str) -> Crypto:
    """A new key of a suite."""
    return Crypto(tag, suite, secrets.token_bytes(SRTP_SUITES[suite]))


def parse_crypto(value: str) -> Crypto:
    """Read the value of an `a=crypto`; raises CryptoError for what cannot be used, whatever it is."""
    parts = value.split()
    if len(parts) < 3:
        raise CryptoError("a=crypto needs a tag, a suite and a key")
    tag, suite, keys = parts[:3]
    if not (tag.isascii() and tag.isdigit()) or len(tag) > MAX_TAG_DIGITS:
        raise CryptoError(f"the tag of a=crypto {tag[:20]!r} is not a number of at most {MAX_TAG_DIGITS} digits")
    if suite not in SRTP_SUITES:
        raise CryptoError(f"crypto suite {suite[:60]!r} is not supported")
    for parameter in parts[3:]:
        if not parameter.startswith(IGNORED_PARAMETERS):
            raise CryptoError(f"crypto parameter {parameter[:40]!r} is not supported")
    return Crypto(int(tag), suite, _key(suite, keys))


def usable_cryptos(values: list[str]) -> tuple[list[Crypto], CryptoError | None]:
    """Those attributes of a section that can be used, in order, and why the first of the others cannot."""
    found: list[Crypto] = []
    problem: CryptoError | None = None
    for value in values:
        try:
            found.append(parse_crypto(value))
        except CryptoError as error:
            problem = problem or error
    return found, problem


def _key(suite: str, text: str) -> bytes:
    match = _INLINE.fullmatch(text)
    if match is None:
        raise CryptoError(f"the key of {suite} is not one inline key")
    encoded, second, third = match.groups()
    if third is not None or (second is not None and not _is_lifetime(second)):
        raise CryptoError(f"the key of {suite} has a lifetime or a master key identifier that is not supported")
    try:
        key = base64.b64decode(encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4), validate=True)
    except binascii.Error:
        raise CryptoError(f"the key of {suite} is no base64") from None
    if len(key) != SRTP_SUITES[suite]:
        raise CryptoError(f"the key of {suite} has {len(key)} bytes instead of {SRTP_SUITES[suite]}")
    return key


def _is_lifetime(text: str) -> bool:
    """RFC 4568 6.1: how many packets a key is good for. It binds who sends with it, and no call reaches 2^48."""
    match = _LIFETIME.fullmatch(text)
    if match is None:
        return False
    packets = 1 << int(match[1]) if match[1] else int(match[2])
    return 0 < packets <= LONGEST_LIFETIME
