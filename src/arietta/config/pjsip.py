"""pjsip.conf: transports, endpoints and what belongs to them."""

import re
from typing import Annotated, ClassVar

import msgspec

from arietta.config.ari import keep, unknown_type
from arietta.config.conf import ConfFile
from arietta.config.endpoint import Endpoint
from arietta.config.kinds import (
    AccessList,
    AccessRule,
    Address,
    Bool,
    Choice,
    ChoiceList,
    FilePath,
    Host,
    HostPort,
    Integer,
    Invalid,
    Matches,
    Milliseconds,
    Network,
    Networks,
    Real,
    Seconds,
    Secret,
    Text,
    TextList,
    Tos,
    parse_network,
)
from arietta.config.settings import Report, Settings
from arietta.config.webrtc import check_secure_media, with_implied

SCANNERS = (
    "friendly-scanner", "friendly-request", "sipvicious", "sipcli", "sundayddr", "sip-scan", "sipscan", "sivus",
    "siparmyknife", "vaxsipuseragent", "pplsip",
)  # fmt: skip
ALGORITHMS = ("md5", "sha-256", "sha-512-256")
PROXY = re.compile(
    r"sips?:(?:[\w.!~*'()&=+$,?/-]+@)?(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9.])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,4}|:[1-5]\d{4})?"
    r"(?:;[\w.!~*'()+-]+(?:=[\w.!~*'()\[\]/:&+$-]+)?)*",
    re.ASCII | re.IGNORECASE,
)
HEADER_PARAMETERS = re.compile(
    r"[\w.!%*+`'~-]+(?:=(?:[\w.!%*+`'~-]+|\"[^\"\\\\]*\"))?(?:;[\w.!%*+`'~-]+(?:=(?:[\w.!%*+`'~-]+|\"[^\"\\\\]*\"))?)*",
    re.ASCII,
)


class PjsipGlobal(Settings, frozen=True, kw_only=True, eq=False):
    """What holds for all of SIP."""

    TITLE: ClassVar[str] = "pjsip.conf type=global"

    type: Annotated[str, Choice("Kind of the section.", "global")] = "global"
    user_agent: Annotated[str, Text("User-Agent and Server header; name and version of this server if empty.")] = ""
    max_forwards: Annotated[int, Integer("Max-Forwards of requests.", 1, 255)] = 70
    default_realm: Annotated[str, Text("Realm of challenges where the auth section has none.")] = "asterisk"
    default_from_user: Annotated[str, Text("User in From when there is no caller id.")] = "asterisk"
    default_outbound_endpoint: Annotated[str, Text("Endpoint of requests to a bare URI.")] = "default_outbound_endpoint"
    endpoint_identifier_order: Annotated[
        tuple[str, ...],
        ChoiceList(
            "Order in which ways to recognise an endpoint are tried.",
            "ip",
            "username",
            "anonymous",
            "header",
            "auth_username",
            "request_uri",
            "transport",
        ),
    ] = ("ip", "username", "anonymous")
    default_auth_algorithms_uas: Annotated[
        tuple[str, ...], ChoiceList("Digest algorithms we challenge with.", *ALGORITHMS)
    ] = ("md5",)
    default_auth_algorithms_uac: Annotated[
        tuple[str, ...], ChoiceList("Digest algorithms we answer challenges with.", *ALGORITHMS)
    ] = ("md5",)
    keep_alive_interval: Annotated[int, Seconds("Time between keep-alives on connections; 0 for none.")] = 90
    contact_expiration_check_interval: Annotated[int, Seconds("Time between looks for expired contacts.")] = 30
    max_initial_qualify_time: Annotated[int, Seconds("Time after start within which contacts are first polled.")] = 0
    unidentified_request_count: Annotated[int, Integer("Unknown requests of one address before it is reported.")] = 5
    unidentified_request_period: Annotated[int, Seconds("Time over which those are counted.")] = 5
    unidentified_request_prune_interval: Annotated[int, Seconds("Time between clearings of those counts.")] = 30
    default_voicemail_extension: Annotated[str, Text("Extension named in the Message-Account header.")] = ""
    debug: Annotated[str, Text("Whether messages are logged: yes, no, or the address or network to log.")] = "no"
    disable_multi_domain: Annotated[bool, Bool("Whether names are looked up without domain only.")] = False
    ignore_uri_user_options: Annotated[bool, Bool("Whether the user of a URI ends at a semicolon.")] = False
    use_callerid_contact: Annotated[bool, Bool("Whether Contact carries the caller id.")] = False
    regcontext: Annotated[str, Text("Context in which registered phones get an extension.")] = ""
    norefersub: Annotated[bool, Bool("Whether REFER without subscription is offered (RFC 4488).")] = True
    allow_sending_180_after_183: Annotated[bool, Bool("Whether 180 may follow 183.")] = False
    all_codecs_on_empty_reinvite: Annotated[bool, Bool("Whether a re-INVITE without SDP gets all codecs.")] = False
    send_contact_status_on_update_registration: Annotated[bool, Bool("Whether a refresh is an event.")] = False
    taskprocessor_overload_trigger: Annotated[
        str, Choice("What counts as overload.", "global", "pjsip_only", "none")
    ] = "global"
    mwi_tps_queue_high: Annotated[int, Integer("Queue length that counts as overload.")] = 500
    mwi_tps_queue_low: Annotated[int, Integer("Queue length that ends it; -1 for 90 %.", -1)] = -1
    mwi_disable_initial_unsolicited: Annotated[bool, Bool("Whether no mailbox state is sent at start.")] = False


