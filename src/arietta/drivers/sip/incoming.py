"""Calls that come: from an INVITE to a channel in the dialplan."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from arietta import sdp
from arietta.channels.channel import Channel, State
from arietta.channels.driver import DialplanRunner, Party
from arietta.config.endpoint import Endpoint
from arietta.drivers.sip.channels import create_channel, set_variables
from arietta.drivers.sip.diversion import take_diversion
from arietta.drivers.sip.endpoints import ANYBODY, extend_profile
from arietta.drivers.sip.facing import contact_on
from arietta.drivers.sip.identity import caller_of
from arietta.drivers.sip.leg import SipLeg
from arietta.drivers.sip.offers import warning_of
from arietta.drivers.sip.replacing import channel_to_replace
from arietta.media.engine import MediaError
from arietta.model import causes
from arietta.sip.errors import ProtocolError
from arietta.sip.message import Request
from arietta.sip.transactions import Address, RequestReceived

if TYPE_CHECKING:
    from arietta.drivers.sip.driver import SipDriver

log = logging.getLogger(__name__)

RETRY_SOON = ("Retry-After", "5")


def take_invite(driver: SipDriver, received: RequestReceived, endpoint: Endpoint, source: Address) -> None:
    """Answer an INVITE of an endpoint, and run the dialplan for it; ProtocolError says why not."""
    request, transaction, now = received.request, received.transaction, driver.now()
    dialplan = driver.registry.dialplan
    refusal = driver.registry.refusal()
    if refusal or dialplan is None:
        log.warning("a call from %s is refused: %s", endpoint.name, refusal or "there is no dialplan")
        driver.agent.respond(transaction, now, 503, headers=(RETRY_SOON,))
        return
    exten, caller = request.uri.user or "s", caller_of(request, endpoint)
    former = channel_to_replace(driver, request)
    if former is not None and endpoint.name == ANYBODY:
        raise ProtocolError(403, "who is not recognised replaces nobody", message=request)
    if former is None and not dialplan.accepts(endpoint.context, exten, caller.number):
        status = 484 if _wants_more(dialplan, endpoint, exten, caller) else 404  # RFC 3578 3.3: the rest may come
        log.info("call from %s to %s@%s: no such extension", endpoint.name, exten, endpoint.context)
        driver.agent.respond(transaction, now, status)
        return
    leg = _open_leg(driver, received, endpoint, source)
    if leg is None:
        return
    channel = create_channel(driver, leg, endpoint, State.RING, driver.registry.new_id(), caller=caller, exten=exten)
    leg.identified()
    channel.dialed_number = exten
    take_diversion(channel, request, exten)
    channel.set_variable("SIPDOMAIN", request.uri.host)
    set_variables(channel, endpoint)
    channel.own(dialplan.run(channel) if former is None else _replace(driver, channel, former))


def _wants_more(dialplan: DialplanRunner, endpoint: Endpoint, exten: str, caller: Party) -> bool:
    """Whether what was dialled may be the beginning of an extension."""
    context = endpoint.overlap_context or endpoint.context
    return endpoint.allow_overlap and dialplan.may_match(context, exten, caller.number)


def _open_leg(driver: SipDriver, received: RequestReceived, endpoint: Endpoint, source: Address) -> SipLeg | None:
    """A leg with media and session for an INVITE; None when that was answered with a refusal."""
    request, transaction, now = received.request, received.transaction, driver.now()
    offer = None
    if request.sdp:
        try:
            offer = sdp.parse(request.sdp)
        except sdp.SdpError as problem:
            reason = f"Bad SDP: {problem}"[:100].replace("\r", " ").replace("\n", " ")
            driver.agent.respond(transaction, now, 400, reason)
            return None
    leg = SipLeg(driver, endpoint, transaction.transport)
    try:
        refusal = leg.take_invite(request, offer)
    except MediaError as problem:
        log.error("call from %s: %s", endpoint.name, problem)
        leg.hangup(causes.SWITCH_CONGESTION)
        driver.agent.respond(transaction, now, 503, headers=(RETRY_SOON,))
        return None
    if refusal is not None:
        leg.hangup(causes.BEARER_CAPABILITY_UNAVAILABLE)
        driver.agent.respond(transaction, now, refusal.status, headers=warning_of(refusal))
        return None
    session = driver.agent.accept_invite(
        received,
        contact_on(transaction.transport, is_secure=request.uri.scheme == "sips"),
        now,
        source=source,
        remember_source=endpoint.force_rport or endpoint.rewrite_contact or _keeps_its_flow(request),
        credentials=driver.endpoints_table.client_credentials(endpoint),
        profile=extend_profile(driver.agent.profile, endpoint),
    )
    if session is None:
        leg.hangup(causes.INTERWORKING)
        return None
    leg.join_session(session)
    return leg


def _keeps_its_flow(request: Request) -> bool:
    """Whether requests of the dialog are to go over the flow that its INVITE came by (RFC 5626 4.3)."""
    if len(request.values("Via")) > 1:
        return False  # which is that of a proxy
    return any(name == "ob" for contact in request.contacts for name, _ in contact.uri.parameters)


async def _replace(driver: SipDriver, channel: Channel, former: Channel) -> None:
    """The story of a call that takes the place of another one (RFC 3891)."""
    assert driver.transfers is not None
    if not driver.transfers.can_replace(former):
        channel.hangup_cause = causes.CALL_REJECTED
        return
    story = driver.transfers.replace(former, channel)
    channel.answer()
    await story()
