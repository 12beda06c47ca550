"""Applications that send and receive texts, and those for URLs and images, which no technology here carries."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from arietta.channels import signals, texts
from arietta.channels.channel import HungUp
from arietta.dialplan.applications import Application
from arietta.dialplan.arguments import seconds, split_arguments
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.functions.messages import text_of
from arietta.errors import AriettaError, NotFound

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)

SENT, SENT_HOW = "SENDTEXTSTATUS", "SENDTEXTTYPE"
RECEIVED, RECEIVED_TEXT = "RECEIVETEXTSTATUS", "RECEIVETEXTMESSAGE"
MESSAGE_STATUS = "MESSAGE_SEND_STATUS"
PREFIXES = ("pjsip", "sip")


async def _send_text(channel: Channel, arguments: str, run: Run) -> None:
    def variable(name: str) -> str:
        return run.plan.variable(channel, f"SENDTEXT_{name}")

    text = texts.Text(
        variable("BODY") or arguments,
        variable("CONTENT_TYPE") or texts.PLAIN,
        variable("FROM_DISPLAYNAME"),
        variable("TO_DISPLAYNAME"),
    )
    if text.size > texts.MAX_BYTES:
        raise ApplicationError(f"SendText: a text of {text.size} bytes is over the limit of {texts.MAX_BYTES}")
    if not texts.can_carry(channel):
        status = "UNSUPPORTED"
    else:
        status = "SUCCESS" if texts.send(channel, text) else "FAILURE"
    channel.set_variable(SENT_HOW, "ENHANCED" if status == "SUCCESS" else "NONE")
    channel.set_variable(SENT, status)


async def receive_text(channel: Channel, timeout: float | None) -> str | None:
    """The next text of the far end; None after `timeout` seconds without one."""
    came: asyncio.Future[str] = channel.registry.loop.create_future()

    def listen(signal: signals.Signal) -> None:
        if isinstance(signal, signals.TextReceived) and not came.done():
            came.set_result(signal.text.body)

    channel.listeners.append(listen)
    try:
        return await channel.until(came, timeout)
    except TimeoutError:
        return None
    finally:
        if listen in channel.listeners:
            channel.listeners.remove(listen)


async def _receive_text(channel: Channel, arguments: str, run: Run) -> None:
    timeout = seconds(arguments) if arguments.strip() else 0.0
    if timeout is None or timeout < 0:
        raise ApplicationError(f"ReceiveText: {arguments[:40]!r} is no number of seconds")
    try:
        body = await receive_text(channel, timeout or None)
    except HungUp:
        channel.set_variable(RECEIVED, "FAILURE")
        raise
    if body is not None:
        channel.set_variable(RECEIVED_TEXT, body)
    channel.set_variable(RECEIVED, "FAILURE" if body is None else "SUCCESS")


async def _message_send(channel: Channel, arguments: str, run: Run) -> None:
    """``MessageSend(destination[,from[,to]])``."""
    parts = [*split_arguments(arguments), "", "", ""]
    outgoing = text_of(channel)
    destination, sender, addressed = (parts[0], parts[1] or outgoing.parts["from"], parts[2])
    technology, colon, rest = destination.partition(":")
    if not colon or technology.lower() not in PREFIXES:
        channel.set_variable(MESSAGE_STATUS, "INVALID_PROTOCOL")
        return
    to = rest if technology.lower() == "pjsip" else destination
    status = "SUCCESS"
    try:
        run.plan.messages.send_message(to, sender, outgoing.parts["body"], outgoing.data, addressed=addressed)
    except AriettaError as failure:
        log.warning("%s: MessageSend: %s", channel.name, failure)
        status = "INVALID_URI" if isinstance(failure, NotFound) else "FAILURE"
    channel.set_variable(MESSAGE_STATUS, status)


async def _send_url(channel: Channel, arguments: str, run: Run) -> None:
    channel.set_variable("SENDURLSTATUS", "UNSUPPORTED")


async def _send_image(channel: Channel, arguments: str, run: Run) -> None:
    channel.set_variable("SENDIMAGESTATUS", "UNSUPPORTED")


APPLICATIONS = (
    Application(
        "MessageSend",
        "MessageSend(pjsip:endpoint[/uri][,from[,to]])",
        "Sends the text in MESSAGE(body), outside of the call; MESSAGE_SEND_STATUS is SUCCESS, which is no more than "
        "that it was sent, INVALID_PROTOCOL, INVALID_URI or FAILURE.",
        _message_send,
    ),
    Application(
        "ReceiveText",
        "ReceiveText([seconds])",
        "Waits for a text that the far end sends inside of the call, which is RECEIVETEXTMESSAGE then; "
        "RECEIVETEXTSTATUS is SUCCESS or FAILURE.",
        _receive_text,
    ),
    Application(
        "SendImage",
        "SendImage(file)",
        "Sets SENDIMAGESTATUS to UNSUPPORTED: no channel here shows images.",
        _send_image,
        lacks="no channel shows one",
    ),
    Application(
        "SendText",
        "SendText([text])",
        "Sends a text inside of the call; SENDTEXTSTATUS is SUCCESS, FAILURE or UNSUPPORTED, SENDTEXTTYPE ENHANCED or "
        "NONE. SENDTEXT_BODY is sent instead, SENDTEXT_CONTENT_TYPE is its kind, SENDTEXT_FROM_DISPLAYNAME and "
        "SENDTEXT_TO_DISPLAYNAME are the names that are shown.",
        _send_text,
    ),
    Application(
        "SendURL",
        "SendURL(url[,options])",
        "Sets SENDURLSTATUS to UNSUPPORTED: no channel here shows pages.",
        _send_url,
        lacks="no channel opens one",
    ),
)
