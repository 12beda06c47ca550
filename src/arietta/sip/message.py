"""SIP requests and responses: the head split once, every value read only when asked (RFC 3261 7)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Self

from .errors import ProtocolError
from .headers import (
    NAMES,
    CSeq,
    Via,
    canonical_name,
    first_element,
    parse_contacts,
    parse_cseq,
    parse_delta_seconds,
    parse_via,
    split_list,
    tag_of,
)
from .uri import NameAddr, SipUri, parse_name_addr, parse_uri

__all__ = [
    "MAX_HEADERS",
    "MAX_MESSAGE",
    "METHODS",
    "Headers",
    "Message",
    "Request",
    "Response",
    "parse",
    "reason_phrase",
]

MAX_MESSAGE = 65536
"""Bytes of one message, head and body."""
MAX_HEADERS = 200
"""Header lines of one message."""

Headers = Iterable[tuple[str, str]]
"""Header fields to add: (name, value) pairs."""

REASON_PHRASES: dict[int, str] = {
    100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress",
    199: "Early Dialog Terminated", 200: "OK", 202: "Accepted", 204: "No Notification", 300: "Multiple Choices",
    301: "Moved Permanently", 302: "Moved Temporarily", 305: "Use Proxy", 380: "Alternative Service",
    400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required", 408: "Request Timeout",
    410: "Gone", 412: "Conditional Request Failed", 413: "Request Entity Too Large", 414: "Request-URI Too Long",
    415: "Unsupported Media Type", 416: "Unsupported URI Scheme", 420: "Bad Extension", 421: "Extension Required",
    422: "Session Interval Too Small", 423: "Interval Too Brief", 428: "Use Identity Header",
    430: "Flow Failed", 433: "Anonymity Disallowed", 439: "First Hop Lacks Outbound Support", 469: "Bad Info Package",
    480: "Temporarily Unavailable", 481: "Call/Transaction Does Not Exist", 482: "Loop Detected", 483: "Too Many Hops",
    484: "Address Incomplete", 485: "Ambiguous", 486: "Busy Here", 487: "Request Terminated",
    488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending", 493: "Undecipherable",
    494: "Security Agreement Required", 500: "Server Internal Error", 501: "Not Implemented", 502: "Bad Gateway",
    503: "Service Unavailable", 504: "Server Time-out", 505: "Version Not Supported", 513: "Message Too Large",
    580: "Precondition Failure", 600: "Busy Everywhere",
    603: "Decline", 604: "Does Not Exist Anywhere", 606: "Not Acceptable", 607: "Unwanted", 608: "Rejected",
}  # fmt: skip

METHODS = frozenset((
    "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "PRACK", "SUBSCRIBE", "NOTIFY", "PUBLISH", "INFO",
    "REFER", "MESSAGE", "UPDATE",
))  # fmt: skip
"""Methods with a meaning; any other is answered with 501 (RFC 3261 21.5.2)."""
_TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_FOLD = re.compile(r"[ \t]*\r\n[ \t]+")
_VERSION = re.compile(r"SIP/\d+\.\d+", re.IGNORECASE)
_MANDATORY = ("Via", "From", "To", "Call-ID", "CSeq")
_DIALOG_FORMING = frozenset(("INVITE", "SUBSCRIBE", "REFER"))


def reason_phrase(status: int) -> str:
    """The customary phrase of a status code (RFC 3261 21)."""
    return REASON_PHRASES.get(status) or ("OK" if 200 <= status < 300 else "Unknown")


class Message:
    """What requests and responses share: header fields, body, the values every message has.

    `headers` maps canonical names to the raw values in the order they came. Lists in it are shared between a
    request and its responses, so they are never changed in place: `add` and `set` put a new list.
    Content-Length is not in it; it is the length of `body`.
    """

    __slots__ = ("_cseq", "_via", "body", "charset", "headers")

    def __init__(self, headers: Headers | dict[str, list[str]] = (), body: bytes = b"") -> None:
        self.body = body
        self.charset = "utf-8"
        """How the head is encoded: what came as Latin-1, from phones older than RFC 3261, is answered in Latin-1."""
        self._via: Via | None = None
        self._cseq: CSeq | None = None
        if isinstance(headers, dict):
            self.headers = headers
        else:
            self.headers = {}
            for name, value in headers:
                self.add(name, value)

    def start_line(self) -> str:
        """The request line or status line, without its end of line."""
        raise TypeError("a Message is a Request or a Response")

    def get(self, name: str) -> str | None:
        """The first value of a header field, None when absent."""
        values = self.headers.get(NAMES.get(name) or canonical_name(name))
        return values[0] if values else None

    def values(self, name: str) -> list[str]:
        """Every value of a header field, lists split at their commas."""
        found = self.headers.get(NAMES.get(name) or canonical_name(name))
        if not found:
            return []
        return [piece for value in found for piece in split_list(value) if piece]

    def set(self, name: str, value: str) -> None:
        """Put one value in place of all that were there."""
        name = canonical_name(name)
        self.headers[name] = [value]
        self._forget(name)

    def add(self, name: str, value: str) -> None:
        """Put a value after those already there."""
        name = canonical_name(name)
        old = self.headers.get(name)
        self.headers[name] = [value] if old is None else [*old, value]
        self._forget(name)

    def prepend(self, name: str, value: str) -> None:
        """Put a value before those already there."""
        name = canonical_name(name)
        self.headers[name] = [value, *self.headers.get(name, ())]
        self._forget(name)

    def remove(self, name: str) -> None:
        """Take a header field away; nothing happens when it is absent."""
        name = canonical_name(name)
        self.headers.pop(name, None)
        self._forget(name)

    @property
    def via(self) -> Via:
        """The topmost Via; ProtocolError 400 when malformed or absent."""
        if self._via is None:
            self._via = parse_via(first_element(self._required("Via")))
        return self._via

    @property
    def cseq(self) -> CSeq:
        """The CSeq; ProtocolError 400 when malformed or absent."""
        if self._cseq is None:
            self._cseq = parse_cseq(self._required("CSeq"))
        return self._cseq

    @property
    def call_id(self) -> str:
        """The Call-ID; ProtocolError 400 when absent."""
        return self._required("Call-ID")

    @property
    def from_(self) -> NameAddr:
        """The From; ProtocolError 400 when malformed or absent."""
        return parse_name_addr(self._required("From"))

    @property
    def to(self) -> NameAddr:
        """The To; ProtocolError 400 when malformed or absent."""
        return parse_name_addr(self._required("To"))

    @property
    def from_tag(self) -> str:
        """The tag of From, "" when it has none."""
        return tag_of(self._required("From"))

    @property
    def to_tag(self) -> str:
        """The tag of To, "" when it has none."""
        return tag_of(self._required("To"))

    @property
    def contacts(self) -> list[NameAddr]:
        """The Contact values; empty when there are none or when it is `*`."""
        values = self.headers.get("Contact", [])
        return [] if values == ["*"] else parse_contacts(values)

    @property
    def routes(self) -> list[NameAddr]:
        """The Route values."""
        return parse_contacts(self.headers.get("Route", []))

    @property
    def record_routes(self) -> list[NameAddr]:
        """The Record-Route values, in message order."""
        return parse_contacts(self.headers.get("Record-Route", []))

    @property
    def expires(self) -> int | None:
        """Expires in seconds, None when absent or malformed."""
        value = self.get("Expires")
        return None if value is None else parse_delta_seconds(value)

    @property
    def content_type(self) -> str:
        """The media type in lower case without its parameters, "" when absent."""
        return (self.get("Content-Type") or "").partition(";")[0].strip().lower()

    @property
    def sdp(self) -> bytes:
        """The session description in the body, also inside of a multipart (RFC 5621); b"" when there is none."""
        if not self.body:
            return b""
        kind = self.content_type
        if kind == "application/sdp":
            return self.body
        return (
            _sdp_part(self.body, self.get("Content-Type") or "", self.charset) if kind.startswith("multipart/") else b""
        )

    def __bytes__(self) -> bytes:
        lines = [self.start_line()]
        for name, values in self.headers.items():
            for value in values:
                lines.append(f"{name}: {value}")
        body = self.body
        lines.append(f"Content-Length: {len(body)}\r\n\r\n")
        text = "\r\n".join(lines)
        if text.count("\n") != len(lines) + 1 or text.count("\r") != len(lines) + 1:
            raise ValueError("a header field value holds a line break")
        return text.encode(self.charset, "replace") + body

    def _required(self, name: str) -> str:
        values = self.headers.get(name)
        if not values:
            raise ProtocolError(400, f"{name} is missing", message=self)
        return values[0]

    def _forget(self, name: str) -> None:
        if name == "Via":
            self._via = None
        elif name == "CSeq":
            self._cseq = None


class Request(Message):
    """A SIP request."""

    __slots__ = ("method", "uri_text")

    def __init__(self, method: str, uri: str, headers: Headers | dict[str, list[str]] = (), body: bytes = b"") -> None:
        super().__init__(headers, body)
        self.method = method
        self.uri_text = uri

    @property
    def uri(self) -> SipUri:
        """The Request-URI; ProtocolError 400 when malformed, 416 when its scheme is unknown."""
        return parse_uri(self.uri_text)

    @property
    def max_forwards(self) -> int:
        """Max-Forwards, 70 when absent; ProtocolError 400 when outside 0..255 (RFC 3261 20.22)."""
        value = self.get("Max-Forwards")
        if value is None:
            return 70
        if not (value.isascii() and value.isdigit() and len(value) <= 10 and int(value) <= 255):
            raise ProtocolError(400, f"Max-Forwards {value[:32]!r} is outside 0..255", message=self)
        return int(value)

    @property
    def is_rfc2543(self) -> bool:
        """True when it comes from before RFC 3261: no magic cookie, so neither From tag nor Contact can be demanded."""
        return not self.via.branch.startswith("z9hG4bK")

    def start_line(self) -> str:
        """The request line."""
        return f"{self.method} {self.uri_text} SIP/2.0"

    def copy(self) -> Self:
        """A copy whose header fields may be changed without touching this one's."""
        copy = type(self)(self.method, self.uri_text, dict(self.headers), self.body)
        copy.charset = self.charset
        return copy

    def create_response(
        self,
        status: int,
        reason: str | None = None,
        *,
        to_tag: str = "",
        headers: Headers = (),
        body: bytes = b"",
        content_type: str = "",
    ) -> Response:
        """A response to this request: Via, From, To, Call-ID, CSeq as they came (RFC 3261 8.2.6, 12.1.1)."""
        mine = self.headers
        try:
            fields = {
                "Via": mine["Via"],
                "From": mine["From"],
                "To": mine["To"],
                "Call-ID": mine["Call-ID"],
                "CSeq": mine["CSeq"],
            }
        except KeyError:  # a request too broken to have them all is still answered
            fields = {name: mine[name] for name in ("Via", "From", "To", "Call-ID", "CSeq") if name in mine}
        if status == 100:
            if "Timestamp" in mine:
                fields["Timestamp"] = mine["Timestamp"]
        else:
            if to_tag and "To" in mine and not _has_tag(mine["To"][0]):
                fields["To"] = [f"{mine['To'][0]};tag={to_tag}"]
            if status < 300 and "Record-Route" in mine and self.method in _DIALOG_FORMING:
                fields["Record-Route"] = mine["Record-Route"]
        response = Response(status, reason or reason_phrase(status), fields, body)
        response.charset = self.charset
        if content_type:
            fields["Content-Type"] = [content_type]
        for name, value in headers:
            response.add(name, value)
        return response

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.uri_text}>"


