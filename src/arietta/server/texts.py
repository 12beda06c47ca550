"""Runs the dialplan for texts that come in outside of calls: one after the other, on a channel that ARI does not show.

Asterisk does so on one channel that it keeps for ever; here each text has its own, of that name, which ends with it.
"""

from __future__ import annotations

import logging
from collections import deque

from arietta.channels.channel import Channel, State
from arietta.channels.registry import ChannelRegistry
from arietta.channels.snooping import PortLeg
from arietta.channels.texts import IncomingText
from arietta.dialplan.functions.messages import text_of
from arietta.dialplan.interpreter import Interpreter

log = logging.getLogger(__name__)

NAME = "Message/ast_msg_queue"
MAX_WAITING = 1000
RUNS_AT_MOST_S = 30.0
"""How long the dialplan has for one text: the others wait for it."""


class TextQueue:
    """The texts that wait for the dialplan."""

    def __init__(self, channels: ChannelRegistry, dialplan: Interpreter) -> None:
        self._channels, self._dialplan = channels, dialplan
        self._waiting: deque[IncomingText] = deque()
        self._running = False

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, text: IncomingText) -> None:
        """Run the extension of a text once those before it are done; beyond the limit it is dropped with a warning."""
        if len(self._waiting) >= MAX_WAITING:
            log.warning("a text from %s is dropped: %d wait for the dialplan", text.sender, MAX_WAITING)
            return
        self._waiting.append(text)
        self._next()

    def _next(self) -> None:
        if self._running or not self._waiting:
            return
        self._running = True
        self._run(self._waiting.popleft())

    def _run(self, text: IncomingText) -> None:
        leg = PortLeg()
        channel = leg.channel = Channel(
            self._channels,
            leg,
            channel_id=self._channels.new_id(),
            name=NAME,
            state=State.UP,
            context=text.context,
            exten=text.exten,
            caller=text.caller,
            language=self._channels.default_language,
            internal=True,
        )
        draft = text_of(channel)
        draft.parts.update(body=text.body, to=text.to)
        draft.parts["from"] = text.sender
        draft.data.update(text.data)
        limit = self._channels.loop.call_later(RUNS_AT_MOST_S, self._run_too_long, channel)

        def ended(_channel: Channel) -> None:
            limit.cancel()
            self._running = False
            self._channels.loop.call_soon(self._next)

        channel.on_end.append(ended)
        self._channels.add(channel)
        channel.own(self._dialplan.run(channel))

    def _run_too_long(self, channel: Channel) -> None:
        log.warning(
            "the dialplan of a text from %s is ended after %g s at %s@%s:%d",
            *(channel.caller.number, RUNS_AT_MOST_S, channel.exten, channel.context, channel.priority),
        )
        channel.request_hangup()
