"""Calls without a channel: the phone was transferred away, and ends its call itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.sip import events
from arietta.sip.invite import InviteSession

if TYPE_CHECKING:
    from arietta.drivers.sip.driver import SipDriver

PARTING_SECONDS = 60.0
"""How long a phone that was transferred away may take to send its BYE."""


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