class Response(Message):
    """A SIP response."""

    __slots__ = ("reason", "status")

    def __init__(
        self,
        status: int,
        reason: str | None = None,
        headers: Headers | dict[str, list[str]] = (),
        body: bytes = b"",
    ) -> None:
        super().__init__(headers, body)
        self.status = status
        self.reason = reason_phrase(status) if reason is None else reason

    def start_line(self) -> str:
        """The status line."""
        return f"SIP/2.0 {self.status} {self.reason}"

    def copy(self) -> Self:
        """A copy whose header fields may be changed without touching this one's."""
        copy = type(self)(self.status, self.reason, dict(self.headers), self.body)
        copy.charset = self.charset
        return copy

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.reason}>"


def _has_tag(value: str) -> bool:
    try:
        return tag_of(value) != ""
    except ProtocolError:
        return True  # too broken to add one


def parse(data: bytes) -> Request | Response:
    """Read one whole message.

    Only what addressing needs is checked here: start line, line structure, the single-valued header fields, CSeq,
    the topmost Via, Content-Length. ProtocolError carries the status that answers it and, in `message`, as much
    of the message as was read.
    """
    if len(data) > MAX_MESSAGE:
        raise ProtocolError(513, f"message of {len(data)} bytes is over the limit of {MAX_MESSAGE}")
    if data[:1] == b"\r":  # RFC 3261 7.5: empty lines before the start line are ignored
        data = data.lstrip(b"\r\n")
    head_bytes, separator, body = data.partition(b"\r\n\r\n")
    try:
        head, charset = head_bytes.decode(), "utf-8"
    except UnicodeDecodeError:
        head, charset = head_bytes.decode("latin-1"), "latin-1"
    if "\r\n " in head or "\r\n\t" in head:
        head = _FOLD.sub(" ", head)
    lines = head.split("\r\n")
    start = lines[0]
    message: Request | Response
    wrong: ProtocolError | None = None
    if start[:8] == "SIP/2.0 " or _VERSION.match(start):
        message = _parse_status_line(start)
    else:
        message, wrong = _parse_request_line(start)
    message.charset = charset
    headers = message.headers
    names = NAMES
    if len(lines) > MAX_HEADERS:
        wrong = wrong or ProtocolError(400, f"{len(lines)} header lines are over the limit of {MAX_HEADERS}")
        del lines[MAX_HEADERS:]
    del lines[0]
    for line in lines:
        name, colon, value = line.partition(":")
        key = names.get(name)
        if key is None or not colon:
            try:
                key = canonical_name(name)
                if not colon:
                    raise ProtocolError(400, f"header line {line[:64]!r} has no colon")
            except ProtocolError as error:
                wrong = wrong or error
                continue
        known = headers.get(key)
        if known is None:
            headers[key] = [value.strip(" \t")]
        else:
            known.append(value.strip(" \t"))
    try:
        if wrong is not None:
            raise wrong
        if not separator:
            raise ProtocolError(400, "the empty line after the header fields is missing")
        _check(message, head, len(lines))
        message.body = _cut_body(headers.pop("Content-Length", None), body)
    except ProtocolError as error:
        error.message = message
        raise
    return message


