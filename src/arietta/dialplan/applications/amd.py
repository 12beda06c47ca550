"""AMD: whether a person or a machine answered, by how the greeting sounds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from arietta.channels.channel import HungUp, State
from arietta.dialplan.applications import Application
from arietta.dialplan.applications.listening import Ear
from arietta.dialplan.arguments import split_arguments, whole_number
from arietta.dialplan.errors import ApplicationError

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

NAMES = (
    "initial silence", "greeting", "silence after the greeting", "analysis", "shortest word", "silence between words",
    "number of words", "silence threshold", "longest word",
)  # fmt: skip
DEFAULTS = (2500, 1500, 800, 5000, 100, 50, 2, 256, 5000)
"""As amd.conf has them where it says nothing; times in milliseconds."""
MOST = 60_000


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


async def _amd(channel: Channel, arguments: str, run: Run) -> None:
    parts = split_arguments(arguments)
    if len(parts) > len(NAMES) and parts[len(NAMES)]:
        raise ApplicationError("AMD: playing a file meanwhile is not supported")
    limits: list[int] = []
    for place, default in enumerate(DEFAULTS):
        value = whole_number(parts[place], -1) if place < len(parts) and parts[place] else default
        if not 0 < value <= MOST:
            raise ApplicationError(f"AMD: {NAMES[place]} {parts[place][:20]!r} is outside 1..{MOST}")
        limits.append(value)
    if channel.state is not State.UP:
        channel.answer()
    loop: asyncio.AbstractEventLoop = channel.registry.loop
    analysis = Analysis(tuple(limits), loop.time())
    try:
        with Ear(channel, limits[5], limits[7]) as ear:
            while (found := analysis.verdict(loop.time())) is None:
                if await ear.change(analysis.next_look(loop.time())):
                    (analysis.talks if ear.talking else analysis.pauses)(loop.time())
    except HungUp:
        channel.set_variable("AMDSTATUS", "HANGUP")
        raise
    channel.set_variable("AMDSTATUS", found[0])
    channel.set_variable("AMDCAUSE", found[1])


APPLICATIONS = (
    Application(
        "AMD",
        "AMD([initial silence[,greeting[,silence after it[,analysis[,shortest word[,silence between words[,words"
        "[,threshold[,longest word]]]]]]]]])",
        "Listens whether a person or a machine answered, with limits in milliseconds (2500, 1500, 800, 5000, 100, 50, "
        "2 words, energy 256, 5000). AMDSTATUS is HUMAN, MACHINE, NOTSURE or HANGUP, AMDCAUSE why.",
        _amd,
    ),
)
