"""One conversation of a program with a channel, from the variables at its beginning to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from arietta import verbose as console
from arietta.channels import signals
from arietta.channels.channel import HungUp
from arietta.dialplan.agi import protocol
from arietta.dialplan.errors import DialplanError
from arietta.media.engine import MediaError

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)

DEAD_SECONDS = 300.0
"""How long a program may go on after its call has ended."""


class Conversation(Protocol):
    """How a program is talked to."""

    async def read(self) -> str | None:
        """The next line without its end; None if there is no next one. Cancelled, it loses nothing."""
        ...

    async def write(self, text: str) -> None:
        """Send whole lines; returns when the program may be sent more."""
        ...

    def hung_up(self) -> None:
        """Tell that the call has ended."""
        ...


class Silent(Exception):
    """A wait of a command ended because the call did."""


class Session:
    """One conversation."""

    def __init__(self, run: Run, conversation: Conversation, *, exits_on_hangup: bool = False) -> None:
        self.run = run
        self.channel: Channel = run.channel
        self.dead = run.hung_up
        """Whether the call has ended."""
        self.over = False
        """Set by the command that ends the conversation."""
        self._conversation = conversation
        self._exits_on_hangup = exits_on_hangup

    async def serve(self, variables: Sequence[tuple[str, str]]) -> None:
        """Talk until the program ends; HungUp at its end if the call ended meanwhile, Moved as soon as it happens."""
        began_dead = self.dead
        await self._conversation.write(protocol.environment(variables))
        try:
            async with asyncio.timeout(DEAD_SECONDS if began_dead else None) as self._limit:
                while not self.over:
                    line = await self._next_line()
                    if line is None:
                        break
                    await self._conversation.write(await self.answer(line))
        except TimeoutError:
            log.warning("%s: the AGI program goes on after the call and is left", self.channel.name)
        if self.dead and not began_dead:
            raise HungUp

    async def _next_line(self) -> str | None:
        if not self.dead:
            try:
                return await self.channel.until(asyncio.ensure_future(self._conversation.read()))
            except HungUp:
                self.die()
        return None if self._exits_on_hangup and not self.run.hung_up else await self._conversation.read()

    def die(self) -> None:
        """Learn that the call has ended, and tell the program."""
        if not self.dead:
            self.dead = True
            self._limit.reschedule(self.channel.registry.loop.time() + DEAD_SECONDS)
            self._conversation.hung_up()

    async def answer(self, line: str) -> str:
        """Carry out one command; what the program is answered."""
        from arietta.dialplan.agi.commands import find

        try:
            words = protocol.words_of(line)
            command, arguments = find(words)
        except (protocol.BadLine, KeyError):
            return protocol.UNKNOWN
        if self.dead and not command.when_dead:
            return protocol.DEAD
        if not command.least <= len(arguments) <= command.most:
            return protocol.usage(command.syntax, command.summary)
        console.verbose(4, f"<{self.channel.name}>AGI Rx << {line}")
        try:
            reply = await command.carry_out(self, arguments)
        except ValueError:
            return protocol.usage(command.syntax, command.summary)
        except DialplanError as failure:
            log.warning("%s: AGI: %s: %s", self.channel.name, line, failure)
            return protocol.result(-1)
        except HungUp:
            self.die()
            return protocol.result(-1)
        console.verbose(4, f"<{self.channel.name}>AGI Tx >> {reply.rstrip()}")
        return reply

    # -------------------------------------------------------------------------------------- what commands share

    async def hear(self, names: Sequence[str], escapes: str, offset_ms: int = 0) -> tuple[str, int] | None:
        """Play sounds by their names, to the end or to one of the digits; that digit or "", and the position in ms.

        None if they cannot be played.
        """
        channel = self.channel
        ended: asyncio.Future[str | None] = channel.registry.loop.create_future()
        pressed: list[str] = []

        def end(failure: str | None) -> None:
            if not ended.done():
                ended.set_result(failure)

        def listen(signal: signals.Signal) -> None:
            if isinstance(signal, signals.DigitEnded) and signal.digit in escapes and not ended.done():
                pressed.append(signal.digit)
                ended.set_result(None)

        try:
            player = self.run.plan.media.player(channel, names, end, offset_ms)
        except MediaError as failure:
            log.warning("%s: AGI: %s", channel.name, failure)
            return None
        channel.listeners.append(listen)
        try:
            failed = await channel.until(ended)
        finally:
            if listen in channel.listeners:
                channel.listeners.remove(listen)
            position_ms = player.position_ms
            player.stop()
        if failed is not None:
            log.warning("%s: AGI: %s", channel.name, failed)
            return None
        return "".join(pressed), position_ms
