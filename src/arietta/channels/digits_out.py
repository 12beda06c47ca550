"""Telling of the digits that a channel sends: each when it begins, and when it ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from arietta.media.engine import DigitOut
from arietta.model import facts

if TYPE_CHECKING:
    from arietta.channels.channel import Channel


def wanted(channel: Channel) -> bool:
    """Whether anybody wants to hear of digits."""
    return channel.registry.bus.wanted(facts.DigitBegan.topics + facts.DigitSent.topics)


class DigitsOut:
    """Digits being sent: one timer at a time, none after the last digit or the end of the channel."""

    __slots__ = ("_channel", "_digits")

    def __init__(self, channel: Channel, digits: Sequence[DigitOut]) -> None:
        self._channel = channel
        self._digits: Iterator[DigitOut] = iter(tuple(digits))

    def start(self, delay_s: float) -> None:
        """Begin after those that are being sent."""
        self._channel.registry.loop.call_later(delay_s, self._begin)

    def _begin(self) -> None:
        digit = next(self._digits, None)
        if digit is None or self._channel.ended:
            return
        self._channel.tell(facts.DigitBegan, digit.digit, True)
        self._channel.registry.loop.call_later(digit.duration_ms / 1000, self._end, digit)

    def _end(self, digit: DigitOut) -> None:
        if self._channel.ended:
            return
        self._channel.tell(facts.DigitSent, digit.digit, digit.duration_ms)
        self._channel.registry.loop.call_later(digit.gap_ms / 1000, self._begin)
