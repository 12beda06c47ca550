"""ChanSpy and ExtenSpy: hear other channels, one after the other, and speak into them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from arietta.channels.channel import State
from arietta.dialplan.applications import Application
from arietta.dialplan.applications.sounds import hear_names
from arietta.dialplan.arguments import split_arguments, whole_number
from arietta.dialplan.digits import DigitInput
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.loudness import LEVELS, factor_of
from arietta.dialplan.options import Option, Options
from arietta.media.engine import MediaError, Port, Recorder, RecordOptions, Side

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 1.0
"""How long it waits where there is nobody to listen to."""
MAX_TYPED = 40
"""Digits of a channel's name."""
WHISPERS = {"4": Side.NONE, "5": Side.OUT, "6": Side.BOTH}
OPTIONS = Options(
    1,
    (
        Option("b", "only bridged channels"),
        Option("B", "is heard by both sides of the call"),
        Option("c", "goes on to the next channel as `*` does", "key"),
        Option("d", "lets 4, 5 and 6 listen, whisper and be heard by both"),
        Option("D", "both sides apart, in a stream of two channels", refused="a call has one channel of sound"),
        Option("e", "only channels at these extensions, between colons", "extensions"),
        Option("E", "ends with the first channel"),
        Option("g", "only channels whose SPYGROUP has one of these, between colons", "groups"),
        Option("l", "keeps more sound waiting, which is never needed here"),
        Option("n", "says who it is", "[mailbox]", refused="there are no recorded names"),
        Option("o", "hears what the channel says, not what it hears"),
        Option("q", "does not beep"),
        Option("r", "records what is heard below the folder of MixMonitor", "[name]"),
        Option("s", "does not say the technology, which is never said here"),
        Option("S", "ends where nobody is left"),
        Option("u", "compares ids in place of names"),
        Option("v", "begins so loud, from -4 to 4", "[level]"),
        Option("w", "whispers to the channel"),
        Option("W", "whispers without hearing"),
        Option("x", "ends", "key"),
        Option("X", "a key that is an extension of SPY_EXIT_CONTEXT, or the present context, goes there"),
    ),
)


async def _chan_spy(channel: Channel, arguments: str, run: Run) -> None:
    """``ChanSpy([beginning of names[,options]])``."""
    parts = [*split_arguments(arguments), "", ""]
    options = OPTIONS.read("ChanSpy", parts[1])
    prefix = "" if parts[0] == "all" else parts[0]
    await _spy(Spying(channel, run, options, (prefix,), "" if "d" in options or "u" in options else prefix))


async def _exten_spy(channel: Channel, arguments: str, run: Run) -> None:
    """``ExtenSpy(extension[@context][,options])``: the devices of the extension's hint."""
    parts = [*split_arguments(arguments), "", ""]
    exten, _, context = parts[0].partition("@")
    options = OPTIONS.read("ExtenSpy", parts[1])
    hint = run.plan.hints.get(context or channel.context, exten)
    if hint is None:
        raise ApplicationError(f"ExtenSpy: {exten}@{context or channel.context} has no hint, which names its devices")
    beginnings = tuple(f"{device}-" for device in hint.hint.split(",")[0].split("&"))
    await _spy(Spying(channel, run, options, beginnings, ""))


async def _spy(spying: Spying) -> None:
    channel = spying.channel
    if channel.port is None:
        raise ApplicationError("the channel has no media")
    if channel.state is not State.UP:
        channel.answer()
    recorder = spying.record()
    try:
        with DigitInput(channel) as keys:
            await spying.go(keys)
    finally:
        if recorder is not None:
            recorder.stop()


