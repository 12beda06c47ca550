"""MixMonitor: a call is recorded from both sides while the dialplan goes on, through bridges, to the channel's end."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arietta.dialplan.applications import Application
from arietta.dialplan.applications.adjusted import Adjusted
from arietta.dialplan.applications.sounds import hear_names
from arietta.dialplan.arguments import split_arguments, whole_number
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.loudness import LEVELS, factor_of
from arietta.dialplan.options import Option, Options
from arietta.dialplan.programs import ProgramFailed, run_in_shell
from arietta.media.engine import MediaError, Port, RecordEnd, RecordEndReason, Recorder, RecordOptions, Samples, Side
from arietta.media.tones import parse_tones, render
from arietta.model import events, facts

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)

KEY = "MixMonitor"
"""Where a channel keeps its monitors, by their ids."""
FILENAME = "MIXMONITOR_FILENAME"
MAX_MONITORS = 32
"""Of one channel."""
BEEP_SECONDS, LEAST_BEEP_SECONDS, MOST_BEEP_SECONDS = 15, 1, 3600
BEEP = "!1400/60"
_NO_MAILBOX = "copies to mailboxes are not made"
OPTIONS = Options(
    1,
    (
        Option("a", "goes on at the end of the file"),
        Option("b", "records in bridges only"),
        Option("B", "both sides hear a beep from time to time, every 15 seconds or so many", "[seconds]"),
        Option("c", "names the real caller in the copies", refused=_NO_MAILBOX),
        Option("d", "deletes the file after the command"),
        Option("D", "both sides apart, in a raw file", refused="ARI's format wav-tracks has both sides apart"),
        Option("i", "keeps the id in a variable", "variable"),
        Option("m", "copies the file to mailboxes", "mailbox,…", refused=_NO_MAILBOX),
        Option("n", "lets the files of the two sides come apart", refused="they are always kept in step"),
        Option("p", "beeps at the beginning"),
        Option("P", "beeps at StopMixMonitor"),
        Option("r", "records what is received", "file"),
        Option("S", "keeps the files in step, as they always are"),
        Option("t", "records what is sent", "file"),
        Option("v", "what the channel hears so much louder or quieter", "level"),
        Option("V", "what the channel says so much louder or quieter", "level"),
        Option("W", "both", "level"),
    ),
)
BRIDGES = "bridge:"
"""The topic of all bridges, where it is told who enters and leaves."""
_ids = itertools.count(1)


class Monitor:
    """One MixMonitor of one channel: a recorder for each of its files."""

    def __init__(
        self, channel: Channel, command: str, *, bridged_only: bool, discard: bool, ends_with_beep: bool
    ) -> None:
        self.id = f"0x{next(_ids):08x}"
        self.channel = channel
        self.filename = ""
        self.muted = False
        self.ends_with_beep = ends_with_beep
        self._adjusted: Adjusted | None = None
        self._command = command
        self._bridged_only = bridged_only
        self._discard = discard
        self._recorders: dict[str, Recorder] = {}
        self._files: list[str] = []
        self._beeps: Callable[[], None] | None = None
        self._program: asyncio.Task[None] | None = None

    def begin(self, files: list[tuple[Path, Side]], append: bool, factors: tuple[float, float] = (1.0, 1.0)) -> None:
        """Record into the files, what is said and heard times the factors; MediaError or OSError where that fails."""
        port = self.channel.port
        if port is None:
            raise MediaError("the channel has no media")
        if factors != (1.0, 1.0):
            self._adjusted = Adjusted(self.channel, *factors)
            self.channel.on_end.append(self._stop_with_channel)
        try:
            for path, side in files:
                path.parent.mkdir(parents=True, exist_ok=True)
                if self._adjusted is not None:
                    port, side = self._adjusted.port(side), Side.IN
                options = RecordOptions(side=side, append=append)
                form = path.suffix[1:]
                key = str(path)
                self._recorders[key] = port.record(str(path.with_suffix("")), form, options, on_end=self._ended)
        except (MediaError, OSError):
            for recorder in self._recorders.values():
                recorder.cancel()
            self._recorders.clear()
            self._adjust_no_more()
            raise
        self.filename = str(files[0][0])
        monitors: dict[str, Monitor] = self.channel.functions.setdefault(KEY, {})
        monitors[self.id] = self
        if self._bridged_only:
            self.channel.registry.bus.subscribe(BRIDGES, self._follow)
            self._pause_outside()
            self.channel.on_end.append(self._gone)

    def beep_every(self, seconds: float) -> None:
        """Let both sides hear a beep from time to time, as long as it records."""
        channel = self.channel
        assert channel.port is not None
        port: Port = channel.registry.engine.open_snoop(
            channel.port, spy=Side.NONE, whisper=Side.BOTH, on_event=lambda event: None
        )
        beep = Samples(render(parse_tones(BEEP), 8000)[0])
        loop = channel.registry.loop
        timer: asyncio.Handle

        def sound() -> None:
            nonlocal timer
            port.play(beep, on_end=lambda end: None)
            timer = loop.call_later(seconds, sound)

        timer = loop.call_soon(sound)

        def end() -> None:
            timer.cancel()
            port.close()

        self._beeps = end
        channel.on_end.append(self._beep_no_more)

    def mute(self, on: bool) -> None:
        """Record silence in place of what is heard."""
        self.muted = on
        for recorder in self._recorders.values():
            recorder.mute() if on else recorder.unmute()
        self.channel.tell(facts.MixMonitorMuted, on)

    def stop(self) -> None:
        """Complete the files."""
        self._forget()
        for recorder in list(self._recorders.values()):
            recorder.stop()

    def _follow(self, fact: Any) -> None:
        moved = isinstance(fact, (events.ChannelEnteredBridge, events.ChannelLeftBridge))
        if moved and fact.channel.id == self.channel.id:
            self._pause_outside()

    def _pause_outside(self) -> None:
        for recorder in self._recorders.values():
            recorder.pause() if self.channel.bridge is None else recorder.resume()

    def _gone(self, _channel: Channel) -> None:
        self._forget()

    def _stop_with_channel(self, _channel: Channel) -> None:
        """What is recorded of an adjusted channel does not end by itself."""
        self.stop()

    def _adjust_no_more(self) -> None:
        if self._adjusted is not None:
            self._adjusted.close()
            self._adjusted = None
            if self._stop_with_channel in self.channel.on_end:
                self.channel.on_end.remove(self._stop_with_channel)

    def _beep_no_more(self, _channel: Channel) -> None:
        if self._beeps is not None:
            self._beeps()
            self._beeps = None

    def _forget(self) -> None:
        """It is no monitor of its channel any more."""
        channel = self.channel
        if channel.functions.get(KEY, {}).pop(self.id, None) is None:
            return
        self._beep_no_more(channel)
        for then in (self._beep_no_more, self._gone):
            if then in channel.on_end:
                channel.on_end.remove(then)
        if self._bridged_only:
            channel.registry.bus.unsubscribe(BRIDGES, self._follow)

    def _ended(self, end: RecordEnd) -> None:
        """A file is complete; with the last one the command has its turn."""
        self._forget()
        if end.reason is RecordEndReason.CANCELLED:
            return
        if end.reason is RecordEndReason.FAILED:
            log.warning("%s: MixMonitor: %s: %s", self.channel.name, end.path, end.error)
        else:
            self._files.append(end.path)
        self._recorders.pop(end.path, None)
        if self._recorders:
            return
        self._adjust_no_more()
        log.info("%s: MixMonitor %s ended: %s", self.channel.name, self.id, ", ".join(self._files) or "nothing")
        if self._command:
            # Its own task: the channel is gone by then, most often. It ends with the program; the loop's end ends both.
            self._program = self.channel.registry.loop.create_task(self._run_command(), name=f"MixMonitor {self.id}")
        else:
            self._throw_away()

    async def _run_command(self) -> None:
        try:
            status, output = await run_in_shell(self._command)
        except ProgramFailed as failure:
            log.warning("%s: MixMonitor: %s", self.channel.name, failure)
        else:
            log.info("%s: MixMonitor: %s: status %d %s", self.channel.name, self._command, status, output.strip())
        finally:
            self._program = None
            self._throw_away()

    def _throw_away(self) -> None:
        if self._discard:
            for path in self._files:
                Path(path).unlink(missing_ok=True)


def monitors_of(channel: Channel) -> dict[str, Monitor]:
    """The monitors that record a channel now, by their ids, the oldest first."""
    monitors: dict[str, Monitor] = channel.functions.get(KEY, {})
    return monitors


def start(
    plan: Interpreter, channel: Channel, arguments: str, *, inside: bool = False
) -> tuple[Monitor, dict[str, str]]:
    """Begin what ``MixMonitor(file.format[,options[,command]])`` says; the monitor and its options.

    With `inside` no file may be elsewhere than below the folder. Raises ApplicationError.
    """
    parts = [*split_arguments(arguments, 3), "", "", ""]
    name, command = parts[0], parts[2]
    options = OPTIONS.read("MixMonitor", parts[1])
    if not name and not ("r" in options or "t" in options):
        raise ApplicationError("MixMonitor names no file")
    if command and not plan.live_dangerously:
        raise ApplicationError("MixMonitor: commands are run with live_dangerously in asterisk.conf only")
    if len(monitors_of(channel)) >= MAX_MONITORS:
        raise ApplicationError(f"MixMonitor: the channel is recorded {MAX_MONITORS} times, which is the limit")
    folder = plan.folders.monitor
    files = [
        (_file(folder, wanted, inside), side)
        for wanted, side in ((name, Side.BOTH), (options.get("r", ""), Side.IN), (options.get("t", ""), Side.OUT))
        if wanted
    ]
    if len({path for path, _ in files}) < len(files):
        raise ApplicationError(f"MixMonitor: the same file is named twice in {arguments[:80]!r}")
    every = _interval(options["B"]) if "B" in options else 0
    if command:
        command = plan.substitute(channel, command.replace("^{", "${"))
    monitor = Monitor(
        channel, command, bridged_only="b" in options, discard="d" in options, ends_with_beep="P" in options
    )
    try:
        monitor.begin(files, "a" in options, _factors(options))
    except (MediaError, OSError) as failure:
        raise ApplicationError(f"MixMonitor: {failure}") from failure
    if every:
        monitor.beep_every(every)
    if options.get("i"):
        channel.set_variable(options["i"], monitor.id)
    channel.set_variable(FILENAME, monitor.filename)
    log.info("%s: MixMonitor %s begins: %s", channel.name, monitor.id, ", ".join(str(path) for path, _ in files))
    channel.tell(facts.MixMonitorStarted)
    return monitor, options


def _factors(options: dict[str, str]) -> tuple[float, float]:
    """What is said and what is heard are multiplied with these."""
    both = options.get("W", "")
    return _factor("V", options.get("V", both)), _factor("v", options.get("v", both))


def _factor(letter: str, text: str) -> float:
    level = whole_number(text, 0)
    if level not in LEVELS:
        raise ApplicationError(f"MixMonitor: option {letter}({text[:20]}) is outside {LEVELS[0]}..{LEVELS[-1]}")
    return factor_of(level)


def _interval(text: str) -> int:
    seconds = whole_number(text, BEEP_SECONDS)
    if not LEAST_BEEP_SECONDS <= seconds <= MOST_BEEP_SECONDS:
        raise ApplicationError(
            f"MixMonitor: option B({text}) is outside {LEAST_BEEP_SECONDS}..{MOST_BEEP_SECONDS} seconds"
        )
    return seconds


def _file(folder: Path, name: str, inside: bool) -> Path:
    """Where a file is, with the suffix that says its format."""
    path = folder / name
    if "\0" in name or not path.suffix[1:]:
        raise ApplicationError(f"MixMonitor: file {name[:80]!r} has no suffix that says its format")
    if inside and not path.resolve().is_relative_to(folder.resolve()):
        raise ApplicationError(f"MixMonitor: file {name[:80]!r} is outside of the folder of recordings")
    return path


def stop(channel: Channel, monitor_id: str) -> list[Monitor]:
    """End the monitor of that id, or all of them; those that were ended."""
    ended = [monitor for monitor in list(monitors_of(channel).values()) if monitor_id in ("", monitor.id)]
    for monitor in ended:
        monitor.stop()
        channel.tell(facts.MixMonitorStopped)
    return ended


async def _mix_monitor(channel: Channel, arguments: str, run: Run) -> None:
    parts = split_arguments(arguments, 3)
    if "p" in OPTIONS.read("MixMonitor", parts[1] if len(parts) > 1 else ""):
        await _beep(channel, run)
    start(run.plan, channel, arguments)


async def _stop_mix_monitor(channel: Channel, arguments: str, run: Run) -> None:
    ended = stop(channel, arguments.strip())
    if any(monitor.ends_with_beep for monitor in ended):
        await _beep(channel, run)


async def _beep(channel: Channel, run: Run) -> None:
    await hear_names(channel, "MixMonitor", ("beep",), run)


APPLICATIONS = (
    Application(
        "MixMonitor",
        "MixMonitor(file.format[,options[,command]])",
        "Records what the channel says and hears into a file below the folder `monitor`, while the dialplan goes on, "
        "until StopMixMonitor or the channel's end; MIXMONITOR_FILENAME is the file. Levels are from -4 to 4. The "
        "command is run at the end, with `live_dangerously` in asterisk.conf only; `^{X}` in it is a variable.",
        _mix_monitor,
        options=OPTIONS,
    ),
    Application(
        "StopMixMonitor",
        "StopMixMonitor([id])",
        "Ends the recording of that id, or all of the channel.",
        _stop_mix_monitor,
    ),
)
