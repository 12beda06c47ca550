"""Dial: calls one or several destinations and connects the first that answers.

Not done: options that would run other parts of the dialplan once somebody has answered.
"""

from __future__ import annotations

import asyncio
import logging

from arietta.channels.channel import Channel, Moved, Story
from arietta.channels.dialing import Attempt
from arietta.channels.driver import CannotRequest, DialRequest, Indication, Party
from arietta.dialplan.applications import Application
from arietta.dialplan.arguments import find_outside, seconds, split_arguments, whole_number
from arietta.dialplan.errors import ApplicationError, DialplanError
from arietta.dialplan.functions.endings import CAUSES, note_cause
from arietta.dialplan.run import Run
from arietta.media.engine import DigitOut
from arietta.model import causes

log = logging.getLogger(__name__)

MAX_DESTINATIONS = 50
LINE = ("AppDial", "(Outgoing Line)")
"""What a dialled channel shows as its application."""
WITHOUT_EFFECT = frozenset("tTkKwWxXhHiIce")
"""Options that are taken and change nothing."""


class _BadArguments(ValueError):
    """Why Dial cannot do what it was told; DIALSTATUS is INVALIDARGS then."""


class Options:
    """The options of one Dial."""

    __slots__ = (
        "before_call",
        "before_dialling",
        "both_place",
        "both_to",
        "digits",
        "go_on",
        "limit_seconds",
        "music",
        "peer_goes_on",
        "peer_place",
        "peer_to",
        "ring",
    )

    def __init__(self, text: str) -> None:
        self.ring = False
        self.music: str | None = None
        self.go_on = False
        self.limit_seconds: float | None = None
        self.digits = ""
        self.both_to = self.peer_to = ""
        self.both_place: tuple[str, str, int] | None = None
        self.peer_place: tuple[str, str, int] | None = None
        self.peer_goes_on = False
        self.before_call = ""
        """The subroutine that each called channel runs before its call goes out,"""
        self.before_dialling = ""
        """and that of the caller before there are any."""
        position = 0
        while position < len(text):
            letter = text[position]
            position += 1
            argument = ""
            if text[position : position + 1] == "(":
                closing = find_outside(text, ")", position + 1)
                if closing < 0:
                    raise _BadArguments(f"option {letter}( is not closed")
                argument = text[position + 1 : closing]
                position = closing + 1
            self._take(letter, argument)

    def find_places(self, run: Run) -> None:
        """Look the places up before anybody is called; ApplicationError for one that there cannot be."""
        self.both_place = run.place_of(self.both_to) if self.both_to else None
        self.peer_place = run.place_of(self.peer_to) if self.peer_to else None

    def _take(self, letter: str, argument: str) -> None:
        match letter:
            case "r":
                self.ring = True
            case "m":
                self.music = argument
            case "g":
                self.go_on = True
            case "L":
                self.limit_seconds = whole_number(argument.partition(":")[0]) / 1000 or None
            case "S":
                self.limit_seconds = seconds(argument or "0") or None
            case "b" if argument:
                self.before_call = argument.replace("^", ",")
            case "B" if argument:
                self.before_dialling = argument.replace("^", ",")
            case "D":
                self.digits = argument.partition(":")[0]
            case "F":
                self.peer_goes_on, self.peer_to = True, argument.replace("^", ",")
            case "G" if argument:
                self.both_to = argument.replace("^", ",")
            case _ if letter in WITHOUT_EFFECT:
                pass
            case _:
                raise _BadArguments(f"option {letter} is not supported")


