"""Transfers over SIP: REFER in a call, its progress as NOTIFYs, and the call left behind (RFC 3515, 3891, 5589).

What a transfer does to channels and bridges is not decided here: `Transfers` is asked. A call that is to be replaced
and is not ours is with another server: that is called, with Replaces, through the endpoint that has a contact there.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from arietta.channels.channel import Channel, HungUp, State, Story
from arietta.channels.dialing import call_out
from arietta.channels.driver import CannotRequest, DialRequest, Party, TransferTarget
from arietta.model import causes
from arietta.sip import events
from arietta.sip.errors import ProtocolError
from arietta.sip.invite import InviteSession, SessionState
from arietta.sip.message import Request, reason_phrase
from arietta.sip.uri import SipUri, parse_parameters

if TYPE_CHECKING:
    from arietta.drivers.sip.driver import SipDriver
    from arietta.drivers.sip.leg import SipLeg

log = logging.getLogger(__name__)

HANDLING = "PJSIP_TRANSFER_HANDLING"
"""What the channel's function of that name keeps; `ari-only` leaves transfers to the application."""
PARTING_SECONDS = 60.0
"""How long a phone that was transferred away may take to send its BYE."""
SUBSCRIPTION_SECONDS = 60
ELSEWHERE_SECONDS = 50.0
"""How long another server may take to let us replace a call of its own; shorter than the subscription."""
FINAL_STATUS = {"channel_answered": 200, "channel_declined": 603, "channel_unavailable": 503}
"""What the last NOTIFY says for the states of a transfer that an application carries out; other states send none."""


class Transfers(Protocol):
    """Who carries transfers out; each call returns the SIP status of the outcome."""

    def blind(self, phone: Channel, exten: str, context: str, variables: Mapping[str, str]) -> int:
        """Send those that talk to `phone` to an extension that exists."""
        ...

    def attended(self, first: Channel, second: Channel) -> int:
        """Connect those that talk to `first`, which asks for it, with those that talk to `second`."""
        ...

    def can_replace(self, former: Channel) -> bool:
        """Whether another channel can have the place of `former`."""
        ...

    def replace(self, former: Channel, new: Channel) -> Story:
        """Let `new` have the place of `former`, which ends; what `new` does then, in its owner and answered."""
        ...

    def ask(self, phone: Channel, wanted: TransferTarget, second: Channel | None, state: str | None = None) -> None:
        """Leave a transfer to the application of `phone`, or tell it how far it said the transfer is."""
        ...


class Transfer:
    """One REFER that was accepted, until its last NOTIFY."""

    def __init__(self, leg: SipLeg, session: InviteSession, number: int, *, silent: bool) -> None:
        self.over = False
        self.wanted: TransferTarget | None = None
        self.second: Channel | None = None
        self._leg = leg
        self._session = session
        self._expires_at = leg.driver.now() + SUBSCRIPTION_SECONDS
        # RFC 3515 2.4.6: the second REFER of a dialog and those after it are told apart by their CSeq.
        self._event = f"refer;id={number}" if number else "refer"
        self._silent = silent  # RFC 4488: the phone asked not to be notified

    @property
    def is_going_on(self) -> bool:
        """Whether its outcome is open; what the application never reports is given up with the subscription."""
        return not self.over and self._leg.driver.now() < self._expires_at

    def notify(self, status: int) -> None:
        """Tell the phone the status of the transfer; one from 200 on is the last."""
        self.over = status >= 200
        if self._silent:
            return
        state = "terminated;reason=noresource" if self.over else f"active;expires={SUBSCRIPTION_SECONDS}"
        driver = self._leg.driver
        self._session.request(
            driver.now(),
            "NOTIFY",
            f"SIP/2.0 {status} {reason_phrase(status)}\r\n".encode(),
            headers=(("Event", self._event), ("Subscription-State", state)),
            content_type="message/sipfrag;version=2.0",
        )
        driver.drain()


