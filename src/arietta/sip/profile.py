"""What our user agent says of itself, and what it refuses in a request (RFC 3261 8.2.2.3, 8.2.3, 20.5)."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from .dialogs import literal_address
from .errors import ProtocolError
from .message import Headers, Request, Response
from .reliable import Reliability
from .session_timer import TimerRules
from .transactions import Address
from .uri import SipUri

__all__ = [
    "SDP",
    "Profile",
    "check_accept",
    "check_body",
    "check_registration",
    "check_require",
    "create_answer",
    "dress_request",
]

SDP = "application/sdp"


class Profile(msgspec.Struct, frozen=True):
    """What our user agent says of itself."""

    allow: tuple[str, ...] = (
        "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "REFER", "NOTIFY", "UPDATE", "MESSAGE", "PRACK",
    )  # fmt: skip
    """Methods answered in a dialog; others get 405."""
    supported: tuple[str, ...] = ()
    """Option tags in lower case, besides those of the next two; a Require with any other gets 420."""
    timers: TimerRules = TimerRules()
    """What sessions do with session timers (RFC 4028)."""
    reliable: Reliability = "no"
    """What sessions do with reliable provisional responses (RFC 3262)."""
    product: str = "Arietta"
    """Server and User-Agent; "" for none."""
    resolve: Callable[[SipUri], Address | None] = literal_address
    """Where a URI points, when that is known without waiting; else requests go where the peer was last heard."""

    @property
    def allow_value(self) -> str:
        """The Allow header field."""
        return ", ".join(self.allow)

    @property
    def tags(self) -> tuple[str, ...]:
        """Every option tag that is supported."""
        reliable = ("100rel",) if self.reliable != "no" else ()
        timer = ("timer",) if self.timers.mode != "no" else ()
        return (*self.supported, *reliable, *timer)

    @property
    def required(self) -> tuple[str, ...]:
        """The option tags that the peer must support."""
        reliable = ("100rel",) if self.reliable == "required" else ()
        timer = ("timer",) if self.timers.mode == "required" else ()
        return (*reliable, *timer)


def create_answer(
    profile: Profile, contact: str, request: Request, status: int, to_tag: str, sdp: bytes, headers: Headers
) -> Response:
    """A response to an INVITE that makes or keeps a dialog: with Contact, Allow and our names."""
    response = request.create_response(status, to_tag=to_tag, body=sdp, content_type=SDP if sdp else "")
    _add_names(response, "Server", profile, contact)
    for name, value in headers:
        response.add(name, value)
    return response


def dress_request(profile: Profile, contact: str, request: Request, sdp: bytes) -> None:
    """Put Contact, Allow, our names and the session description on an INVITE."""
    _add_names(request, "User-Agent", profile, contact)
    if profile.required:
        request.add("Require", ", ".join(profile.required))
    if sdp:
        request.body = sdp
        request.headers["Content-Type"] = [SDP]


def check_require(profile: Profile, request: Request) -> None:
    """ProtocolError 420 with Unsupported when the request needs an extension we have not."""
    if "Require" not in request.headers:
        return
    missing = [tag for tag in request.values("Require") if tag.lower() not in profile.tags]
    if missing:
        listed = ", ".join(missing)
        raise ProtocolError(420, f"extensions {listed[:64]} are not supported", headers=(("Unsupported", listed),))


def check_body(request: Request) -> None:
    """ProtocolError 415 for a body that must be understood and holds no session description."""
    if not request.body or request.sdp:
        return
    if "handling=optional" in (request.get("Content-Disposition") or "").replace(" ", "").lower():
        return
    raise ProtocolError(415, f"content type {request.content_type[:64]!r}", headers=(("Accept", SDP),))


def check_accept(request: Request) -> None:
    """ProtocolError 406 when the INVITE takes no session description for an answer (RFC 3261 20.1, RFC 4475 3.3.15)."""
    ranges = [value.partition(";")[0].strip().lower() for value in request.values("Accept")]
    if ranges and not {SDP, "application/*", "*/*"} & set(ranges):
        warning = ("Warning", '399 arietta "only application/sdp can be answered"')
        raise ProtocolError(406, f"Accept {', '.join(ranges)[:64]!r}", headers=(warning, ("Accept", SDP)))


def check_registration(request: Request) -> None:
    """ProtocolError 400 when the address of record, the To of a REGISTER, is no SIP URI (RFC 3261 10.3 step 5)."""
    text = request.to.uri_text
    if not text.lower().startswith(("sip:", "sips:")):
        raise ProtocolError(400, f"address of record {text[:64]!r} is no SIP URI")


def _add_names(message: Request | Response, product_header: str, profile: Profile, contact: str) -> None:
    fields = message.headers
    fields["Contact"] = [contact]
    fields["Allow"] = [profile.allow_value]
    if tags := profile.tags:
        fields["Supported"] = [", ".join(tags)]
    if profile.product:
        fields[product_header] = [profile.product]
