"""SIP, SIPS and tel URIs, and the name-addr around them (RFC 3261 19.1, 20.10; RFC 3966; RFC 5954)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache, wraps
from ipaddress import AddressValueError, IPv6Address
from typing import TypeVar

import msgspec

from .errors import ProtocolError

__all__ = [
    "NameAddr",
    "Parameters",
    "SipUri",
    "parse_name_addr",
    "parse_parameters",
    "parse_uri",
    "quote",
    "remembered",
]

Parameters = tuple[tuple[str, str | None], ...]
"""Parameters in the order they came: (lower-case name, value without quotes or None)."""

_USER_UNSAFE = re.compile(r"[^A-Za-z0-9\-_.!~*'()&=+$,;?/]")
_PASSWORD_UNSAFE = re.compile(r"[^A-Za-z0-9\-_.!~*'()&=+$,]")
_PARAMETER_UNSAFE = re.compile(r"[^A-Za-z0-9\-_.!~*'()\[\]/:&+$]")
_HEADER_UNSAFE = re.compile(r"[^A-Za-z0-9\-_.!~*'()\[\]/?:+$]")
_USER = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/#\u0080-\uffff]|%[0-9A-Fa-f]{2})*")  # '#' is what phones send
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]*)")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*")
_TEL = re.compile(r"[+0-9A-Fa-f*#().\-]+")
_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_SIP_UNSAFE = re.compile(r"[\s<>\"]")
_ESCAPE = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_MAX_REMEMBERED = 512
_Value = TypeVar("_Value")


def remembered(count: int) -> Callable[[Callable[[str], _Value]], Callable[[str], _Value]]:
    """Keep the last `count` results of a parser of texts; of long texts none, so that strangers cannot fill memory."""

    def wrap(parse: Callable[[str], _Value]) -> Callable[[str], _Value]:
        cached = lru_cache(maxsize=count)(parse)

        @wraps(parse)
        def parse_or_recall(text: str) -> _Value:
            return cached(text) if len(text) <= _MAX_REMEMBERED else parse(text)

        return parse_or_recall

    return wrap


class SipUri(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One SIP, SIPS or tel URI."""

    scheme: str
    """`sip`, `sips` or `tel`."""
    user: str | None
    """The user part, unescaped; for tel the number as written. None when there is none."""
    host: str
    """Host name, IPv4 address or IPv6 address without brackets; empty for tel."""
    port: int | None = None
    """The port as written, None when left out."""
    password: str | None = None
    """The password part, unescaped (its use is discouraged by 19.1.1)."""
    parameters: Parameters = ()
    """URI parameters, unescaped."""
    headers: tuple[tuple[str, str], ...] = ()
    """Header fields after `?`, unescaped."""

    def parameter(self, name: str) -> str | None:
        """The value of a parameter: "" when it stands without value, None when absent."""
        for key, value in self.parameters:
            if key == name:
                return value or ""
        return None

    def __str__(self) -> str:
        if self.scheme == "tel":
            return f"tel:{self.user or ''}{_join_parameters(self.parameters)}"
        userinfo = ""
        if self.user is not None:
            userinfo = _escape(self.user, _USER_UNSAFE)
            if self.password is not None:
                userinfo += ":" + _escape(self.password, _PASSWORD_UNSAFE)
            userinfo += "@"
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        text = f"{self.scheme}:{userinfo}{host}{port}{_join_parameters(self.parameters)}"
        if self.headers:
            text += "?" + "&".join(
                f"{_escape(name, _HEADER_UNSAFE)}={_escape(value, _HEADER_UNSAFE)}" for name, value in self.headers
            )
        return text

    def __eq__(self, other: object) -> bool:
        """Equality by RFC 3261 19.1.4, which is not transitive; sets of URIs need `str` instead."""
        if not isinstance(other, SipUri):
            return NotImplemented
        return _equivalent(self, other)

    def __hash__(self) -> int:
        return hash((self.scheme, self.user, self.host.lower()))


class NameAddr(msgspec.Struct, frozen=True, gc=False):
    """A From, To, Contact, Route or Record-Route value: display name, URI, header parameters."""

    display: str
    """Display name without quotes, "" when absent."""
    uri_text: str
    """The URI as it came; of any scheme."""
    parameters: Parameters = ()
    """Header parameters such as tag, expires, q."""

    @property
    def uri(self) -> SipUri:
        """The URI parsed; ProtocolError 416 for a scheme that is not sip, sips or tel."""
        return parse_uri(self.uri_text)

    def parameter(self, name: str) -> str | None:
        """The value of a header parameter: "" when it stands without value, None when absent."""
        for key, value in self.parameters:
            if key == name:
                return value or ""
        return None

    def __str__(self) -> str:
        display = f"{quote(self.display)} " if self.display else ""
        return f"{display}<{self.uri_text}>{_join_header_parameters(self.parameters)}"


