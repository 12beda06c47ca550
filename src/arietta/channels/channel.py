"""One leg of a call: its state, its place in the dialplan, its variables, and the task that owns it.

Only the owner task (see `Channel.own`) runs long stories on a channel. Others change it through the short methods
here, which are complete before they return: on one event loop that is what a command with a reply amounts to. Each
change that ARI shows publishes its event at once, so that state before plus events equals state after.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import itertools
import logging
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from arietta.channels import announcing, digits_out, signals
from arietta.channels.driver import Indication, Leg, Party
from arietta.channels.groups import NO_GROUPS, Groups
from arietta.channels.owner import HungUp, Interruption, Moved, Owner, Story
from arietta.channels.variables import Variables
from arietta.media.engine import DigitOut, Music
from arietta.model import events, facts, snapshots
from arietta.model.times import wire_time
from arietta.verbose import verbose

if TYPE_CHECKING:
    from arietta.bridges.bridge import Bridge
    from arietta.channels.dialing import Attempt
    from arietta.channels.registry import ChannelRegistry
    from arietta.media.engine import Port

log = logging.getLogger(__name__)

T = TypeVar("T")

CAUSE_NORMAL = 16
CAUSE_OUR_FAULT = 127
# `cause` of a ChannelHangupRequest with soft=true is the flag that asked for it, not a Q.850 number.
FLAG_EXPLICIT = 32
FLAG_DIALPLAN_ENDED = 16

CALL_PROGRESS_TONES = {
    Indication.RINGING: "ring",
    Indication.BUSY: "busy",
    Indication.CONGESTION: "congestion",
}
"""What is heard of an indication that signalling can no longer show, by its name in indications.conf."""
INTERNAL = ("internal:",)
"""The topics of channels that ARI does not show."""

_births = itertools.count(1)


class State(enum.StrEnum):
    """A channel's state as ARI names it."""

    DOWN = "Down"
    RING = "Ring"
    RINGING = "Ringing"
    UP = "Up"
    BUSY = "Busy"


