"""Functions about how a channel sounds: how loud it is, whether it is heard, how what arrives is evened out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from arietta.channels import signals
from arietta.dialplan.arguments import split_arguments
from arietta.dialplan.errors import FunctionError
from arietta.dialplan.functions import EVERYTHING, Function, needed
from arietta.media.engine import ADAPTIVE, JitterRules, MediaError, Side

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter
    from arietta.media.engine import Port

DIRECTIONS = {"rx": Side.IN, "tx": Side.OUT}
"""What comes from the channel, and what goes to it."""
LOUDER, QUIETER = "*", "#"
DEFAULT_DEPTH_MS, DEFAULT_RESYNC_MS, DEFAULT_EXTRA_MS = 200, 1000, 40
LEAST_DEPTH_MS = 20


def _port(channel: Channel | None, name: str) -> Port:
    port = needed(channel, name).port
    if port is None:
        raise FunctionError(name, "the channel has no media")
    return port


class Gains:
    """What VOLUME has set on one channel, and the keys that change it."""

    def __init__(self, port: Port) -> None:
        self.values = dict.fromkeys(DIRECTIONS, 0.0)
        """0 is as it comes; above, samples are multiplied with it; below, they are divided by it."""
        self._port = port
        self._by_keys: set[str] = set()

    def set(self, direction: str, value: float) -> None:
        """Change one direction; MediaError when it is too loud."""
        self._port.volume(DIRECTIONS[direction], factor_of(value))
        self.values[direction] = value

    def obey_keys(self, direction: str, on: bool, listeners: list[Callable[[signals.Signal], None]]) -> None:
        """Let the channel's keys change a direction, or no more."""
        had_any = bool(self._by_keys)
        (self._by_keys.add if on else self._by_keys.discard)(direction)
        if self._by_keys and not had_any:
            listeners.append(self._hear)
        elif had_any and not self._by_keys:
            listeners.remove(self._hear)

    def _hear(self, signal: signals.Signal) -> None:
        if not isinstance(signal, signals.DigitEnded) or signal.digit not in (LOUDER, QUIETER):
            return
        step = 1 if signal.digit == LOUDER else -1
        for direction in self._by_keys:
            with suppress(MediaError):  # it is as loud as it gets
                self.set(direction, self.values[direction] + step)


def factor_of(value: float) -> float:
    """What samples are multiplied with for a value of VOLUME; of what is no number, none."""
    if value == 0:
        return 1
    return value if value > 0 else 1 / -value


def _direction(arguments: list[str]) -> str:
    direction = arguments[0].lower() if arguments else ""
    if direction not in DIRECTIONS:
        raise FunctionError("VOLUME", f"direction {direction[:20]!r} is neither TX nor RX")
    return direction


def _gains(channel: Channel) -> Gains | None:
    gains: Gains | None = channel.functions.get("VOLUME")
    return gains


