"""Background and BackgroundDetect: files that play until the caller dials, or speaks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from arietta.channels import signals
from arietta.channels.channel import State
from arietta.dialplan.applications import Application
from arietta.dialplan.applications.listening import THRESHOLD
from arietta.dialplan.applications.sounds import answer_unless, file_names, hear, uri_of
from arietta.dialplan.arguments import split_arguments, whole_number
from arietta.dialplan.digits import DigitInput
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.options import Option, Options
from arietta.media.engine import MediaEvent, Side, TalkStopped

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)

OPTIONS = Options(
    1,
    (
        Option("m", "heeds keys alone that are an extension"),
        Option("n", "does not answer"),
        Option("p", "heeds no key"),
        Option("s", "does nothing in a call that is not answered"),
    ),
)
TALK, TALKED = "talk", "TALK_DETECTED"
SILENCE_MS, LEAST_MS, NO_LIMIT_MS = 1000, 100, 3_600_000


async def _background(channel: Channel, arguments: str, run: Run) -> None:
    parts = [*split_arguments(arguments), "", "", "", ""]
    if not parts[0]:
        raise ApplicationError("Background names no file")
    options = OPTIONS.read("Background", parts[1])
    if not answer_unless(channel, _words(options)):
        return
    context = parts[3] or channel.context
    former, channel.language = channel.language, parts[2] or channel.language
    try:
        digit = await _background_digit(channel, file_names(parts[0]), run, options, context)
    finally:
        channel.language = former
    if digit is not None:
        await run.wait_for_extension(digit, run.plan.timeout_of(channel, "digit"), context)


async def _background_digit(
    channel: Channel, names: Sequence[str], run: Run, options: Mapping[str, str], context: str
) -> str | None:
    """The digit that ended the files, None if none did."""

    def counts(digit: str) -> bool:
        """Whether a digit ends them: with `m` those alone that are an extension."""
        return "m" not in options or run.exists(context, digit)

    with DigitInput(channel) as keys:
        for name in names:
            failure = await hear(channel, uri_of(name), run, None if "p" in options else keys, counts)
            if failure is not None:
                log.warning("%s: Background: %s", channel.name, failure)
            while "p" not in options and (digit := keys.take()) is not None:
                if counts(digit):
                    return digit
    return None


def _words(options: Mapping[str, str]) -> str:
    """Playback's words for the letters s and n."""
    return ("skip" if "s" in options else "") + ("noanswer" if "n" in options else "")


async def _background_detect(channel: Channel, arguments: str, run: Run) -> None:
    """``BackgroundDetect(file[,silence[,least[,most[,analysis]]]])``, times in milliseconds."""
    parts = [*split_arguments(arguments), *[""] * 5]
    if not parts[0]:
        raise ApplicationError("BackgroundDetect names no file")
    limits = [
        whole_number(text, default)
        for text, default in zip(parts[1:5], (SILENCE_MS, LEAST_MS, NO_LIMIT_MS, NO_LIMIT_MS), strict=True)
    ]
    if not all(0 < limit <= NO_LIMIT_MS for limit in limits):
        raise ApplicationError(f"BackgroundDetect: {','.join(parts[1:5])[:60]!r} is outside 1..{NO_LIMIT_MS} ms")
    if channel.state is not State.UP:
        channel.answer()
    with Detection(channel, run, *limits) as detection:
        for name in file_names(parts[0]):
            failure = await detection.hear(name)
            if failure is not None:
                log.warning("%s: BackgroundDetect: %s", channel.name, failure)
            if detection.is_over:
                break
    if detection.talked_ms is not None:
        channel.set_variable(TALKED, str(detection.talked_ms))
        run.goto(channel.context, TALK, 1)
    elif detection.digit:
        await run.wait_for_extension(detection.digit, run.plan.timeout_of(channel, "digit"))


class Detection:
    """What ends files that play: a key that begins an extension, or speech; used with ``with``."""

    def __init__(
        self, channel: Channel, run: Run, silence_ms: int, least_ms: int, most_ms: int, analysis_ms: int
    ) -> None:
        if channel.port is None:
            raise ApplicationError("the channel has no media")
        self.digit = ""
        self.talked_ms: int | None = None
        self._channel, self._run = channel, run
        self._least_ms, self._most_ms = least_ms, most_ms
        self._until = channel.registry.loop.time() + analysis_ms / 1000
        self._ended: asyncio.Future[str | None] | None = None
        self._port = channel.registry.engine.open_snoop(
            channel.port, spy=Side.IN, whisper=Side.NONE, on_event=self._take_talk
        )
        self._port.detect_talk(THRESHOLD, silence_ms)

    def __enter__(self) -> Detection:
        self._channel.listeners.append(self._take_key)
        return self

    def __exit__(self, *failure: object) -> None:
        self._port.close()
        if self._take_key in self._channel.listeners:
            self._channel.listeners.remove(self._take_key)

    @property
    def is_over(self) -> bool:
        """Whether a key or speech has come."""
        return bool(self.digit) or self.talked_ms is not None

    async def hear(self, name: str) -> str | None:
        """Play a file to its end, or until a key or speech comes; why it failed, or None."""
        if self.is_over:
            return None
        self._ended = self._channel.registry.loop.create_future()
        stop = self._run.plan.media.play(self._channel, uri_of(name), self._end)
        try:
            return await self._channel.until(self._ended)
        finally:
            stop()

    def _end(self, failure: str | None = None) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(failure)

    def _take_key(self, signal: signals.Signal) -> None:
        if isinstance(signal, signals.DigitEnded) and not self.is_over:
            channel, plan = self._channel, self._run.plan
            if plan.dialplan.can_match(channel.context, signal.digit, channel.caller.number):
                self.digit = signal.digit
                self._end()

    def _take_talk(self, event: MediaEvent) -> None:
        if not isinstance(event, TalkStopped) or self.is_over or self._channel.registry.loop.time() > self._until:
            return
        if self._least_ms <= event.duration_ms <= self._most_ms and self._run.exists(self._channel.context, TALK):
            self.talked_ms = event.duration_ms
            self._end()


APPLICATIONS = (
    Application(
        "Background",
        "Background(file[&file…][,options[,language[,context]]])",
        "Plays files until the caller dials an extension, and goes there.",
        _background,
        options=OPTIONS,
    ),
    Application(
        "BackgroundDetect",
        "BackgroundDetect(file[&file…][,silence ms[,least ms[,most ms[,analysis ms]]]])",
        "Plays files until the caller dials an extension, or says something: at least 100 ms and no longer than the "
        "most, with 1000 ms of silence behind it, within the time of the analysis. Then TALK_DETECTED is how long that "
        "was, and the extension `talk` is next, if it exists.",
        _background_detect,
    ),
)
