"""Header field names and values, each read only when somebody asks (RFC 3261 7.3, 20; RFC 3326)."""

from __future__ import annotations

import re

import msgspec

from .errors import ProtocolError
from .uri import (
    NameAddr,
    Parameters,
    parse_host_port,
    parse_name_addr,
    parse_parameters,
    quote,
    remembered,
    split_quoted,
    unquote,
)

__all__ = [
    "CSeq",
    "Challenge",
    "Reason",
    "Via",
    "canonical_name",
    "first_element",
    "parse_challenge",
    "parse_contacts",
    "parse_cseq",
    "parse_delta_seconds",
    "parse_reason",
    "parse_via",
    "split_list",
    "tag_of",
]

_WELL_KNOWN = (
    "Accept", "Accept-Encoding", "Accept-Language", "Alert-Info", "Allow", "Allow-Events", "Also",
    "Authentication-Info", "Authorization", "Call-ID", "Call-Info", "Contact", "Content-Disposition",
    "Content-Encoding", "Content-Language", "Content-Length", "Content-Type", "CSeq", "Date", "Diversion",
    "Error-Info", "Event", "Expires", "From", "History-Info", "Identity", "In-Reply-To", "Info-Package",
    "Max-Forwards", "MIME-Version", "Min-Expires", "Min-SE", "Organization", "P-Asserted-Identity",
    "P-Preferred-Identity", "Path", "Priority", "Privacy", "Proxy-Authenticate", "Proxy-Authorization",
    "Proxy-Require", "RAck", "Reason", "Record-Route", "Recv-Info", "Refer-To", "Referred-By",
    "Remote-Party-ID", "Replaces", "Reply-To", "Require", "Retry-After", "Route", "RSeq", "Server",
    "Service-Route", "Session-Expires", "SIP-ETag", "SIP-If-Match", "Subject", "Subscription-State",
    "Supported", "Timestamp", "To", "Unsupported", "User-Agent", "Via", "Warning", "WWW-Authenticate",
)  # fmt: skip

COMPACT = {
    "a": "Accept-Contact", "b": "Referred-By", "c": "Content-Type", "d": "Request-Disposition",
    "e": "Content-Encoding", "f": "From", "i": "Call-ID", "j": "Reject-Contact", "k": "Supported",
    "l": "Content-Length", "m": "Contact", "n": "Identity-Info", "o": "Event", "r": "Refer-To", "s": "Subject",
    "t": "To", "u": "Allow-Events", "v": "Via", "x": "Session-Expires", "y": "Identity",
}  # fmt: skip
"""The short names."""

_BY_LOWER_CASE = {name.lower(): name for name in _WELL_KNOWN} | COMPACT

NAMES: dict[str, str] = {name: name for name in _WELL_KNOWN} | _BY_LOWER_CASE
"""The spellings seen most, so that most lines cost one look-up."""

_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_MAX_CSEQ = 2**31 - 1
_MAX_DELTA = 2**32 - 1


def canonical_name(name: str) -> str:
    """The one spelling we use for a header field name; ProtocolError 400 when it is no token."""
    known = NAMES.get(name)
    if known is not None:
        return known
    name = name.rstrip(" \t")
    known = _BY_LOWER_CASE.get(name.lower())
    if known is not None:
        return known
    if not _TOKEN.fullmatch(name):
        raise ProtocolError(400, f"header field name {name[:64]!r} is not a token")
    return "-".join(part.capitalize() for part in name.split("-"))


class Via(msgspec.Struct, frozen=True, gc=False):
    """One hop of a Via header field (RFC 3261 20.42)."""

    transport: str
    """UDP, TCP, TLS, WS ..., upper case."""
    host: str
    """sent-by host, an IPv6 address without brackets."""
    port: int | None
    """sent-by port, None when left out."""
    parameters: Parameters = ()

    def parameter(self, name: str) -> str | None:
        """The value of a parameter: "" when it stands without value, None when absent."""
        for key, value in self.parameters:
            if key == name:
                return value or ""
        return None

    @property
    def branch(self) -> str:
        """The branch parameter, "" when absent."""
        return self.parameter("branch") or ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        text = f"SIP/2.0/{self.transport} {host}{port}"
        for name, value in self.parameters:
            text += f";{name}" if value is None else f";{name}={value}"
        return text


class CSeq(msgspec.Struct, frozen=True, gc=False):
    """Sequence number with its method (RFC 3261 20.16)."""

    number: int
    method: str

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


class Challenge(msgspec.Struct, frozen=True):
    """An authentication challenge or its credentials: scheme and parameters (RFC 3261 20.7, 20.27)."""

    scheme: str
    """Such as `Digest`."""
    parameters: dict[str, str]
    """Values without quotes, names in lower case."""


class Reason(msgspec.Struct, frozen=True):
    """Why a request was sent (RFC 3326)."""

    protocol: str
    """`SIP` or `Q.850`."""
    cause: int | None
    """The status code or Q.850 cause."""
    text: str = ""

    def __str__(self) -> str:
        cause = "" if self.cause is None else f";cause={self.cause}"
        return f"{self.protocol}{cause}" + (f";text={quote(self.text)}" if self.text else "")


