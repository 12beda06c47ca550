"""The dialplan's functions on SIP: header fields of calls, URIs, endpoints and contacts, codecs and digits.

Header fields are added to calls that go out, before they do: in a handler of Dial's option b, or with the variables of
an originated call.
"""

from __future__ import annotations

from collections.abc import Iterable

from arietta.channels.channel import Channel
from arietta.config.pjsip import PjsipSettings
from arietta.config.reference import value_text
from arietta.config.settings import Settings, declared
from arietta.dialplan.arguments import is_true, split_arguments, whole_number
from arietta.dialplan.errors import FunctionError
from arietta.dialplan.functions import DeclaredFunction, Function, Read, Write, needed
from arietta.dialplan.interpreter import Interpreter
from arietta.drivers.sip.driver import SipDriver
from arietta.drivers.sip.leg import SipLeg
from arietta.drivers.sip.location import ContactState
from arietta.drivers.sip.messages import OWN_HEADERS
from arietta.drivers.sip.offers import carried
from arietta.sip.errors import ProtocolError
from arietta.sip.headers import canonical_name
from arietta.sip.message import Message
from arietta.sip.uri import NameAddr, parse_name_addr

MAX_ADDED = 100
MAX_VALUE = 4096
REFUSED_HEADERS = OWN_HEADERS | {"Content-Type", "Content-Encoding", "CSeq", "Require", "Supported", "Allow"}
"""Header fields that make the INVITE what it is."""
DTMF_MODES = ("rfc4733", "inband", "info", "auto", "auto_info")
SECRET = frozenset(("password_digest", "md5_cred", "oauth_secret", "refresh_token"))
URI_PARAMETERS = {
    "user_param": "user",
    "method_param": "method",
    "transport_param": "transport",
    "ttl_param": "ttl",
    "lr_param": "lr",
    "maddr_param": "maddr",
}
URI_PARTS = ("display", "scheme", "user", "passwd", "host", "port", *URI_PARAMETERS)


def _leg(channel: Channel | None, name: str) -> SipLeg:
    leg = needed(channel, name).leg
    if not isinstance(leg, SipLeg):
        raise FunctionError(name, "the channel is not of PJSIP")
    return leg


def _arguments(name: str, arguments: str, count: int) -> list[str]:
    parts = split_arguments(arguments)
    if len(parts) > count:
        raise FunctionError(name, f"{arguments!r} has {len(parts)} arguments, {count} at most")
    return [*parts, *[""] * (count - len(parts))]


# ------------------------------------------------------------------------------------------------------- header fields


def _fits(name: str, pattern: str) -> bool:
    """Whether the name of a header field is meant: by its name in any case, its short one, or its beginning with *."""
    if pattern.endswith("*"):
        return name.lower().startswith(pattern[:-1].lower())
    try:
        return name == canonical_name(pattern)
    except ProtocolError:
        return False


def _fields(message: Message | None) -> list[tuple[str, str]]:
    return (
        [(name, value) for name, values in message.headers.items() for value in values] if message is not None else []
    )


def _shown(leg: SipLeg) -> list[tuple[str, str]]:
    """The fields of the INVITE that came in, or those that were added to the one that goes out."""
    return _fields(leg.request) if leg.request is not None else leg.added


def _instance(name: str, text: str) -> int:
    number = whole_number(text, 0) if text else 1
    if number < 1:
        raise FunctionError(name, f"number {text!r} is not a whole number from 1")
    return number


def _read_one(name: str, fields: Iterable[tuple[str, str]], pattern: str, number: str) -> str:
    if not pattern:
        raise FunctionError(name, "names no header field")
    found = [value for field, value in fields if _fits(field, pattern)]
    place = _instance(name, number)
    return found[place - 1] if place <= len(found) else ""


def _names(fields: Iterable[tuple[str, str]], prefix: str) -> str:
    wanted = prefix.strip().lower()
    return ",".join(dict.fromkeys(field for field, _ in fields if field.lower().startswith(wanted)))


def _outgoing(channel: Channel | None, name: str) -> SipLeg:
    """The leg of a call that goes out and has not yet."""
    leg = _leg(channel, name)
    if leg.request is not None:
        raise FunctionError(name, "the call came in: what is sent can be changed of calls that go out")
    if leg.session is not None:
        raise FunctionError(name, "the INVITE has been sent already")
    return leg


