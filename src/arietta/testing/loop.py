"""An asyncio event loop on virtual time: no thread, no socket, no waiting, the same order in every run.

When nothing is ready the clock jumps to the next timer. `loop.network` carries datagrams and streams in memory, so
a whole server with its clients runs in one loop:

    loop = VirtualLoop(seed=7)
    loop.run(story())          # a coroutine; asyncio.sleep(32) in it takes no time
    loop.advance(32)           # or from outside: let 32 seconds pass
    loop.close()

Not done here: TLS, real file descriptors, subprocesses, results of other threads. `run_in_executor` calls the
function at once, on this thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import signal as signals
import threading
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple

from .clock import VirtualClock
from .network import Network

__all__ = ["Deadlock", "VirtualLoop"]

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

CANCELLED_TIMERS = 100
"""Cancelled timers that may stay in the heap before it is cleaned."""


class Deadlock(RuntimeError):
    """Somebody waits, and nothing is left that could wake them."""


class _Timer(asyncio.TimerHandle):
    """A timer; of two for the same time the one that was set first comes first."""

    __slots__ = ("order",)

    order: int
    _scheduled: bool

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, _Timer):
            return NotImplemented
        mine, theirs = self.when(), other.when()
        return self.order < other.order if mine == theirs else mine < theirs


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop whose time is a `VirtualClock` and whose sockets are a `Network`."""

    # What asyncio.BaseEventLoop keeps, the same since 3.4.
    _ready: Any
    _scheduled: list[_Timer]
    _stopping: bool
    _timer_cancelled_count: int

    def __init__(self, *, seed: int = 0, clock: VirtualClock | None = None, network: Network | None = None) -> None:
        super().__init__()
        self.clock = clock or VirtualClock()
        self.network = network or Network(self, seed=seed)
        self.failures: list[dict[str, Any]] = []
        """What callbacks and forgotten tasks raised, as `call_exception_handler` gets it."""
        self._order = 0
        self._home_thread = threading.get_ident()
        self._signal_handlers: dict[int, Callable[[], object]] = {}

    # -- for tests ---------------------------------------------------------------------------------------------

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end; other tasks live on for the next `run` or `advance`. Deadlock: it never ends."""
        return self.run_until_complete(main)

    def advance(self, seconds: float) -> None:
        """Let time pass and everything due happen, what is due at the very end included."""
        self.advance_to(self.clock.now + seconds)

    def advance_to(self, when: float) -> None:
        """Let time pass until the clock shows `when`."""
        reached = False

        def stop_when_quiet() -> None:
            nonlocal reached
            reached = True
            if self._ready or self._due(self.clock.now):
                self.call_soon(stop_when_quiet)
            else:
                self.stop()

        timer = self.call_at(max(when, self.clock.now), stop_when_quiet)
        try:
            self.run_forever()
        finally:
            if not reached:
                timer.cancel()

    def settle(self) -> None:
        """Let everything happen that can happen without time passing."""
        self.advance(0)

    def deliver_signal(self, number: int) -> None:
        """Call the handler that was added for a signal; LookupError when there is none."""
        if number not in self._signal_handlers:
            raise LookupError(f"no handler for {signals.Signals(number).name}")
        self.call_soon(self._signal_handlers[number])

    # -- time and order ----------------------------------------------------------------------------------------

    def time(self) -> float:
        """The reading of the clock."""
        return self.clock.now

    def call_at(
        self, when: float, callback: Callable[[*Arguments], object], *args: *Arguments, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Call back when the clock shows `when`."""
        self._check_closed()  # type: ignore[attr-defined]
        timer = _Timer(when, callback, args, self, context)
        self._order += 1
        timer.order = self._order
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer

    def call_soon_threadsafe(
        self, callback: Callable[[*Arguments], object], *args: *Arguments, context: Context | None = None
    ) -> asyncio.Handle:
        """The same as `call_soon`; RuntimeError from another thread, whose moment no virtual clock could tell."""
        if threading.get_ident() != self._home_thread:
            raise RuntimeError(f"thread {threading.current_thread().name!r} called into a virtual loop")
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(  # type: ignore[override]
        self, executor: object, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Call `func` here, in the next turn of the loop; `executor` is not used."""
        future: asyncio.Future[T] = self.create_future()

        def call() -> None:
            if future.cancelled():
                return
            try:
                future.set_result(func(*args))
            except Exception as error:
                future.set_exception(error)

        self.call_soon(call)
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Note a failure in `failures`, then do what any loop does."""
        self.failures.append(context)
        super().call_exception_handler(context)

    def close(self) -> None:
        """Cancel what still runs, let it end, and close."""
        if self.is_closed():
            return
        if not self.is_running():
            tasks = asyncio.all_tasks(self)
            for task in tasks:
                task.cancel()
            if tasks:
                with contextlib.suppress(Deadlock):
                    self.run_until_complete(asyncio.wait(tasks, timeout=60))
            self.run_until_complete(self.shutdown_asyncgens())
        super().close()

    def _run_once(self) -> None:
        ready, timers = self._ready, self._scheduled
        self._drop_cancelled()
        if not ready and not self._stopping:
            if not timers:
                raise Deadlock(self._who_waits())
            self.clock.advance_to(timers[0].when())
        now = self.clock.now
        while timers and timers[0].when() <= now:
            timer = heapq.heappop(timers)
            timer._scheduled = False
            ready.append(timer)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()
        handle = None  # a traceback in it would keep its frame alive

    def _drop_cancelled(self) -> None:
        timers = self._scheduled
        if self._timer_cancelled_count > CANCELLED_TIMERS and self._timer_cancelled_count * 2 > len(timers):
            timers[:] = [timer for timer in timers if not timer.cancelled()]
            heapq.heapify(timers)
            self._timer_cancelled_count = 0
        while timers and timers[0].cancelled():
            heapq.heappop(timers)
            self._timer_cancelled_count -= 1

    def _due(self, now: float) -> bool:
        self._drop_cancelled()
        return bool(self._scheduled) and self._scheduled[0].when() <= now

    def _who_waits(self) -> str:
        waiting = []
        for task in asyncio.all_tasks(self):
            stack = task.get_stack(limit=1)
            place = f" at {stack[0].f_code.co_qualname} line {stack[0].f_lineno}" if stack else ""
            waiting.append(f"{task.get_name()}{place}")
        return f"nothing is ready, no timer is set, and these wait: {', '.join(sorted(waiting)) or 'nobody'}"

    def _process_events(self, event_list: object) -> None:
        """There are no file descriptors to have events."""

    def _write_to_self(self) -> None:
        """There is nobody asleep to wake."""

    # -- the world ---------------------------------------------------------------------------------------------

    def add_signal_handler(self, sig: int, callback: Callable[[*Arguments], object], *args: *Arguments) -> None:
        """Keep a handler for `deliver_signal`; the process's own signals are left alone."""
        self._signal_handlers[sig] = lambda: callback(*args)

    def remove_signal_handler(self, sig: int) -> bool:
        """Forget a handler; whether there was one."""
        return self._signal_handlers.pop(sig, None) is not None

    async def create_datagram_endpoint(self, protocol_factory: Any, *args: Any, **options: Any) -> Any:
        """See `Network.create_datagram_endpoint`."""
        return await self.network.create_datagram_endpoint(protocol_factory, *args, **options)

    async def create_server(self, protocol_factory: Any, *args: Any, **options: Any) -> Any:
        """See `Network.create_server`."""
        return await self.network.create_server(protocol_factory, *args, **options)

    async def create_connection(self, protocol_factory: Any, *args: Any, **options: Any) -> Any:
        """See `Network.create_connection`."""
        return await self.network.create_connection(protocol_factory, *args, **options)

    async def create_unix_server(self, protocol_factory: Any, *args: Any, **options: Any) -> Any:
        """See `Network.create_unix_server`."""
        return await self.network.create_unix_server(protocol_factory, *args, **options)

    async def create_unix_connection(self, protocol_factory: Any, *args: Any, **options: Any) -> Any:
        """See `Network.create_unix_connection`."""
        return await self.network.create_unix_connection(protocol_factory, *args, **options)

    async def getaddrinfo(self, host: Any, port: Any, **options: Any) -> Any:
        """Numeric addresses and the names of the network."""
        return self.network.getaddrinfo(host, port, **options)