class Spying:
    """One ChanSpy: whom it may hear, how, and what its keys do."""

    def __init__(
        self, channel: Channel, run: Run, options: dict[str, str], beginnings: Sequence[str], typed_prefix: str
    ) -> None:
        self.channel = channel
        self._run = run
        self._options = options
        self._beginnings = tuple(beginning.lower() for beginning in beginnings)
        self._typed_prefix = typed_prefix
        """What typed digits and `#` are put behind, to name a channel; "" if they name none."""
        self._typed = ""
        self._wanted: Channel | None = None
        """The channel that was typed."""
        self._over = False
        self._level = whole_number(options.get("v", ""), 0)
        if self._level not in LEVELS:
            raise ApplicationError(f"option v({options['v'][:20]}) is outside {LEVELS[0]}..{LEVELS[-1]}")
        both = Side.BOTH if "B" in options else Side.NONE
        self._whisper = both if both is Side.BOTH or not {"w", "W"} & options.keys() else Side.OUT
        self._spy = Side.NONE if "W" in options else Side.IN if "o" in options else Side.BOTH

    def record(self) -> Recorder | None:
        """Record what is heard, if that is wished."""
        if "r" not in self._options:
            return None
        port, folder = self.channel.port, self._run.plan.folders.monitor
        assert port is not None
        path = folder / f"{self._options['r'] or 'chanspy'}.{int(self._run.plan.now())}"
        if not path.resolve().is_relative_to(folder.resolve()):
            raise ApplicationError(f"option r({self._options['r'][:80]}) leads out of the folder of recordings")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return port.record(str(path), "sln", RecordOptions(side=Side.OUT), on_end=lambda end: None)
        except (MediaError, OSError) as failure:
            raise ApplicationError(f"option r: {failure}") from failure

    async def go(self, keys: DigitInput) -> None:
        """Hear one channel after the other, until that is over."""
        heard: set[str] = set()
        while not self._over:
            target, self._wanted = self._wanted or self._next(heard), None
            if target is None:
                if heard:
                    heard.clear()  # all had their turn: from the first one again
                    if self._next(heard) is not None:
                        continue
                if "S" in self._options:
                    return
                digit = await keys.next(LOOK_AGAIN_SECONDS)
                if digit is not None:
                    self._press(digit)
                continue
            heard.add(target.id)
            if "q" not in self._options:
                await hear_names(self.channel, "ChanSpy", ("beep",), self._run)
            await self._listen(target, keys)

    def _next(self, heard: set[str]) -> Channel | None:
        return next((one for one in self._targets() if one.id not in heard), None)

    def _targets(self) -> Iterator[Channel]:
        """The channels that may be listened to."""
        options, plan = self._options, self._run.plan
        groups = set(options["g"].split(":")) if options.get("g") else None
        extens = set(options["e"].split(":")) if options.get("e") else None
        for one in self.channel.registry:
            if one is self.channel or one.internal or one.port is None or one.state is not State.UP or one.ended:
                continue
            if not (one.id if "u" in options else one.name).lower().startswith(self._beginnings):
                continue
            if "b" in options and one.bridge is None:
                continue
            if groups is not None and groups.isdisjoint(plan.variable(one, "SPYGROUP").split(":")):
                continue
            if extens is None or one.exten in extens:
                yield one

    def _press(self, digit: str) -> bool:
        """Do what a key does; True if the present channel is left."""
        options = self._options
        if "X" in options and self._leave_for(digit):
            return True
        if digit == options.get("x"):
            self._over = True
        elif digit == "#":
            return self._pound()
        elif digit.isdigit() and self._typed_prefix and digit != options.get("c"):
            self._typed = (self._typed + digit)[-MAX_TYPED:]
        elif "d" in options and digit in WHISPERS:
            self._whisper = WHISPERS[digit]
        return digit in ("*", options.get("c"), options.get("x"))

    def _leave_for(self, digit: str) -> bool:
        run = self._run
        context = run.plan.variable(self.channel, "SPY_EXIT_CONTEXT") or self.channel.context
        if not run.exists(context, digit):
            return False
        self._over = True
        run.goto(context, digit, 1)
        return True

    def _pound(self) -> bool:
        """`#` ends a name that was typed, or makes it louder, up to the loudest and then the quietest."""
        if not self._typed:
            self._level = LEVELS[0] if self._level == LEVELS[-1] else self._level + 1
            return False
        start, self._typed = f"{self._typed_prefix}/{self._typed}".lower(), ""
        self._wanted = next((one for one in self._targets() if one.name.lower().startswith(start)), None)
        return self._wanted is not None

    async def _listen(self, target: Channel, keys: DigitInput) -> None:
        """Listen until the target ends or a key says so."""
        channel = self.channel
        channel.set_variable("SPY_CHANNEL", target.name)
        log.info("%s spies on %s", channel.name, target.name)
        over: asyncio.Future[str | None] = channel.registry.loop.create_future()

        def gone(_target: Channel) -> None:
            if not over.done():
                over.set_result(None)

        target.on_end.append(gone)
        whisper, snoop = self._whisper, self._open(target)
        try:
            while not target.ended:
                over = channel.registry.loop.create_future()
                keys.wake_by(over)
                if not keys.has_digit:
                    await channel.until(over)
                digit = keys.take()
                if digit is not None and self._press(digit):
                    return
                if self._whisper is not whisper:
                    snoop.close()
                    whisper, snoop = self._whisper, self._open(target)
                snoop.volume(Side.IN, factor_of(self._level))
            self._over = self._over or "E" in self._options
        finally:
            if gone in target.on_end:
                target.on_end.remove(gone)
            snoop.close()
            if channel.port is not None:
                channel.port.link(None)
            log.info("%s spies on %s no more", channel.name, target.name)

    def _open(self, target: Channel) -> Port:
        port = self.channel.port
        assert port is not None and target.port is not None
        engine = self.channel.registry.engine
        snoop = engine.open_snoop(target.port, spy=self._spy, whisper=self._whisper, on_event=lambda event: None)
        snoop.volume(Side.IN, factor_of(self._level))
        port.link(snoop)
        port.pass_digits(False)
        return snoop


APPLICATIONS = (
    Application(
        "ChanSpy",
        "ChanSpy([beginning of names[,options]])",
        "Listens to channels whose names begin so, one after the other: `*` goes on to the next, `#` makes it louder "
        "and at last quiet again, digits and `#` choose the channel with these behind the beginning and a slash. "
        "SPY_CHANNEL is the last one.",
        _chan_spy,
        options=OPTIONS,
    ),
    Application(
        "ExtenSpy",
        "ExtenSpy(extension[@context][,options])",
        "ChanSpy of the devices that the extension's hint names.",
        _exten_spy,
        options=OPTIONS,
    ),
)
