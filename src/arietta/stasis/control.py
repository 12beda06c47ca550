"""A channel inside an application: its commands, one after the other, and the way in and out.

The channel's owner runs `Controls.run` as one step of its story. Operations reach it as commands: `ask` runs a
short one at once when the owner has nothing before it, else in its turn; `submit` queues a long one (a playback, a
recording, digits) and does not wait. So "POST play, then POST record" happens in that order, as in Asterisk.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from arietta.bridges.bridge import Bridge, Membership
from arietta.channels.channel import Channel
from arietta.channels.registry import ChannelRegistry
from arietta.errors import Conflict, NotFound
from arietta.model import events, snapshots
from arietta.model.times import wire_now
from arietta.stasis.applications import BRIDGE, CHANNEL, Application, Applications
from arietta.verbose import verbose

MAX_COMMANDS = 1000
STATUS_VARIABLE = "STASISSTATUS"


@dataclass(frozen=True, slots=True)
class Continue:
    """Leave for a place in the dialplan; None keeps what the channel has."""

    context: str | None = None
    exten: str | None = None
    priority: int | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """Leave for another application."""

    application: str
    args: tuple[str, ...] = ()


@dataclass(slots=True)
class Command:
    """Something the owner does in its turn; `ended` is told if it never comes to that."""

    run: Callable[[], Awaitable[None]]
    abandoned: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Replacement:
    """Whose place a channel takes, and what is done as soon as its application knows."""

    replaced: snapshots.Channel
    entered: Callable[[Control], None]


class Control:
    """One channel while an application has it."""

    def __init__(self, channel: Channel, application: Application) -> None:
        self.channel = channel
        self.application = application
        self.dialed = False
        self.recording = False
        self.exit: Continue | Move | None = None
        self.failed = False
        self._commands: deque[Command] = deque()
        self._wake: asyncio.Future[None] | None = None
        self._busy = False

    @property
    def busy(self) -> bool:
        """Whether a command runs or waits: a new long one will be queued behind it."""
        return self._busy or bool(self._commands)

    def submit(self, run: Callable[[], Awaitable[None]], abandoned: Callable[[], None] | None = None) -> None:
        """Queue a long command; its failures are its own to report."""
        if len(self._commands) >= MAX_COMMANDS:
            raise Conflict(f"channel {self.channel.id!r} has {MAX_COMMANDS} commands waiting, which is the limit")
        self._commands.append(Command(run, abandoned))
        self.wake()

    async def ask(self, action: Callable[[], Any]) -> Any:
        """Have the owner carry out a short action, after the commands before it, and wait for its result."""
        if not self.busy:
            return action()
        done: asyncio.Future[Any] = self.channel.registry.loop.create_future()

        async def run() -> None:
            try:
                result = action()
            except Exception as failure:
                if not done.done():
                    done.set_exception(failure)
            else:
                if not done.done():
                    done.set_result(result)

        def abandoned() -> None:
            if not done.done():
                done.set_exception(NotFound(f"channel {self.channel.id!r} left the application"))

        self.submit(run, abandoned)
        return await done

    def leave(self, way: Continue | Move) -> None:
        """Leave the application by `way`, after the commands that wait."""
        self.exit = way
        self.wake()

    def fail(self) -> None:
        """Leave for the next step of the dialplan, with STASISSTATUS FAILED: nobody hears of the channel any more."""
        self.failed = True
        self.leave(Continue())

    def wake(self) -> None:
        """Let the owner look at what it has to do."""
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def serve(self) -> None:
        """Carry out commands until the channel leaves or is hung up."""
        channel = self.channel
        while self.exit is None or self._commands:
            channel.check_interruption()
            if not self._commands:
                self._wake = channel.registry.loop.create_future()
                await channel.until(self._wake)
                continue
            command = self._commands.popleft()
            self._busy = True
            try:
                await command.run()
            finally:
                self._busy = False

    def abandon(self) -> None:
        """Tell the commands that wait that they never come to their turn."""
        while self._commands:
            command = self._commands.popleft()
            if command.abandoned is not None:
                command.abandoned()


class CallSocket(Protocol):
    """A socket that the server opened for one channel, with an application of its own."""

    on_lost: Callable[[], None] | None
    """Told when the socket broke and could not be opened again."""

    @property
    def application(self) -> Application:
        """The application that the channel enters."""
        ...

    def close(self) -> None:
        """Close the socket: the channel has left."""
        ...


class Controls:
    """Every channel that is in an application, by its id; and how it gets in and out."""

    def __init__(self, channels: ChannelRegistry, applications: Applications) -> None:
        self.channels = channels
        self.applications = applications
        self._controls: dict[str, Control] = {}
        self.open_for_call: Callable[[Channel, str], Awaitable[CallSocket | None]] | None = None
        """Opens the socket of a channel that wants an application; None if none is configured or nobody accepts."""
        self.replacements: dict[str, Replacement] = {}  # by the id of the channel that is to enter

    def get(self, channel_id: str) -> Control | None:
        """The control of a channel in an application."""
        return self._controls.get(channel_id)

    def need(self, channel_id: str) -> Control:
        """The control of a channel: NotFound without channel, Conflict outside of an application."""
        control = self._controls.get(channel_id)
        if control is None:
            channel = self.channels.find(channel_id)
            if channel is None:
                raise NotFound(f"channel {channel_id!r} does not exist")
            control = self._controls.get(channel.id)
            if control is None:
                raise Conflict(f"channel {channel_id!r} is not in a Stasis application")
        return control

    async def run(self, channel: Channel, name: str, args: tuple[str, ...]) -> bool:
        """Give the channel to application `name` until it leaves; False if nobody takes it.

        In the owner of the channel. STASISSTATUS is "" before, SUCCESS or FAILED after. Raises HungUp or Moved if that
        is why the channel left; otherwise the place of the channel is where it is to go on.
        """
        channel.set_variable(STATUS_VARIABLE, "")
        application = self.applications.get(name)
        socket: CallSocket | None = None
        if (application is None or not application.active) and self.open_for_call is not None:
            socket = await self.open_for_call(channel, name)
            application = socket.application if socket is not None else application
        if application is None or not application.active:
            verbose(1, f"Stasis app '{name}' is not registered: {channel.name} goes on")
            channel.set_variable(STATUS_VARIABLE, "FAILED")
            return False
        control = Control(channel, application)
        if socket is not None:
            socket.on_lost = control.fail
        self._controls[channel.id] = control
        self._enter(control, args)
        try:
            while True:
                await control.serve()
                way = control.exit
                if not isinstance(way, Move):
                    break
                control.exit = None
                self._move(control, way)
        finally:
            self._leave(control)
            if socket is not None:
                socket.close()
            channel.set_variable(STATUS_VARIABLE, "FAILED" if control.failed else "SUCCESS")
        if isinstance(way, Continue):
            _go_on(channel, way)
        return True

    def _enter(self, control: Control, args: tuple[str, ...]) -> None:
        channel, application = control.channel, control.application
        application.channels.add(channel.id)
        application.subscribe(CHANNEL, channel.id)
        replacement = self.replacements.pop(channel.id, None)
        application.send(
            events.StasisStart(
                timestamp=wire_now(),
                args=list(args),
                channel=channel.snapshot(),
                replace_channel=replacement.replaced if replacement is not None else msgspec.UNSET,
            )
        )
        if replacement is not None:
            replacement.entered(control)

    def _end(self, control: Control) -> None:
        channel, application = control.channel, control.application
        application.send(events.StasisEnd(timestamp=wire_now(), channel=channel.snapshot()))
        application.channels.discard(channel.id)
        application.unsubscribe(CHANNEL, channel.id)

    def _leave(self, control: Control) -> None:
        channel, application = control.channel, control.application
        control.abandon()
        if channel.bridge is not None and channel.bridge.bridge_class == "stasis":
            channel.bridge.leave(channel)
        del self._controls[channel.id]
        self._end(control)
        self.applications.clean_up(application)

    def _move(self, control: Control, way: Move) -> None:
        target = self.applications.get(way.application)
        if target is None or not target.active:
            control.application.send(
                events.ApplicationMoveFailed(
                    timestamp=wire_now(),
                    channel=control.channel.snapshot(),
                    destination=way.application,
                    args=list(way.args),
                )
            )
            return
        former = control.application
        self._end(control)
        control.application = target
        self._enter(control, way.args)
        if former is not target:
            self.applications.clean_up(former)

    def join_bridge(self, control: Control, bridge: Bridge, membership: Membership) -> None:
        """Put the channel into a bridge; its application hears of the bridge while it is inside."""
        application = control.application

        def left(_channel: Channel, reason: str) -> None:
            # A hangup leaves the subscription standing, so that BridgeDestroyed still comes (as in Asterisk).
            if reason != "hangup":
                application.unsubscribe(BRIDGE, bridge.id)

        membership.on_left = left
        if control.channel.bridge is not None and control.channel.bridge is not bridge:
            control.channel.bridge.leave(control.channel)
        application.subscribe(BRIDGE, bridge.id)
        bridge.join(membership)


def _go_on(channel: Channel, way: Continue) -> None:
    """Set the place at which the dialplan continues.

    Nothing named: the next priority. A context alone: extension s, priority 1. An extension alone: same context.
    """
    if way == Continue():
        channel.set_place(channel.context, channel.exten, channel.priority + 1)
        return
    context = way.context if way.context is not None else channel.context
    if way.exten is not None:
        exten = way.exten
    else:
        exten = "s" if way.context is not None else channel.exten
    channel.set_place(context, exten, way.priority if way.priority is not None else 1)