class Dialling:
    """One Dial while it lasts: the attempts, and the future its owner waits for."""

    def __init__(self, channel: Channel, options: Options, run: Run) -> None:
        self.channel = channel
        self.run = run
        self.preparing: dict[str, asyncio.Future[bool]] = {}
        """What tells whether a channel could run its subroutine before the call, by its id."""
        self.options = options
        self.attempts: list[Attempt] = []
        self.released: dict[str, asyncio.Future[None]] = {}
        self.destinations: dict[str, str] = {}
        self.statuses: list[str] = []
        self.cause = 0
        self.dialled = Party("", channel.dialed_number or channel.exten)
        self.early: Channel | None = None
        """Whose early media the caller hears."""
        self._rings = False
        self.decided: asyncio.Future[Attempt | None] = channel.registry.loop.create_future()

    def request(self, destination: str) -> None:
        """Make the channel towards ``TECH/resource`` and its attempt."""
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
        self.prepare(peer, resource, self.options.before_call)
        self.attempts.append(
            Attempt(
                peer,
                dialstring=resource,
                caller=channel,
                on_change=self.changed,
                on_answer=_leave_place,
                on_forward=self.forwarded,
                on_taken=self.taken,
            )
        )

    def prepare(self, peer: Channel, resource: str, before: str = "") -> None:
        """Give a new channel its owner, its place and the parties of the call."""
        channel = self.channel
        released: asyncio.Future[None] = channel.registry.loop.create_future()
        self.released[peer.id] = released
        self.destinations[peer.id] = resource
        if before:
            ready = self.preparing[peer.id] = channel.registry.loop.create_future()
            peer.own(_prepared_line(peer, released, Run(self.run.plan, peer), before, ready))
        else:
            peer.own(_line(peer, released))
        peer.set_variable("DIALEDPEERNUMBER", resource)
        peer.set_place(peer.context, channel.exten, channel.priority)
        peer.resting_app = LINE
        with peer.new_parties(caller=self.dialled, connected=channel.caller):
            peer.set_app(*LINE)

    async def start(self) -> None:
        """Call everybody, once they are prepared; who ended before is not called."""
        try:
            prepared = {peer: await self.channel.until(ready) for peer, ready in self.preparing.items()}
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
        if self.attempts and all(attempt.over for attempt in self.attempts) and not self.decided.done():
            self.decided.set_result(None)

    def forwarded(self, attempt: Attempt) -> None:
        """The far end asked for another place: its old channel ends, the new one takes part."""
        self.prepare(attempt.peer, attempt.peer.exten)
        known = {one.peer.id for one in self.attempts}
        for channel_id, released in self.released.items():
            if channel_id not in known and not released.done():
                released.set_result(None)

    def taken(self, attempt: Attempt, former: Channel) -> Story:
        """Another channel answers in place of the one that was called: it lives until it is released, like that one."""
        peer = attempt.peer
        released: asyncio.Future[None] = peer.registry.loop.create_future()
        self.released[peer.id] = released
        self.destinations[peer.id] = self.destinations[former.id]
        self.release(former, causes.ANSWERED_ELSEWHERE)
        return lambda: _line(peer, released)

    def changed(self, attempt: Attempt) -> None:
        """A new status of an attempt: the first answer, or the last failure, decides."""
        channel, options = self.channel, self.options
        if self.decided.done():
            return
        if attempt.answered:
            self.decided.set_result(attempt)
        elif attempt.over:
            self.statuses.append(attempt.status)
            self.cause = attempt.peer.hangup_cause or self.cause
            if all(other.over for other in self.attempts):
                self.decided.set_result(None)
            return
        if len(self.attempts) == 1 and not attempt.over and _tells_who(attempt.peer):
            channel.set_connected(attempt.peer.caller)
        if options.music is not None or self.early is not None:
            return
        if attempt.status == "RINGING":
            self.ring()
        elif attempt.status == "PROGRESS" and not options.ring:
            channel.indicate(Indication.PROGRESS)
            if len(self.attempts) == 1:
                self._hear_early(attempt.peer)

    def ring(self) -> None:
        """Let the caller know, or hear, that it rings."""
        self._rings = True
        self.channel.indicate(Indication.RINGING)

    def _hear_early(self, peer: Channel) -> None:
        """Let the caller hear what the only destination says before it answers."""
        if self.channel.port is not None and peer.port is not None:
            self.early = peer
            self.channel.stop_tone()
            self.channel.port.link(peer.port)

    def end_early(self) -> None:
        """Let the caller hear no ringing and no early media any more."""
        if self._rings:
            self.channel.indicate(Indication.STOP_RINGING)
        early, self.early = self.early, None
        for one in (self.channel, early) if early is not None else ():
            if one.port is not None:
                one.port.link(None)

    def forget(self) -> None:
        """It is over: the attempts tell it nothing more, so that no cycle is left to the garbage collector."""
        for attempt in self.attempts:
            attempt.forget()

    def status(self) -> str:
        """DIALSTATUS of a Dial that nobody answered."""
        for status in ("BUSY", "CONGESTION"):
            if status in self.statuses:
                return status
        return "NOANSWER" if self.attempts else "CHANUNAVAIL"

    def release(self, peer: Channel, cause: int) -> None:
        """Let a dialled channel end."""
        released = self.released.get(peer.id)
        if released is not None and not released.done():
            if not peer.hangup_requested:
                peer.hangup_cause = cause
            released.set_result(None)

    def give_up(self, status: str, cause: int, winner: Attempt | None = None) -> None:
        """End every attempt but the winner."""
        for attempt in self.attempts:
            if attempt is not winner:
                attempt.stop(status)
                self.release(attempt.peer, cause)