def _read_volume(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    channel = needed(channel, "VOLUME")
    direction, gains = _direction(split_arguments(arguments)), _gains(channel)
    return f"{gains.values[direction]:g}" if gains is not None else "0"


def _write_volume(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    channel, words = needed(channel, "VOLUME"), split_arguments(arguments)
    direction, options = _direction(words), words[1] if len(words) > 1 else ""
    if options not in ("", "p"):
        raise FunctionError("VOLUME", f"options {options[:20]!r} are not supported, only p is")
    gains = _gains(channel) or Gains(_port(channel, "VOLUME"))
    try:
        gains.set(direction, float(value))
    except ValueError:
        raise FunctionError("VOLUME", f"{value[:20]!r} is not a number") from None
    except MediaError as problem:
        raise FunctionError("VOLUME", str(problem)) from None
    channel.functions["VOLUME"] = gains
    gains.obey_keys(direction, options == "p", channel.listeners)


def _write_mute(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    port, direction, state = _port(channel, "MUTEAUDIO"), arguments.strip().lower(), value.strip().lower()
    if direction not in ("in", "out", "all"):
        raise FunctionError("MUTEAUDIO", f"direction {direction[:20]!r} is none of in, out, all")
    if state not in ("on", "off"):
        raise FunctionError("MUTEAUDIO", f"{state[:20]!r} is neither on nor off")
    muted = state == "on"
    port.mute(muted if direction != "out" else None, muted if direction != "in" else None)


def _write_jitterbuffer(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    port, kind = _port(channel, "JITTERBUFFER"), arguments.strip().lower()
    buffer = getattr(port, "buffer", None)
    if buffer is None:
        technology = needed(channel, "JITTERBUFFER").technology
        raise FunctionError("JITTERBUFFER", f"what comes from {technology} has no jitter, only RTP has")
    try:
        buffer(_jitter_rules(kind, value))
    except MediaError as problem:
        raise FunctionError("JITTERBUFFER", str(problem)) from None


def _jitter_rules(kind: str, value: str) -> JitterRules:
    """The rules that a kind and `max_size,resync_threshold,target_extra,sync_video` stand for."""
    if kind == "disabled":
        return ADAPTIVE
    if kind not in ("fixed", "adaptive"):
        raise FunctionError("JITTERBUFFER", f"{kind[:20]!r} is none of fixed, adaptive, disabled")
    words = split_arguments(value) if value.strip().lower() != "default" else []
    depth, resync, extra, sync = (*words, "", "", "", "")[:4]
    if sync.lower() not in ("", "no", "off", "false", "0"):
        raise FunctionError("JITTERBUFFER", f"sync_video {sync[:20]!r} is not supported: there is no video")
    depth_ms = _milliseconds("max_size", depth, DEFAULT_DEPTH_MS)
    resync_ms = _milliseconds("resync_threshold", resync, DEFAULT_RESYNC_MS)
    if kind == "fixed":
        return JitterRules(True, depth_ms, resync_ms=resync_ms)
    extra_ms = _milliseconds("target_extra", extra, DEFAULT_EXTRA_MS)
    return JitterRules(False, min(max(extra_ms, LEAST_DEPTH_MS), depth_ms), depth_ms, resync_ms)


def _milliseconds(name: str, text: str, default: int) -> int:
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 8):
        raise FunctionError("JITTERBUFFER", f"{name} {text[:20]!r} is no number of milliseconds")
    return int(text)


def _write_agc(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    raise FunctionError("AGC", "automatic gain control is not supported")


def _write_denoise(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    raise FunctionError("DENOISE", "noise reduction is not supported")


FUNCTIONS = (
    Function(
        "AGC",
        "AGC(direction)",
        "Is refused: automatic gain control is not supported.",
        write=_write_agc,
        lacks=EVERYTHING,
    ),
    Function(
        "DENOISE",
        "DENOISE(direction)",
        "Is refused: noise reduction is not supported.",
        write=_write_denoise,
        lacks=EVERYTHING,
    ),
    Function(
        "JITTERBUFFER",
        "JITTERBUFFER(fixed|adaptive|disabled)",
        "How RTP is evened out, set to `default` or `max_size,resync_threshold,target_extra` in milliseconds. Fixed is "
        "max_size deep, 20 to 500; adaptive is target_extra deep at first and at least, max_size at most; a packet "
        "further than resync_threshold from what is due begins anew. `disabled` is the adaptive one of each channel at "
        "first.",
        write=_write_jitterbuffer,
        lacks="without `sync_video`: there is no video",
    ),
    Function(
        "MUTEAUDIO",
        "MUTEAUDIO(in|out|all)",
        "Set to `on` or `off`: whether nothing is heard of the channel, or nothing goes to it.",
        write=_write_mute,
    ),
    Function(
        "VOLUME",
        "VOLUME(TX|RX[,p])",
        "How loud what goes to the channel is, or what comes from it: a number above 0 multiplies samples, up to 100, "
        "one below 0 divides them, 0 leaves them. With `p` the channel's keys `*` and `#` add one and take one off.",
        _read_volume,
        _write_volume,
    ),
)