def _parse_status_line(line: str) -> Response:
    version, _, rest = line.partition(" ")
    status_text, _, reason = rest.partition(" ")
    if version.upper() != "SIP/2.0":
        raise ProtocolError(505, f"version {version[:32]!r} is not SIP/2.0")
    if len(status_text) != 3 or not (status_text.isascii() and status_text.isdigit()) or status_text[0] not in "123456":
        raise ProtocolError(400, f"status {status_text[:32]!r} is outside 100..699")
    return Response(int(status_text), reason, {})


def _parse_request_line(line: str) -> tuple[Request, ProtocolError | None]:
    method, _, rest = line.partition(" ")
    uri, _, version = rest.rpartition(" ")
    if method not in METHODS and not _TOKEN.fullmatch(method):
        raise ProtocolError(400, f"method {method[:32]!r} is not a token")
    request = Request(method, uri, {})
    if version != "SIP/2.0":
        if _VERSION.fullmatch(version):
            if version.upper() != "SIP/2.0":
                return request, ProtocolError(505, f"version {version[:32]!r} is not SIP/2.0")
        else:
            return request, ProtocolError(400, f"request line {line[:64]!r} is malformed")
    if not uri or " " in uri or "\t" in uri or "<" in uri:
        return request, ProtocolError(400, f"Request-URI {uri[:64]!r} is malformed")
    return request, None


