"""What the dialplan needs of media, bridges and applications, which it must not import itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from arietta.bridges.bridge import Bridge, BridgeRegistry, Membership
from arietta.channels.channel import Channel
from arietta.dialplan.applications import Application, DeclaredApplication
from arietta.dialplan.arguments import split_arguments
from arietta.dialplan.errors import ApplicationError, FunctionError
from arietta.dialplan.functions import DeclaredFunction, Function, needed
from arietta.dialplan.interpreter import Interpreter
from arietta.dialplan.run import Run
from arietta.drivers.sip.transfer import HANDLING
from arietta.media.engine import Files, MediaError, PlayEnd, PlayEndReason, Player, Port, Source
from arietta.stasis.broadcasts import Broadcasts
from arietta.stasis.control import Controls
from arietta.stasis.devices import DeviceStates
from arietta.stasis.media_uris import MediaFailed, MediaLibrary, tell_playing
from arietta.stasis.presence import Presence, PresenceStates

STASIS = DeclaredApplication(
    "Stasis",
    "Stasis(application[,argument[,...]])",
    "Hands the channel to an ARI application; STASISSTATUS is SUCCESS or FAILED afterwards.",
)
BROADCAST = DeclaredApplication(
    "StasisBroadcast",
    "StasisBroadcast([timeout[,filter[,arguments[,notify]]]])",
    "Offers the channel to every ARI application whose name matches, for so many milliseconds; the first that "
    "claims it gets it. STASISSTATUS is SUCCESS, FAILED or TIMEOUT afterwards.",
)
TRANSFER_HANDLING = DeclaredFunction(
    HANDLING,
    f"{HANDLING}()",
    "Set to `ari-only` the transfers of a PJSIP channel are left to its ARI application; set to nothing, they are "
    "carried out by the server.",
    can_read=False,
    can_set=True,
)
APPLICATIONS = (STASIS, BROADCAST)
FUNCTIONS = (TRANSFER_HANDLING,)


class DialplanMedia:
    """Plays what the dialplan's applications say."""

    def __init__(self, library: Callable[[], MediaLibrary]) -> None:
        self._library = library

    def play(self, channel: Channel, uri: str, on_end: Callable[[str | None], None]) -> Callable[[], None]:
        """Play a media URI in the channel's language."""
        library = self._library()
        fetching = library.fetch(uri)
        if fetching is not None:
            return self._play_fetched(channel, fetching, on_end)
        try:
            source = library.resolve(uri, channel.language, channel.tone_zone)
        except MediaFailed as failure:
            return channel.registry.loop.call_soon(on_end, str(failure)).cancel
        return self._play(channel, source, on_end)

    def _play_fetched(
        self, channel: Channel, fetching: asyncio.Future[str], on_end: Callable[[str | None], None]
    ) -> Callable[[], None]:
        """Play a file once it is here, unless that is stopped before."""
        steps: list[Callable[[], object]] = [fetching.cancel]  # the last one stops what goes on

        def here(file: asyncio.Future[str]) -> None:
            if file.cancelled() or not steps:
                return
            failure = file.exception()
            if failure is not None:
                on_end(str(failure))
            else:
                steps.append(self._play(channel, Files((file.result(),)), on_end))

        def stop() -> None:
            if steps:
                steps.pop()()
                steps.clear()

        fetching.add_done_callback(here)
        return stop

    def player(
        self, channel: Channel, names: Sequence[str], on_end: Callable[[str | None], None], offset_ms: int = 0
    ) -> Player:
        """Play sounds by their names, one after the other, from a place on; MediaError where that cannot begin."""
        port = channel.port
        if port is None:
            raise MediaError(f"{', '.join(names)} cannot be played: there is no media")
        paths: list[str] = []
        for name in names:
            try:
                source = self._library().resolve(f"sound:{name}", channel.language)
            except MediaFailed as failure:
                raise MediaError(str(failure)) from None
            assert isinstance(source, Files)
            paths += source.paths
        return self._begin(channel, port, Files(tuple(paths)), on_end, offset_ms)

    def _play(self, channel: Channel, source: Source, on_end: Callable[[str | None], None]) -> Callable[[], None]:
        port = channel.port
        if port is None:
            return channel.registry.loop.call_soon(on_end, "it cannot be played: there is no media").cancel
        return self._begin(channel, port, source, on_end).stop

    def _begin(
        self, channel: Channel, port: Port, source: Source, on_end: Callable[[str | None], None], offset_ms: int = 0
    ) -> Player:
        def ended(how: PlayEnd) -> None:
            failed = how.reason is PlayEndReason.FAILED
            on_end(how.error or "it cannot be played" if failed else None)

        tell_playing(channel.name, source, channel.language)
        channel.stop_tone()
        return port.play(source, offset_ms=offset_ms, on_end=ended)

    def tones(self, channel: Channel, what: str | None) -> bool:
        """Let a tone sound in the background."""
        try:
            source = self._library().tone(what, channel.tone_zone) if what is not None else None
        except MediaFailed:
            return False
        channel.forget_background()
        if channel.port is not None:
            channel.port.generate(source)
        return True

    def music(self, channel: Channel, music_class: str | None) -> None:
        """Let music sound in the background."""
        if music_class is not None:
            channel.play_music(music_class)
        else:
            channel.stop_music()


