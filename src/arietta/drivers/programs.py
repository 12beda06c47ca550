"""What channels to programs (UnicastRTP, AudioSocket, WebSocket) have in common: how they are asked for, and made."""

from __future__ import annotations

from arietta.channels.accounts import account_codes
from arietta.channels.channel import Channel
from arietta.channels.driver import CannotRequest, DialRequest
from arietta.channels.registry import ChannelRegistry
from arietta.channels.snooping import PortLeg


def new_channel(registry: ChannelRegistry, leg: PortLeg, wanted: DialRequest, channel_id: str, name: str) -> Channel:
    """The channel of a leg whose far end is a program, as it was asked for."""
    originator = wanted.originator
    accountcode, peeraccount = account_codes(wanted)
    channel = Channel(
        registry,
        leg,
        channel_id=channel_id,
        name=name,
        caller=wanted.caller,
        connected=wanted.connected,
        language=wanted.language or (originator.language if originator else registry.default_language),
        accountcode=accountcode,
        peeraccount=peeraccount,
        linked_to=originator,
    )
    leg.channel = channel
    channel.variables.update(wanted.variables)
    if wanted.on_channel is not None:
        wanted.on_channel(channel)
    registry.add(channel)
    return channel


def read_options(text: str, known: str, what: str) -> dict[str, str]:
    """Dialstring options such as ``c(ulaw)nf(json)``, by letter; CannotRequest names one that is not known."""
    options: dict[str, str] = {}
    position = 0
    while position < len(text):
        letter = text[position]
        position += 1
        if letter not in known:
            raise CannotRequest(f"{what}: option {letter!r} is not supported; {', '.join(known)} are")
        options[letter] = ""
        if text[position : position + 1] == "(":
            closing = text.find(")", position)
            if closing < 0:
                raise CannotRequest(f"{what}: option {letter}( is not closed")
            options[letter] = text[position + 1 : closing]
            position = closing + 1
    return options
