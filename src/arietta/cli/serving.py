"""A server with its logs, its control socket and its signals, from start to end."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, TypeVar

from arietta.cli.collecting import Collector
from arietta.cli.commands import Console, all_commands
from arietta.cli.control import ControlServer
from arietta.cli.switch import Switch
from arietta.config.conf import ConfigError
from arietta.errors import AriettaError
from arietta.logs import Logs

log = logging.getLogger(__name__)

DRAIN_S = 5.0  # with the BYEs after it less than the ten seconds that containers give
Result = TypeVar("Result")


class Startable(Protocol):
    """The part of a server that this file sequences."""

    async def start(self) -> None:
        """Open everything; raises OSError or AriettaError, with nothing left open."""
        ...

    async def stop(self, drain_seconds: float, *, restarts: bool = False) -> None:
        """Take no new calls, end those that live, close everything within `drain_seconds`."""
        ...


class Stop:
    """The wish that the server ends, and how long calls may take to end."""

    def __init__(self) -> None:
        self._asked = asyncio.Event()
        self._now = asyncio.Event()
        self.restarts = False
        """Whether the program is to be executed anew when it has stopped."""

    def ask(self) -> None:
        """End the calls and stop; asked again, stop at once."""
        if self._asked.is_set():
            self._now.set()
        self._asked.set()

    @property
    def is_asked(self) -> bool:
        """Whether the wish was uttered."""
        return self._asked.is_set()

    async def asked(self) -> None:
        """Wait for the first wish."""
        await self._asked.wait()

    async def at_once(self) -> None:
        """Wait for the second one."""
        await self._now.wait()


class Serving:
    """`async with Serving(...) as stop`: a started server that a console can talk to; it stops at the end.

    A second server on the same control socket is refused before it opens anything else.
    """

    def __init__(
        self,
        server: Startable,
        switch: Switch,
        logs: Logs,
        socket_path: Path,
        stop: Stop,
        *,
        drain_seconds: float = DRAIN_S,
    ) -> None:
        self._server = server
        self._switch = switch
        self._stop = stop
        self._control = ControlServer(socket_path, Console(switch, logs, all_commands()))
        self._collector = Collector(lambda: not switch.channels())
        self._tasks: set[asyncio.Task[Any]] = set()
        self._drain_seconds = drain_seconds

    async def __aenter__(self) -> Stop:
        self._control.claim()
        try:
            await self._server.start()
            await self._control.start()
        except BaseException:
            await self._control.stop()
            raise
        self._handle_signals()
        self._collector.start()
        self._keep(self._collector.run(), "garbage collection")
        return self._stop

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        draining = asyncio.ensure_future(self._server.stop(self._drain_seconds, restarts=self._stop.restarts))
        hurry = asyncio.ensure_future(self._stop.at_once())
        try:
            await asyncio.wait((draining, hurry), return_when=asyncio.FIRST_COMPLETED)
            if not draining.done():
                for view in self._switch.channels():
                    self._switch.hang_up(view.snapshot.id)
            await draining
        finally:
            hurry.cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(hurry, *self._tasks, return_exceptions=True)
            self._collector.stop()
            await self._control.stop()
            self._forget_signals()

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop.ask)
        loop.add_signal_handler(signal.SIGINT, self._stop.ask)
        loop.add_signal_handler(signal.SIGHUP, self._reload)

    def _forget_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            asyncio.get_running_loop().remove_signal_handler(number)

    def _reload(self) -> None:
        self._keep(reload_and_tell(self._switch), "reload on SIGHUP")

    def _keep(self, story: Coroutine[Any, Any, Any], name: str) -> None:
        task = asyncio.get_running_loop().create_task(story, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def reload_and_tell(switch: Switch) -> Sequence[str]:
    """Reload everything, telling the outcome in the log; a broken file leaves all as it was."""
    try:
        changed = await switch.reload(None)
    except (ConfigError, AriettaError) as refusal:
        for line in str(refusal).splitlines():
            log.error("the configuration is refused, the one in force stays: %s", line)
        return ()
    log.info("the configuration was read again: %s", "; ".join(changed) or "nothing changed")
    return changed


def run_loop(story: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run a coroutine on uvloop, or on asyncio's own loop where uvloop is not installed."""
    try:
        import uvloop

        factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    except ImportError:
        factory = asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(story())