class Channel:
    """One leg of a call; owns its Port; has one owner task."""

    def __init__(
        self,
        registry: ChannelRegistry,
        leg: Leg,
        *,
        channel_id: str,
        name: str,
        state: State = State.DOWN,
        context: str = "default",
        exten: str = "s",
        priority: int = 1,
        caller: Party | None = None,
        connected: Party | None = None,
        language: str = "en",
        accountcode: str = "",
        peeraccount: str = "",
        endpoint: str | None = None,
        internal: bool = False,
        linked_to: Channel | None = None,
    ) -> None:
        self.registry = registry
        self.leg = leg
        self.id = channel_id
        self.name = name
        self.state = state
        self.context, self.exten, self.priority = context, exten, priority
        self.app_name, self.app_data = "", ""
        # What the place falls back to between applications: AppDial2 for an originated channel.
        self.resting_app: tuple[str, str] = ("", "")
        self.caller = caller or Party()
        self.connected = connected or Party()
        self.dialed_number = ""
        self.redirecting_number = ""
        self.intercepts_hold = False
        """Whether hold by the far end is an event, and nothing else."""
        self.language = language
        self.accountcode = accountcode
        self.peeraccount = peeraccount
        self.music_class = ""
        self.music: str | None = None
        """The class of the music that sounds to the far end now."""
        self._tone_sounds = False
        """Whether the tone of an indication does."""
        self.tone_zone = ""
        self.tenant_id = ""
        self.call_groups: Groups = NO_GROUPS
        """Whose members may answer it while it rings."""
        self.pickup_groups: Groups = NO_GROUPS
        """Whose ringing calls it may answer."""
        self.created_at = time.time()
        self.answered_at: float | None = None
        self.variables = Variables()
        self.reported_variables: dict[str, None] = {}
        self.functions: dict[str, Any] = {}  # what dialplan functions keep for this channel, by their name
        self.bridge: Bridge | None = None
        self.attempt: Attempt | None = None  # the call that is placed with it, until that is answered or over
        self.hangup_cause = 0
        self.tech_cause: int | None = None
        self.hangup_requested = False
        self.ended = False
        self.internal = internal
        self.half: Channel | None = None
        """The other half of a Local channel, while both live."""
        self._link: tuple[int, str] = linked_to._link if linked_to is not None else (next(_births), channel_id)
        self.media_started = False
        self.sends_until = 0.0  # on the loop's clock: when the digits that are told of have been sent
        self.listeners: list[Callable[[signals.Signal], None]] = []
        self.on_end: list[Callable[[Channel], None]] = []
        self.farewell: Story | None = None
        """What the owner does when its story has ended, before the leg does."""
        self.endpoint = endpoint
        self.topics: tuple[str, ...] = (f"channel:{channel_id}", "channel:")
        if endpoint is not None:
            self.topics += (f"endpoint:{endpoint}",)
        if internal:
            self.topics = INTERNAL
        self._creationtime = wire_time(self.created_at)
        self._snapshot: snapshots.Channel | None = None
        self._encoded: bytes | None = None
        self._owner = Owner(registry.loop)

    def __repr__(self) -> str:
        return f"<Channel {self.name} {self.id} {self.state}>"

    @property
    def technology(self) -> str:
        """PJSIP, Local, …: what stands before the slash of the name."""
        return self.name.partition("/")[0]

    @property
    def device(self) -> str:
        """What it is a channel of, as hints name it: ``PJSIP/6001``, ``Local/100@default``."""
        return self.endpoint or self.name.rpartition("-")[0]

    @property
    def port(self) -> Port | None:
        """Where the leg's frames enter and leave."""
        return self.leg.port

    @property
    def linkedid(self) -> str:
        """The id of the oldest of all channels that this one was called by, shared a bridge with, or is so tied to."""
        return self._link[1]

    def link_with(self, other: Channel) -> None:
        """Meet another channel, by a call or in a bridge: the older's linkedid goes to all tied to the younger."""
        oldest = min(self._link, other._link)
        younger = [channel for channel in (self, other) if channel._link != oldest]
        while younger:
            channel = younger.pop()
            if channel._link <= oldest:
                continue
            channel._link = oldest
            channel.changed()
            if channel.half is not None:
                younger.append(channel.half)
            if channel.bridge is not None:
                younger.extend(channel.bridge.channels)

    @property
    def task(self) -> asyncio.Task[None] | None:
        """The owner, once there is one."""
        return self._owner.task

    # ------------------------------------------------------------------------------------------- what ARI shows

    def snapshot(self) -> snapshots.Channel:
        """The channel as GET /channels/{id} shows it; the same object until something changes."""
        shown = self._snapshot
        if shown is None:
            channelvars = self._channelvars()
            shown = self._snapshot = snapshots.Channel(
                id=self.id,
                name=self.name,
                state=self.state.value,
                protocol_id=self.leg.protocol_id,
                caller=snapshots.CallerID(name=self.caller.name, number=self.caller.number),
                connected=snapshots.CallerID(name=self.connected.name, number=self.connected.number),
                accountcode=self.accountcode,
                dialplan=snapshots.DialplanCEP(
                    context=self.context,
                    exten=self.exten,
                    priority=self.priority,
                    app_name=self.app_name,
                    app_data=self.app_data,
                ),
                creationtime=self._creationtime,
                language=self.language,
                channelvars=msgspec.UNSET if channelvars is None else channelvars,
                caller_rdnis=self.redirecting_number or msgspec.UNSET,
                tenantid=self.tenant_id or msgspec.UNSET,
            )
        return shown

    def encoded(self) -> bytes:
        """`snapshot` as JSON; kept until something changes, so that a list of channels is a join."""
        encoded = self._encoded
        if encoded is None:
            encoded = self._encoded = msgspec.json.encode(self.snapshot())
        return encoded

    def changed(self) -> None:
        """Forget the kept snapshot: something that it shows is different now."""
        self._snapshot = None
        self._encoded = None

    def _channelvars(self) -> dict[str, str] | None:
        tracked = self.registry.tracked_variables
        if not tracked and not self.reported_variables:
            return None
        return {name: self.registry.read(self, name) or "" for name in (*tracked, *self.reported_variables)}

    def publish(self, event: events.Event) -> None:
        """Publish an event about this channel."""
        self.registry.bus.publish(event, self.topics)

    def tell(self, kind: Callable[..., facts.Fact], *details: object) -> None:
        """Publish a fact about this channel that ARI does not show, if anybody wants it."""
        topics: tuple[str, ...] = kind.topics  # type: ignore[attr-defined]
        if self.registry.bus.wanted(topics):
            self.registry.bus.publish(kind(self.snapshot(), *details), topics)

    @property
    def watched(self) -> bool:
        """Whether an event about this channel would reach anybody."""
        return self.registry.bus.wanted(self.topics)

    # ---------------------------------------------------------------------------------------- changes, each whole

    def created(self) -> None:
        """Publish ChannelCreated; called once, by the registry."""
        announcing.created(self)

    def set_state(self, state: State) -> None:
        """Enter `state`; the same one again is no event."""
        if state is self.state:
            return
        self.state = state
        if state is State.UP:
            self.answered_at = time.time()
        self.changed()
        self.registry.device_changed(self.device)
        announcing.state(self)

    def set_place(self, context: str, exten: str, priority: int) -> None:
        """Be at (context, exten, priority) without an event; the next `set_app` tells."""
        self.context, self.exten, self.priority = context, exten, priority
        self.changed()

    def set_app(self, name: str, data: str, *, moved: bool = True) -> None:
        """Execute application `name`; ChannelDialplan goes out if the place is new or there was no application."""
        announce = bool(name) and (moved or not self.app_name)
        self.app_name, self.app_data = name, data
        self.changed()
        if announce:
            announcing.application(self)

    def rest(self) -> None:
        """Execute no application any more."""
        self.app_name, self.app_data = self.resting_app
        self.changed()

    def set_caller(self, caller: Party) -> None:
        """Be called by `caller`; ChannelCallerId if name or number changed."""
        told = (caller.name, caller.number) != (self.caller.name, self.caller.number)
        self.caller = caller
        self.changed()
        if told:
            announcing.caller(self)

    def set_connected(self, connected: Party, *, tells: bool = True) -> None:
        """Be connected to `connected`; ChannelConnectedLine if name or number changed, and the far end hears of it."""
        told = (connected.name, connected.number) != (self.connected.name, self.connected.number)
        self.connected = connected
        self.changed()
        if told:
            announcing.connected(self)
            if tells:
                self.leg.indicate(Indication.CONNECTED_LINE)

    def set_parties(self, *, caller: Party, connected: Party) -> None:
        """Have both parties changed at once: each event shows the other's change too."""
        with self.new_parties(caller=caller, connected=connected):
            pass

    @contextlib.contextmanager
    def new_parties(self, *, caller: Party, connected: Party) -> Iterator[None]:
        """The same, with the events only after what is done inside."""
        former_caller, former_connected = self.caller, self.connected
        self.caller, self.connected = caller, connected
        self.changed()
        yield
        if (caller.name, caller.number) != (former_caller.name, former_caller.number):
            announcing.caller(self)
        if (connected.name, connected.number) != (former_connected.name, former_connected.number):
            announcing.connected(self)

    def set_account_code(self, code: str) -> None:
        """Be charged to another account."""
        former, self.accountcode = self.accountcode, code
        self.changed()
        self.tell(facts.AccountCodeChanged, former)

    def set_variable(self, name: str, value: str) -> None:
        """Set a plain variable; a name with ``_`` or ``__`` is kept without them and inherited by dialled channels.

        ChannelVarset names the variable as it was given.
        """
        self.variables.put(name, value)
        self.changed()
        self.announce_variable(name, value)

    def unset_variable(self, name: str) -> None:
        """Take a plain variable away; ChannelVarset tells an empty value."""
        self.variables.forget(name)
        self.changed()
        self.announce_variable(name, "")

    def announce_variable(self, name: str, value: str) -> None:
        """Publish ChannelVarset for a value that a function keeps elsewhere."""
        announcing.variable(self, name, value)

    def get_variable(self, name: str) -> str | None:
        """A plain variable by its bare name; None if it was never set."""
        return self.variables.read(name)

    def inherited_variables(self) -> dict[str, str]:
        """What a channel dialled by this one starts with: ``__X`` as it is, ``_X`` without its prefix."""
        return self.variables.inherited()

    # ----------------------------------------------------------------------------------------- near and far end

    def answer(self) -> None:
        """Answer the far end, unless that happened; the state is Up when this returns."""
        if self.state is State.UP or self.hangup_requested:
            return
        self.leg.answer()
        self.set_state(State.UP)
        verbose(3, f"{self.name} answered")

    def indicate(self, indication: Indication, data: str = "") -> None:
        """Show the far end something; who has answered hears ringing, busy and congestion as tones."""
        if self.hangup_requested:
            return
        if indication in CALL_PROGRESS_TONES and self.state is State.UP and self.technology != "Local":
            self.play_tone(indication)
            return
        if indication is Indication.STOP_RINGING:
            self.stop_tone()
        self.leg.indicate(indication, data)

    def play_tone(self, indication: Indication) -> None:
        """Let the tone of an indication sound to the far end, until something else does."""
        source = self.registry.tone(CALL_PROGRESS_TONES[indication], self.tone_zone)
        if self.port is not None and source is not None:
            self.port.generate(source)
            self.forget_background()
            self._tone_sounds = True

    def stop_tone(self) -> None:
        """Let no tone of an indication sound any more, because something else does."""
        if self._tone_sounds:
            self._tone_sounds = False
            if self.port is not None:
                self.port.generate(None)

    def hear_early(self) -> None:
        """Let a caller who was not answered yet hear what is played from now on."""
        if self.state is State.RING:
            self.indicate(Indication.PROGRESS)

    def send_digits(self, digits: Sequence[DigitOut], on_end: Callable[[], None] | None = None) -> None:
        """Send digits to the far end after those being sent; `on_end` is told when the last gap is over."""
        self.leg.send_digits(digits, on_end)
        if digits_out.wanted(self):
            now = self.registry.loop.time()
            begins = max(now, self.sends_until)
            self.sends_until = begins + sum(digit.duration_ms + digit.gap_ms for digit in digits) / 1000
            digits_out.DigitsOut(self, digits).start(begins - now)

    def play_music(self, music_class: str) -> None:
        """Let music sound to the far end, until it is stopped or something else sounds."""
        if self.port is not None:
            self.port.generate(Music(music_class))
            self.forget_background()
            self.music = music_class
            self.tell(facts.MusicStarted, music_class)

    def stop_music(self) -> None:
        """Let no music sound, nor anything else that sounds without an end."""
        if self.port is not None:
            self.port.generate(None)
        self.forget_background()

    def forget_background(self) -> None:
        """The music or the tone has ended, because something else sounds in the background."""
        self._tone_sounds = False
        if self.music is not None:
            self.music = None
            self.tell(facts.MusicStopped)

    def receive(self, signal: signals.Signal) -> None:
        """Take a signal from the leg: state and events first, then whoever listens."""
        if self.ended:
            return
        match signal:
            case signals.HungUp(cause, tech_cause):
                self._far_end_hung_up(cause, tech_cause)
            case signals.Ringing():
                if self.state is State.DOWN:
                    self.set_state(State.RINGING)
            case signals.Answered():
                self.set_state(State.UP)
            case signals.Identified(party):
                self.set_caller(party)
            case signals.DigitBegan(digit):
                self.tell(facts.DigitBegan, digit)
            case signals.MediaStarted():
                self.media_started = True
            case _:
                announcing.heard(self, signal)
                if self.intercepts_hold and isinstance(signal, signals.Held | signals.Unheld):
                    return
        for listener in tuple(self.listeners):
            listener(signal)

    # ------------------------------------------------------------------------------------------------ the owner

    def own(self, story: Coroutine[Any, Any, None]) -> None:
        """Start the owner task: it runs `story`, then ends the channel.

        A story that fails ends this leg only: reported with its ids, hung up with cause 127.
        """
        self._owner.begin(self._run(story), f"channel {self.id}")

    async def _run(self, story: Coroutine[Any, Any, None]) -> None:
        try:
            await self._tell(self._follow(story))
            if self.farewell is not None:
                await self._tell(self.farewell())
        finally:
            self.farewell = None
            self.finish()

    async def _tell(self, story: Coroutine[Any, Any, None]) -> None:
        try:
            await story
        except HungUp:
            pass
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("channel %s (%s) failed and is hung up", self.id, self.name)
            self.hangup_cause = CAUSE_OUR_FAULT

    async def _follow(self, story: Coroutine[Any, Any, None]) -> None:
        """Run a story, or what takes its place when somebody sends the channel elsewhere."""
        while True:
            try:
                await story
                return
            except Moved as moved:
                if moved.story is not None:
                    story = moved.story()
                elif self.registry.dialplan is not None:
                    story = self.registry.dialplan.run(self)
                else:
                    return

    def until(self, future: asyncio.Future[T], timeout: float | None = None) -> Coroutine[Any, Any, T]:
        """Wait in the owner for `future`; HungUp or Moved end the wait, TimeoutError after `timeout` seconds."""
        return self._owner.until(future, timeout)

    async def sleep(self, seconds: float) -> None:
        """Let time pass in the owner."""
        try:
            await self.until(self.registry.loop.create_future(), max(0.0, seconds))
        except TimeoutError:
            pass

    async def wait_for_media(self, timeout: float) -> None:
        """Wait for the first audio of the far end, at most `timeout` seconds."""
        if self.media_started or self.port is None:
            return
        heard: asyncio.Future[None] = self.registry.loop.create_future()

        def listen(signal: signals.Signal) -> None:
            if isinstance(signal, signals.MediaStarted) and not heard.done():
                heard.set_result(None)

        self.listeners.append(listen)
        try:
            await self.until(heard, timeout)
        except TimeoutError:
            pass
        finally:
            self.listeners.remove(listen)

    def interrupt(self, reason: Exception) -> None:
        """Make the owner's present or next wait raise `reason` (HungUp wins over Moved)."""
        self._owner.interrupt(reason)

    def check_interruption(self) -> None:
        """Raise what `interrupt` asked for, between two steps that do not wait."""
        self._owner.check_interruption()

    def absorb_hangup(self) -> None:
        """Let the owner wait again although the channel is hung up: for the `h` extension."""
        self._owner.absorb_hangup()

    # ------------------------------------------------------------------------------------------------ the end

    def request_hangup(self, cause: int | None = CAUSE_NORMAL, *, flag: int = FLAG_EXPLICIT) -> None:
        """Ask the owner to end the channel with Q.850 `cause`; asking again changes nothing."""
        if self.ended or self.hangup_requested:
            return
        if cause is not None:
            self.hangup_cause = cause
        self.hangup_requested = True
        self.announce_soft_hangup(flag)
        self._end_or_interrupt()

    def announce_soft_hangup(self, flag: int) -> None:
        """Publish the ChannelHangupRequest of this side."""
        announcing.hangup_request(self, flag, soft=True)

    def _far_end_hung_up(self, cause: int | None, tech_cause: int | None) -> None:
        if self.hangup_requested:
            return
        self.hangup_requested = True
        known = cause if cause is not None else (self.hangup_cause or None)
        if cause is not None:
            self.hangup_cause = cause
        self.tech_cause = tech_cause
        announcing.hangup_request(self, known, soft=False)
        self._end_or_interrupt()

    def _end_or_interrupt(self) -> None:
        self.interrupt(HungUp())
        if self.task is None:
            # Nobody runs it yet (requested, not dialled): there is no owner to unwind.
            self.registry.loop.call_soon(self.finish)

    def end_quietly(self) -> None:
        """End without a ChannelHangupRequest: the channel depended on another that ended."""
        if not self.hangup_requested:
            self.hangup_requested = True
            self._end_or_interrupt()

    def finish(self) -> None:
        """End the leg, leave the registry, publish ChannelDestroyed; once."""
        if self.ended:
            return
        self.ended = True
        self.hangup_requested = True
        self._owner.end()
        if self.bridge is not None:
            self.bridge.leave(self)
        for then in tuple(self.on_end):
            then(self)
        self.on_end.clear()
        self.forget_background()
        if self.half is not None:
            self.half.half = None
            self.half = None
        tech_cause = self.leg.hangup(self.hangup_cause)
        if tech_cause is not None and self.tech_cause is None:
            self.tech_cause = tech_cause
        self.rest()
        self.registry.remove(self)
        announcing.destroyed(self)
        self.listeners.clear()
        self.registry.bus.publish(Ended(self), (f"ended:{self.id}",))


class Ended:
    """The internal fact behind the topic ``ended:ID``: the channel is gone; nothing about it follows."""

    __slots__ = ("channel",)

    def __init__(self, channel: Channel) -> None:
        self.channel = channel


__all__ = ["Channel", "Ended", "HungUp", "Interruption", "Moved", "State", "Story"]