def quote(text: str) -> str:
    """A quoted-string with its backslashes (RFC 3261 25.1)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@remembered(2048)
def parse_uri(text: str) -> SipUri:
    """Read a URI; ProtocolError 400 when malformed, 416 when the scheme is unknown (RFC 3261 8.2.2.1)."""
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if scheme == "tel" and colon:
        return _parse_tel(text, rest)
    if scheme not in ("sip", "sips") or not colon:
        if colon and _SCHEME.fullmatch(scheme):
            raise ProtocolError(416, f"URI scheme {scheme[:32]!r} is not sip, sips or tel")
        raise ProtocolError(400, f"{text[:64]!r} is not a URI")
    if _SIP_UNSAFE.search(rest):
        raise ProtocolError(400, f"URI {text[:64]!r} holds a character that must be escaped")
    userinfo, at, hostpart = rest.rpartition("@")
    user: str | None = None
    password: str | None = None
    if at:
        user_text, password_colon, password_text = userinfo.partition(":")
        if not user_text or not _USER.fullmatch(user_text) or not _USER.fullmatch(password_text):
            raise ProtocolError(400, f"URI {text[:64]!r} has a malformed user part")
        user = _unescape(user_text)
        password = _unescape(password_text) if password_colon else None
    hostpart, question, header_text = hostpart.partition("?")
    host_text, semicolon, parameter_text = hostpart.partition(";")
    host, port = parse_host_port(host_text)
    parameters = _parse_uri_parameters(parameter_text, text) if semicolon else ()
    headers = _parse_uri_headers(header_text, text) if question else ()
    return SipUri(scheme, user, host, port, password, parameters, headers)


def parse_host_port(text: str) -> tuple[str, int | None]:
    """Split `host`, `host:port` or `[IPv6]:port`; ProtocolError 400 when it is none of these."""
    if text.startswith("["):
        host, bracket, tail = text[1:].partition("]")
        if ":::" in host and "." in host:
            host = host.replace(":::", "::")  # what the grammar of RFC 3261 allows by mistake (RFC 5118 4.10)
        try:
            IPv6Address(host)
        except AddressValueError:
            raise ProtocolError(400, f"host {text[:64]!r} is not an IPv6 address") from None
        if "%" in host:  # RFC 6874 has no say here: a zone is a matter of one machine
            raise ProtocolError(400, f"host {text[:64]!r} has a zone, which no SIP URI can have")
        if not bracket or (tail and not tail.startswith(":")):
            raise ProtocolError(400, f"host {text[:64]!r} is malformed")
        if not tail:
            return host, None
        port_text = tail[1:]
    else:
        host, colon, port_text = text.partition(":")
        if not _HOST.fullmatch(host):
            raise ProtocolError(400, f"host {text[:64]!r} is malformed")
        if not colon:
            return host, None
    if not (port_text.isascii() and port_text.isdigit() and len(port_text) <= 5 and int(port_text) <= 65535):
        raise ProtocolError(400, f"port {port_text[:16]!r} is outside 0..65535")
    return host, int(port_text)


@remembered(4096)
def parse_name_addr(text: str) -> NameAddr:
    """Read one name-addr or addr-spec with its parameters; ProtocolError 400 when malformed."""
    text = text.strip()
    display = ""
    if text.startswith('"'):
        end = _closing_quote(text)
        display = unquote(text[: end + 1])
        rest = text[end + 1 :].lstrip()
        if not rest.startswith("<"):
            raise ProtocolError(400, f"no <URI> after the display name in {text[:64]!r}")
    else:
        bracket = text.find("<")
        if bracket < 0:
            return _parse_addr_spec(text)
        display = text[:bracket].strip()
        if display and not all(_TOKEN.fullmatch(word) or not word.isascii() for word in display.split()):
            raise ProtocolError(400, f"display name {display[:64]!r} must be quoted")
        rest = text[bracket:]
    uri_text, bracket_end, tail = rest[1:].partition(">")
    if not bracket_end or not uri_text or uri_text != uri_text.strip():
        raise ProtocolError(400, f"{text[:64]!r} has no well-formed <URI>")
    tail = tail.strip()
    if not tail:
        return NameAddr(display, uri_text)
    if not tail.startswith(";"):
        raise ProtocolError(400, f"garbage after <URI> in {text[:64]!r}")
    return NameAddr(display, uri_text, parse_parameters(tail[1:]))


def parse_parameters(text: str) -> Parameters:
    """Read `a=1;b;c="x;y"` (without the leading semicolon); ProtocolError 400 when malformed."""
    found: list[tuple[str, str | None]] = []
    pieces = text.split(";") if '"' not in text else split_quoted(text, ";")
    for piece in pieces:
        name, equals, value = piece.partition("=")
        name = name.strip().lower()
        if not name:
            if not equals and not value:
                continue  # an empty parameter (";;") hurts nobody
            raise ProtocolError(400, f"parameter {piece[:64]!r} has no name")
        if not equals:
            found.append((name, None))
            continue
        value = value.strip()
        if value.startswith('"'):
            if _closing_quote(value) != len(value) - 1:
                raise ProtocolError(400, f"parameter {piece[:64]!r} is malformed")
            value = unquote(value)
        found.append((name, value))
    return tuple(found)


def _parse_addr_spec(text: str) -> NameAddr:
    # RFC 3261 20: without brackets every parameter belongs to the header field, and "?" or "," cannot stand.
    uri_text, semicolon, tail = text.partition(";")
    uri_text = uri_text.strip()
    if not uri_text or "?" in uri_text or "," in uri_text or " " in uri_text or ":" not in uri_text:
        raise ProtocolError(400, f"{text[:64]!r} is neither name-addr nor addr-spec")
    return NameAddr("", uri_text, parse_parameters(tail) if semicolon else ())


def _parse_tel(text: str, rest: str) -> SipUri:
    number, semicolon, parameter_text = rest.partition(";")
    if not _TEL.fullmatch(number):
        raise ProtocolError(400, f"{text[:64]!r} is not a telephone number")
    return SipUri("tel", number, "", parameters=_parse_uri_parameters(parameter_text, text) if semicolon else ())


def _parse_uri_parameters(text: str, uri: str) -> Parameters:
    found: list[tuple[str, str | None]] = []
    for piece in text.split(";"):
        if not piece:
            continue
        name, equals, value = piece.partition("=")
        if not name:
            raise ProtocolError(400, f"URI {uri[:64]!r} has a parameter without name")
        found.append((_unescape(name).lower(), _unescape(value) if equals else None))
    return tuple(found)


def _parse_uri_headers(text: str, uri: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for piece in text.split("&"):
        name, equals, value = piece.partition("=")
        if not name or not equals:
            raise ProtocolError(400, f"URI {uri[:64]!r} has a malformed header part")
        found.append((_unescape(name), _unescape(value)))
    return tuple(found)


def _equivalent(one: SipUri, two: SipUri) -> bool:
    if one.scheme != two.scheme or one.password != two.password:
        return False
    if one.scheme == "tel":
        digits = str.maketrans("", "", "-.()")
        if (one.user or "").translate(digits).lower() != (two.user or "").translate(digits).lower():
            return False
    elif one.user != two.user:
        return False
    if one.host.lower() != two.host.lower() or one.port != two.port:
        return False
    first, second = dict(one.parameters), dict(two.parameters)
    for name in first.keys() | second.keys():
        if name in first and name in second:
            if (first[name] or "").lower() != (second[name] or "").lower():
                return False
        elif name in ("user", "ttl", "method", "maddr", "transport"):
            return False
    return sorted((n.lower(), v) for n, v in one.headers) == sorted((n.lower(), v) for n, v in two.headers)


def _join_parameters(parameters: Iterable[tuple[str, str | None]]) -> str:
    text = ""
    for name, value in parameters:
        text += ";" + _escape(name, _PARAMETER_UNSAFE)
        if value is not None:
            text += "=" + _escape(value, _PARAMETER_UNSAFE)
    return text


def _join_header_parameters(parameters: Parameters) -> str:
    text = ""
    for name, value in parameters:
        if value is None:
            text += f";{name}"
        elif _TOKEN.fullmatch(value) or (value.startswith("[") and value.endswith("]")):
            text += f";{name}={value}"
        else:
            text += f";{name}={quote(value)}"
    return text


def _escape(text: str, unsafe: re.Pattern[str]) -> str:
    if not unsafe.search(text):
        return text
    return unsafe.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "replace")), text)


def _unescape(text: str) -> str:
    if "%" not in text:
        return text
    return _ESCAPE.sub(lambda match: _decoded(bytes.fromhex(match[0].replace("%", ""))), text)


def _decoded(data: bytes) -> str:
    """What escapes stand for, UTF-8 or what is left of Latin-1: never half a character, which no JSON could carry."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _closing_quote(text: str) -> int:
    """The index of the quote that closes the one `text` starts with; ProtocolError 400 when none does."""
    position = 1
    while position < len(text):
        character = text[position]
        if character == "\\":
            position += 2
            continue
        if character == '"':
            return position
        position += 1
    raise ProtocolError(400, f"unterminated quoted string {text[:64]!r}")


def unquote(text: str) -> str:
    """The text of a quoted-string (RFC 3261 25.1)."""
    inner = text[1:-1]
    return re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL) if "\\" in inner else inner


def split_quoted(text: str, separator: str) -> list[str]:
    """Split at a separator that stands outside quoted strings and angle brackets."""
    pieces: list[str] = []
    start = position = 0
    in_quotes = in_brackets = False
    length = len(text)
    while position < length:
        character = text[position]
        if in_quotes:
            if character == "\\":
                position += 1
            elif character == '"':
                in_quotes = False
        elif character == '"':
            in_quotes = not in_brackets
        elif character == "<":
            in_brackets = True
        elif character == ">":
            in_brackets = False
        elif character == separator and not in_brackets:
            pieces.append(text[start:position])
            start = position + 1
        position += 1
    if in_quotes:
        raise ProtocolError(400, f"unterminated quoted string in {text[:64]!r}")
    pieces.append(text[start:])
    return pieces
