"""Who a phone is connected to, told while its call lasts: in 180 and 200, by UPDATE (RFC 3311), by re-INVITE.

Told are endpoints with send_connected_line and send_pai or send_rpid, by the rules of `identity`. Believed, in requests
within a call and in responses, are endpoints with trust_connected_line and trust_id_inbound. Not done: identities in
the responses to requests within a call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.channels import signals
from arietta.channels.channel import Channel
from arietta.drivers.sip.facing import host_towards
from arietta.drivers.sip.identity import connected_headers, party_of
from arietta.sip import events
from arietta.sip.invite import InviteSession, SessionState
from arietta.sip.message import Message

if TYPE_CHECKING:
    from arietta.drivers.sip.leg import SipLeg

Fields = tuple[tuple[str, str], ...]

NOT_TAKEN = (405, 501)
"""Statuses of a peer that has no UPDATE, whatever its Allow says."""


class Told:
    """What the far end of one leg was told of whom it is connected to."""

    __slots__ = ("asked", "fields", "pending", "provisional")

    def __init__(self) -> None:
        self.fields: Fields = ()
        """What went out last."""
        self.pending = False
        """There is more to say, as soon as the call lets us."""
        self.asked = False
        """An UPDATE or re-INVITE of ours has no answer yet."""
        self.provisional = 180
        """The provisional status that went out last."""


def fields_of(leg: SipLeg) -> Fields:
    """The header fields that say who the far end is connected to now; none if it is not to be told."""
    endpoint, channel = leg.endpoint, leg.channel
    if channel is None or not endpoint.send_connected_line or not (endpoint.send_pai or endpoint.send_rpid):
        return ()
    session = leg.session
    party = "calling" if session is None or session.is_caller else "called"
    return connected_headers(channel.connected, endpoint, host_towards(endpoint, leg.transport), party)


def tell_connected(leg: SipLeg) -> None:
    """Say who the far end is connected to, if that is news to it: now, or with the next message that can."""
    session, told = leg.session, leg.told
    fields = fields_of(leg)
    told.pending = False
    if session is None or not fields or fields == told.fields:
        return
    if session.state is not SessionState.INCOMING:
        told.pending = not _ask(leg, session, fields)
    elif leg.endpoint.rpid_immediate:
        leg.say_provisional(told.provisional)


def settle(leg: SipLeg, event: events.SessionEvent) -> None:
    """Go on with what had to wait for the far end."""
    told = leg.told
    match event:
        case events.ReInviteAnswered() | events.ReInviteFailed():
            told.asked = False
        case events.RequestAnswered(request=request, status=status) if request.method == "UPDATE":
            told.asked = False
            if status in NOT_TAKEN:
                told.fields, told.pending = (), True
        case events.Acked() | events.Answered():
            pass
        case _:
            return
    if told.pending:
        tell_connected(leg)


def believe(leg: SipLeg, channel: Channel, message: Message) -> None:
    """Take who the far end says it is, if it is believed."""
    endpoint = leg.endpoint
    if not (endpoint.trust_connected_line and endpoint.trust_id_inbound):
        return
    party = party_of(message)
    if party is not None and party != channel.caller:
        channel.receive(signals.Identified(party))


def _ask(leg: SipLeg, session: InviteSession, fields: Fields) -> bool:
    """Send it by UPDATE where the peer takes that, else by a re-INVITE which changes nothing; False: not yet."""
    told, driver = leg.told, leg.driver
    if told.asked or session.state is SessionState.ANSWERED:
        return False
    if session.takes_update or (leg.endpoint.connected_line_method == "update" and not session.refused_update):
        sent = session.request(driver.now(), "UPDATE", headers=fields) is not None
    elif leg.endpoint.connected_line_method == "update":
        return True  # it shall be told by UPDATE or not at all
    else:
        sent = leg.repeat_offer(fields)
    if sent:
        told.fields, told.asked = fields, True
        driver.drain()
    return sent