def split_list(value: str) -> list[str]:
    """The elements of a comma-separated header field value; quoted strings and <URIs> stay whole."""
    if "," not in value:
        return [value.strip()]
    if '"' not in value and "<" not in value:
        return [piece.strip() for piece in value.split(",") if piece.strip()]
    return [piece.strip() for piece in split_quoted(value, ",") if piece.strip()]


def first_element(value: str) -> str:
    """The first element of a header field value that is a list; ProtocolError 400 for one of nothing but commas."""
    elements = split_list(value)
    if not elements:
        raise ProtocolError(400, f"{value[:64]!r} is a list of nothing")
    return elements[0]


def parse_via(value: str) -> Via:
    """Read one Via element; ProtocolError 400 when malformed."""
    sent, semicolon, tail = value.partition(";")
    if semicolon and (";;" in tail or not tail or tail[0] == ";" or tail[-1] == ";"):
        raise ProtocolError(400, f"Via {value[:64]!r} has an empty parameter")
    transport, host, port = _parse_sent(sent)
    return Via(transport, host, port, parse_parameters(tail) if semicolon else ())


@remembered(1024)
def _parse_sent(sent: str) -> tuple[str, str, int | None]:
    """sent-protocol and sent-by of a Via, the same for every message of a peer."""
    pieces = sent.split()
    if len(pieces) != 2 or pieces[0].count("/") != 2:
        # RFC 3261 25.1: SLASH and COLON may have white space around them
        pieces = re.sub(r"\s*([/:])\s*", r"\1", sent.strip()).split()
        if len(pieces) != 2 or pieces[0].count("/") != 2:
            raise ProtocolError(400, f"Via {sent[:64]!r} is malformed")
    protocol, _, transport = pieces[0].split("/")
    if protocol.upper() != "SIP" or not _TOKEN.fullmatch(transport):
        raise ProtocolError(400, f"Via protocol {pieces[0][:32]!r} is not SIP/2.0/TRANSPORT")
    host, port = parse_host_port(pieces[1])
    return transport.upper(), host, port


@remembered(512)
def parse_cseq(value: str) -> CSeq:
    """Read a CSeq; ProtocolError 400 when malformed or not below 2**31 (RFC 3261 8.1.1.5)."""
    pieces = value.split()
    if len(pieces) != 2 or not (pieces[0].isascii() and pieces[0].isdigit()) or not _TOKEN.fullmatch(pieces[1]):
        raise ProtocolError(400, f"CSeq {value[:64]!r} is malformed")
    if len(pieces[0]) > 10 or (number := int(pieces[0])) > _MAX_CSEQ:
        raise ProtocolError(400, f"CSeq number {pieces[0][:32]} is not below 2**31")
    return CSeq(number, pieces[1])


def parse_delta_seconds(value: str) -> int | None:
    """Seconds as in Expires; values above 2**32-1 count as that, None when it is no number (RFC 3261 20.19)."""
    value = value.strip()
    if not (value.isascii() and value.isdigit()):
        return None
    return _MAX_DELTA if len(value) > 10 else min(int(value), _MAX_DELTA)


@remembered(4096)
def tag_of(value: str) -> str:
    """The tag of a raw From or To value, "" when it has none; ProtocolError 400 when malformed."""
    if '"' not in value:
        tail = value[value.rfind(">") + 1 :]
        start = tail.find(";tag=")
        if start >= 0:
            return tail[start + 5 :].partition(";")[0].strip()
        if ";" not in tail:
            return ""
    return parse_name_addr(value).parameter("tag") or ""


def parse_contacts(values: list[str]) -> list[NameAddr]:
    """Every element of Contact, Route, Record-Route or the like; `*` has no place here."""
    return [parse_name_addr(piece) for value in values for piece in split_list(value) if piece]


def parse_challenge(value: str) -> Challenge:
    """Read WWW-Authenticate, Authorization or their proxy kin; ProtocolError 400 when malformed."""
    scheme, _, rest = value.strip().partition(" ")
    if not _TOKEN.fullmatch(scheme):
        raise ProtocolError(400, f"authentication scheme {scheme[:32]!r} is not a token")
    parameters: dict[str, str] = {}
    for piece in split_list(rest):
        name, equals, parameter = piece.partition("=")
        name, parameter = name.strip().lower(), parameter.strip()
        if not equals or not _TOKEN.fullmatch(name):
            raise ProtocolError(400, f"authentication parameter {piece[:64]!r} is malformed")
        parameters.setdefault(name, unquote(parameter) if parameter.startswith('"') else parameter)
    return Challenge(scheme, parameters)


def parse_reason(value: str) -> Reason:
    """Read one Reason element; a cause that is no number counts as absent."""
    protocol, semicolon, tail = value.strip().partition(";")
    parameters = dict(parse_parameters(tail)) if semicolon else {}
    cause = parameters.get("cause") or ""
    number = int(cause) if cause.isascii() and cause.isdigit() and len(cause) <= 6 else None
    return Reason(protocol.strip(), number, parameters.get("text") or "")