def _tells_who(peer: Channel) -> bool:
    """Whether the caller learns whom it is connected to: a Local channel says nothing of itself, as in Asterisk."""
    return peer.technology != "Local"


def _leave_place(peer: Channel) -> None:
    """Who has answered is nowhere in the dialplan any more."""
    peer.set_place(peer.context, "", 1)
    peer.set_app(*LINE)


def _send_on(peer: Channel, context: str, exten: str, priority: int) -> None:
    """Let who was called go on by itself at a place in the dialplan."""
    peer.resting_app = ("", "")
    peer.set_place(context, exten, priority)
    peer.interrupt(Moved())


async def _line(peer: Channel, released: asyncio.Future[None]) -> None:
    """The story of a dialled channel: it lives until it is released, or goes where somebody sends it."""
    await peer.until(released)


async def _prepared_line(
    peer: Channel, released: asyncio.Future[None], run: Run, place: str, ready: asyncio.Future[bool]
) -> None:
    """The same, after a subroutine; what goes wrong in that ends the channel."""
    prepared = False
    try:
        await run.gosub(place)
        prepared = True
    except DialplanError as failure:
        log.error("%s: Dial: subroutine %s: %s", peer.name, place, failure)
    finally:
        if not ready.done():
            ready.set_result(prepared)
    if prepared:
        peer.set_app(*LINE)
        await peer.until(released)


async def _dial(channel: Channel, arguments: str, run: Run) -> None:
    parts = split_arguments(arguments)
    for name in ("DIALSTATUS", "DIALEDPEERNUMBER", "DIALEDPEERNAME"):
        channel.set_variable(name, "")
    channel.variables["ANSWEREDTIME"] = channel.variables["DIALEDTIME"] = ""
    try:
        destinations = [text for text in (parts[0] if parts else "").split("&") if text]
        if not destinations:
            raise _BadArguments("no destination")
        if len(destinations) > MAX_DESTINATIONS:
            raise _BadArguments(f"{len(destinations)} destinations, more than {MAX_DESTINATIONS}")
        timeout = seconds(parts[1]) if len(parts) > 1 and parts[1] else None
        if len(parts) > 1 and parts[1] and (timeout is None or timeout < 0):
            raise _BadArguments(f"timeout {parts[1]!r} is not a number of seconds")
        options = Options(parts[2] if len(parts) > 2 else "")
        options.find_places(run)
    except (_BadArguments, ApplicationError) as failure:
        log.error("%s: Dial(%s): %s", channel.name, arguments, failure)
        channel.set_variable("DIALSTATUS", "INVALIDARGS")
        return
    dialling = Dialling(channel, options, run)
    try:
        await _call(channel, run, dialling, destinations, timeout or None)
    finally:
        channel.functions.pop(CAUSES, None)
        for attempt in dialling.attempts:
            note_cause(channel, attempt.peer)
        dialling.forget()


