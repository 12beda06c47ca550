"""manager.conf: the manager interface (AMI), its listeners and its users."""

import re
from typing import Annotated, ClassVar

import msgspec

from arietta.config.ari import keep
from arietta.config.conf import ConfFile, Section
from arietta.config.event_filter import EventFilter, read_filter
from arietta.config.kinds import (
    AccessList,
    AccessRule,
    Address,
    Bool,
    FilePath,
    Host,
    HostPort,
    Integer,
    Milliseconds,
    Seconds,
    Secret,
    Text,
    TextList,
    Variables,
)
from arietta.config.settings import Report, Settings, merged, read_settings

CLASSES = (
    "system", "call", "log", "verbose", "command", "agent", "user", "config", "dtmf", "reporting", "cdr", "dialplan",
    "originate", "agi", "hookresponse", "cc", "aoc", "test", "security", "message",
)  # fmt: skip
"""What a user may be allowed to read or write, in the order in which Asterisk shows them."""
EVERYTHING = frozenset(CLASSES)

_FILTER_WITH_CRITERIA = re.compile(r"eventfilter\((.*)\)\Z", re.IGNORECASE)


class ManagerGeneral(Settings, frozen=True, kw_only=True, eq=False):
    """The manager interface as a whole."""

    TITLE: ClassVar[str] = "manager.conf [general]"

    enabled: Annotated[bool, Bool("Whether the manager interface is there at all.")] = False
    port: Annotated[int, Integer("TCP port to listen on.", 1, 65535)] = 5038
    bindaddr: Annotated[str, Host("Address to listen on; all addresses without one.")] = ""
    tlsenable: Annotated[bool, Bool("Whether TLS is listened for.")] = False
    tlsbindaddr: Annotated[
        HostPort | None, Address("Address and port for TLS: those of bindaddr and port 5039 if none is given.")
    ] = None
    tlscertfile: Annotated[str, FilePath("Certificate in PEM form.", names=("tlscertfile", "sslcert"))] = ""
    tlsprivatekey: Annotated[str, FilePath("Private key in PEM form, if it is not in the certificate file.")] = ""
    tlscipher: Annotated[str, Text("Ciphers of TLS 1.2 in OpenSSL's notation.")] = ""
    tlsdisablev1: Annotated[bool, Bool("Refuse TLS 1.0, which is refused in any case.")] = False
    tlsdisablev11: Annotated[bool, Bool("Refuse TLS 1.1, which is refused in any case.")] = False
    tlsdisablev12: Annotated[bool, Bool("Refuse TLS 1.2.")] = False
    webenabled: Annotated[
        bool, Bool("Whether /manager, /rawman and /mxml of the HTTP server answer, and /amanager and the like.")
    ] = False
    httptimeout: Annotated[int, Seconds("Longest silence of a session over HTTP.", 1, 86400)] = 60
    timestampevents: Annotated[bool, Bool("Whether each event says when it happened, in seconds since 1970.")] = False
    channelvars: Annotated[
        tuple[str, ...], TextList("Variables and functions shown as ChanVariable in events about a channel.")
    ] = ()
    allowmultiplelogin: Annotated[bool, Bool("Whether a user may be logged in more than once.")] = True
    displayconnects: Annotated[bool, Bool("Whether the console tells of those who log in and off.")] = True
    disabledevents: Annotated[tuple[str, ...], TextList("Events that nobody gets.")] = ()
    debug: Annotated[bool, Bool("Whether events are numbered, and actions logged at level debug, without secrets.")] = (
        False
    )
    authtimeout: Annotated[int, Seconds("Time in which a connection must log in.", 1, 3600)] = 30
    authlimit: Annotated[int, Integer("Most connections that have not logged in.", 1, 10000)] = 50
    brokeneventsaction: Annotated[
        bool, Bool("Whether the action Events does not answer where old versions did not: for all events, or no mask.")
    ] = False
    sessionlimit: Annotated[int, Integer("Most sessions at a time, those over HTTP included.", 1, 10000)] = 500
    queue_bytes: Annotated[
        int, Integer("Bytes that may wait for a slow reader; one that falls behind farther is let go.", 65536, 2**30)
    ] = 4 * 1024 * 1024
    auth_failures: Annotated[
        int, Integer("Failed logins of one address, without a success between them, that lead to a ban; 0 for none.")
    ] = 10
    auth_failure_period: Annotated[int, Seconds("Time in which they count.", 1)] = 600
    ban_time: Annotated[int, Seconds("How long a banned address is not listened to.", 1)] = 600


