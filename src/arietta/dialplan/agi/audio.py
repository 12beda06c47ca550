"""What an EAGI program hears: the far end's audio as a pipe, 16-bit samples at 8 kHz in the order of the host."""

from __future__ import annotations

import logging
import os
from types import TracebackType
from typing import TYPE_CHECKING

from arietta.dialplan.errors import ApplicationError
from arietta.media.engine import Side

if TYPE_CHECKING:
    from arietta.channels.channel import Channel

log = logging.getLogger(__name__)


class AudioPipe:
    """A pipe that a channel's audio is written to while it is entered; used with ``with``.

    What a program does not read is dropped once the pipe is full, which is after some seconds.
    """

    def __init__(self, channel: Channel) -> None:
        if channel.port is None:
            raise ApplicationError("the channel has no media")
        self._name = channel.name
        self._dropped = 0
        self.reader, self._writer = os.pipe()
        """The end that is given to the program."""
        os.set_blocking(self._writer, False)
        engine = channel.registry.engine
        self._spy = engine.open_snoop(channel.port, spy=Side.IN, whisper=Side.NONE, on_event=lambda event: None)
        self._stream = engine.open_stream(format="slin", on_event=lambda event: None, on_frame=self._write)
        self._stream.link(self._spy)

    def __enter__(self) -> AudioPipe:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failure: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stream.close()
        self._spy.close()
        self.give_away()
        self._close_writer()
        if self._dropped:
            log.warning("%s: EAGI: the program did not read %d frames of audio", self._name, self._dropped)

    def give_away(self) -> None:
        """Close the reader here, once the program has it."""
        if self.reader >= 0:
            os.close(self.reader)
            self.reader = -1

    def _write(self, frame: bytes) -> None:
        if self._writer < 0:
            return
        try:
            os.write(self._writer, frame)
        except BlockingIOError:
            self._dropped += 1
        except OSError:
            self._close_writer()  # the program has closed it, or ended

    def _close_writer(self) -> None:
        if self._writer >= 0:
            os.close(self._writer)
            self._writer = -1
