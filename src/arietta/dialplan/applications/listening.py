"""Applications that listen: for silence, for noise, and into other channels."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from arietta.channels.channel import HungUp, State
from arietta.dialplan.applications import Application
from arietta.dialplan.applications.sounds import hear
from arietta.dialplan.arguments import split_arguments, whole_number
from arietta.dialplan.digits import DigitInput
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.options import letters
from arietta.media.engine import MediaEvent, Port, Side, TalkStarted, TalkStopped

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)

THRESHOLD = 256
WORD_GAP_MS = 60
"""A pause that does not end noise."""
DEFAULT_MS = 1000
MOST_MS = 3_600_000
MOST_TIMES = 1000
LOOK_AGAIN_SECONDS = 1.0
"""How long ChanSpy waits where there is nobody to listen to."""


class Ear:
    """A channel's far end, talking or silent; used with ``with``."""

    def __init__(self, channel: Channel, silence_ms: int, threshold: int = THRESHOLD) -> None:
        if channel.port is None:
            raise ApplicationError("the channel has no media")
        self._channel = channel
        self.talking = False
        self._changed: asyncio.Future[None] | None = None
        self._port = channel.registry.engine.open_snoop(
            channel.port, spy=Side.IN, whisper=Side.NONE, on_event=self._hear
        )
        self._port.detect_talk(threshold, silence_ms)

    def __enter__(self) -> Ear:
        return self

    def __exit__(self, *failure: object) -> None:
        self._port.close()

    async def change(self, timeout: float) -> bool:
        """Wait until it talks or is silent again; False after `timeout` seconds."""
        self._changed = self._channel.registry.loop.create_future()
        try:
            await self._channel.until(self._changed, timeout)
        except TimeoutError:
            return False
        finally:
            self._changed = None
        return True

    def _hear(self, event: MediaEvent) -> None:
        if isinstance(event, (TalkStarted, TalkStopped)):
            self.talking = isinstance(event, TalkStarted)
            if self._changed is not None and not self._changed.done():
                self._changed.set_result(None)


async def _wait_for(channel: Channel, name: str, arguments: str, run: Run, *, noise: bool) -> None:
    """``NAME([ms[,times[,timeout]]])``: so much silence or noise, so many times."""
    parts = [*split_arguments(arguments), "", "", ""]
    wanted_ms = whole_number(parts[0], DEFAULT_MS)
    times = whole_number(parts[1], 1)
    timeout = whole_number(parts[2], 0)
    if not 0 < wanted_ms <= MOST_MS or not 0 < times <= MOST_TIMES or timeout < 0:
        raise ApplicationError(f"{name}({arguments[:60]}) is outside 1..{MOST_MS} ms, 1..{MOST_TIMES} times")
    loop = channel.registry.loop
    ends_at = loop.time() + (timeout or MOST_MS)
    if channel.state is not State.UP:
        channel.answer()
    status = "TIMEOUT"
    try:
        with Ear(channel, WORD_GAP_MS if noise else wanted_ms) as ear:
            while times and (left := ends_at - loop.time()) > 0:
                if ear.talking is noise:
                    # What is waited for goes on: it has to do so long enough.
                    if not await ear.change(min(left, wanted_ms / 1000)) and left >= wanted_ms / 1000:
                        times -= 1
                elif await ear.change(left) and not noise:
                    times -= 1  # silence is told when it has lasted
            if not times:
                status = "NOISE" if noise else "SILENCE"
    except HungUp:
        channel.set_variable("WAITSTATUS", "HANGUP")
        raise
    channel.set_variable("WAITSTATUS", status)


async def _wait_for_silence(channel: Channel, arguments: str, run: Run) -> None:
    await _wait_for(channel, "WaitForSilence", arguments, run, noise=False)


async def _wait_for_noise(channel: Channel, arguments: str, run: Run) -> None:
    await _wait_for(channel, "WaitForNoise", arguments, run, noise=True)


async def _chan_spy(channel: Channel, arguments: str, run: Run) -> None:
    """``ChanSpy([beginning of names[,options]])``."""
    parts = [*split_arguments(arguments), "", ""]
    options = letters("ChanSpy", parts[1], "bBdEoqsSuwW", "cegx")
    await _spy(channel, ("",) if parts[0] == "all" else (parts[0],), options, run)


async def _exten_spy(channel: Channel, arguments: str, run: Run) -> None:
    """``ExtenSpy(extension[@context][,options])``: the devices of the extension's hint."""
    parts = [*split_arguments(arguments), "", ""]
    exten, _, context = parts[0].partition("@")
    options = letters("ExtenSpy", parts[1], "bBdEoqsSuwW", "cgx")
    hint = run.plan.hints.get(context or channel.context, exten)
    if hint is None:
        raise ApplicationError(f"ExtenSpy: {exten}@{context or channel.context} has no hint, which names its devices")
    await _spy(channel, tuple(f"{device}-" for device in hint.hint.split(",")[0].split("&")), options, run)