class PjsipGuard(Settings, frozen=True, kw_only=True, eq=False):
    """What keeps noise away; Asterisk has no such section and passes over it."""

    TITLE: ClassVar[str] = "pjsip.conf type=guard"

    type: Annotated[str, Choice("Kind of the section.", "guard")] = "guard"
    enabled: Annotated[bool, Bool("Whether strangers are limited, scanners dropped, guessers of passwords banned.")] = (
        True
    )
    trusted: Annotated[tuple[Network, ...], Networks("Networks without limits and bans, besides this machine.")] = ()
    invite_rate: Annotated[int, Integer("INVITEs a second from one stranger; five times as many at once.", 1)] = 10
    register_rate: Annotated[int, Integer("REGISTERs, the same.", 1)] = 20
    options_rate: Annotated[int, Integer("OPTIONS, the same.", 1)] = 20
    other_rate: Annotated[int, Integer("Other requests, requests in dialogs, responses: the same for each.", 1)] = 20
    strangers_rate: Annotated[int, Integer("Messages a second from all strangers together.", 1)] = 1000
    auth_failures: Annotated[int, Integer("Failed authentications in a row before a ban; 0 for none.")] = 10
    auth_failure_period: Annotated[int, Seconds("Time within which they count.", 1)] = 600
    ban_time: Annotated[int, Seconds("Time a source is banned.", 1)] = 600
    scanners: Annotated[
        tuple[str, ...], TextList("Parts of a User-Agent, or of a display name in From, that are dropped.")
    ] = SCANNERS


class PjsipLadder(Settings, frozen=True, kw_only=True, eq=False):
    """How much of the SIP of calls is kept in memory for `arietta ladder`; Asterisk passes over such a section."""

    TITLE: ClassVar[str] = "pjsip.conf type=ladder"

    type: Annotated[str, Choice("Kind of the section.", "ladder")] = "ladder"
    memory: Annotated[int, Integer("Megabytes for all calls together; 0 keeps nothing.", 0, 4096)] = 16
    call_memory: Annotated[
        int, Integer("Kilobytes for one call; its beginning is kept, then what is newest.", 4, 4096)
    ] = 64
    keep_time: Annotated[int, Seconds("Time that a call is kept after its end.")] = 600