def take_refer(leg: SipLeg, channel: Channel, event: events.ReferReceived) -> None:
    """Answer a REFER in the call of a channel, and have it carried out."""
    session, driver = event.session, leg.driver
    transfers = driver.transfers
    status, uri = _refusal(leg, channel, event)
    silent = (event.request.get("Refer-Sub") or "").strip().lower() == "false"
    headers = (("Refer-Sub", "false"),) if silent and status == 202 else ()
    session.respond(event.transaction, driver.now(), status, headers=headers)
    if status != 202 or uri is None or transfers is None:
        log.info("channel %s: REFER to %s is refused with %d", channel.name, event.refer_to.uri_text, status)
        return
    number = event.request.cseq.number if leg.transfer is not None else 0
    transfer = leg.transfer = Transfer(leg, session, number, silent=silent)
    transfer.notify(100)
    replaces = next((value for name, value in uri.headers if name.lower() == "replaces"), None)
    if channel.functions.get(HANDLING) == "ari-only":
        transfer.second = _replaced(driver, replaces)
        transfer.wanted = _target(uri, replaces)
        transfers.ask(channel, transfer.wanted, transfer.second)
        return
    if replaces is not None and _replaced(driver, replaces) is None:
        _call_elsewhere(leg, channel, transfer, uri, replaces, event.request)
        return
    outcome = _carry_out(leg, channel, transfers, uri, replaces, event.request)
    log.info("channel %s: transfer to %s: %d", channel.name, event.refer_to.uri_text, outcome)
    leg.parting = outcome == 200
    transfer.notify(outcome)


def report_progress(leg: SipLeg, channel: Channel, state: str) -> None:
    """Take what the application says about the transfer that it was asked to carry out."""
    transfer, transfers = leg.transfer, leg.driver.transfers
    if transfer is None or not transfer.is_going_on or transfer.wanted is None or transfers is None:
        return
    transfers.ask(channel, transfer.wanted, transfer.second, state)
    status = FINAL_STATUS.get(state)
    if status is not None:
        transfer.notify(status)


def part(driver: SipDriver, session: InviteSession) -> None:
    """Leave the BYE of a call without channel to the phone, for a while."""

    def give_up() -> None:
        if driver.parting.pop(session, None) is not None:
            session.bye(driver.now())
            driver.drain()

    driver.parting[session] = driver.loop.call_later(PARTING_SECONDS, give_up)


def parted(driver: SipDriver, session: InviteSession, *, bye: bool = False) -> None:
    """The call that was left behind is over; with `bye` we say so."""
    timer = driver.parting.pop(session, None)
    if timer is not None:
        timer.cancel()
        if bye:
            session.bye(driver.now())


def take_notify(driver: SipDriver, event: events.RequestInDialog) -> None:
    """Answer a NOTIFY: how the REFER goes with which we sent a phone away. When it is over, so is the call."""
    request, session = event.request, event.session
    if (request.get("Event") or "").partition(";")[0].strip().lower() != "refer":
        session.respond(event.transaction, driver.now(), 489, headers=(("Allow-Events", "refer"),))
        return
    session.respond(event.transaction, driver.now(), 200)
    if (request.get("Subscription-State") or "").strip().lower().startswith("terminated"):
        parted(driver, session, bye=True)


def _refusal(leg: SipLeg, channel: Channel, event: events.ReferReceived) -> tuple[int, SipUri | None]:
    """202 and the URI of a REFER that can be carried out, or the status that refuses it."""
    if leg.driver.transfers is None:
        return 501, None
    if not leg.endpoint.allow_transfer:
        return 603, None
    if channel.state is not State.UP:
        return 403, None
    if leg.transfer is not None and leg.transfer.is_going_on:
        return 491, None
    try:
        uri = event.refer_to.uri
    except ProtocolError as problem:
        return problem.status, None
    if not uri.user:
        return 400, None
    return 202, uri


def _carry_out(
    leg: SipLeg, channel: Channel, transfers: Transfers, uri: SipUri, replaces: str | None, request: Request
) -> int:
    """Do it; returns the status that the phone is told in the end."""
    if replaces is not None:
        second = _replaced(leg.driver, replaces)
        assert second is not None
        return transfers.attended(channel, second)
    dialplan = channel.registry.dialplan
    context = channel.get_variable("TRANSFER_CONTEXT") or leg.endpoint.context
    exten = uri.user or ""
    if dialplan is None or not dialplan.exists(context, exten, 1, channel.caller.number):
        return 404
    variables = {
        "SIPTRANSFER": "yes",
        "SIPREFERTOHDR": request.get("Refer-To") or "",
        "SIPREFERREDBYHDR": request.get("Referred-By") or "",
    }
    return transfers.blind(channel, exten, context, {name: value for name, value in variables.items() if value})


