"""Past-tense facts that ARI does not show: what the manager interface and the records of calls tell besides its events.

Each kind has a topic of its own. A publisher asks first whether anybody wants it, so a fact nobody hears costs a look
into a table: ``if bus.wanted(DigitBegan.topics): bus.publish(DigitBegan(...), DigitBegan.topics)``.
"""

from __future__ import annotations

from typing import Any, ClassVar

from msgspec import Struct

from .snapshots import Channel


class Fact(Struct, frozen=True, gc=False):
    """Something that happened; the name of its class is the name of its topic."""

    topics: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.topics = (f"fact:{cls.__name__}",)


class AccountCodeChanged(Fact, frozen=True, gc=False):
    """The account code of a channel is another one."""

    channel: Channel
    former: str
    """What it was before."""


class HangupHandlerPushed(Fact, frozen=True, gc=False):
    """A channel is to run one subroutine more at its end."""

    channel: Channel
    handler: str
    """Where it is: context, extension and priority, with its arguments in parentheses."""


class HangupHandlerPopped(Fact, frozen=True, gc=False):
    """A channel is not to run a subroutine at its end any more."""

    channel: Channel
    handler: str


class HangupHandlerRun(Fact, frozen=True, gc=False):
    """A channel that ends begins to run a subroutine."""

    channel: Channel
    handler: str


class MixMonitorStarted(Fact, frozen=True, gc=False):
    """A call begins to be recorded while it goes on."""

    channel: Channel


class MixMonitorStopped(Fact, frozen=True, gc=False):
    """A call is not recorded any more, because that was asked for; at its end nothing is told."""

    channel: Channel


class MixMonitorMuted(Fact, frozen=True, gc=False):
    """Silence is recorded in place of a call, or the call again."""

    channel: Channel
    on: bool


class DigitBegan(Fact, frozen=True, gc=False):
    """A DTMF digit began; its end is ChannelDtmfReceived for one that came, `DigitSent` for one that was sent."""

    channel: Channel
    digit: str
    sent: bool = False
    """Whether it goes to the far end, rather than having come from there."""


class DigitSent(Fact, frozen=True, gc=False):
    """A DTMF digit was sent to the far end."""

    channel: Channel
    digit: str
    duration_ms: int


class MusicStarted(Fact, frozen=True, gc=False):
    """Music on hold began on a channel."""

    channel: Channel
    music_class: str


class MusicStopped(Fact, frozen=True, gc=False):
    """Music on hold ended on a channel."""

    channel: Channel


class LocalBridged(Fact, frozen=True, gc=False):
    """The second half of a Local channel was called: it goes to run the dialplan."""

    one: Channel
    two: Channel
    context: str
    exten: str


class SpyingStarted(Fact, frozen=True, gc=False):
    """A channel began to listen to another."""

    spyer: Channel
    spyee: Channel


class SpyingStopped(Fact, frozen=True, gc=False):
    """A channel does not listen to another any more."""

    spyer: Channel
    spyee: Channel


class ReportBlock(Struct, frozen=True, gc=False):
    """What one report says of one source of RTP (RFC 3550 6.4.1)."""

    ssrc: int
    fraction_lost: int
    """In 256ths, since the report before."""
    lost: int
    highest_sequence: int
    """With the number of cycles in its upper 16 bits."""
    jitter: int
    """In units of the clock of the stream."""
    last_report: int
    delay_s: float


class RtcpReported(Fact, frozen=True, kw_only=True, gc=False):
    """A report about the audio of a channel was sent, or came."""

    channel: Channel
    sent: bool
    peer: str
    """``192.0.2.1:10001``: where it went, or came from."""
    ssrc: int
    """Of whoever reports."""
    blocks: tuple[ReportBlock, ...] = ()
    sent_at: float | None = None
    """Of a report by a sender: seconds since 1970 by its clock, and what it has sent; None from one that only hears."""
    timestamp: int = 0
    packets: int = 0
    octets: int = 0
    round_trip_s: float = 0.0


class PickedUp(Fact, frozen=True, gc=False):
    """A channel answered the call that another was being called with."""

    channel: Channel
    target: Channel


class ContactRefreshed(Fact, frozen=True, gc=False):
    """A phone has registered a contact again; told where `send_contact_status_on_update_registration` is set."""

    uri: str
    aor: str
    endpoint: str
    roundtrip_usec: int = 0


class RegistrationChanged(Fact, frozen=True, gc=False):
    """A registration that this server makes elsewhere went well, failed or ended."""

    client_uri: str
    server_uri: str
    status: str
    """Registered, Unregistered or Rejected."""
    cause: str = ""


class Reloaded(Fact, frozen=True, gc=False):
    """A part of the configuration, or with "All" all of it, was read again."""

    module: str
    succeeded: bool = True