class PjsipSystem(Settings, frozen=True, kw_only=True, eq=False):
    """The SIP stack; a reload does not change it."""

    TITLE: ClassVar[str] = "pjsip.conf type=system"

    type: Annotated[str, Choice("Kind of the section.", "system")] = "system"
    timer_t1: Annotated[int, Milliseconds("Round trip estimate T1 (RFC 3261 17.1.1.1).", 100, 10000)] = 500
    timer_b: Annotated[int, Milliseconds("Time an INVITE may wait for an answer (RFC 3261 17.1.1.2).", 6400)] = 32000
    compact_headers: Annotated[bool, Bool("Whether short header names are written.")] = False
    disable_rport: Annotated[bool, Bool("Whether requests are sent without rport.")] = False
    disable_tcp_switch: Annotated[bool, Bool("Whether large requests stay on UDP.")] = True
    follow_early_media_fork: Annotated[bool, Bool("Whether media may follow SDP of another To tag.")] = True
    accept_multiple_sdp_answers: Annotated[bool, Bool("Whether media may follow a changed SDP.")] = False
    threadpool_initial_size: Annotated[int, Integer("Threads at start.")] = 0
    threadpool_auto_increment: Annotated[int, Integer("Threads added when needed.")] = 5
    threadpool_idle_timeout: Annotated[int, Seconds("Time after which an idle thread ends.")] = 60
    threadpool_max_size: Annotated[int, Integer("Most threads; 0 for no limit.")] = 50


class Transport(Settings, frozen=True, kw_only=True, eq=False):
    """An address that SIP listens on."""

    TITLE: ClassVar[str] = "pjsip.conf type=transport"

    type: Annotated[str, Choice("Kind of the section.", "transport")] = "transport"
    protocol: Annotated[str, Choice("Protocol.", "udp", "tcp", "tls", "ws", "wss", "flow")] = "udp"
    bind: Annotated[
        HostPort | None,
        Address("Address and port to listen on; port 5060, for tls 5061, if none; ws and wss are at /ws of http.conf."),
    ] = None
    external_signaling_address: Annotated[str, Host("Our address as seen from outside of local_net.")] = ""
    external_signaling_port: Annotated[int, Integer("Our port as seen from outside; 0 for the same.", 0, 65535)] = 0
    external_media_address: Annotated[str, Host("Our media address as seen from outside of local_net.")] = ""
    local_net: Annotated[tuple[Network, ...], Networks("Networks that count as inside.")] = ()
    symmetric_transport: Annotated[bool, Bool("Whether requests leave by the transport of the registration.")] = False
    domain: Annotated[str, Text("Domain the transport comes from.")] = ""
    tos: Annotated[int, Tos("Traffic class of SIP packets.")] = 0
    cos: Annotated[int, Integer("Link layer priority of SIP packets.", 0, 7)] = 0
    allow_reload: Annotated[bool, Bool("Whether a reload may bind it, rebind it or take it away.")] = False
    async_operations: Annotated[int, Integer("Operations at a time.")] = 1
    tcp_keepalive_enable: Annotated[bool, Bool("Whether TCP probes idle connections.")] = False
    tcp_keepalive_idle_time: Annotated[int, Seconds("Idle time before the first probe.", 1)] = 30
    tcp_keepalive_interval_time: Annotated[int, Seconds("Time between probes.", 1)] = 1
    tcp_keepalive_probe_count: Annotated[int, Integer("Probes before a connection is dead.", 1)] = 5
    websocket_write_timeout: Annotated[
        int, Milliseconds("Time a WebSocket may take nothing of a message; where it is not set 5 seconds.", 1)
    ] = 100
    cert_file: Annotated[str, FilePath("TLS certificate.")] = ""
    priv_key_file: Annotated[str, FilePath("Private key of the TLS certificate.")] = ""
    password: Annotated[str, Secret("Password of the private key.")] = ""
    ca_list_file: Annotated[str, FilePath("File of certificates to trust.")] = ""
    ca_list_path: Annotated[str, FilePath("Folder of certificates to trust.")] = ""
    cipher: Annotated[tuple[str, ...], TextList("TLS ciphers.", each_line_adds=True)] = ()
    method: Annotated[
        str,
        Choice(
            "TLS version.",
            "default",
            "unspecified",
            "tlsv1",
            "tlsv1_1",
            "tlsv1_2",
            "tlsv1_3",
            "sslv2",
            "sslv3",
            "sslv23",
        ),
    ] = "default"
    verify_client: Annotated[bool, Bool("Whether a client's certificate must be valid.")] = False
    verify_server: Annotated[bool, Bool("Whether a server's certificate must be valid.")] = False
    require_client_cert: Annotated[bool, Bool("Whether a client needs a certificate, a valid one.")] = False
    allow_wildcard_certs: Annotated[bool, Bool("Whether a certificate may have a wildcard name.")] = False


