"""SIP objects: PJSIPShow…, PJSIPQualify, PJSIPRegister, PJSIPUnregister. Nothing that is secret is shown."""

from __future__ import annotations

from collections.abc import Sequence

from arietta.config.endpoint import Endpoint
from arietta.config.pjsip import Aor, PjsipSettings
from arietta.config.reference import value_text
from arietta.config.settings import Settings, declared
from arietta.errors import BadRequest, NotFound
from arietta.manager.declared import Call, Reply, action, item, listing, success
from arietta.manager.message import ManagerEvent
from arietta.model import shown

Rows = list[tuple[str, str | int]]
DEVICE_WORDS = {
    "UNKNOWN": "Unknown", "NOT_INUSE": "Not in use", "INUSE": "In use", "BUSY": "Busy", "INVALID": "Invalid",
    "UNAVAILABLE": "Unavailable", "RINGING": "Ringing", "RINGINUSE": "Ring+Inuse", "ONHOLD": "On Hold",
}  # fmt: skip


def _pjsip(call: Call) -> PjsipSettings:
    return call.domain.system.config.pjsip


def camel(option: str) -> str:
    """An option as a header is named: dtmf_mode is DtmfMode."""
    return "".join(word[:1].upper() + word[1:] for word in option.split("_"))


def _options(settings: Settings) -> Rows:
    """Every option with its value, but for what is secret."""
    rows: Rows = []
    for entry in declared(type(settings)):
        if entry.field == "type":
            continue
        value = value_text(getattr(settings, entry.field))
        rows.append((camel(entry.names[0]), "" if entry.kind.secret or entry.field in SECRET_FIELDS else value))
    return rows


SECRET_FIELDS = frozenset(("password_digest", "md5_cred", "oauth_secret", "refresh_token"))


def _object(name: str, kind: str, settings: Settings, *more: tuple[str, str | int]) -> ManagerEvent:
    return item(name, ("ObjectType", kind), ("ObjectName", settings.name), *_options(settings), *more)


def _device(call: Call, endpoint: Endpoint) -> str:
    state = call.domain.devices.get(f"PJSIP/{endpoint.name}").state
    return DEVICE_WORDS.get(state, state)


def _active(call: Call, endpoint: Endpoint) -> str:
    prefix = f"PJSIP/{endpoint.name}-"
    return ",".join(channel.name for channel in call.domain.channels if channel.name.startswith(prefix))


def _contacts_of(contacts: Sequence[shown.Contact], aors: Sequence[str]) -> str:
    return "".join(f"{contact.aor}/{contact.uri}," for contact in contacts if contact.aor in aors)


@action("PJSIPShowEndpoints", "List the SIP endpoints.", write="system")
def show_endpoints(call: Call) -> Reply:
    contacts = call.domain.sip.contacts()
    items = [
        item(
            "EndpointList",
            ("ObjectType", "endpoint"),
            ("ObjectName", endpoint.name),
            ("Transport", endpoint.transport),
            ("Aor", ",".join(endpoint.aors)),
            ("Auths", ",".join(endpoint.auth)),
            ("OutboundAuths", ",".join(endpoint.outbound_auth)),
            ("Contacts", _contacts_of(contacts, endpoint.aors)),
            ("DeviceState", _device(call, endpoint)),
            ("ActiveChannels", _active(call, endpoint)),
        )
        for endpoint in _pjsip(call).endpoints.values()
    ]
    return listing("A listing of Endpoints follows, presented as EndpointList events", items, "EndpointListComplete")


@action(
    "PJSIPShowEndpoint",
    "Show a SIP endpoint and the objects it refers to.",
    ("Endpoint", "Name of the endpoint."),
    write="system",
)
def show_endpoint(call: Call) -> Reply:
    name, pjsip = call.need("Endpoint", "Endpoint parameter missing"), _pjsip(call)
    endpoint = pjsip.endpoints.get(name)
    if endpoint is None:
        raise NotFound(f"Unable to retrieve endpoint {name[:80]}")
    contacts = [contact for contact in call.domain.sip.contacts() if contact.aor in endpoint.aors]
    items = [
        _object(
            "EndpointDetail",
            "endpoint",
            endpoint,
            ("DeviceState", _device(call, endpoint)),
            ("ActiveChannels", _active(call, endpoint)),
        )
    ]
    for auth in (*endpoint.auth, *endpoint.outbound_auth):
        if auth in pjsip.auths:
            items.append(_object("AuthDetail", "auth", pjsip.auths[auth], ("EndpointName", name)))
    for aor in endpoint.aors:
        if aor in pjsip.aors:
            items.append(_aor("AorDetail", pjsip.aors[aor], contacts, ("EndpointName", name)))
    if endpoint.transport in pjsip.transports:
        transport = pjsip.transports[endpoint.transport]
        items.append(_object("TransportDetail", "transport", transport, ("EndpointName", name)))
    items += [
        _object("IdentifyDetail", "identify", identify, ("EndpointName", name))
        for identify in pjsip.identifies.values()
        if identify.endpoint == name
    ]
    items += [_contact_status(contact) for contact in contacts]
    return listing("Following are Events for each object associated with the Endpoint", items, "EndpointDetailComplete")


