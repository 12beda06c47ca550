"""The native engine on its own threads; nothing is decided here."""

from __future__ import annotations

import asyncio
import os
import time

from ..engine import EngineSettings, MediaError
from ..worker import Done, Job, Worker
from .core import NativeCore, logger, open_engine

__all__ = ["NativeEngine"]


class NativeEngine(NativeCore):
    """A `MediaEngine` in C: one thread for each shard, and a worker in Python for the disk."""

    def __init__(self, settings: EngineSettings) -> None:
        self._signal = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.threads = settings.threads or len(os.sched_getaffinity(0))
        engine = open_engine(settings, threads=self.threads, signal=self._signal, epoch_ns=time.monotonic_ns())
        super().__init__(settings, engine)
        self.running = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._worker = Worker(self._finished)
        self._deaths: list[float] = []

    @property
    def name(self) -> str:
        """It is the native engine."""
        return "native"

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin; callbacks run on the loop."""
        if self._loop is not None:
            raise MediaError("the media engine was started already")
        self._loop = loop
        self.running = True
        self._worker.start()
        loop.add_reader(self._signal, self._signalled)
        self.engine.start()

    def stop(self) -> None:
        """Close every port and end the threads; what is still to be told is told."""
        if self._loop is None or not self.running:
            return
        self.close_all()
        self.engine.stop()
        self.deliver()
        self._worker.stop()
        self.deliver()
        if not self._loop.is_closed():
            self._loop.remove_reader(self._signal)
        self.engine.close()
        os.close(self._signal)

    def offload(self, job: Job, done: Done) -> None:
        """On the worker; back on the loop."""
        self._worker.put(job, done)

    def died(self, error: int) -> None:
        """A thread of the engine ended by itself: said, and started again with all its ports."""
        logger.error("a media thread ended: %s; it is started again", os.strerror(error) if error else "no error")
        now = time.monotonic()
        self._deaths = [moment for moment in self._deaths if now - moment < 1] + [now]
        if len(self._deaths) > 4 * self.threads:  # whatever kills them is still there
            self._start_later()
        else:
            self._start_again()

    def _start_again(self) -> None:
        if not self.running:
            return
        try:
            self.engine.start()
        except OSError as error:
            logger.error("a media thread cannot be started, which is tried again: %s", error.strerror)
            self._start_later()

    def _start_later(self) -> None:
        if self._loop is not None:
            self._loop.call_later(1, self._start_again)

    def _signalled(self) -> None:
        try:
            os.eventfd_read(self._signal)
        except BlockingIOError:
            return
        self.deliver()

    def _finished(self, done: Done, error: Exception | None) -> None:
        self.post(lambda: done(error))