class Auth(Settings, frozen=True, kw_only=True, eq=False):
    """Credentials of digest authentication."""

    TITLE: ClassVar[str] = "pjsip.conf type=auth"

    type: Annotated[str, Choice("Kind of the section.", "auth")] = "auth"
    auth_type: Annotated[str, Choice("How the password is given.", "userpass", "md5", "digest", "google_oauth")] = (
        "userpass"
    )
    username: Annotated[str, Text("User name of the digest.")] = ""
    password: Annotated[str, Secret("Password in plain text, for auth_type=userpass.")] = ""
    md5_cred: Annotated[str, Secret("MD5 of user:realm:password, for auth_type=md5.")] = ""
    password_digest: Annotated[
        tuple[str, ...],
        TextList("ALGORITHM:hash of user:realm:password, for auth_type=digest.", each_line_adds=True),
    ] = ()
    realm: Annotated[str, Text("Realm we challenge with, or answer to; empty for the default or any.")] = ""
    nonce_lifetime: Annotated[int, Seconds("Time a nonce is good for.", 1)] = 32
    supported_algorithms_uas: Annotated[
        tuple[str, ...], ChoiceList("Digest algorithms we challenge with; the global ones if empty.", *ALGORITHMS)
    ] = ()
    supported_algorithms_uac: Annotated[
        tuple[str, ...], ChoiceList("Digest algorithms we answer with; the global ones if empty.", *ALGORITHMS)
    ] = ()
    oauth_clientid: Annotated[str, Text("OAuth client id.")] = ""
    oauth_secret: Annotated[str, Secret("OAuth client secret.")] = ""
    refresh_token: Annotated[str, Secret("OAuth refresh token.")] = ""


class Aor(Settings, frozen=True, kw_only=True, eq=False):
    """An address of record: where an endpoint is reached."""

    TITLE: ClassVar[str] = "pjsip.conf type=aor"

    type: Annotated[str, Choice("Kind of the section.", "aor")] = "aor"
    contact: Annotated[tuple[str, ...], TextList("Permanent SIP URIs.", each_line_adds=True)] = ()
    max_contacts: Annotated[int, Integer("Most registered contacts; 0 permits none.")] = 0
    remove_existing: Annotated[bool, Bool("Whether a new contact may replace the oldest.")] = False
    remove_unavailable: Annotated[bool, Bool("Whether unreachable contacts are replaced first.")] = False
    default_expiration: Annotated[int, Seconds("Lifetime of a registration that asks for none.")] = 3600
    minimum_expiration: Annotated[int, Seconds("Shortest lifetime of a registration.")] = 60
    maximum_expiration: Annotated[int, Seconds("Longest lifetime of a registration.")] = 7200
    qualify_frequency: Annotated[int, Seconds("Time between OPTIONS polls; 0 for none.", 0, 86400)] = 0
    qualify_timeout: Annotated[float, Real("Time a poll may take; 0 for the transaction's own.", 0.0, 86400.0)] = 3.0
    qualify_2xx_only: Annotated[bool, Bool("Whether only 2xx counts as reachable.")] = False
    authenticate_qualify: Annotated[bool, Bool("Whether a challenge of a poll is answered.")] = False
    outbound_proxy: Annotated[str, Text("SIP URI of the proxy that polls go through.")] = ""
    support_path: Annotated[bool, Bool("Whether Path is kept (RFC 3327).")] = False
    mailboxes: Annotated[tuple[str, ...], TextList("Mailboxes it may subscribe to.")] = ()
    voicemail_extension: Annotated[str, Text("Extension named in the Message-Account header.")] = ""