async def _spy(channel: Channel, beginnings: tuple[str, ...], options: dict[str, str], run: Run) -> None:
    if channel.port is None:
        raise ApplicationError("ChanSpy: the channel has no media")
    if channel.state is not State.UP:
        channel.answer()
    heard: set[str] = set()
    with DigitInput(channel) as keys:
        while True:
            target = next((one for one in _targets(channel, beginnings, options, run) if one.id not in heard), None)
            if target is None:
                if heard:
                    heard.clear()  # all had their turn: from the first one again
                    if next(_targets(channel, beginnings, options, run), None) is not None:
                        continue
                if "S" in options:
                    return
                digit = await keys.next(LOOK_AGAIN_SECONDS)
                if digit is not None and digit == options.get("x"):
                    return
                continue
            heard.add(target.id)
            if "q" not in options:
                await hear(channel, "sound:beep", run)
            if await _listen(channel, target, keys, options):
                return


def _targets(channel: Channel, beginnings: tuple[str, ...], options: dict[str, str], run: Run) -> Iterator[Channel]:
    """The channels that may be listened to."""
    groups = set(options["g"].split(":")) if options.get("g") else None
    extens = set(options["e"].split(":")) if options.get("e") else None
    for one in channel.registry:
        if one is channel or one.internal or one.port is None or one.state is not State.UP or one.ended:
            continue
        name = one.id if "u" in options else one.name
        if not name.lower().startswith(tuple(beginning.lower() for beginning in beginnings)):
            continue
        if "b" in options and one.bridge is None:
            continue
        if groups is not None and groups.isdisjoint(run.plan.variable(one, "SPYGROUP").split(":")):
            continue
        if extens is not None and one.exten not in extens:
            continue
        yield one


async def _listen(channel: Channel, target: Channel, keys: DigitInput, options: dict[str, str]) -> bool:
    """Listen until the target ends or a key says so; True if that was all."""
    whisper = Side.BOTH if "B" in options else Side.OUT if "w" in options or "W" in options else Side.NONE
    mute = "W" in options
    spy = Side.NONE if mute else Side.IN if "o" in options else Side.BOTH
    log.info("%s spies on %s", channel.name, target.name)
    over: asyncio.Future[str | None] = channel.registry.loop.create_future()

    def gone(_target: Channel) -> None:
        if not over.done():
            over.set_result(None)

    target.on_end.append(gone)
    snoop = None
    try:
        while not target.ended:
            if snoop is None:
                snoop = _open(channel, target, spy, whisper)
            over = channel.registry.loop.create_future()
            keys.wake_by(over)
            digit = keys.take()
            if digit is None:
                await channel.until(over)
                digit = keys.take()
            if digit is None:
                continue
            if "x" in options and digit == options["x"]:
                return True
            if digit in ("*", options.get("c")):
                return False
            if "d" in options and digit in "456":
                whisper = {"4": Side.NONE, "5": Side.OUT, "6": Side.BOTH}[digit]
                snoop.close()
                snoop = None
        return "E" in options
    finally:
        if gone in target.on_end:
            target.on_end.remove(gone)
        if snoop is not None:
            snoop.close()
        if channel.port is not None:
            channel.port.link(None)
        log.info("%s spies on %s no more", channel.name, target.name)


def _open(channel: Channel, target: Channel, spy: Side, whisper: Side) -> Port:
    assert channel.port is not None and target.port is not None
    snoop = channel.registry.engine.open_snoop(target.port, spy=spy, whisper=whisper, on_event=lambda event: None)
    channel.port.link(snoop)
    channel.port.pass_digits(False)
    return snoop


APPLICATIONS = (
    Application(
        "ChanSpy",
        "ChanSpy([beginning of names[,options]])",
        "Listens to channels whose names begin so, one after the other: `*` goes on to the next. Options: `b` bridged "
        "ones only, `B` is heard by both sides, `c(key)` goes on as `*` does, `d` lets 4, 5 and 6 listen, whisper and "
        "be heard by both, `e(a:b)` channels at these extensions only, `E` ends with the first channel, `g(a:b)` "
        "channels whose SPYGROUP has one of these, `o` hears the channel itself only, `q` without beep, `s` names are "
        "not said, as never here, `S` ends where nobody is left, `u` compares ids, `w` whispers to the channel, `W` "
        "without hearing it, `x(key)` ends.",
        _chan_spy,
    ),
    Application(
        "ExtenSpy",
        "ExtenSpy(extension[@context][,options])",
        "ChanSpy of the devices that the extension's hint names.",
        _exten_spy,
    ),
    Application(
        "WaitForNoise",
        "WaitForNoise([ms[,times[,seconds]]])",
        "Waits for so much noise, so many times; WAITSTATUS is NOISE, TIMEOUT or HANGUP.",
        _wait_for_noise,
    ),
    Application(
        "WaitForSilence",
        "WaitForSilence([ms[,times[,seconds]]])",
        "Waits for so much silence, so many times; WAITSTATUS is SILENCE, TIMEOUT or HANGUP.",
        _wait_for_silence,
    ),
)
