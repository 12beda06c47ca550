"""Sounds that are moved while they play: by keys of the far end, or from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from arietta.channels import signals
from arietta.dialplan.ports import MediaOutput

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.media.engine import Player

KEY = "ControlPlayback"
"""Where a channel keeps the play that can be moved."""
MOVES = ("forward", "reverse", "pause", "restart", "stop")


class Played(msgspec.Struct, frozen=True):
    """How a play ended."""

    failure: str | None
    key: str
    """The key that stopped it, or ""."""
    remote: bool
    """Whether somebody outside stopped it."""
    position_ms: int


class Moving:
    """One play, and what can be done to it."""

    def __init__(self, channel: Channel, skip_ms: int) -> None:
        self.ended: asyncio.Future[str | None] = channel.registry.loop.create_future()
        self.skip_ms = skip_ms
        self.player: Player | None = None
        self.key = ""
        self.remote = False
        self._paused = False

    def end(self, failure: str | None) -> None:
        """It was played, or could not be."""
        if not self.ended.done():
            self.ended.set_result(failure)

    def move(self, how: str) -> None:
        """One of MOVES; after the end nothing."""
        player = self.player
        if player is None or self.ended.done():
            return
        match how:
            case "forward":
                player.skip(self.skip_ms)
            case "reverse":
                player.skip(-self.skip_ms)
            case "pause":
                self._paused = not self._paused
                player.pause() if self._paused else player.resume()
            case "restart":
                player.restart()
            case "stop":
                self.end(None)


async def play_moving(
    media: MediaOutput,
    channel: Channel,
    names: Sequence[str],
    keys: Mapping[str, str],
    *,
    skip_ms: int,
    offset_ms: int = 0,
) -> Played:
    """Play sounds while `keys` (each one of MOVES) and `moving_on` move in them. Raises MediaError."""
    moving = Moving(channel, skip_ms)

    def listen(signal: signals.Signal) -> None:
        if isinstance(signal, signals.DigitEnded) and not moving.ended.done():
            how = keys.get(signal.digit, "")
            if how == "stop":
                moving.key = signal.digit
            moving.move(how)

    player = moving.player = media.player(channel, names, moving.end, offset_ms)
    channel.listeners.append(listen)
    channel.functions[KEY] = moving
    try:
        failure = await channel.until(moving.ended)
    finally:
        channel.functions.pop(KEY, None)
        if listen in channel.listeners:
            channel.listeners.remove(listen)
        position_ms = player.position_ms
        player.stop()
    return Played(failure, moving.key, moving.remote, position_ms)


def move(channel: Channel, how: str) -> bool:
    """Move what a channel plays from outside; False if it plays nothing that can be moved."""
    moving: Moving | None = channel.functions.get(KEY)
    if moving is None:
        return False
    moving.remote = how == "stop"
    moving.move(how)
    return True
