"""What the far end asks within a call, and how it is answered: re-INVITE, UPDATE, INFO, OPTIONS, MESSAGE, NOTIFY.

REFER is in `transfer`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta import sdp
from arietta.channels import signals
from arietta.channels.channel import Channel
from arietta.drivers.sip import one_touch
from arietta.drivers.sip.call_texts import answer_message
from arietta.drivers.sip.connected import believe
from arietta.drivers.sip.digits import read_info_digit
from arietta.drivers.sip.offers import warning_of
from arietta.drivers.sip.parting import parted, take_notify
from arietta.sip import events

if TYPE_CHECKING:
    from arietta.drivers.sip.leg import SipLeg


def answer_reinvite(leg: SipLeg, channel: Channel, event: events.ReInvite) -> None:
    """Answer a re-INVITE; one without an offer gets ours."""
    now = leg.driver.now()
    refusal = leg.media.take_offer(event.sdp) if event.sdp else None
    if refusal is not None:
        event.session.reject(now, refusal.status, None, warning_of(refusal))
        return
    event.session.accept(now, leg.media.describe() if event.sdp else leg.media.offer())
    tell_hold(leg, channel)
    believe(leg, channel, event.request)


def answer_request(leg: SipLeg, channel: Channel, event: events.RequestInDialog) -> None:
    """Answer any other request."""
    match event.request.method:
        case "UPDATE" | "PRACK" if event.request.sdp:
            _answer_offer(leg, channel, event)
        case "UPDATE":
            _respond(leg, event, 200)
            believe(leg, channel, event.request)
        case "OPTIONS":
            _respond(leg, event, 200)
        case "NOTIFY":
            take_notify(leg.driver, event)
        case "MESSAGE":
            answer_message(leg, channel, event)
        case _:
            _respond(leg, event, 501)


def answer_info(leg: SipLeg, channel: Channel, event: events.InfoReceived) -> None:
    """Answer an INFO, and take the digit that it carries, or the wish to record."""
    record = event.request.get(one_touch.HEADER)
    if record is not None:
        _respond(leg, event, one_touch.press(leg, channel, record))
        return
    digit = read_info_digit(event.request)
    _respond(leg, event, 200)
    if digit is not None:
        channel.receive(signals.DigitBegan(digit.digit))
        channel.receive(signals.DigitEnded(digit.digit, digit.duration_ms, in_media=False))


def answer_afterwards(leg: SipLeg, event: events.SessionEvent) -> None:
    """Answer when the channel is gone and the session not yet: whatever the peer asks now comes too late."""
    driver = leg.driver
    match event:
        case events.RequestInDialog(request=request) if request.method == "NOTIFY" and leg.parting:
            take_notify(driver, event)
        case events.RequestAnswered(request=request, status=status) if request.method == "REFER" and status >= 300:
            parted(driver, event.session, bye=True)
        case events.Ended():
            parted(driver, event.session)
        case events.InfoReceived() | events.ReferReceived() | events.RequestInDialog():
            _respond(leg, event, 481)
        case events.ReInvite():
            event.session.reject(driver.now(), 481)
        case events.Answered():
            event.session.bye(driver.now())
        case _:
            pass


def tell_hold(leg: SipLeg, channel: Channel) -> None:
    """Tell the channel whether the far end has put it on hold, if that is news to it."""
    held = leg.media.held
    if held != leg.held:
        leg.held = held
        channel.registry.device_changed(channel.device)
        channel.receive(signals.Held(leg.endpoint.moh_suggest or None) if held else signals.Unheld())


def _answer_offer(leg: SipLeg, channel: Channel, event: events.RequestInDialog) -> None:
    refusal: sdp.Refusal | None = leg.media.take_offer(event.request.sdp)
    if refusal is not None:
        _respond(leg, event, refusal.status)
        return
    body = leg.media.describe()
    event.session.respond(event.transaction, leg.driver.now(), 200, body=body, content_type="application/sdp")
    tell_hold(leg, channel)
    believe(leg, channel, event.request)


def _respond(
    leg: SipLeg, event: events.ReferReceived | events.RequestInDialog | events.InfoReceived, status: int
) -> None:
    event.session.respond(event.transaction, leg.driver.now(), status)
