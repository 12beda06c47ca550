"""Offers of ours within a call: by UPDATE while its dialog is early (RFC 3311), by re-INVITE once it is up.

An offer that cannot go yet, since another one is open or the peer takes no UPDATE, is made as soon as it can.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.sip import events
from arietta.sip.invite import SessionState

if TYPE_CHECKING:
    from arietta.drivers.sip.connected import Fields
    from arietta.drivers.sip.leg import SipLeg

EARLY = (SessionState.CALLING, SessionState.INCOMING)


def make_offer(leg: SipLeg, fields: Fields = ()) -> bool:
    """Offer the session as it is to be now; False while that has to wait."""
    session, now = leg.session, leg.driver.now()
    leg.media.owes_offer = False
    if session is not None and session.may_reinvite:
        session.reinvite(now, leg.media.offer(), fields)
    elif session is not None and session.state in EARLY and session.may_update:
        session.update(now, leg.media.offer(), fields)
    else:
        leg.media.owes_offer = session is not None
        return False
    leg.driver.drain()
    return True


def go_on_offering(leg: SipLeg, event: events.SessionEvent) -> None:
    """Take what became of an offer of ours, and make the one that had to wait."""
    match event:
        case events.ReInviteFailed():
            leg.media.withdraw()
        case events.RequestAnswered(request=request) if request.method == "UPDATE" and request.sdp:
            if not _is_answered(event):
                leg.media.withdraw()
        case events.OfferDue(headers=fields):
            make_offer(leg, fields)
            return
        case events.Ended() | events.Failed():
            return
        case _:
            pass
    if leg.media.owes_offer:
        make_offer(leg)


def answer_to_update(event: events.RequestAnswered) -> bytes:
    """The answer in the response to an UPDATE with an offer of ours; nothing for any other."""
    return event.response.sdp if _is_answered(event) and event.response is not None and event.request.sdp else b""


def _is_answered(event: events.RequestAnswered) -> bool:
    return event.status < 300 and event.response is not None and bool(event.response.sdp)
