"""ari.conf and websocket_client.conf: users of the REST interface and sockets that the server opens itself."""

from typing import Annotated, ClassVar

import msgspec

from arietta.asterisk.absent import SECTIONS
from arietta.config.conf import ConfFile, Option, Section
from arietta.config.kinds import (
    AccessList,
    AccessRule,
    Bool,
    Choice,
    FilePath,
    Integer,
    Milliseconds,
    Secret,
    Text,
    TextList,
)
from arietta.config.settings import Report, Settings, SettingsType, merged, read_settings

USUAL_WRITE_TIMEOUT_MS = 5000


class AriGeneral(Settings, frozen=True, kw_only=True, eq=False):
    """The REST interface as a whole."""

    TITLE: ClassVar[str] = "ari.conf [general]"

    enabled: Annotated[bool, Bool("Whether /ari answers.")] = True
    pretty: Annotated[bool, Bool("Whether JSON is indented for people.")] = False
    auth_realm: Annotated[str, Text("Realm of the authentication challenge.")] = "Asterisk REST Interface"
    allowed_origins: Annotated[tuple[str, ...], TextList("Origins that browsers may call from; * admits all.")] = ()
    channelvars: Annotated[tuple[str, ...], TextList("Variables shown as channelvars in every channel object.")] = ()
    api_version: Annotated[str, Text("Version of the interface that the list of API documents claims.")] = "10.0.0"
    websocket_write_timeout: Annotated[
        int, Milliseconds("Time a socket may take nothing of a message; where it is not set 5 seconds.", 1)
    ] = 100

    @property
    def write_timeout_ms(self) -> int:
        """Time that an event socket may take nothing: as it is written, else long enough for a client's own pauses."""
        return self.websocket_write_timeout if "websocket_write_timeout" in self.set_at else USUAL_WRITE_TIMEOUT_MS


class AriUser(Settings, frozen=True, kw_only=True, eq=False):
    """A user of the REST interface; the name of the section is the user name."""

    TITLE: ClassVar[str] = "ari.conf type=user"

    type: Annotated[str, Choice("Kind of the section.", "user")] = "user"
    read_only: Annotated[bool, Bool("Whether the user may only read.")] = False
    password: Annotated[str, Secret("Password, plain or as crypt(3) hash.")] = ""
    password_format: Annotated[str, Choice("How the password is written.", "plain", "crypt")] = "plain"
    access: Annotated[
        tuple[AccessRule, ...],
        AccessList("Addresses the user may (permit) or may not (deny) come from.", names=("permit", "deny")),
    ] = ()
    acl: Annotated[tuple[str, ...], TextList("Access lists of acl.conf the user's address must pass.")] = ()


class OutboundWebsocket(Settings, frozen=True, kw_only=True, eq=False):
    """Applications reached over a socket that the server opens."""

    TITLE: ClassVar[str] = "ari.conf type=outbound_websocket"

    type: Annotated[str, Choice("Kind of the section.", "outbound_websocket")] = "outbound_websocket"
    websocket_client_id: Annotated[str, Text("Section of websocket_client.conf that says where to connect.")] = ""
    apps: Annotated[tuple[str, ...], TextList("Applications served over the socket.")] = ()
    local_ari_user: Annotated[str, Text("User of this file with whose rights requests of the socket run.")] = ""
    subscribe_all: Annotated[bool, Bool("Whether the applications get the events of everything.")] = False