def _aor(name: str, aor: Aor, contacts: Sequence[shown.Contact], *more: tuple[str, str | int]) -> ManagerEvent:
    own = [contact for contact in contacts if contact.aor == aor.name]
    return _object(
        name,
        "aor",
        aor,
        ("TotalContacts", len(own)),
        ("ContactsRegistered", sum(contact.expires_in_s is not None for contact in own)),
        *more,
    )


def _contact_status(contact: shown.Contact) -> ManagerEvent:
    return item(
        "ContactStatusDetail",
        ("AOR", contact.aor),
        ("URI", contact.uri),
        ("UserAgent", contact.user_agent),
        ("RegExpire", contact.expires_at),
        ("ViaAddress", contact.via_address),
        ("CallID", contact.call_id),
        ("Status", contact.status),
        ("RoundtripUsec", contact.roundtrip_usec if contact.roundtrip_usec is not None else "N/A"),
        ("EndpointName", contact.endpoint),
        ("ID", f"{contact.aor}/{contact.uri}"),
    )


@action("PJSIPShowContacts", "List the contacts of SIP endpoints.", write="system")
def show_contacts(call: Call) -> Reply:
    items = [
        item(
            "ContactList",
            ("ObjectType", "contact"),
            ("ObjectName", f"{contact.aor}/{contact.uri}"),
            ("Uri", contact.uri),
            ("ExpirationTime", contact.expires_at),
            ("Path", contact.path),
            ("UserAgent", contact.user_agent),
            ("Endpoint", contact.endpoint),
            ("ViaAddr", contact.via_address),
            ("CallId", contact.call_id),
            ("Status", contact.status),
            ("RoundtripUsec", contact.roundtrip_usec if contact.roundtrip_usec is not None else "N/A"),
        )
        for contact in call.domain.sip.contacts()
    ]
    return listing("A listing of Contacts follows, presented as ContactList events", items, "ContactListComplete")


@action("PJSIPShowAors", "List the addresses of record.", write="system")
def show_aors(call: Call) -> Reply:
    contacts = call.domain.sip.contacts()
    items = [
        _aor("AorList", aor, contacts, ("Contacts", _contacts_of(contacts, (aor.name,))))
        for aor in _pjsip(call).aors.values()
    ]
    return listing("A listing of AORs follows, presented as AorList events", items, "AorListComplete")


@action("PJSIPShowAuths", "List the auth sections, without their secrets.", write="system")
def show_auths(call: Call) -> Reply:
    items = [_object("AuthList", "auth", auth) for auth in _pjsip(call).auths.values()]
    return listing("A listing of Auths follows, presented as AuthList events", items, "AuthListComplete")


@action("PJSIPShowRegistrationsInbound", "List what has registered here.", write="system,reporting")
def show_registrations_inbound(call: Call) -> Reply:
    pjsip, contacts = _pjsip(call), call.domain.sip.contacts()
    items = [
        _aor(
            "InboundRegistrationDetail",
            pjsip.aors[aor],
            contacts,
            ("EndpointName", endpoint.name),
            ("Contacts", _contacts_of(contacts, (aor,))),
        )
        for endpoint in pjsip.endpoints.values()
        for aor in endpoint.aors
        if aor in pjsip.aors
    ]
    return listing("Following are Events for each Inbound registration", items, "InboundRegistrationDetailComplete")


@action("PJSIPShowRegistrationInboundContactStatuses", "List the states of all contacts.", write="system,reporting")
def show_contact_statuses(call: Call) -> Reply:
    items = [_contact_status(contact) for contact in call.domain.sip.contacts()]
    return listing(
        "Following are ContactStatusEvents for each Inbound registration", items, "ContactStatusDetailComplete"
    )