class DialBridges:
    """Where Dial connects two channels."""

    def __init__(self, bridges: BridgeRegistry) -> None:
        self._bridges = bridges

    def connect(
        self, caller: Channel, peer: Channel, on_left: Callable[[Channel], None], *, names: bool = True
    ) -> Callable[[], None]:
        """Put both, the peer first, into a new "basic" bridge, and tell each who the other is, if `names`."""
        bridge = self._bridges.create(creator="", bridge_class="basic")
        told = False

        def left(channel: Channel, _reason: str) -> None:
            nonlocal told
            if not told:
                told = True
                on_left(channel)

        for channel in (peer, caller):
            # A Local channel that was dialled says nothing of itself, as in Asterisk.
            silent = not names or (channel is peer and channel.technology == "Local")
            bridge.join(Membership(channel, on_left=left, inhibit_connected_line=silent))

        def end() -> None:
            nonlocal told
            told = True
            # A transfer may have put others into the bridge: they stay, with whoever is not ours any more.
            ours = [member.channel for member in bridge.members if member.on_left is left]
            if len(ours) == len(bridge.members):
                bridge.destroy()
            else:
                for channel in ours:
                    bridge.leave(channel)

        bridge.on_empty = Bridge.destroy
        return end


class Devices:
    """The states of devices, as DEVICE_STATE reads and writes them."""

    def __init__(self, states: DeviceStates) -> None:
        self._states = states

    def read(self, device: str) -> str:
        """The state in DEVICE_STATE words."""
        return self._states.get(device).state

    def write(self, device: str, state: str) -> None:
        """Set a ``Custom:`` device; ValueError for one that cannot be set."""
        self._states.set_custom(device, state)


class Presences:
    """The presence of people, as PRESENCE_STATE reads and writes it."""

    def __init__(self, states: PresenceStates) -> None:
        self._states = states

    def read(self, provider: str) -> tuple[str, str, str, bool]:
        """State, subtype, message, and whether the last two are in Base64."""
        presence = self._states.get(provider)
        return presence.state, presence.subtype, presence.message, presence.encoded

    def write(self, provider: str, state: str, subtype: str, message: str, *, encoded: bool) -> None:
        """Set a presence; ValueError for one that cannot be set."""
        self._states.set(provider, Presence(state, subtype, message, encoded))


def stasis_application(controls: Controls) -> Application:
    """``Stasis(name[,args])``: the step that hands a channel to an application."""

    async def execute(channel: Channel, arguments: str, run: Run) -> None:
        parts = split_arguments(arguments)
        if not parts or not parts[0]:
            raise ApplicationError("names no application")
        if channel.internal:
            raise ApplicationError("a text has no call that an application could be given")
        if await controls.run(channel, parts[0], tuple(parts[1:])):
            # Said even if it is the place where the channel is: then this step is executed again.
            run.goto(channel.context, channel.exten, channel.priority)

    return STASIS.done_by(execute)


def broadcast_application(broadcasts: Broadcasts) -> Application:
    """``StasisBroadcast([timeout[,filter[,args[,notify]]]])``: the step that offers a channel to all applications."""

    async def execute(channel: Channel, arguments: str, run: Run) -> None:
        parts = [*split_arguments(arguments), "", "", "", ""]
        timeout_text = parts[0] or "500"
        if not timeout_text.isdigit():
            raise ApplicationError(f"timeout {timeout_text!r} is not a number of milliseconds")
        if channel.internal:
            raise ApplicationError("a text has no call that could be offered")
        try:
            await broadcasts.run(
                channel,
                timeout_ms=int(timeout_text),
                pattern=parts[1],
                args=tuple(parts[2].split(":")) if parts[2] else (),
                notify=parts[3].lower() in ("yes", "true", "1", "on", "y", "t"),
            )
        except ValueError as problem:
            raise ApplicationError(str(problem)) from problem

    return BROADCAST.done_by(execute)


def transfer_handling() -> Function:
    """``PJSIP_TRANSFER_HANDLING()``: who carries out the transfers that the phone asks for."""

    def write(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
        if value not in ("", "ari-only"):
            raise FunctionError(HANDLING, f"{value!r} is neither ari-only nor empty")
        needed(channel, HANDLING).functions[HANDLING] = value

    return TRANSFER_HANDLING.done_by(write=write)
