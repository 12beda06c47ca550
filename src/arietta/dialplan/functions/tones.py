"""TONE_DETECT: a tone that is listened for while the dialplan goes on, and where a call goes once it was heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.channels import signals
from arietta.channels.channel import Moved
from arietta.dialplan.arguments import split_arguments, whole_number
from arietta.dialplan.errors import ApplicationError, FunctionError
from arietta.dialplan.functions import Function, needed
from arietta.dialplan.options import Option, Options
from arietta.dialplan.run import Run
from arietta.media.engine import MediaEvent, Port, Side, ToneDetected

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

NAME = "TONE_DETECT"
"""Also where a channel keeps its watch."""
DEFAULT_MS, MOST_HZ = 500, 3999
_ONE_TONE = "one frequency is listened for"
OPTIONS = Options(
    2,
    (
        Option("a", "special information tones", refused=_ONE_TONE),
        Option("b", "the busy tone", refused=_ONE_TONE),
        Option("c", "the dial tone", refused=_ONE_TONE),
        Option("d", "a threshold", "decibels", refused="the threshold is that of the engine"),
        Option("g", "where the call goes when the tone came from it", "context,exten,priority"),
        Option("h", "where the call goes when the tone was sent to it", "context,exten,priority"),
        Option("n", "so many times before it goes there", "times"),
        Option("p", "the ringing tone", refused=_ONE_TONE),
        Option("r", "listens to what comes alone"),
        Option("s", "removes the tone", refused="what is heard is not changed"),
        Option("t", "listens to what is sent alone"),
        Option("x", "listens no more"),
    ),
)


class Watch:
    """What is listened for on one channel, and how often it was heard."""

    def __init__(self, plan: Interpreter, channel: Channel, options: dict[str, str]) -> None:
        self.counts = {"rx": 0, "tx": 0}
        self._plan, self._channel = plan, channel
        self._places = {
            side: _place(plan, channel, options[letter])
            for side, letter in (("rx", "g"), ("tx", "h"))
            if letter in options
        }
        self._times = whole_number(options.get("n", "1"))
        if self._times < 1:
            raise FunctionError(NAME, f"option n({options['n'][:20]}) is no number above 0")
        self._sent: Port | None = None

    def begin(self, port: Port, frequency_hz: int, duration_ms: int, options: dict[str, str]) -> None:
        """Listen to what comes and what is sent, or to one of them."""
        channel = self._channel
        if "t" not in options or "r" in options:
            port.detect_tone(frequency_hz, duration_ms)
            channel.listeners.append(self._hear_received)
        if "r" not in options or "t" in options:
            self._sent = channel.registry.engine.open_snoop(
                port, spy=Side.OUT, whisper=Side.NONE, on_event=self._hear_sent
            )
            self._sent.detect_tone(frequency_hz, duration_ms)
        channel.functions[NAME] = self
        channel.on_end.append(self.end)

    def end(self, _channel: Channel | None = None) -> None:
        """Listen no more; the counts stay."""
        channel = self._channel
        if channel.port is not None:
            channel.port.detect_tone(None)
        if self._hear_received in channel.listeners:
            channel.listeners.remove(self._hear_received)
        if self._sent is not None:
            self._sent.close()
            self._sent = None
        if self.end in channel.on_end:
            channel.on_end.remove(self.end)

    def _hear_received(self, signal: signals.Signal) -> None:
        if isinstance(signal, signals.ToneDetected):
            self._count("rx")

    def _hear_sent(self, event: MediaEvent) -> None:
        if isinstance(event, ToneDetected):
            self._count("tx")

    def _count(self, side: str) -> None:
        self.counts[side] += 1
        place, channel = self._places.get(side), self._channel
        if place is not None and self.counts[side] == self._times and not channel.hangup_requested:
            channel.set_place(*place)
            channel.interrupt(Moved())


def _place(plan: Interpreter, channel: Channel, text: str) -> tuple[str, str, int]:
    run = Run(plan, channel)
    context, exten, priority = run.place_of(text)
    if not run.exists(context, exten, priority):
        raise ApplicationError(f"there is no {exten}@{context}:{priority} to go to")
    return context, exten, priority


def _write(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    try:
        _set(plan, needed(channel, NAME), [*split_arguments(arguments, 3), "", "", ""])
    except ApplicationError as failure:
        raise FunctionError(NAME, str(failure).removeprefix(f"{NAME}: ")) from failure


def _set(plan: Interpreter, channel: Channel, parts: list[str]) -> None:
    options = OPTIONS.read(NAME, parts[2])
    if channel.port is None:
        raise FunctionError(NAME, "the channel has no media")
    former: Watch | None = channel.functions.get(NAME)
    if "x" in options:
        if former is not None:
            former.end()
        return
    frequency_hz, duration_ms = whole_number(parts[0]), whole_number(parts[1], DEFAULT_MS)
    if not 0 < frequency_hz <= MOST_HZ:
        raise FunctionError(NAME, f"frequency {frequency_hz} is outside 1..{MOST_HZ}")
    if duration_ms <= 0:
        raise FunctionError(NAME, f"duration {duration_ms} is not above 0")
    watch = Watch(plan, channel, options)
    if former is not None:
        former.end()
    watch.begin(channel.port, frequency_hz, duration_ms, options)


def _read(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    watch: Watch | None = needed(channel, NAME).functions.get(NAME)
    side = arguments.strip().lower()
    if side not in ("rx", "tx"):
        raise FunctionError(NAME, f"{arguments[:40]!r} is none of rx, tx")
    return str(watch.counts[side] if watch is not None else 0)


FUNCTIONS = (
    Function(
        NAME,
        f"{NAME}(frequency[,ms[,options]]) or {NAME}(rx|tx)",
        "Set to anything: listens for a tone of that frequency for that long, 500 ms without a number, and tells "
        f"applications of one that comes; read: how often one came or was sent. Options: {OPTIONS.described()}.",
        _read,
        _write,
        lacks="without the options `a`, `b`, `c`, `d`, `p`, `s`",
    ),
)