def _checked(name: str, field: str, value: str) -> str:
    """The name of a field to be sent, in its usual spelling."""
    try:
        known = canonical_name(field)
    except ProtocolError as problem:
        raise FunctionError(name, str(problem)) from None
    if known in REFUSED_HEADERS:
        raise FunctionError(name, f"{known} is the server's own")
    if len(value) > MAX_VALUE or any((letter < " " and letter != "\t") or letter == "\x7f" for letter in value):
        raise FunctionError(name, f"the value of {known} has control characters, or more than {MAX_VALUE} characters")
    return known


def _remove(name: str, channel: Channel | None, pattern: str) -> int:
    added = _outgoing(channel, name).added
    kept = [(field, value) for field, value in added if not _fits(field, pattern)]
    removed = len(added) - len(kept)
    added[:] = kept
    return removed


def _read_header(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    name = "PJSIP_HEADER"
    action, field, number = _arguments(name, arguments, 3)
    match action.lower():
        case "read":
            return _read_one(name, _shown(_leg(channel, name)), field, number)
        case "remove":
            return str(_remove(name, channel, field))
        case _:
            raise FunctionError(name, f"{action!r} is neither read nor remove, which can be read")


def _write_header(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    name = "PJSIP_HEADER"
    action, field, number = _arguments(name, arguments, 3)
    match action.lower():
        case "add":
            leg = _outgoing(channel, name)
            if len(leg.added) >= MAX_ADDED:
                raise FunctionError(name, f"{MAX_ADDED} header fields are added, which is the limit")
            leg.added.append((_checked(name, field, value), value))
        case "update":
            leg = _outgoing(channel, name)
            known = _checked(name, field, value)
            places = [place for place, (other, _) in enumerate(leg.added) if other == known]
            wanted = _instance(name, number)
            if wanted > len(places):
                raise FunctionError(name, f"{len(places)} {known} are there, number {wanted} is to be changed")
            leg.added[places[wanted - 1]] = (known, value)
        case "remove":
            _remove(name, channel, field)
        case _:
            raise FunctionError(name, f"{action!r} is none of add, update and remove, which can be written")


def _read_headers(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return _names(_shown(_leg(channel, "PJSIP_HEADERS")), arguments)


def _read_response_header(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    name = "PJSIP_RESPONSE_HEADER"
    action, field, number = _arguments(name, arguments, 3)
    if action.lower() != "read":
        raise FunctionError(name, f"{action!r} is not read")
    return _read_one(name, _fields(_leg(channel, name).response), field, number)


def _read_response_headers(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return _names(_fields(_leg(channel, "PJSIP_RESPONSE_HEADERS").response), arguments)


def _parameter(name: str, arguments: str) -> tuple[bool, str]:
    """Whether a parameter of From is meant that is in its URI, and its name."""
    header, kind, parameter = _arguments(name, arguments, 3)
    if not _fits("From", header):
        raise FunctionError(name, f"header {header!r} is not From")
    if kind.lower() not in ("", "header", "uri"):
        raise FunctionError(name, f"type {kind!r} is neither header nor uri")
    if not parameter or not all(
        (letter.isalnum() and letter.isascii()) or letter in "-.!%*_+`'~" for letter in parameter
    ):
        raise FunctionError(name, f"{parameter!r} is not the name of a parameter")
    return kind.lower() == "uri", parameter


def _read_header_param(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    name = "PJSIP_HEADER_PARAM"
    in_uri, parameter = _parameter(name, arguments)
    leg = _leg(channel, name)
    if leg.request is None:
        return leg.from_parameters.get((in_uri, parameter), "")
    try:
        address = leg.request.from_
        return (address.uri.parameter(parameter) if in_uri else address.parameter(parameter)) or ""
    except ProtocolError:
        return ""


def _write_header_param(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    name = "PJSIP_HEADER_PARAM"
    in_uri, parameter = _parameter(name, arguments)
    leg = _outgoing(channel, name)
    if parameter.lower() == "tag" and not in_uri:
        raise FunctionError(name, "the tag of From is the server's own")
    if len(value) > MAX_VALUE or not all("!" <= letter <= "~" and letter not in '<>",;?&@' for letter in value):
        raise FunctionError(name, f"{value[:60]!r} cannot be the value of a parameter")
    if len(leg.from_parameters) >= MAX_ADDED:
        raise FunctionError(name, f"{MAX_ADDED} parameters are added, which is the limit")
    leg.from_parameters[in_uri, parameter] = value


# ------------------------------------------------------------------------------------------------------------- URIs


def _part(name: str, text: str, what: str) -> str:
    """One part of a URI or name-addr; empty where the text is no URI, or has no such part."""
    if what not in URI_PARTS:
        raise FunctionError(name, f"{what!r} is none of {', '.join(URI_PARTS)}")
    try:
        address: NameAddr = parse_name_addr(text)
        uri = address.uri
    except ProtocolError:
        return ""
    parts = {
        "display": address.display,
        "scheme": uri.scheme,
        "user": uri.user or "",
        "passwd": uri.password or "",
        "host": uri.host,
        "port": str(uri.port or ""),
    }
    if what in parts:
        return parts[what]
    value = uri.parameter(URI_PARAMETERS[what])
    if what == "lr_param":
        return "" if value is None else "1"
    return value or ""


def _parse_uri(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    parts = arguments.rpartition(",")
    return _part("PJSIP_PARSE_URI", parts[0].strip().strip("'"), parts[2].strip().lower())


def _parse_uri_from(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    name = "PJSIP_PARSE_URI_FROM"
    variable, what = _arguments(name, arguments, 2)
    text = plan.value(channel, variable) if variable else None
    return _part(name, text or "", what.lower())


# ----------------------------------------------------------------------------------------------------- what is known


def _option(name: str, kind: str, settings: Settings, option: str, more: dict[str, str]) -> str:
    """An option by its name; those that are secret are not told."""
    wanted = option.strip().lower()
    if wanted in more:
        return more[wanted]
    for entry in declared(type(settings)):
        if wanted in (*entry.names, entry.field):
            if entry.kind.secret or entry.field in SECRET:
                raise FunctionError(name, f"{option} is not told")
            return value_text(getattr(settings, entry.field))
    raise FunctionError(name, f"{kind} has no option {option!r}")


def _contact_options(contact: ContactState, now: float) -> dict[str, str]:
    binding = contact.binding
    roundtrip = contact.roundtrip_usec
    return {
        "rtt": "" if roundtrip is None else str(roundtrip),
        "status": contact.status,
        "uri": contact.uri,
        "aor": contact.aor,
        "expiration_time": "" if binding is None else str(max(0, int(binding.expires_at - now))),
        "user_agent": "" if binding is None else binding.user_agent,
        "call_id": "" if binding is None else binding.call_id,
        "path": ",".join(contact.route_set),
    }


class Known:
    """The functions that look at the configuration of a driver, and at its contacts."""

    def __init__(self, driver: SipDriver) -> None:
        self._driver = driver

    @property
    def _settings(self) -> PjsipSettings:
        return self._driver.settings

    def endpoint(self, plan: Interpreter, channel: Channel | None, arguments: str) -> str:
        name = "PJSIP_ENDPOINT"
        wanted, option = _arguments(name, arguments, 2)
        settings = self._settings.endpoints.get(wanted)
        if settings is None:
            raise FunctionError(name, f"there is no endpoint {wanted!r}")
        return _option(name, "an endpoint", settings, option, {"aor": ",".join(settings.aors)})

    def aor(self, plan: Interpreter, channel: Channel | None, arguments: str) -> str:
        name = "PJSIP_AOR"
        wanted, option = _arguments(name, arguments, 2)
        settings = self._settings.aors.get(wanted)
        if settings is None:
            raise FunctionError(name, f"there is no address of record {wanted!r}")
        contacts = self._driver.contacts.location.contacts((wanted,))
        # The names of contacts, as PJSIP_CONTACT takes them.
        return _option(name, "an address of record", settings, option, {"contact": ",".join(map(_name_of, contacts))})

    def contact(self, plan: Interpreter, channel: Channel | None, arguments: str) -> str:
        name = "PJSIP_CONTACT"
        wanted, option = _arguments(name, arguments, 2)
        aor, _, _ = wanted.partition(";@")
        contacts = self._driver.contacts.location.contacts((aor,))
        found = next((contact for contact in contacts if _name_of(contact) == wanted), None)
        if found is None:
            raise FunctionError(name, f"there is no contact {wanted!r}")
        known = _contact_options(found, self._driver.now())
        if option.lower() not in known:
            raise FunctionError(name, f"{option!r} is none of {', '.join(known)}")
        return known[option.lower()]

    def dial_contacts(self, plan: Interpreter, channel: Channel | None, arguments: str) -> str:
        name = "PJSIP_DIAL_CONTACTS"
        wanted, aor, user = _arguments(name, arguments, 3)
        endpoint = self._driver.endpoints_table.get(wanted)
        if endpoint is None:
            raise FunctionError(name, f"there is no endpoint {wanted!r}")
        if aor and aor not in endpoint.aors:
            raise FunctionError(name, f"endpoint {endpoint.name} has no address of record {aor!r}")
        contacts = self._driver.contacts.location.contacts((aor,) if aor else endpoint.aors)
        uris = _uris_of_phones(contact for contact in contacts if contact.usable)
        return "&".join(f"PJSIP/{endpoint.name}/{_with_user(uri, user) if user else uri}" for uri in uris)


def _uris_of_phones(contacts: Iterable[ContactState]) -> list[str]:
    """The URIs to call all phones: of the flows of one phone the newest alone (RFC 5626 7)."""
    uris: dict[str, str] = {}
    for contact in contacts:
        flow = contact.binding.flow if contact.binding is not None else None
        uris[flow.instance if flow is not None else contact.uri] = contact.uri
    return list(uris.values())


def _name_of(contact: ContactState) -> str:
    return f"{contact.aor};@{contact.uri}"


def _with_user(uri: str, user: str) -> str:
    scheme, _, rest = uri.partition(":")
    return f"{scheme}:{user}@{rest.rpartition('@')[2]}"


# ------------------------------------------------------------------------------------------------------------- media


def _read_dtmf_mode(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return _leg(channel, "PJSIP_DTMF_MODE").media.endpoint.dtmf_mode


def _write_dtmf_mode(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    if value not in DTMF_MODES:
        raise FunctionError("PJSIP_DTMF_MODE", f"{value!r} is none of {', '.join(DTMF_MODES)}")
    _leg(channel, "PJSIP_DTMF_MODE").media.use_digits(value)


def _audio(name: str, arguments: str) -> None:
    if arguments.strip().lower() != "audio":
        raise FunctionError(name, f"media {arguments!r} is not audio, and there is no other")


def _read_media_offer(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    _audio("PJSIP_MEDIA_OFFER", arguments)
    return ",".join(_leg(channel, "PJSIP_MEDIA_OFFER").media.codecs)


def _write_media_offer(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    name = "PJSIP_MEDIA_OFFER"
    _audio(name, arguments)
    leg = _leg(channel, name)
    names = tuple(text for text in (part.strip().lower().lstrip("!") for part in value.split(",")) if text)
    allowed = carried(leg.endpoint.allow)
    unknown = [text for text in names or (value,) if text not in allowed]
    if unknown:
        raise FunctionError(name, f"{unknown[0]!r} is no codec of the endpoint; those are {', '.join(allowed)}")
    leg.media.offer_only(names)


def _write_refresh(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    name = "PJSIP_SEND_SESSION_REFRESH"
    method = value.strip().lower()
    if method not in ("invite", "update"):
        raise FunctionError(name, f"{value!r} is neither invite nor update")
    if not _leg(channel, name).refresh(method):
        raise FunctionError(name, "nothing was agreed with the far end yet, or another offer goes on")


def _read_moh_passthrough(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return "yes" if _leg(channel, "PJSIP_MOH_PASSTHROUGH").passes_hold_on else "no"


def _write_moh_passthrough(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    _leg(channel, "PJSIP_MOH_PASSTHROUGH").passes_hold_on = is_true(value)


FUNCTIONS = (
    DeclaredFunction(
        "PJSIP_AOR", "PJSIP_AOR(name,option)", "An option of an address of record; `contact` names its contacts."
    ),
    DeclaredFunction(
        "PJSIP_CONTACT", "PJSIP_CONTACT(name,option)", "What is known of a contact: `rtt`, `status`, `uri` and others."
    ),
    DeclaredFunction(
        "PJSIP_DIAL_CONTACTS",
        "PJSIP_DIAL_CONTACTS(endpoint[,aor[,user]])",
        "What Dial calls to ring every contact of an endpoint that can be reached.",
    ),
    DeclaredFunction(
        "PJSIP_DTMF_MODE",
        "PJSIP_DTMF_MODE()",
        "How digits are carried: `rfc4733`, `inband`, `info`, `auto` or `auto_info`.",
        can_set=True,
    ),
    DeclaredFunction("PJSIP_ENDPOINT", "PJSIP_ENDPOINT(name,option)", "An option of an endpoint."),
    DeclaredFunction(
        "PJSIP_HEADER",
        "PJSIP_HEADER(read|add|update|remove,name[,number])",
        "A header field of the INVITE that came in; or adds, changes and removes those of one that goes out.",
        can_set=True,
    ),
    DeclaredFunction(
        "PJSIP_HEADERS", "PJSIP_HEADERS([prefix])", "The names of header fields that begin so, with commas."
    ),
    DeclaredFunction(
        "PJSIP_HEADER_PARAM", "PJSIP_HEADER_PARAM(From,header|uri,name)", "A parameter of From.", can_set=True
    ),
    DeclaredFunction(
        "PJSIP_MEDIA_OFFER",
        "PJSIP_MEDIA_OFFER(audio)",
        "The codecs that are offered, with commas.",
        can_set=True,
        lacks="without video",
    ),
    DeclaredFunction(
        "PJSIP_MOH_PASSTHROUGH",
        "PJSIP_MOH_PASSTHROUGH()",
        "Whether hold is passed on to the phone, instead of music.",
        can_set=True,
    ),
    DeclaredFunction(
        "PJSIP_PARSE_URI",
        "PJSIP_PARSE_URI(uri,part)",
        f"A part of a URI: {', '.join(f'`{part}`' for part in URI_PARTS)}.",
    ),
    DeclaredFunction("PJSIP_PARSE_URI_FROM", "PJSIP_PARSE_URI_FROM(variable,part)", "The same of a URI in a variable."),
    DeclaredFunction(
        "PJSIP_RESPONSE_HEADER",
        "PJSIP_RESPONSE_HEADER(read,name[,number])",
        "A header field of the 200 that answered our INVITE.",
    ),
    DeclaredFunction("PJSIP_RESPONSE_HEADERS", "PJSIP_RESPONSE_HEADERS([prefix])", "The names of its header fields."),
    DeclaredFunction(
        "PJSIP_SEND_SESSION_REFRESH",
        "PJSIP_SEND_SESSION_REFRESH()",
        "Set to `invite` or `update` it offers the session again in that way.",
        can_read=False,
        can_set=True,
    ),
)


def pjsip_functions(driver: SipDriver) -> tuple[Function, ...]:
    """All of them."""
    known = Known(driver)
    done: dict[str, tuple[Read | None, Write | None]] = {
        "PJSIP_AOR": (known.aor, None),
        "PJSIP_CONTACT": (known.contact, None),
        "PJSIP_DIAL_CONTACTS": (known.dial_contacts, None),
        "PJSIP_DTMF_MODE": (_read_dtmf_mode, _write_dtmf_mode),
        "PJSIP_ENDPOINT": (known.endpoint, None),
        "PJSIP_HEADER": (_read_header, _write_header),
        "PJSIP_HEADERS": (_read_headers, None),
        "PJSIP_HEADER_PARAM": (_read_header_param, _write_header_param),
        "PJSIP_MEDIA_OFFER": (_read_media_offer, _write_media_offer),
        "PJSIP_MOH_PASSTHROUGH": (_read_moh_passthrough, _write_moh_passthrough),
        "PJSIP_PARSE_URI": (_parse_uri, None),
        "PJSIP_PARSE_URI_FROM": (_parse_uri_from, None),
        "PJSIP_RESPONSE_HEADER": (_read_response_header, None),
        "PJSIP_RESPONSE_HEADERS": (_read_response_headers, None),
        "PJSIP_SEND_SESSION_REFRESH": (None, _write_refresh),
    }
    return tuple(function.done_by(*done[function.name]) for function in FUNCTIONS)
