"""Texts outside of calls and in them, and events that a client makes: MessageSend, SendText, UserEvent."""

from __future__ import annotations

import base64
import binascii

from arietta.channels import texts
from arietta.errors import BadRequest, Conflict
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
    ("[To]", "The same in its former place; with Destination it is whom the message names."),
    ("[From]", "Who sends it: a URI, or text of the From header."),
    ("[Body]", "The text."),
    ("[Base64Body]", "The text in Base64, which may have several lines."),
    ("[Variable]", "NAME=VALUE of headers to add; may be repeated."),
    write="message",
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
    addressed = call.get("To") if call.get("Destination") else ""
    call.domain.sip.send_message(
        destination.removeprefix("pjsip:"), call.get("From"), text, variables, addressed=addressed
    )
    return success("Message successfully sent")


@action(
    "SendText",
    "Send a text to the far end of a call.",
    ("Channel", "Name or id of the channel."),
    ("Message", "The text."),
    ("[Content-Type]", f"Its kind, {texts.PLAIN} without it."),
    write="call",
)
def send_text(call: Call) -> Reply:
    channel = call.channel()
    text = texts.Text(call.need("Message", "No Message specified"), call.get("Content-Type") or texts.PLAIN)
    if text.size > texts.MAX_BYTES:
        raise BadRequest(f"The text has {text.size} bytes, {texts.MAX_BYTES} at most")
    if not texts.can_carry(channel):
        raise Conflict(f"Channel {channel.name} carries no texts")
    if not texts.send(channel, text):
        raise Conflict(f"Channel {channel.name} cannot be sent a text now")
    return success("Success")


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
