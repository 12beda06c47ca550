"""AMD: whether a person or a machine answered, by how the greeting sounds."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import structs

from arietta.channels.channel import HungUp, State
from arietta.config.amd import AmdSettings
from arietta.config.kinds import Invalid
from arietta.config.settings import declared
from arietta.dialplan.applications import Application
from arietta.dialplan.applications.listening import Ear
from arietta.dialplan.arguments import split_arguments
from arietta.dialplan.errors import ApplicationError

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)

LIMITS = (
    "initial_silence", "greeting", "after_greeting_silence", "total_analysis_time", "min_word_length",
    "between_words_silence", "maximum_number_of_words", "silence_threshold", "maximum_word_length",
)  # fmt: skip
"""The options of amd.conf that are arguments too, in their order; the tenth is the file to play."""


class Analysis:
    """A greeting as it goes on: it is told of words and pauses, and says when it has an opinion; times in seconds."""

    def __init__(self, limits: tuple[int, ...], now: float) -> None:
        self._initial, self._greeting, self._after, self._total, self._shortest, self._between = (
            one / 1000 for one in limits[:6]
        )
        self._words_limit, self._longest = limits[6], limits[8] / 1000
        self._began = self._silent_since = now
        self._word_since: float | None = None
        self._voice = 0.0
        self._words = 0

    def talks(self, now: float) -> None:
        """A word begins."""
        self._word_since = now

    def pauses(self, now: float) -> None:
        """A word has ended, which is known when the pause between words is over."""
        if self._word_since is None:
            return
        ended_at = max(self._word_since, now - self._between)
        length = ended_at - self._word_since
        if length >= self._shortest:
            self._words += 1
            self._voice += length
            self._silent_since = ended_at
        self._word_since = None

    def verdict(self, now: float) -> tuple[str, str] | None:
        """AMDSTATUS and AMDCAUSE, None as long as nothing is clear."""
        if self._words >= self._words_limit:
            return "MACHINE", f"MAXWORDS-{self._words}-{self._words_limit}"
        if self._word_since is not None:
            word = now - self._word_since
            if word >= self._longest:
                return "MACHINE", f"MAXWORDLENGTH-{_ms(word)}"
            if self._voice + word >= self._greeting:
                return "MACHINE", f"LONGGREETING-{_ms(self._voice + word)}-{_ms(self._greeting)}"
        else:
            silence = now - self._silent_since
            if not self._words and silence >= self._initial:
                return "MACHINE", f"INITIALSILENCE-{_ms(silence)}-{_ms(self._initial)}"
            if self._words and silence >= self._after:
                return "HUMAN", f"HUMAN-{_ms(silence)}-{_ms(self._after)}"
        if now - self._began >= self._total:
            return "NOTSURE", f"TOOLONG-{_ms(now - self._began)}"
        return None

    def next_look(self, now: float) -> float:
        """Seconds until a verdict may be clear without anything new."""
        times = [self._began + self._total]
        if self._word_since is not None:
            times += [self._word_since + self._longest, self._word_since + self._greeting - self._voice]
        else:
            times.append(self._silent_since + (self._after if self._words else self._initial))
        return max(0.001, min(times) - now)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _settings(arguments: str, defaults: AmdSettings) -> AmdSettings:
    """The settings of one AMD; ApplicationError for a limit that makes no sense."""
    parts = split_arguments(arguments)
    if len(parts) > len(LIMITS) + 1:
        raise ApplicationError(f"AMD has {len(parts)} arguments, {len(LIMITS) + 1} at most")
    changes: dict[str, int | str] = {}
    for entry in declared(AmdSettings):
        place = (*LIMITS, "playback_file").index(entry.field)
        if place < len(parts) and parts[place]:
            try:
                changes[entry.field] = entry.kind.read(parts[place], entry.field, entry.default, lambda message: None)
            except Invalid as refusal:
                raise ApplicationError(f"AMD: {refusal}") from refusal
    return structs.replace(defaults, **changes)


async def _verdict(channel: Channel, settings: AmdSettings) -> tuple[str, str]:
    """AMDSTATUS and AMDCAUSE."""
    loop = channel.registry.loop
    analysis = Analysis(tuple(getattr(settings, name) for name in LIMITS), loop.time())
    with Ear(channel, settings.between_words_silence, settings.silence_threshold) as ear:
        while (found := analysis.verdict(loop.time())) is None:
            if await ear.change(analysis.next_look(loop.time())):
                (analysis.talks if ear.talking else analysis.pauses)(loop.time())
        return found


async def _amd(channel: Channel, arguments: str, run: Run) -> None:
    settings = _settings(arguments, run.plan.amd)
    if channel.state is not State.UP:
        channel.answer()
    stop: Callable[[], None] | None = None
    if settings.playback_file:
        stop = run.plan.media.play(channel, f"sound:{settings.playback_file}", lambda failure: _note(channel, failure))
    try:
        status, cause = await _verdict(channel, settings)
    except HungUp:
        channel.set_variable("AMDSTATUS", "HANGUP")
        raise
    finally:
        if stop is not None:
            stop()
    channel.set_variable("AMDSTATUS", status)
    channel.set_variable("AMDCAUSE", cause)


def _note(channel: Channel, failure: str | None) -> None:
    if failure is not None:
        log.warning("%s: AMD: %s", channel.name, failure)


APPLICATIONS = (
    Application(
        "AMD",
        "AMD([initial silence[,greeting[,silence after it[,analysis[,shortest word[,silence between words[,words"
        "[,threshold[,longest word[,file]]]]]]]]]])",
        "Listens whether a person or a machine answered, with limits in milliseconds, and plays a file meanwhile; what "
        "is not said is as amd.conf has it. AMDSTATUS is HUMAN, MACHINE, NOTSURE or HANGUP, AMDCAUSE why.",
        _amd,
    ),
)
