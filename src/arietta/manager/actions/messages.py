"""Texts outside of calls, and events that a client makes: MessageSend, UserEvent."""

from __future__ import annotations

import base64
import binascii

from arietta.errors import BadRequest
from arietta.manager.actions.originate import assignments
from arietta.manager.declared import Call, Reply, action, success
from arietta.manager.message import ManagerEvent

MAX_BODY_BYTES = 65536
PREFIXES = ("pjsip:", "sip:")
NOT_TOLD = frozenset(("action", "userevent"))


@action(
    "MessageSend",
    "Send a text over SIP.",
    ("[Destination]", "Where to: pjsip:ENDPOINT, pjsip:ENDPOINT/URI."),
    ("[To]", "The same in its former place; with Destination it is the name in the message, which is not changed."),
    ("[From]", "Who sends it: a URI, or text of the From header."),
    ("[Body]", "The text."),
    ("[Base64Body]", "The text in Base64, which may have several lines."),
    ("[Variable]", "NAME=VALUE of headers to add; may be repeated."),
    write="message",
    lacks="with Destination, To does not change the To header",
)
def message_send(call: Call) -> Reply:
    destination = call.get("Destination") or call.get("To")
    if not destination:
        raise BadRequest("No 'To' or 'Destination' address specified.")
    technology, colon, _ = destination.partition(":")
    if not colon or f"{technology.lower()}:" not in PREFIXES:
        raise BadRequest(f"Message technology not found: {technology[:40]!r} is none of pjsip and sip")
    variables = dict(assignments(call.action.all("Variable")))
    body = call.get("Base64Body")
    if body:
        try:
            text = base64.b64decode(body, validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            raise BadRequest("Base64Body is not Base64") from None
    else:
        text = call.get("Body")
    if len(text.encode("utf-8", "replace")) > MAX_BODY_BYTES:
        raise BadRequest(f"The text has more than {MAX_BODY_BYTES} bytes")
    call.domain.sip.send_message(destination.removeprefix("pjsip:"), call.get("From"), text, variables)
    return success("Message successfully sent")


@action(
    "UserEvent",
    "Tell every session an event of your own.",
    ("UserEvent", "Its name."),
    ("[HEADER]", "Any further headers, which the event has too."),
    write="user",
)
def user_event(call: Call) -> Reply:
    name = call.get("UserEvent")
    headers = tuple((header, value) for header, value in call.action.headers if header.lower() not in NOT_TOLD)
    event = ManagerEvent("UserEvent", "user,all", (("UserEvent", name), *headers))
    call.domain.bus.publish(event, ("manager:",))
    return success("Event Sent")