def _check(message: Request | Response, head: str, line_count: int) -> None:
    if head.count("\n") != line_count or head.count("\r") != line_count:
        raise ProtocolError(400, "a bare line break stands in the header fields")
    headers = message.headers
    for name in _MANDATORY:
        values = headers.get(name)
        if values is None or not values[0]:
            raise ProtocolError(400, f"{name} is missing")
        if len(values) > 1 and name != "Via":
            raise ProtocolError(400, f"{name} stands {len(values)} times")
    cseq = message.cseq
    _ = message.via
    if isinstance(message, Request):
        if cseq.method != message.method:  # RFC 4475 3.1.2.18: 501 for a method that nobody knows
            status = 400 if message.method in METHODS else 501
            raise ProtocolError(status, f"CSeq method {cseq.method[:32]} is not the method {message.method[:32]}")
        if "Max-Forwards" in headers:
            _ = message.max_forwards


def _cut_body(lengths: list[str] | None, body: bytes) -> bytes:
    if lengths is None:
        return body
    text = lengths[0]
    if len(set(lengths)) > 1 or not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ProtocolError(400, f"Content-Length {', '.join(lengths)[:64]!r} is no length")
    length = int(text)
    if length > len(body):
        raise ProtocolError(400, f"Content-Length {length} is more than the {len(body)} bytes that came")
    return body if length == len(body) else body[:length]  # RFC 3261 18.3: what follows is discarded


def _sdp_part(body: bytes, content_type: str, charset: str) -> bytes:
    found = re.search(r';\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;]+))', content_type, re.IGNORECASE)
    if not found:
        return b""
    delimiter = b"--" + (found[1] or found[2]).encode(charset, "replace")
    for piece in (b"\r\n" + body).split(b"\r\n" + delimiter)[1:]:
        head, blank, part = piece.partition(b"\r\n\r\n")
        if blank and re.search(rb"(?im)^content-type[ \t]*:[ \t]*application/sdp[ \t]*(?:;.*)?\r?$", head):
            return part
    return b""
