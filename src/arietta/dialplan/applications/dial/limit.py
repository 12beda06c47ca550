"""How long a call may last, and what is said before its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from arietta.dialplan.arguments import is_yes
from arietta.dialplan.errors import ApplicationError

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter


class Limit(msgspec.Struct, frozen=True):
    """The limit of one call: `warn_seconds` before its end the rest is said, and again each `again_seconds`."""

    seconds: float
    warn_seconds: float = 0.0
    again_seconds: float = 0.0

    @classmethod
    def read(cls, text: str) -> Limit:
        """``ms[:warning[:again]]``; ApplicationError for what is no such thing."""
        parts = text.split(":")
        if len(parts) > 3 or not all(part.isascii() and part.isdigit() and len(part) < 12 for part in parts if part):
            raise ApplicationError(f"option L({text}) is not up to three numbers of milliseconds")
        total, warn, again = (int(part or "0") / 1000 for part in [*parts, "", ""][:3])
        return cls(total, warn if warn < total else 0.0, again)

    def warnings(self) -> list[float]:
        """The seconds that are left when a warning is due, the longest first."""
        if not self.warn_seconds:
            return []
        if not self.again_seconds:
            return [self.warn_seconds]
        step = max(self.again_seconds, 1.0)
        due = [self.warn_seconds - count * step for count in range(int(self.warn_seconds / step) + 1)]
        return [left for left in due if left > 0]


class RunningLimit:
    """A limit while the call lasts; `end` is called when the time is over."""

    def __init__(
        self, limit: Limit, caller: Channel, peer: Channel, plan: Interpreter, end: Callable[[], None]
    ) -> None:
        self._plan = plan
        self._end = end
        self._caller = caller
        self._listeners = self._who_hears(caller, peer)
        loop = caller.registry.loop
        self._timers = [loop.call_later(limit.seconds, self._time_is_up)]
        for left in limit.warnings():
            self._timers.append(loop.call_later(limit.seconds - left, self._warn, left))
        connect = self._variable("LIMIT_CONNECT_FILE")
        if connect and limit.warn_seconds:
            self._say([f"sound:{connect}"])

    def stop(self) -> None:
        """The call is over."""
        self._end = _nothing
        for timer in self._timers:
            timer.cancel()

    def _variable(self, name: str) -> str:
        return self._plan.variable(self._caller, name)

    def _who_hears(self, caller: Channel, peer: Channel) -> list[Channel]:
        to_caller, to_peer = self._variable("LIMIT_PLAYAUDIO_CALLER"), self._variable("LIMIT_PLAYAUDIO_CALLEE")
        found = [caller] if (not to_caller and not is_yes(to_peer)) or is_yes(to_caller) else []
        return [*found, peer] if is_yes(to_peer) else found

    def _warn(self, left: float) -> None:
        file = self._variable("LIMIT_WARNING_FILE")
        self._say([f"sound:{file}"] if file else _rest_in_words(round(left)))

    def _time_is_up(self) -> None:
        file = self._variable("LIMIT_TIMEOUT_FILE")
        if file:
            self._say([f"sound:{file}"], lambda: self._end())
        else:
            self._end()

    def _say(self, uris: Sequence[str], then: Callable[[], None] | None = None) -> None:
        for number, channel in enumerate(self._listeners):
            play_all(self._plan, channel, uris, then if not number else None)
        if then is not None and not self._listeners:
            then()


def play_all(plan: Interpreter, channel: Channel, uris: Sequence[str], then: Callable[[], None] | None = None) -> None:
    """Let a channel hear media URIs one after the other; `then` is called behind the last one that can be played."""

    def ended(failure: str | None) -> None:
        if len(uris) > 1 and failure is None and not channel.ended:
            play_all(plan, channel, uris[1:], then)
        elif then is not None:
            then()

    if channel.hangup_requested:
        if then is not None:
            then()
        return
    plan.media.play(channel, uris[0], ended)


def _rest_in_words(seconds: int) -> list[str]:
    minutes, rest = divmod(seconds, 60)
    said = ["sound:vm-youhave"]
    if minutes:
        said += [f"number:{minutes}", "sound:queue-minutes"]
    if rest or not minutes:
        said += [f"number:{rest}", "sound:queue-seconds"]
    return said


def _nothing() -> None:
    return
