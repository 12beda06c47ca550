"""Channels that applications make: originated ones, created ones, and dialling those."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from arietta.channels.channel import FLAG_EXPLICIT, Channel, Story
from arietta.channels.dialing import CAUSE_NO_ANSWER, Attempt, call_out
from arietta.channels.driver import CannotRequest, DialRequest, Party
from arietta.channels.registry import MAX_ID_LENGTH, ChannelRegistry
from arietta.errors import AllocationFailed, AriettaError, BadRequest, Conflict, NotFound
from arietta.model import causes
from arietta.stasis.applications import CHANNEL, Application, Applications
from arietta.stasis.control import Controls
from arietta.stasis.places import Places, say_goodbye

log = logging.getLogger(__name__)

DIALLING_APP = ("AppDial2", "(Outgoing Line)")
DEFAULT_TIMEOUT_S = 30
KNOWN_FORMATS = frozenset(
    "ulaw alaw gsm g722 opus slin slin12 slin16 slin24 slin32 slin44 slin48 slin96 slin192".split()
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a channel is to run the dialplan."""

    context: str
    exten: str
    priority: int


@dataclass(frozen=True, slots=True)
class Entrance:
    """The application a channel is to enter, with its arguments as they were given."""

    application: str
    args: str = ""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments, split at commas."""
        return tuple(self.args.split(",")) if self.args else ()

    @property
    def app_data(self) -> str:
        """What the channel's place shows as application data."""
        return f"{self.application},{self.args}" if self.args else self.application


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The channel that is to be made."""

    endpoint: str
    channel_id: str | None = None
    other_channel_id: str | None = None
    originator: str | None = None
    formats: tuple[str, ...] = ()
    caller: Party | None = None
    variables: Mapping[str, tuple[str, bool]] | None = None
    """Name to value, and whether its changes are reported."""


class Originating:
    """Makes channels on behalf of applications."""

    def __init__(self, channels: ChannelRegistry, applications: Applications, controls: Controls) -> None:
        self._channels = channels
        self._applications = applications
        self._controls = controls
        self._places = Places(channels, controls)
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def originate(self, wanted: Wanted, then: Entrance | Place, timeout_s: int) -> Channel:
        """Make a channel and start to call it; answered, it goes where `then` says."""
        channel = self._request(wanted)
        self.call(channel, wanted.endpoint.partition("/")[2], then, timeout_s)
        return channel

    def call(self, channel: Channel, dialstring: str, then: Entrance | Place, timeout_s: int) -> None:
        """Start to call a channel that was requested; -1 seconds is for ever, other values below 1 are 30."""
        application = self._applications.get(then.application) if isinstance(then, Entrance) else None
        channel.resting_app = DIALLING_APP
        channel.set_app(*DIALLING_APP)
        self._watch(channel, application)
        if timeout_s != -1 and timeout_s < 1:
            timeout_s = DEFAULT_TIMEOUT_S
        channel.own(self._call(channel, dialstring, None if timeout_s == -1 else timeout_s, then))

    def create(self, wanted: Wanted, entrance: Entrance) -> Channel:
        """Make a channel that is in the application at once, and not called yet."""
        application = self._applications.get(entrance.application)
        channel = self._request(wanted)
        if application is not None:
            application.subscribe(CHANNEL, channel.id)
        channel.own(self._enter(channel, entrance, announced=True))
        return channel

    def dial(self, channel_id: str, caller_id: str | None, timeout_s: int) -> None:
        """Call a channel that `create` made; a timeout or refusal ends it."""
        control = self._controls.need(channel_id)
        channel = control.channel
        caller = None
        if caller_id:
            caller = self._channels.find(caller_id)
            if caller is None:
                raise NotFound(f"caller {caller_id!r} does not exist")
        if channel.state != "Down" or control.dialed:
            raise Conflict(f"channel {channel_id!r} is {channel.state} and cannot be dialled")
        control.dialed = True

        def changed(attempt: Attempt) -> None:
            if attempt.answered:
                self._stop_timer(channel)

        def taken(attempt: Attempt, former: Channel) -> Story:
            story = self._places.take(attempt.peer, former)
            former.hangup_cause = causes.ANSWERED_ELSEWHERE
            say_goodbye(former, cause=causes.ANSWERED_ELSEWHERE)
            return story

        attempt = Attempt(
            channel,
            caller=caller,
            dialstring=_dialstring(channel),
            on_change=changed,
            on_taken=taken,
            final_event=False,
        )
        channel.on_end.append(self._stop_timer)
        if timeout_s > 0:
            self._timers[channel.id] = self._channels.loop.call_later(timeout_s, self._time_out, channel, attempt)
        attempt.start()

    def enter(self, channel: Channel, entrance: Entrance) -> None:
        """Let a channel that is up already (snoop) enter the application; it ends with it."""
        channel.own(self._enter(channel, entrance, announced=True))

    def _time_out(self, channel: Channel, attempt: Attempt) -> None:
        self._timers.pop(channel.id, None)
        if not attempt.over:
            attempt.stop()
            channel.request_hangup(CAUSE_NO_ANSWER, flag=FLAG_EXPLICIT)

    def _stop_timer(self, channel: Channel) -> None:
        timer = self._timers.pop(channel.id, None)
        if timer is not None:
            timer.cancel()

    async def _call(self, channel: Channel, dialstring: str, timeout: float | None, then: Entrance | Place) -> None:
        async def go_on(who: Channel) -> None:
            await self._arrive(who, then)

        if await call_out(channel, dialstring=dialstring, timeout=timeout, then=go_on):
            await go_on(channel)

    async def _arrive(self, channel: Channel, then: Entrance | Place) -> None:
        """What an originated call does once it is answered."""
        if isinstance(then, Entrance):
            await self._enter(channel, then, announced=False)
        else:
            dialplan = self._channels.dialplan
            assert dialplan is not None
            channel.set_place(then.context, then.exten, then.priority)
            await dialplan.run(channel)

    async def _enter(self, channel: Channel, entrance: Entrance, *, announced: bool) -> None:
        channel.set_app("Stasis", entrance.app_data, moved=announced)
        if not await self._controls.run(channel, entrance.application, entrance.arguments):
            return
        channel.rest()
        dialplan = self._channels.dialplan
        if dialplan is not None and dialplan.exists(
            channel.context, channel.exten, channel.priority, channel.caller.number
        ):
            await dialplan.run(channel)

    def _watch(self, channel: Channel, application: Application | None) -> None:
        """The application hears of the channel until it is destroyed, and of a Local channel's other half too."""
        if application is None:
            return
        application.subscribe(CHANNEL, channel.id)
        other: object = getattr(channel.leg, "other", None)
        half = getattr(other, "channel", None)
        if isinstance(half, Channel):
            application.subscribe(CHANNEL, half.id)

    def _request(self, wanted: Wanted) -> Channel:
        technology, slash, resource = wanted.endpoint.partition("/")
        if not slash or not resource:
            raise BadRequest(f"endpoint {wanted.endpoint!r} is not TECHNOLOGY/RESOURCE")
        for what, ident in (("channelId", wanted.channel_id), ("otherChannelId", wanted.other_channel_id)):
            if ident is not None and len(ident) > MAX_ID_LENGTH:
                raise BadRequest(f"{what} has {len(ident)} characters, {MAX_ID_LENGTH} at most")
        originator = None
        if wanted.originator:
            if wanted.formats:
                raise BadRequest("originator and formats exclude each other")
            originator = self._channels.find(wanted.originator)
            if originator is None:
                raise BadRequest(f"originator {wanted.originator!r} does not exist")
        unknown = [name for name in wanted.formats if name not in KNOWN_FORMATS]
        if unknown:
            raise BadRequest(f"format {unknown[0]!r} is unknown")
        driver = self._channels.driver(technology)
        if driver is None or not self._channels.accepting:
            raise AllocationFailed()
        connected = wanted.caller
        if connected is None and originator is not None:
            connected = originator.caller
        try:
            channel = driver.request(
                DialRequest(
                    resource=resource,
                    channel_id=wanted.channel_id or None,
                    other_channel_id=wanted.other_channel_id or None,
                    originator=originator,
                    formats=wanted.formats,
                    caller=wanted.caller,
                    connected=connected,
                )
            )
        except CannotRequest as problem:
            raise AllocationFailed() from problem
        self._set_variables(channel, wanted.variables or {})
        return channel

    def _set_variables(self, channel: Channel, variables: Mapping[str, tuple[str, bool]]) -> None:
        dialplan = self._channels.dialplan
        for name, (value, reported) in variables.items():
            if reported:
                channel.reported_variables[name] = None
            if dialplan is None:
                channel.set_variable(name, value)
                continue
            try:
                dialplan.write(channel, name, value)
            except AriettaError as problem:
                # A function that does not exist, or takes no value, is no refusal in ARI.
                log.warning("channel %s: %s", channel.name, problem)


def _dialstring(channel: Channel) -> str:
    read: Callable[[str], str | None] = channel.leg.read
    return read("dialstring") or channel.name.partition("/")[2]