class WebsocketClient(Settings, frozen=True, kw_only=True, eq=False):
    """A socket that the server opens."""

    TITLE: ClassVar[str] = "websocket_client.conf type=websocket_client"

    type: Annotated[str, Choice("Kind of the section.", "websocket_client")] = "websocket_client"
    uri: Annotated[str, Text("ws:// or wss:// URI to connect to.")] = ""
    protocols: Annotated[tuple[str, ...], TextList("Subprotocols to offer.")] = ()
    username: Annotated[str, Text("User name sent as Basic authentication.")] = ""
    password: Annotated[str, Secret("Password sent as Basic authentication.")] = ""
    connection_type: Annotated[
        str,
        Choice(
            "When to connect: always, for each call, or when a client of the process asks.",
            "persistent",
            "per_call_config",
            "per_call",
        ),
    ] = ""
    connection_timeout: Annotated[int, Milliseconds("Time one attempt may take.")] = 500
    reconnect_interval: Annotated[int, Milliseconds("Time between attempts.")] = 500
    reconnect_attempts: Annotated[int, Integer("Attempts before a call is given up; persistent ones never are.")] = 4
    tls_enabled: Annotated[bool, Bool("Whether the connection is encrypted.")] = False
    ca_list_file: Annotated[str, FilePath("File of certificates to trust.")] = ""
    ca_list_path: Annotated[str, FilePath("Folder of certificates to trust.")] = ""
    cert_file: Annotated[str, FilePath("Certificate to present.")] = ""
    priv_key_file: Annotated[str, FilePath("Private key of that certificate.")] = ""
    verify_server_cert: Annotated[bool, Bool("Whether the server's certificate must be valid.")] = True
    verify_server_hostname: Annotated[bool, Bool("Whether the certificate must name the host.")] = True


class AriSettings(Settings, frozen=True, kw_only=True, eq=False):
    """ari.conf whole."""

    general: AriGeneral = AriGeneral()
    users: dict[str, AriUser] = msgspec.field(default_factory=dict)
    outbound_websockets: dict[str, OutboundWebsocket] = msgspec.field(default_factory=dict)


def read_ari(file: ConfFile, report: Report) -> AriSettings:
    """The settings of ari.conf; a section without type is ignored with a warning."""
    users: dict[str, AriUser] = {}
    sockets: dict[str, OutboundWebsocket] = {}
    for section in file.active():
        if section.name.lower() == "general":
            continue
        kind = section.get("type").lower()
        if kind == "user":
            user = keep(AriUser, section, users, report)
            if not user.password:
                report.error(section, f"user [{section.name}] has no password")
            elif (
                user.password_format == "crypt"
                and not user.password.startswith(("$", "_"))
                and len(user.password) != 13
            ):
                report.error(
                    user.set_at["password"],
                    f"password of user [{section.name}] is not a crypt hash such as $6$salt$hash",
                )
            if ":" in section.name:
                report.error(section, f"user [{section.name}]: a user name may not contain a colon")
        elif kind == "outbound_websocket":
            keep(OutboundWebsocket, section, sockets, report)
        else:
            unknown_type(section, "user and outbound_websocket", report)
    general = read_settings(AriGeneral, merged(file.named("general"), report), report)
    return AriSettings(name="ari.conf", file=file.path, general=general, users=users, outbound_websockets=sockets)


def read_websocket_clients(file: ConfFile, report: Report) -> dict[str, WebsocketClient]:
    """The sections of websocket_client.conf by name."""
    clients: dict[str, WebsocketClient] = {}
    for section in file.active():
        if section.get("type").lower() != "websocket_client":
            unknown_type(section, "websocket_client", report)
            continue
        client = keep(WebsocketClient, section, clients, report)
        if not client.uri.startswith(("ws://", "wss://")):
            report.error(
                client.at("uri"), f"uri {client.uri or 'of [' + section.name + ']'} does not begin with ws:// or wss://"
            )
    return clients


def keep(settings: type[SettingsType], section: Section, into: dict[str, SettingsType], report: Report) -> SettingsType:
    """Read one section into a table by name; a second one of that name and type is an error."""
    made = read_settings(settings, (section,), report)
    earlier = into.get(section.name)
    if earlier is not None:
        report.error(section, f"[{section.name}] of this type exists already at {earlier.where}")
    else:
        into[section.name] = made
    return made


def unknown_type(section: Section, known: str, report: Report) -> None:
    """Report a section whose type this file does not know, or leaves alone."""
    given: Option | None = next((option for option in section.options if option.name.lower() == "type"), None)
    if given is None:
        report.warn(section, f"[{section.name}] has no type, it is ignored; known are {known}")
        return
    reason = SECTIONS.get(f"{section.file} type={given.value.lower()}", "")
    if reason:
        report.warn(section, f"[{section.name}]: type={given.value.lower()} is not served: {reason}")
    else:
        report.warn(
            given, f"[{section.name}]: type {given.value} is not known, the section is ignored; known are {known}"
        )