class Identify(Settings, frozen=True, kw_only=True, eq=False):
    """Recognises an endpoint by where its requests come from."""

    TITLE: ClassVar[str] = "pjsip.conf type=identify"

    type: Annotated[str, Choice("Kind of the section.", "identify")] = "identify"
    endpoint: Annotated[str, Text("Endpoint that is recognised.")] = ""
    match: Annotated[tuple[Network | str, ...], Matches("Networks or hosts it sends from.")] = ()
    srv_lookups: Annotated[bool, Bool("Whether SRV records of a host name count.")] = True
    match_header: Annotated[str, Text("Header: value, or /regular expression/.")] = ""
    match_request_uri: Annotated[str, Text("Request URI, or /regular expression/.")] = ""
    transport: Annotated[str, Text("Transport its requests must come by.")] = ""


class Registration(Settings, frozen=True, kw_only=True, eq=False):
    """A registration that this server makes elsewhere."""

    TITLE: ClassVar[str] = "pjsip.conf type=registration"

    type: Annotated[str, Choice("Kind of the section.", "registration")] = "registration"
    server_uri: Annotated[str, Text("SIP URI of the registrar.")] = ""
    client_uri: Annotated[str, Text("SIP URI that is registered, our address of record.")] = ""
    contact_user: Annotated[str, Text("User in the Contact header.")] = ""
    contact_header_params: Annotated[str, Text("Parameters of the Contact header.")] = ""
    outbound_auth: Annotated[tuple[str, ...], TextList("Auth sections used when challenged.")] = ()
    outbound_proxy: Annotated[str, Text("SIP URI of the proxy to send through.")] = ""
    transport: Annotated[str, Text("Transport to use.")] = ""
    expiration: Annotated[int, Seconds("Lifetime asked for.", 1)] = 3600
    retry_interval: Annotated[int, Seconds("Time before the next try after a temporary failure.")] = 60
    forbidden_retry_interval: Annotated[int, Seconds("The same after 403; 0 gives up.")] = 0
    fatal_retry_interval: Annotated[int, Seconds("The same after another lasting failure; 0 gives up.")] = 0
    max_retries: Annotated[int, Integer("Tries before it gives up.")] = 10
    max_random_initial_delay: Annotated[int, Seconds("Longest random wait before the first try.")] = 10
    auth_rejection_permanent: Annotated[bool, Bool("Whether refused credentials are a lasting failure.")] = True
    endpoint: Annotated[str, Text("Endpoint of calls that come by line.")] = ""
    line_matching: Annotated[bool, Bool("Whether a parameter in Contact identifies calls.", names=("line",))] = False
    support_path: Annotated[bool, Bool("Whether Path is offered (RFC 3327).")] = False
    support_outbound: Annotated[bool, Bool("Whether outbound is offered (RFC 5626).")] = False
    user_agent: Annotated[str, Text("User-Agent of its requests.")] = ""
    security_negotiation: Annotated[str, Choice("Security agreement (RFC 3329).", "no", "mediasec")] = "no"
    security_mechanisms: Annotated[tuple[str, ...], TextList("Security mechanisms offered.")] = ()


class Contact(Settings, frozen=True, kw_only=True, eq=False):
    """A SIP URI under a name, as registrations make them."""

    TITLE: ClassVar[str] = "pjsip.conf type=contact"

    type: Annotated[str, Choice("Kind of the section.", "contact")] = "contact"
    uri: Annotated[str, Text("SIP URI.")] = ""
    expiration_time: Annotated[str, Text("Time it is kept until.")] = ""
    qualify_frequency: Annotated[int, Seconds("Time between OPTIONS polls; 0 for none.", 0, 86400)] = 0
    qualify_timeout: Annotated[float, Real("Time a poll may take.", 0.0, 86400.0)] = 3.0
    qualify_2xx_only: Annotated[bool, Bool("Whether only 2xx counts as reachable.")] = False
    authenticate_qualify: Annotated[bool, Bool("Whether a challenge of a poll is answered.")] = False
    outbound_proxy: Annotated[str, Text("SIP URI of the proxy that polls go through.")] = ""
    path: Annotated[str, Text("Path of the registration.")] = ""
    user_agent: Annotated[str, Text("User-Agent of the registration.")] = ""
    endpoint: Annotated[str, Text("Endpoint it belongs to.")] = ""
    reg_server: Annotated[str, Text("Server it registered with.")] = ""
    via_addr: Annotated[str, Text("Address of the last Via of the registration.")] = ""
    via_port: Annotated[int, Integer("Port of that Via.", 0, 65535)] = 0
    call_id: Annotated[str, Text("Call-ID of the registration.")] = ""
    prune_on_boot: Annotated[bool, Bool("Whether it ends with the process.")] = False