class ModuleChanged(Fact, frozen=True, gc=False):
    """A part of the server was put back or taken out."""

    module: str
    loaded: bool


class FullyBooted(Fact, frozen=True, gc=False):
    """Every part of the server runs."""

    uptime_s: int
    last_reload_s: int
    """Seconds since the configuration was read."""


class ShuttingDown(Fact, frozen=True, gc=False):
    """The server ends."""

    restart: bool
    clean: bool = True


class Security(Fact, frozen=True, kw_only=True, gc=False):
    """Somebody proved, or could not prove, who they are; every kind is published on the topic ``security:``."""

    service: str
    """PJSIP, AMI, ARI."""
    account_id: str = ""
    session_id: str = ""
    local_address: str = ""
    """``IPV4/UDP/192.0.2.1/5060``; see `security_address`."""
    remote_address: str = ""


class FailedAcl(Security, frozen=True, kw_only=True, gc=False):
    """An address that an account is not allowed to come from."""

    acl_name: str = ""


class InvalidAccountId(Security, frozen=True, kw_only=True, gc=False):
    """An account that does not exist."""


class SessionLimit(Security, frozen=True, kw_only=True, gc=False):
    """One session more than there may be."""


class RequestNotAllowed(Security, frozen=True, kw_only=True, gc=False):
    """A request that the account may not make."""

    request_type: str
    request_params: str = ""


class RequestBadFormat(Security, frozen=True, kw_only=True, gc=False):
    """A request that cannot be read."""

    request_type: str
    request_params: str = ""


class SuccessfulAuth(Security, frozen=True, kw_only=True, gc=False):
    """An account proved itself."""

    using_password: bool = True


class InvalidPassword(Security, frozen=True, kw_only=True, gc=False):
    """A password, or the hash of one, that is wrong; what was given is never told."""

    challenge: str = ""
    received_challenge: str = ""


class ChallengeSent(Security, frozen=True, kw_only=True, gc=False):
    """A challenge that was sent for an account to prove itself with."""

    challenge: str = ""


class ChallengeResponseFailed(Security, frozen=True, kw_only=True, gc=False):
    """A response that is not what the challenge asks for; what would be right is never told."""

    challenge: str = ""
    response: str = ""


class ExtensionStateChanged(Fact, frozen=True, kw_only=True, gc=False):
    """A hint shows another state of the devices behind an extension."""

    exten: str
    context: str
    """Where the hint stands, which may be a context that another includes."""
    hint: str
    """As it is written, with variables filled in."""
    status: int
    """0 idle, 1 in use, 2 busy, 4 unavailable, 8 ringing, 16 on hold, and sums of them; -1: the hint is gone."""
    status_text: str


class ExtensionPresenceChanged(Fact, frozen=True, kw_only=True, gc=False):
    """A hint shows another presence of the user behind an extension."""

    exten: str
    context: str
    hint: str
    state: str
    """not_set, unavailable, available, away, xa, chat or dnd."""
    subtype: str = ""
    message: str = ""


class PresenceStateChanged(Fact, frozen=True, kw_only=True, gc=False):
    """The presence of somebody was set."""

    provider: str
    """``CustomPresence:NAME``."""
    state: str
    """not_set, unavailable, available, away, xa, chat or dnd."""
    subtype: str = ""
    message: str = ""


class MailboxChanged(Fact, frozen=True, kw_only=True, gc=False):
    """Other numbers of messages wait in a mailbox; none where it was deleted."""

    mailbox: str
    new_messages: int
    old_messages: int


SECURITY = ("security:",)
USER_EVENTS = ("userevent:",)
"""Where the ChannelUserevent of a client goes besides its application: to the manager interface."""

for _kind in Security.__subclasses__():
    _kind.topics = SECURITY
ExtensionStateChanged.topics = ExtensionPresenceChanged.topics = ("extension:",)
PresenceStateChanged.topics = ("presence:",)
MailboxChanged.topics = ("mailbox:",)


def security_address(host: str, port: int, transport: str) -> str:
    """An address as security events write it."""
    return f"IPV{6 if ':' in host else 4}/{transport.upper()}/{host}/{port}"


class AsyncAgiStarted(Fact, frozen=True, gc=False):
    """AGI(agi:async) began: clients of the manager interface may send commands to the channel."""

    channel: Channel
    environment: str
    """What a program of AGI is told first, percent-encoded."""


class AsyncAgiAnswered(Fact, frozen=True, gc=False):
    """A command of AGI(agi:async) was carried out."""

    channel: Channel
    command_id: str
    """Given by the client that sent it; may be empty."""
    reply: str
    """The reply of AGI, percent-encoded."""


class AsyncAgiEnded(Fact, frozen=True, gc=False):
    """AGI(agi:async) ended."""

    channel: Channel
