"""One Dial up to the answer: the attempts, and the future its owner waits for."""

from __future__ import annotations

import asyncio
import logging

from arietta.channels.callerid import parse_caller_id
from arietta.channels.channel import Channel, Story
from arietta.channels.dialing import Attempt
from arietta.channels.driver import CannotRequest, DialRequest, Party
from arietta.dialplan.applications.dial.line import SHOWN, Line
from arietta.dialplan.applications.dial.options import DialOptions
from arietta.dialplan.applications.dial.ringback import Ringback
from arietta.dialplan.applications.dial.times import Times
from arietta.dialplan.features.offered import inherit
from arietta.dialplan.run import Run
from arietta.dialplan.sending import send_written
from arietta.model import causes

log = logging.getLogger(__name__)

GROUP, GROUP_ONCE = "OUTBOUND_GROUP", "OUTBOUND_GROUP_ONCE"
"""Variables with a GROUP() for the called channels; the second one is for one Dial."""


class Dialling:
    """One Dial while nobody has answered, and what is left of it afterwards."""

    def __init__(self, channel: Channel, options: DialOptions, run: Run) -> None:
        self.channel = channel
        self.run = run
        self.options = options
        self.attempts: list[Attempt] = []
        self.lines: dict[str, Line] = {}
        """By the ids of the called channels."""
        self.statuses: list[str] = []
        self.cause = 0
        own = Party("", channel.dialed_number or channel.exten)
        self.dialled = _party(options.dialled, own, channel.caller)
        """Whom the caller wants, as the called see it."""
        self.forwarding = _party(options.forwarding, channel.caller, own)
        """Who a forwarded call is shown to be from."""
        self.peer_place = run.place_of(options.peer_to) if options.peer_to else None
        self.both_place = run.place_of(options.both_to) if options.both_to else None
        self.times = Times(channel)
        self.ringback = Ringback(channel, options, run.plan)
        self.decided: asyncio.Future[Attempt | None] = channel.registry.loop.create_future()
        self.timed_out = False
        self.left = False
        """Whether the caller pressed keys to leave."""
        self._timer: asyncio.TimerHandle | None = None

    # ------------------------------------------------------------------------------------------ who is called

    def request(self, destinations: list[str]) -> None:
        """Make the channels towards each ``TECH/resource``."""
        group = self.channel.get_variable(GROUP_ONCE) or self.channel.get_variable(GROUP) or ""
        for destination in destinations:
            self._request(destination, group)
        if self.channel.get_variable(GROUP_ONCE):
            self.channel.unset_variable(GROUP_ONCE)

    def _request(self, destination: str, group: str) -> None:
        """Make one channel, and its attempt."""
        channel = self.channel
        technology, slash, resource = destination.partition("/")
        driver = channel.registry.driver(technology)
        if not slash or driver is None:
            log.warning("%s: Dial: there is no technology for %r", channel.name, destination)
            self.cause = self.cause or causes.REQUESTED_CHANNEL_UNAVAILABLE
            return
        wanted = DialRequest(
            resource=resource,
            originator=channel,
            language=channel.language,
            variables=channel.inherited_variables(),
        )
        try:
            peer = driver.request(wanted)
        except CannotRequest as failure:
            log.warning("%s: Dial: %s cannot be called: %s", channel.name, destination, failure)
            self.cause = failure.cause
            return
        if group:
            self.run.plan.assign(peer, "GROUP()", group)
        self._prepare(peer, resource, self.options.shown(channel.caller), self.options.before_call)
        self.attempts.append(
            Attempt(
                peer,
                dialstring=resource,
                caller=channel,
                on_change=self._changed,
                on_answer=_leave_place,
                on_forward=None if self.options.ignores_forwarding else self._forwarded,
                on_taken=self._taken,
            )
        )

    def _prepare(self, peer: Channel, resource: str, shown: Party, before: str = "") -> None:
        """Give a new channel its owner, its place and the parties of the call."""
        channel = self.channel
        line = self.lines[peer.id] = Line(peer, resource)
        inherit(channel, peer)
        if self.options.runs_h:
            line.runs_h_in = channel.context
        peer.own(line.live(Run(self.run.plan, peer), before))
        peer.set_variable("DIALEDPEERNUMBER", resource)
        peer.set_place(peer.context, channel.exten, channel.priority)
        peer.resting_app = SHOWN
        with peer.new_parties(caller=self.dialled, connected=shown):
            peer.set_app(*SHOWN)

    # ------------------------------------------------------------------------------------------------ the wait

    async def start(self, timeout: float | None) -> None:
        """Call everybody, once they are prepared; who ended before is not called."""
        try:
            prepared = await self._who_is_prepared()
        except BaseException:
            for attempt in self.attempts:
                attempt.stop()
                attempt.peer.request_hangup()
            raise
        for attempt in tuple(self.attempts):
            if prepared.get(attempt.peer.id, True) and not attempt.peer.ended:
                attempt.start()
            else:
                attempt.stop()
        if self.attempts and all(attempt.over for attempt in self.attempts):
            self.decide(None)
        if timeout is not None:
            self._timer = self.channel.registry.loop.call_later(timeout, self._time_is_up)

    async def _who_is_prepared(self) -> dict[str, bool]:
        if not self.options.before_call:
            return {}
        return {peer: await self.channel.until(line.prepared) for peer, line in self.lines.items()}

    def decide(self, winner: Attempt | None) -> None:
        """The wait is over."""
        if not self.decided.done():
            self.decided.set_result(winner)

    def leave(self) -> None:
        """The caller waits no longer."""
        if not self.decided.done():
            self.left = True
            self.decide(None)

    def _time_is_up(self) -> None:
        if not self.decided.done():
            self.timed_out = True
            self.cause = causes.NO_ANSWER
            self.decide(None)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def forget(self) -> None:
        """It is over: the attempts tell it nothing more, so that no cycle is left to the garbage collector."""
        self._stop_timer()
        for attempt in self.attempts:
            attempt.forget()

    # -------------------------------------------------------------------------------------- what attempts tell

    def _forwarded(self, attempt: Attempt) -> None:
        """The far end asked for another place: its old channel ends, the new one takes part."""
        if self.options.forward_forgets_timeout:
            self._stop_timer()
        self._prepare(attempt.peer, attempt.peer.exten, self.options.shown(self.forwarding))
        known = {one.peer.id for one in self.attempts}
        for channel_id, line in self.lines.items():
            if channel_id not in known and not line.is_released:
                self.channel.set_variable("FORWARDERNAME", line.peer.name)
                line.release(line.peer.hangup_cause)

    def _taken(self, attempt: Attempt, former: Channel) -> Story:
        """Another channel answers in place of the one that was called: it lives until it is released, like that one."""
        peer, line = attempt.peer, self.lines[former.id]
        taken = self.lines[peer.id] = Line(peer, line.destination)
        line.release(causes.ANSWERED_ELSEWHERE)
        run = Run(self.run.plan, peer)
        return lambda: taken.live(run)

    def _changed(self, attempt: Attempt) -> None:
        """A new status of an attempt: the first answer, or the last failure, decides."""
        if self.decided.done():
            return
        if attempt.answered:
            self.decide(attempt)
            return
        if attempt.over:
            self.statuses.append(attempt.status)
            self.cause = attempt.peer.hangup_cause or self.cause
            if all(other.over for other in self.attempts):
                self.decide(None)
            return
        if len(self.attempts) == 1 and self.tells_who(attempt.peer):
            self.channel.set_connected(attempt.peer.caller)
        self._show(attempt)

    def _show(self, attempt: Attempt) -> None:
        """Let the caller see how far the call is."""
        self.times.reached(attempt.status)
        if attempt.status == "RINGING":
            self.ringback.ringing()
        elif attempt.status == "PROGRESS":
            if self.options.digits[2]:
                send_written(attempt.peer, self.options.digits[2])
            self.ringback.progressed(attempt.peer, alone=len(self.attempts) == 1)

    def tells_who(self, peer: Channel) -> bool:
        """Whether the caller learns whom it is connected to: a Local channel says nothing of itself, as in Asterisk."""
        return peer.technology != "Local" and not self.options.ignores_parties

    # ------------------------------------------------------------------------------------------------- the end

    @property
    def status(self) -> str:
        """DIALSTATUS of a Dial that nobody answered."""
        if self.left or self.timed_out:
            return "CANCEL" if self.left else "NOANSWER"
        for status in ("BUSY", "CONGESTION"):
            if status in self.statuses:
                return status
        return "NOANSWER" if self.attempts else "CHANUNAVAIL"

    def give_up(self, status: str, cause: int, winner: Attempt | None = None) -> None:
        """End every attempt but the winner."""
        for attempt in self.attempts:
            if attempt is not winner:
                attempt.stop(status)
                self.lines[attempt.peer.id].release(cause)


def _party(text: str | None, without: Party, empty: Party) -> Party:
    """Who an option says: it may be missing, or be without a value."""
    if text is None:
        return without
    return parse_caller_id(text) if text else empty


def _leave_place(peer: Channel) -> None:
    """Who has answered is nowhere in the dialplan any more."""
    peer.set_place(peer.context, "", 1)
    peer.set_app(*SHOWN)