class Acl(Settings, frozen=True, kw_only=True, eq=False):
    """Addresses that may send SIP at all."""

    TITLE: ClassVar[str] = "pjsip.conf type=acl"

    type: Annotated[str, Choice("Kind of the section.", "acl")] = "acl"
    access: Annotated[
        tuple[AccessRule, ...], AccessList("Addresses requests may come from.", names=("permit", "deny"))
    ] = ()
    contact_access: Annotated[
        tuple[AccessRule, ...], AccessList("Addresses a Contact may name.", names=("contact_permit", "contact_deny"))
    ] = ()
    acl: Annotated[tuple[str, ...], TextList("Access lists of acl.conf to pass.")] = ()
    contact_acl: Annotated[tuple[str, ...], TextList("Access lists of acl.conf a Contact must pass.")] = ()


class DomainAlias(Settings, frozen=True, kw_only=True, eq=False):
    """Another name of a domain; the name of the section is the alias."""

    TITLE: ClassVar[str] = "pjsip.conf type=domain_alias"

    type: Annotated[str, Choice("Kind of the section.", "domain_alias")] = "domain_alias"
    domain: Annotated[str, Text("Domain that is meant.")] = ""


class PjsipSettings(Settings, frozen=True, kw_only=True, eq=False):
    """pjsip.conf whole, each type by section name."""

    general: PjsipGlobal = PjsipGlobal()
    guard: PjsipGuard = PjsipGuard()
    ladder: PjsipLadder = PjsipLadder()
    system: PjsipSystem = PjsipSystem()
    transports: dict[str, Transport] = msgspec.field(default_factory=dict)
    endpoints: dict[str, Endpoint] = msgspec.field(default_factory=dict)
    auths: dict[str, Auth] = msgspec.field(default_factory=dict)
    aors: dict[str, Aor] = msgspec.field(default_factory=dict)
    identifies: dict[str, Identify] = msgspec.field(default_factory=dict)
    registrations: dict[str, Registration] = msgspec.field(default_factory=dict)
    contacts: dict[str, Contact] = msgspec.field(default_factory=dict)
    acls: dict[str, Acl] = msgspec.field(default_factory=dict)
    domain_aliases: dict[str, DomainAlias] = msgspec.field(default_factory=dict)
    lists: dict[str, tuple[AccessRule, ...]] = msgspec.field(default_factory=dict)
    """The access lists of acl.conf, by name."""


TYPES: dict[str, tuple[str, type[Settings]]] = {
    "global": ("general", PjsipGlobal),
    "guard": ("guard", PjsipGuard),
    "ladder": ("ladder", PjsipLadder),
    "system": ("system", PjsipSystem),
    "transport": ("transports", Transport),
    "endpoint": ("endpoints", Endpoint),
    "auth": ("auths", Auth),
    "aor": ("aors", Aor),
    "identify": ("identifies", Identify),
    "registration": ("registrations", Registration),
    "contact": ("contacts", Contact),
    "acl": ("acls", Acl),
    "domain_alias": ("domain_aliases", DomainAlias),
}
"""The field of PjsipSettings and the class of each type."""


