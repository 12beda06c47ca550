"""Texts within a call: MESSAGE in its dialog (RFC 3428), both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from arietta.channels import texts
from arietta.channels.channel import Channel
from arietta.channels.texts import Text
from arietta.sip import events
from arietta.sip.dialogs import Dialog
from arietta.sip.uri import parse_name_addr

if TYPE_CHECKING:
    from arietta.drivers.sip.leg import SipLeg


def send_text(leg: SipLeg, text: Text) -> bool:
    """Send a text to the far end; False outside of a dialog, and for a kind of text that no header can name."""
    session = leg.session
    if session is None or session.dialog is None or not text.content_type.isprintable():
        return False
    body = text.body.encode("utf-8", "replace")
    headers = _names(session.dialog, text)
    sent = session.request(leg.driver.now(), "MESSAGE", body, headers, text.content_type) is not None
    leg.driver.drain()
    return sent


def _names(dialog: Dialog, text: Text) -> tuple[tuple[str, str], ...]:
    """From and To with the names that a text wants to be shown: a dialog is known by their tags (RFC 3261 12)."""
    wanted = (("From", text.from_name, dialog.local), ("To", text.to_name, dialog.remote))
    return tuple(
        (header, str(msgspec.structs.replace(parse_name_addr(value), display=name)))
        for header, name, value in wanted
        if name and name.isprintable()
    )


def answer_message(leg: SipLeg, channel: Channel, event: events.RequestInDialog) -> None:
    """Answer a MESSAGE, and let the channel hear it."""
    request, now = event.request, leg.driver.now()
    kind = request.content_type or texts.PLAIN
    text = Text(request.body.decode("utf-8", "replace"), kind)
    if not kind.lower().startswith("text/"):
        event.session.respond(event.transaction, now, 415, headers=(("Accept", texts.PLAIN),))
    elif len(request.body) > texts.MAX_BYTES:
        event.session.respond(event.transaction, now, 413)
    else:
        event.session.respond(event.transaction, now, 200)
        texts.take(channel, text)