@action("PJSIPShowRegistrationsOutbound", "List what this server has registered elsewhere.", write="system,reporting")
def show_registrations_outbound(call: Call) -> Reply:
    living = {shown.name: shown for shown in call.domain.sip.registrations()}
    items, registered = [], 0
    for registration in _pjsip(call).registrations.values():
        shown = living.get(registration.name)
        status = shown.status if shown is not None else "Unregistered"
        registered += status == "Registered"
        items.append(
            _object(
                "OutboundRegistrationDetail",
                "registration",
                registration,
                ("Status", status),
                ("NextReg", shown.next_in_s if shown is not None else 0),
            )
        )
    totals = (("Registered", str(registered)), ("NotRegistered", str(len(items) - registered)))
    return listing(
        "Following are Events for each Outbound registration",
        items,
        "OutboundRegistrationDetailComplete",
        ending=totals,
    )


@action("PJSIPShowSubscriptionsInbound", "List who subscribes to what with us.", write="system,reporting")
def show_subscriptions_inbound(call: Call) -> Reply:
    items = [
        item(
            "InboundSubscriptionDetail",
            ("Role", "Notifier"),
            ("Endpoint", one.endpoint),
            ("Callid", one.call_id),
            ("State", "ACTIVE"),
            ("Resource", one.resource),
            ("Event", one.event),
            ("ContentType", one.content_type),
            ("Expiry", one.expires_in_s),
        )
        for one in call.domain.sip.subscriptions()
    ]
    return listing("Following are Events for each inbound Subscription", items, "InboundSubscriptionDetailComplete")


@action("PJSIPShowSubscriptionsOutbound", "List our subscriptions elsewhere: there are none.", write="system,reporting")
def show_subscriptions_outbound(_call: Call) -> Reply:
    return listing("Following are Events for each outbound Subscription", (), "OutboundSubscriptionDetailComplete")


@action("PJSIPShowResourceLists", "List the lists of resources: there are none.", write="system,reporting")
def show_resource_lists(_call: Call) -> Reply:
    return listing("A listing of resource lists follows, presented as events", (), "ResourceListDetailComplete")


@action(
    "PJSIPQualify",
    "Ask the contacts of an endpoint whether they are there.",
    ("Endpoint", "Name of the endpoint."),
    write="system,reporting",
)
def qualify(call: Call) -> Reply:
    name = call.need("Endpoint", "Endpoint parameter missing")
    if name not in _pjsip(call).endpoints:
        raise NotFound(f"Unable to retrieve endpoint {name[:80]}")
    call.domain.sip.qualify(name)
    return success("Endpoint found, will qualify")


@action(
    "PJSIPRegister",
    "Register elsewhere now.",
    ("Registration", "Name of the registration section, or *all."),
    write="system,reporting",
)
def register(call: Call) -> Reply:
    call.domain.sip.register(call.need("Registration", "Registration parameter missing"))
    return success("Reregistration sent")


@action(
    "PJSIPUnregister",
    "End a registration elsewhere, until PJSIPRegister asks for it again.",
    ("Registration", "Name of the registration section, or *all."),
    write="system,reporting",
)
def unregister(call: Call) -> Reply:
    call.domain.sip.unregister(call.need("Registration", "Registration parameter missing"))
    return success("Unregistration sent")


@action(
    "PJSIPNotify",
    "Send a NOTIFY that nobody subscribed to.",
    ("[Endpoint]", "The endpoint, all of whose contacts get it."),
    ("[URI]", "The URI it goes to, by the default endpoint."),
    ("[Option]", "The section of pjsip_notify.conf that is sent."),
    ("[Variable]", "NAME=VALUE of header fields, and with the name Content of lines of the body; may be repeated."),
    write="system",
    lacks="`channel` is refused",
)
def notify(call: Call) -> Reply:
    if call.get("Channel"):
        raise BadRequest("Channel is not supported: a NOTIFY goes to an Endpoint or a URI")
    to, option = call.get("Endpoint") or call.get("URI"), call.get("Option")
    if bool(call.get("Endpoint")) == bool(call.get("URI")):
        raise BadRequest("PJSIPNotify requires either an endpoint name or a SIP URI, and not both")
    pairs = [text.partition("=") for text in call.action.all("Variable")]
    if not option and not pairs:
        raise BadRequest("PJSIPNotify requires an Option or a Variable")
    call.domain.sip.notify(to, option, [(name.strip(), value) for name, _, value in pairs])
    return success("NOTIFY sent")