def read_pjsip(file: ConfFile, report: Report) -> PjsipSettings:
    """The settings of pjsip.conf; a section of unknown type is ignored with a warning."""
    tables: dict[str, dict[str, Settings]] = {field: {} for field, _ in TYPES.values()}
    for section in file.active():
        kind = section.get("type").lower()
        if not kind and section.name.lower() in ("global", "system"):
            kind = section.name.lower()
        if kind not in TYPES:
            unknown_type(section, ", ".join(TYPES), report)
            continue
        field, settings = TYPES[kind]
        keep(settings, section, tables[field], report)
    singles: dict[str, Settings] = {}
    for field in ("general", "guard", "ladder", "system"):
        found = list(tables.pop(field).values())
        for again in found[1:]:
            report.error(
                again, f"[{again.name}] is a second section of {again.TITLE}, the first is at {found[0].where}"
            )
        if found:
            singles[field] = found[0]
    if "general" in singles:
        _check_debug(singles["general"], report)
    for transport in tables["transports"].values():
        if transport.set_at.get("bind") is None and getattr(transport, "protocol", "") in ("udp", "tcp", "tls"):
            report.error(transport, f"transport [{transport.name}] has no bind address")
    for auth in tables["auths"].values():
        _check_auth(auth, report)
    for field in ("endpoints", "aors", "registrations"):
        for configured in tables[field].values():
            _check_proxy(configured, report)
    for registration in tables["registrations"].values():
        _check_registration(registration, report)
    for identify in tables["identifies"].values():
        _check_expression(identify, "match_header", getattr(identify, "match_header", "").partition(":")[2], report)
        _check_expression(identify, "match_request_uri", getattr(identify, "match_request_uri", ""), report)
    for name, endpoint in tables["endpoints"].items():
        assert isinstance(endpoint, Endpoint)
        tables["endpoints"][name] = endpoint = with_implied(endpoint)
        check_secure_media(endpoint, report)
        if not endpoint.sdp_owner or any(sign.isspace() for sign in endpoint.sdp_owner):
            report.error(endpoint.at("sdp_owner"), f"sdp_owner {endpoint.sdp_owner!r} is not one word")
    return PjsipSettings(name="pjsip.conf", file=file.path, **singles, **tables)  # type: ignore[arg-type]


def _check_debug(general: Settings, report: Report) -> None:
    assert isinstance(general, PjsipGlobal)
    if general.debug.lower() in ("yes", "no", "on", "off", "true", "false", "1", "0", ""):
        return
    try:
        parse_network(general.debug, "debug")
    except Invalid as refusal:
        report.error(general.at("debug"), f"debug is neither yes, no, nor an address: {refusal}")


def _check_proxy(configured: Settings, report: Report) -> None:
    proxy = getattr(configured, "outbound_proxy", "")
    if proxy and not PROXY.fullmatch(proxy):
        at = configured.at("outbound_proxy")
        report.error(at, f"outbound_proxy {proxy} is not a SIP URI such as sip:proxy.example.com:5060\\;lr")


def _check_expression(identify: Settings, field: str, wanted: str, report: Report) -> None:
    wanted = wanted.strip()
    if len(wanted) > 2 and wanted[0] == wanted[-1] == "/":
        try:
            re.compile(wanted[1:-1])
        except re.error as problem:
            report.error(identify.at(field), f"{field} {wanted} is no regular expression: {problem}")


def _check_registration(registration: Settings, report: Report) -> None:
    assert isinstance(registration, Registration)
    parameters = registration.contact_header_params
    if parameters and not HEADER_PARAMETERS.fullmatch(parameters):
        at = registration.at("contact_header_params")
        report.error(at, f"contact_header_params {parameters} is not NAME=VALUE, several with a semicolon between")
    if registration.line_matching and not registration.endpoint:
        at = registration.at("line_matching")
        report.error(at, f"line=yes of registration [{registration.name}] needs endpoint: whose calls are they?")


def _check_auth(auth: Settings, report: Report) -> None:
    assert isinstance(auth, Auth)
    if auth.auth_type == "md5":
        if len(auth.md5_cred) != 32 or not all(sign in "0123456789abcdefABCDEF" for sign in auth.md5_cred):
            report.error(auth.at("md5_cred"), f"auth [{auth.name}]: md5_cred is not 32 hexadecimal digits")
    elif auth.auth_type == "digest":
        for entry in auth.password_digest:
            algorithm, _, digest = entry.partition(":")
            if algorithm.lower() not in ALGORITHMS or not digest:
                report.error(
                    auth.at("password_digest"),
                    f"auth [{auth.name}]: password_digest is not ALGORITHM:hash with one of {', '.join(ALGORITHMS)}",
                )
        if not auth.password_digest and not auth.password:
            report.error(auth, f"auth [{auth.name}] has neither password_digest nor password")
    elif not auth.set_at.get("password") and auth.auth_type == "userpass":
        report.error(auth, f"auth [{auth.name}] has no password")
