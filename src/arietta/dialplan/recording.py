"""A file that a channel's owner records, until a key, a limit or the end of the call."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from arietta.channels import signals
from arietta.channels.channel import HungUp
from arietta.media.engine import MediaError, RecordEnd, RecordOptions

if TYPE_CHECKING:
    from arietta.channels.channel import Channel


async def record_file(
    channel: Channel, path: Path, form: str, options: RecordOptions, keys: str, *, keep: bool = True
) -> tuple[RecordEnd, str]:
    """Record to ``path.form`` until one of the `keys`; how it ended, and the key.

    HungUp and Moved end it too, and without `keep` a hangup discards what there is. Raises MediaError and OSError.
    """
    port = channel.port
    if port is None:
        raise MediaError("the channel has no media")
    ended: asyncio.Future[RecordEnd] = channel.registry.loop.create_future()
    pressed: list[str] = []

    def end(how: RecordEnd) -> None:
        if not ended.done():
            ended.set_result(how)

    def listen(signal: signals.Signal) -> None:
        if isinstance(signal, signals.DigitEnded) and signal.digit in keys and not pressed:
            pressed.append(signal.digit)
            recorder.stop()

    path.parent.mkdir(parents=True, exist_ok=True)
    recorder = port.record(str(path), form, options, on_end=end)
    channel.listeners.append(listen)
    try:
        return await channel.until(ended), "".join(pressed)
    except HungUp:
        recorder.stop() if keep else recorder.cancel()
        raise
    except BaseException:
        recorder.stop()
        raise
    finally:
        if listen in channel.listeners:
            channel.listeners.remove(listen)
