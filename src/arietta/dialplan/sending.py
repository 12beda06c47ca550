"""Digits that a step sends as they are written: ``ww123w4``, where w is half a second and W a whole one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.media.engine import DigitOut

if TYPE_CHECKING:
    from arietta.channels.channel import Channel

DIGIT_MS, GAP_MS = 100, 100
PAUSES_MS = {"w": 500, "W": 1000}


def send_written(channel: Channel, text: str) -> None:
    """Let a channel send digits; what is neither digit nor pause was refused before."""
    first_ms, digits = 0, list[DigitOut]()
    for sign in text:
        pause_ms = PAUSES_MS.get(sign)
        if pause_ms is None:
            digits.append(DigitOut(sign.upper(), DIGIT_MS, GAP_MS))
        elif digits:
            last = digits[-1]
            digits[-1] = DigitOut(last.digit, last.duration_ms, last.gap_ms + pause_ms)
        else:
            first_ms += pause_ms
    if not first_ms:
        _send(channel, digits)
    else:
        channel.registry.loop.call_later(first_ms / 1000, _send, channel, digits)


def _send(channel: Channel, digits: list[DigitOut]) -> None:
    if digits and not channel.hangup_requested:
        channel.send_digits(digits)
