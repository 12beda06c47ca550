"""Attended transfers to a call at another server: that is called, with Replaces (RFC 5589 7.3).

The way leads through the endpoint that has a contact at that host, else through the one of calls to bare URIs.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from arietta.channels import signals
from arietta.channels.channel import Channel, HungUp
from arietta.channels.dialing import call_out
from arietta.channels.driver import CannotRequest, DialRequest, Party
from arietta.drivers.sip.referral import Referral
from arietta.drivers.sip.replacing import named_dialog
from arietta.model import causes
from arietta.sip.message import Request
from arietta.sip.uri import SipUri

if TYPE_CHECKING:
    from arietta.drivers.sip.leg import SipLeg

log = logging.getLogger(__name__)

ELSEWHERE_SECONDS = 50.0
"""How long another server may take to let us replace a call of its own; shorter than the subscription."""
PROVISIONAL: dict[type[signals.Signal], int] = {signals.Ringing: 180, signals.Progressed: 183}
"""What the phone is notified of before the answer."""


def call_elsewhere(
    leg: SipLeg, phone: Channel, referral: Referral, uri: SipUri, replaces: str, request: Request
) -> None:
    """Call a server that has the call to be replaced; who answers gets the place of the phone (RFC 5589 7.3)."""
    driver = leg.driver
    endpoint = driver.contacts.endpoint_at(uri)
    if endpoint is None or named_dialog(replaces) is None:
        log.info("channel %s: transfer to %s: no endpoint leads to that call", phone.name, uri)
        referral.notify(404)
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
        referral.notify(503)
        return
    fields = [("Replaces", replaces), ("Require", "replaces")]
    fields += [("Referred-By", value) for value in request.headers.get("Referred-By", ())[:1]]
    driver.outgoing.dress(new, tuple(fields))
    new.own(_take_place(leg, phone, referral, new))


async def _take_place(leg: SipLeg, phone: Channel, referral: Referral, new: Channel) -> None:
    """The story of a call to another server: it takes the place of the phone when it is answered."""
    transfers = leg.driver.transfers
    outcome = 503

    def give_up(_phone: Channel) -> None:
        new.request_hangup(causes.NORMAL_CLEARING)

    def hear(signal: signals.Signal) -> None:
        if type(signal) in PROVISIONAL:
            referral.notify(PROVISIONAL[type(signal)])

    phone.on_end.append(give_up)
    new.listeners.append(hear)
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
        if hear in new.listeners:
            new.listeners.remove(hear)
        if transfers is not None and not phone.ended:
            transfers.tell_elsewhere(phone, new, succeeded=outcome == 200)
        log.info("channel %s: transfer by way of %s: %d", phone.name, new.name, outcome)
        leg.parting = outcome == 200
        referral.notify(outcome)
    await transfers.replace(phone, new)()