def _call_elsewhere(
    leg: SipLeg, phone: Channel, transfer: Transfer, uri: SipUri, replaces: str, request: Request
) -> None:
    """Call a server that has the call to be replaced; who answers gets the place of the phone (RFC 5589 7.3)."""
    driver = leg.driver
    endpoint = driver.contacts.endpoint_at(uri)
    if endpoint is None or _parse_replaces(replaces) is None:
        log.info("channel %s: transfer to %s: no endpoint leads to that call", phone.name, uri)
        transfer.notify(404)
        return
    parameters = tuple((name, value) for name, value in uri.parameters if name.lower() != "method")
    goal = SipUri(uri.scheme, uri.user, uri.host, uri.port, None, parameters)
    wanted = DialRequest(
        resource=f"{endpoint.name}/{goal}",
        originator=phone,
        caller=Party("", uri.user or ""),
        connected=phone.connected,
    )
    try:
        new = driver.request(wanted)
    except CannotRequest as failure:
        log.warning("channel %s: transfer to %s: %s", phone.name, uri, failure)
        transfer.notify(503)
        return
    fields = [("Replaces", replaces), ("Require", "replaces")]
    fields += [("Referred-By", value) for value in request.headers.get("Referred-By", ())[:1]]
    driver.outgoing.dress(new, tuple(fields))
    new.own(_take_place(leg, phone, transfer, new))


async def _take_place(leg: SipLeg, phone: Channel, transfer: Transfer, new: Channel) -> None:
    """The story of a call to another server: it takes the place of the phone when it is answered."""
    transfers = leg.driver.transfers
    outcome = 503

    def give_up(_phone: Channel) -> None:
        new.request_hangup(causes.NORMAL_CLEARING)

    phone.on_end.append(give_up)
    try:
        if not await call_out(new, dialstring=new.name.partition("/")[2], timeout=ELSEWHERE_SECONDS):
            outcome = 408
            return
        if transfers is None or not transfers.can_replace(phone):
            new.hangup_cause = causes.NORMAL_CLEARING
            return
        outcome = 200
    except HungUp:
        outcome = new.tech_cause or 503
        raise
    finally:
        if give_up in phone.on_end:
            phone.on_end.remove(give_up)
        log.info("channel %s: transfer by way of %s: %d", phone.name, new.name, outcome)
        leg.parting = outcome == 200
        transfer.notify(outcome)
    await transfers.replace(phone, new)()


def channel_to_replace(driver: SipDriver, request: Request) -> Channel | None:
    """The channel whose place an INVITE wants (RFC 3891 3), None if it wants none; ProtocolError says why it cannot."""
    if "Join" in request.headers:
        raise ProtocolError(420, "Join is not supported", headers=(("Unsupported", "join"),), message=request)
    values = request.headers.get("Replaces")
    if values is None:
        return None
    named = _parse_replaces(values[0])
    if len(values) != 1 or named is None:
        raise ProtocolError(400, f"Replaces {', '.join(values)[:64]!r} names no dialog", message=request)
    session = driver.agent.find_session(*named)
    if session is None or session.state is SessionState.INCOMING:
        # An early dialog that the caller of it has not begun with us cannot be taken from it.
        raise ProtocolError(481, "Replaces names no dialog of ours", message=request)
    channel = getattr(session.user, "channel", None)
    if not isinstance(channel, Channel) or driver.transfers is None or not driver.transfers.can_replace(channel):
        raise ProtocolError(603, "the call that Replaces names is over, or cannot be taken", message=request)
    if "early-only" in values[0].lower().replace(" ", "").split(";") and session.state is not SessionState.CALLING:
        raise ProtocolError(486, "the call that Replaces names was answered", message=request)
    return channel


def _parse_replaces(value: str) -> tuple[str, str, str] | None:
    """Call-ID, to-tag and from-tag of a Replaces value (RFC 3891 6.1); None if one of them is missing."""
    call_id, _, tail = value.partition(";")
    try:
        parameters = dict(parse_parameters(tail))
    except ProtocolError:
        return None
    to_tag, from_tag = parameters.get("to-tag"), parameters.get("from-tag")
    return (call_id.strip(), to_tag, from_tag) if call_id.strip() and to_tag and from_tag else None


def _replaced(driver: SipDriver, replaces: str | None) -> Channel | None:
    """The channel of the call that a Replaces value names."""
    named = _parse_replaces(replaces) if replaces is not None else None
    if named is None:
        return None
    call_id, to_tag, from_tag = named
    # The tags are named from the far end's side (RFC 3891 3); some phones name them from their own.
    session = driver.agent.find_session(call_id, to_tag, from_tag) or driver.agent.find_session(
        call_id, from_tag, to_tag
    )
    user: Any = session.user if session is not None else None
    return getattr(user, "channel", None)


def _target(uri: SipUri, replaces: str | None) -> TransferTarget:
    named = _parse_replaces(replaces) if replaces is not None else None
    if named is None:
        return TransferTarget(uri.user or "")
    call_id, to_tag, from_tag = named
    return TransferTarget(uri.user or "", call_id, {"to-tag": to_tag, "from-tag": from_tag})
