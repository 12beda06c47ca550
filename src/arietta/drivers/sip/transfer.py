"""Transfers over SIP: a REFER in a call, and what comes of it (RFC 3515, 3891, 5589).

What a transfer does to channels and bridges is not decided here: `Transfers` is asked. A call that is to be replaced
and is not ours is with another server: `elsewhere` calls that.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from arietta.channels import signals
from arietta.channels.channel import Channel, State, Story
from arietta.channels.driver import TransferTarget
from arietta.channels.following import Following
from arietta.drivers.sip.elsewhere import call_elsewhere
from arietta.drivers.sip.referral import REFERRED_BY, Referral
from arietta.drivers.sip.replacing import channel_of_dialog, named_dialog
from arietta.sip import events
from arietta.sip.errors import ProtocolError
from arietta.sip.invite import SessionState
from arietta.sip.message import Request
from arietta.sip.uri import SipUri

if TYPE_CHECKING:
    from arietta.drivers.sip.leg import SipLeg

log = logging.getLogger(__name__)

HANDLING = "PJSIP_TRANSFER_HANDLING"
"""What the channel's function of that name keeps; `ari-only` leaves transfers to the application."""
FINAL_STATUS = {"channel_answered": 200, "channel_declined": 603, "channel_unavailable": 503}
"""What the last NOTIFY says for the states of a transfer that an application carries out; other states send none."""


class Transfers(Protocol):
    """Who carries transfers out; each call returns the SIP status of the outcome."""

    def blind(
        self,
        phone: Channel,
        exten: str,
        context: str,
        variables: Mapping[str, str],
        following: Following | None = None,
    ) -> int:
        """Send those that talk to `phone` to an extension that exists; `following` tells how it goes with them."""
        ...

    def attended(self, first: Channel, second: Channel) -> int:
        """Connect those that talk to `first`, which asks for it, with those that talk to `second`."""
        ...

    def tell_elsewhere(self, phone: Channel, new: Channel, *, succeeded: bool) -> None:
        """Tell of a transfer to a call at another server, before `new`, which is that call, replaces `phone`."""
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


def take_refer(leg: SipLeg, channel: Channel, event: events.ReferReceived) -> None:
    """Answer a REFER in the call of a channel, and have it carried out."""
    session, driver = event.session, leg.driver
    transfers = driver.transfers
    status, uri = _refusal(leg, event)
    silent = (event.request.get("Refer-Sub") or "").strip().lower() == "false"
    headers = (("Refer-Sub", "false"),) if silent and status == 202 else ()
    session.respond(event.transaction, driver.now(), status, headers=headers)
    if status != 202 or uri is None or transfers is None:
        log.info("channel %s: REFER to %s is refused with %d", channel.name, event.refer_to.uri_text, status)
        return
    number = event.request.cseq.number if leg.referral is not None else 0
    referral = leg.referral = Referral(driver, session, number, silent=silent)
    replaces = next((value for name, value in uri.headers if name.lower() == "replaces"), None)
    is_for_application = channel.functions.get(HANDLING) == "ari-only"
    if leg.endpoint.refer_blind_progress or replaces is not None or is_for_application:
        referral.notify(100)
    if is_for_application:
        referral.second = channel_of_dialog(driver, replaces)
        referral.wanted = _target(uri, replaces)
        transfers.ask(channel, referral.wanted, referral.second)
    elif replaces is None:
        _send_away(leg, channel, referral, transfers, uri, event.request)
    elif (second := channel_of_dialog(driver, replaces)) is not None:
        _conclude(leg, channel, referral, uri, transfers.attended(channel, second))
    else:
        call_elsewhere(leg, channel, referral, uri, replaces, event.request)


def report_progress(leg: SipLeg, channel: Channel, state: str) -> None:
    """Take what the application says about the transfer that it was asked to carry out."""
    referral, transfers = leg.referral, leg.driver.transfers
    if referral is None or not referral.is_going_on or referral.wanted is None or transfers is None:
        return
    transfers.ask(channel, referral.wanted, referral.second, state)
    status = FINAL_STATUS.get(state)
    if status is not None:
        referral.notify(status)


def _refusal(leg: SipLeg, event: events.ReferReceived) -> tuple[int, SipUri | None]:
    """202 and the URI of a REFER that can be carried out, or the status that refuses it."""
    if leg.driver.transfers is None:
        return 501, None
    if not leg.endpoint.allow_transfer:
        return 603, None
    if leg.referral is not None and leg.referral.is_going_on:
        return 491, None
    try:
        uri = event.refer_to.uri
    except ProtocolError as problem:
        return problem.status, None
    if not uri.user:
        return 400, None
    return 202, uri


def _send_away(
    leg: SipLeg, channel: Channel, referral: Referral, transfers: Transfers, uri: SipUri, request: Request
) -> None:
    """A blind transfer; before the answer, a call of ours that nobody shares a bridge with goes elsewhere."""
    dialplan = channel.registry.dialplan
    context = channel.get_variable("TRANSFER_CONTEXT") or leg.endpoint.context
    exten = uri.user or ""
    if dialplan is None or not dialplan.exists(context, exten, 1, channel.caller.number):
        _conclude(leg, channel, referral, uri, 404)
        return
    if channel.attempt is not None and channel.state is not State.UP and channel.bridge is None:
        _conclude(leg, channel, referral, uri, _deflect(channel, exten))
        return
    variables = {
        "SIPTRANSFER": "yes",
        "SIPREFERTOHDR": request.get("Refer-To") or "",
        REFERRED_BY: request.get("Referred-By") or "",
    }
    # An early dialog ends with its INVITE, and its subscriptions with it: there is time for one NOTIFY.
    lasts = leg.session is not None and leg.session.state is SessionState.CONFIRMED
    following = referral.follow() if lasts and leg.endpoint.refer_blind_progress else None
    given = {name: value for name, value in variables.items() if value}
    outcome = transfers.blind(channel, exten, context, given, following)
    if outcome == 200 and following is not None and following.goes_on:
        leg.parting = True
    else:
        _conclude(leg, channel, referral, uri, outcome)


def _deflect(channel: Channel, exten: str) -> int:
    """Have a call that rings go on at another extension, as after 302; 603 for one that only the phone can take."""
    attempt = channel.attempt
    channel.receive(signals.Forwarded(exten))
    return 200 if attempt is not None and attempt.peer is not channel else 603


def _conclude(leg: SipLeg, channel: Channel, referral: Referral, uri: SipUri, outcome: int) -> None:
    log.info("channel %s: transfer to %s: %d", channel.name, uri, outcome)
    leg.parting = outcome == 200
    referral.notify(outcome)


def _target(uri: SipUri, replaces: str | None) -> TransferTarget:
    named = named_dialog(replaces) if replaces is not None else None
    if named is None:
        return TransferTarget(uri.user or "")
    call_id, to_tag, from_tag = named
    return TransferTarget(uri.user or "", call_id, {"to-tag": to_tag, "from-tag": from_tag})