async def _call(channel: Channel, run: Run, dialling: Dialling, destinations: list[str], timeout: float | None) -> None:
    loop = channel.registry.loop
    started = loop.time()
    if dialling.options.before_dialling:
        await run.gosub(dialling.options.before_dialling)
    if dialling.options.ring:
        dialling.ring()
    elif dialling.options.music is not None:
        run.plan.media.music(channel, dialling.options.music or channel.music_class or "default")
    winner: Attempt | None = None
    try:
        for destination in destinations:
            dialling.request(destination)
        await dialling.start()
        if len(dialling.attempts) == 1 and _tells_who(dialling.attempts[0].peer):
            # Whom the caller will talk to is clear already; of several it is known with the answer.
            channel.set_connected(dialling.dialled)
        status = "NOANSWER"
        if dialling.attempts:
            try:
                winner = await channel.until(dialling.decided, timeout)
                status = dialling.status()
            except TimeoutError:
                dialling.cause = causes.NO_ANSWER
            dialling.give_up(
                "CANCEL" if winner else "NOANSWER",
                causes.ANSWERED_ELSEWHERE if winner else causes.NO_ANSWER,
                winner,
            )
        else:
            status = dialling.status()
    except BaseException:
        channel.set_variable("DIALSTATUS", "CANCEL")
        dialling.give_up("CANCEL", causes.NORMAL_CLEARING)
        raise
    finally:
        dialling.end_early()
        if dialling.options.music is not None:
            run.plan.media.music(channel, None)
    if winner is None:
        channel.hangup_cause = dialling.cause
        channel.variables["DIALEDTIME"] = str(int(loop.time() - started))
        channel.set_variable("DIALSTATUS", status)
        return
    await _talk(channel, run, dialling, winner, started)


async def _talk(channel: Channel, run: Run, dialling: Dialling, winner: Attempt, started: float) -> None:
    """Connect the caller with whoever answered, until one of them leaves."""
    loop = channel.registry.loop
    peer = winner.peer
    answered = loop.time()
    peer.hangup_cause = causes.NORMAL_CLEARING
    if _tells_who(peer):
        channel.set_connected(Party(peer.caller.name, peer.caller.number, peer.caller.presentation))
    channel.set_variable("DIALSTATUS", "ANSWER")
    channel.set_variable("DIALEDPEERNAME", peer.name)
    channel.set_variable("DIALEDPEERNUMBER", dialling.destinations[peer.id])
    channel.answer()
    if dialling.options.both_place is not None:
        context, exten, priority = dialling.options.both_place
        _send_on(peer, context, exten, priority + 1)
        run.goto(context, exten, priority)
        return
    behind = (channel.context, channel.exten, channel.priority + 1)
    left: asyncio.Future[Channel] = loop.create_future()

    def gone(who: Channel) -> None:
        if not left.done():
            left.set_result(who)

    end_bridge = run.plan.bridges.connect(channel, peer, gone)
    if dialling.options.digits:
        peer.send_digits([DigitOut(digit) for digit in dialling.options.digits])
    try:
        await channel.until(left, dialling.options.limit_seconds)
    except TimeoutError:
        pass
    finally:
        end_bridge()
        if dialling.options.peer_goes_on and channel.hangup_requested and not peer.hangup_requested:
            _send_on(peer, *(dialling.options.peer_place or behind))
        dialling.release(peer, causes.NORMAL_CLEARING)
        now = loop.time()
        channel.variables["DIALEDTIME"] = str(int(now - started))
        channel.variables["ANSWEREDTIME"] = str(int(now - answered))
        channel.set_variable("DIALSTATUS", "ANSWER")
    if dialling.options.go_on and not channel.hangup_requested:
        return
    if not channel.hangup_cause:
        channel.hangup_cause = peer.hangup_cause or causes.NORMAL_CLEARING
    raise run.hangup()


APPLICATIONS = (
    Application(
        "Dial",
        "Dial(TECH/resource[&TECH/resource…][,seconds[,options]])",
        "Calls destinations and connects the first that answers; DIALSTATUS tells how it went. Options: `g` goes on "
        "after the peer hung up, `m(class)` plays music, `r` shows ringing, `L(ms)` and `S(seconds)` limit the call, "
        "`D(digits)` sends digits to the peer, "
        "`b(context^exten^priority(argument^…))` runs a subroutine on each called channel before its call, `B` on "
        "the caller, `F` and `F(context^exten^priority)` let the peer go on when the caller "
        "hangs up, `G(context^exten^priority)` sends both to a place when the call is answered, the peer to the step "
        "behind it; `t T k K w W x X h H i I c e` have no effect, others are refused.",
        _dial,
    ),
)