class ManagerUser(Settings, frozen=True, kw_only=True, eq=False):
    """A user of the manager interface; the name of the section is the user name."""

    TITLE: ClassVar[str] = "manager.conf user"

    secret: Annotated[str, Secret("Password.")] = ""
    read: Annotated[
        tuple[str, ...], TextList(f"Kinds of events the user gets: all, or some of {', '.join(CLASSES)}.")
    ] = ()
    write: Annotated[tuple[str, ...], TextList("Kinds of actions the user may ask for, in the same words.")] = ()
    access: Annotated[
        tuple[AccessRule, ...],
        AccessList("Addresses the user may (permit) or may not (deny) come from.", names=("permit", "deny")),
    ] = ()
    acl: Annotated[tuple[str, ...], TextList("Access lists of acl.conf the user's address must pass too.")] = ()
    eventfilter: Annotated[
        tuple[str, ...],
        TextList(
            "A filter for events: a regular expression for the whole event, ! before it keeps events out;"
            " or `eventfilter(action(include|exclude),name(EVENT),header(HEADER),method(METHOD)) = TEXT`.",
            each_line_adds=True,
            separator="",
        ),
    ] = ()
    setvar: Annotated[tuple[tuple[str, str], ...], Variables("Variables of channels that the user originates.")] = ()
    writetimeout: Annotated[
        int, Milliseconds("Time a closing connection may take to accept what waits for it; 100 at least.")
    ] = 100
    displayconnects: Annotated[bool | None, Bool("As in [general], for this user.")] = None
    allowmultiplelogin: Annotated[bool | None, Bool("As in [general], for this user.")] = None

    filters: tuple[EventFilter, ...] = ()
    """All eventfilter lines, read."""

    @property
    def reads(self) -> frozenset[str]:
        """The kinds of events."""
        return classes_of(self.read)

    @property
    def writes(self) -> frozenset[str]:
        """The kinds of actions."""
        return classes_of(self.write)


class ManagerSettings(Settings, frozen=True, kw_only=True, eq=False):
    """manager.conf whole."""

    general: ManagerGeneral = ManagerGeneral()
    users: dict[str, ManagerUser] = msgspec.field(default_factory=dict)


def classes_of(words: tuple[str, ...]) -> frozenset[str]:
    """The kinds that a list of words means; those nobody knows mean nothing."""
    named = frozenset(word.lower() for word in words)
    return EVERYTHING if "all" in named or "-1" in named else named & EVERYTHING


def read_manager(file: ConfFile, report: Report) -> ManagerSettings:
    """The settings of manager.conf."""
    users: dict[str, ManagerUser] = {}
    for section in file.active():
        if section.name.lower() != "general":
            _read_user(section, users, report)
    general = read_settings(ManagerGeneral, merged(file.named("general"), report), report)
    return ManagerSettings(name="manager.conf", file=file.path, general=general, users=users)


def _read_user(section: Section, users: dict[str, ManagerUser], report: Report) -> None:
    plain = msgspec.structs.replace(
        section,
        options=tuple(option for option in section.options if not _FILTER_WITH_CRITERIA.match(option.name)),
    )
    is_first = section.name not in users
    user = keep(ManagerUser, plain, users, report)
    if not user.secret:
        report.error(section, f"user [{section.name}] has no secret")
    for field in ("read", "write"):
        for word in getattr(user, field):
            if word.lower() not in EVERYTHING and word.lower() not in ("all", "-1"):
                report.warn(user.at(field), f"{field} {word} is ignored, known are all, {', '.join(CLASSES)}")
    filters: list[EventFilter] = []
    for option in section.options:
        criteria = _FILTER_WITH_CRITERIA.match(option.name)
        if criteria is None and option.name.lower() != "eventfilter":
            continue
        try:
            filters.append(read_filter(criteria[1] if criteria else None, option.value))
        except ValueError as problem:
            report.error(option, f"eventfilter: {problem}")
    if is_first:
        users[section.name] = msgspec.structs.replace(user, filters=tuple(filters))
