"""One Dial from the answer on: what is said before they talk, the talk, and who goes where afterwards."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from arietta.channels.channel import Channel, Moved
from arietta.channels.driver import Party
from arietta.dialplan.applications.dial.limit import RunningLimit
from arietta.dialplan.errands import Errands
from arietta.dialplan.features.talk import FeaturesOfTalk, Side
from arietta.dialplan.run import Run
from arietta.dialplan.sending import send_written
from arietta.model import causes

if TYPE_CHECKING:
    from arietta.channels.dialing import Attempt
    from arietta.dialplan.applications.dial.dialling import Dialling
    from arietta.dialplan.interpreter import Interpreter

log = logging.getLogger(__name__)

RESULT = "GOSUB_RESULT"
"""What a subroutine with who answered says is to become of the call."""


class Talk:
    """The caller, and who answered."""

    def __init__(self, dialling: Dialling, winner: Attempt) -> None:
        self.dialling = dialling
        self.options = dialling.options
        self.run = dialling.run
        self.caller, self.peer = dialling.channel, winner.peer
        self.line = dialling.lines[winner.peer.id]
        dialling.times.answered()
        self._behind = (self.caller.context, self.caller.exten, self.caller.priority + 1)

    async def begin(self) -> None:
        """In the owner of the caller: all of it; raises HungUp where the call ends with the talk."""
        self._tell_caller()
        if not await self._prepare():
            return
        self.caller.answer()
        if self.dialling.both_place is not None:
            self._send_both(*self.dialling.both_place)
            return
        try:
            if not self.peer.hangup_requested:
                await self._connect()
        finally:
            self._end()
        if self.options.goes_on and not self.caller.hangup_requested:
            return
        if not self.caller.hangup_cause:
            self.caller.hangup_cause = self.peer.hangup_cause or causes.NORMAL_CLEARING
        raise self.run.hangup()

    def _tell_caller(self) -> None:
        caller, peer = self.caller, self.peer
        peer.hangup_cause = causes.NORMAL_CLEARING
        if self.dialling.tells_who(peer):
            caller.set_connected(Party(peer.caller.name, peer.caller.number, peer.caller.presentation))
        caller.set_variable("DIALSTATUS", "ANSWER")
        caller.set_variable("DIALEDPEERNAME", peer.name)
        caller.set_variable("DIALEDPEERNUMBER", self.line.destination)

    # ------------------------------------------------------------------------------------------ before they talk

    async def _prepare(self) -> bool:
        """Announce and ask; False if the two do not talk. A caller that leaves meanwhile ends who answered."""
        if self.options.answers_at_once:
            self.caller.answer()
        try:
            if self.options.announcement or self.options.caller_announcement:
                await self._announce()
            return not self.options.after_answer or await self._ask_subroutine()
        except BaseException:
            self.peer.request_hangup()
            raise

    async def _announce(self) -> None:
        """Let each hear its sound; a hangup of who answered ends both."""
        sounds = ((self.peer, self.options.announcement), (self.caller, self.options.caller_announcement))
        playing = [Announcement(self.run.plan, channel, name, self.peer) for channel, name in sounds if name]
        try:
            for one in playing:
                await self.caller.until(one.ended)
        finally:
            for one in playing:
                one.stop()

    async def _ask_subroutine(self) -> bool:
        """Run the subroutine with who answered; False if the two do not talk."""
        peer_run = Run(self.run.plan, self.peer)
        place = self.options.after_answer
        done = await self.caller.until(self.line.errands.ask(lambda: peer_run.gosub(place)))
        result = self.peer.get_variable(RESULT) or "" if done else ""
        word, _, place = result.partition(":")
        if word in ("", "NO"):
            return True
        self.line.release(causes.NORMAL_CLEARING)
        match word:
            case "ABORT":
                raise self.run.hangup()
            case "BUSY" | "CONGESTION":
                self.caller.set_variable("DIALSTATUS", word)
            case "CONTINUE":
                pass
            case "GOTO":
                self.run.goto_text(place.replace("^", ","))
            case _:
                log.warning(
                    "%s: Dial: %s is %r, which means nothing: they do not talk", self.caller.name, RESULT, result
                )
        return False

    def _send_both(self, context: str, exten: str, priority: int) -> None:
        send_on(self.peer, context, exten, priority + 1)
        self.run.goto(context, exten, priority)

    # ------------------------------------------------------------------------------------------------- the talk

    async def _connect(self) -> None:
        """Let them talk until one of them leaves, or the time is over."""
        caller, peer, plan = self.caller, self.peer, self.run.plan
        left: asyncio.Future[None] = caller.registry.loop.create_future()

        def leave(_who: Channel | None = None) -> None:
            if not left.done():
                left.set_result(None)

        errands = Errands(caller)
        end_bridge = plan.bridges.connect(caller, peer, leave, names=not self.options.ignores_parties)
        features = FeaturesOfTalk(
            plan, Side(errands, self.options.caller_may), Side(self.line.errands, self.options.called_may)
        )
        features.start()
        limit = RunningLimit(self.options.limit, caller, peer, plan, leave) if self.options.limit is not None else None
        for channel, digits in ((peer, self.options.digits[0]), (caller, self.options.digits[1])):
            if digits:
                send_written(channel, digits)
        try:
            await errands.until(left)
        finally:
            if limit is not None:
                limit.stop()
            features.stop()
            end_bridge()

    def _end(self) -> None:
        caller, peer = self.caller, self.peer
        if self.options.peer_goes_on and caller.hangup_requested and not peer.hangup_requested:
            send_on(peer, *(self.dialling.peer_place or self._behind))
        self.line.release(causes.NORMAL_CLEARING)
        if caller.hangup_requested and not caller.hangup_cause:
            caller.hangup_cause = causes.NORMAL_CLEARING  # its BYE said no reason
        self.dialling.times.ended()
        caller.set_variable("DIALSTATUS", "ANSWER")


class Announcement:
    """A sound for one of the two before they talk."""

    def __init__(self, plan: Interpreter, channel: Channel, name: str, peer: Channel) -> None:
        self.ended: asyncio.Future[None] = channel.registry.loop.create_future()
        self._peer = peer
        self._stop = plan.media.play(channel, f"sound:{name}", self._end)
        peer.on_end.append(self._gone)

    def stop(self) -> None:
        """Nobody waits for it any more."""
        if self._gone in self._peer.on_end:
            self._peer.on_end.remove(self._gone)
        if not self.ended.done():
            self._stop()

    def _end(self, failure: str | None) -> None:
        if failure is not None:
            log.warning("%s: Dial: %s", self._peer.name, failure)
        if not self.ended.done():
            self.ended.set_result(None)

    def _gone(self, _peer: Channel) -> None:
        self._end(None)


def send_on(peer: Channel, context: str, exten: str, priority: int) -> None:
    """Let who was called go on by itself at a place in the dialplan."""
    peer.resting_app = ("", "")
    peer.set_place(context, exten, priority)
    peer.interrupt(Moved())
