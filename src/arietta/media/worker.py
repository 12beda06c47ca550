"""The thread that reads and writes files for an engine: one job after the other, in the order they came."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from .engine import MediaError

__all__ = ["Done", "Job", "Worker"]

logger = logging.getLogger("arietta.media")

Job = Callable[[], None]
Done = Callable[[Exception | None], None]


class Worker:
    """Runs jobs that may block; `finished` is called on its thread with what waits for each, and the error if any."""

    def __init__(self, finished: Callable[[Done, Exception | None], None]) -> None:
        self._finished = finished
        self._jobs: queue.SimpleQueue[tuple[Job, Done] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; jobs may have been put before."""
        self._thread = threading.Thread(target=self._live, name="arietta-media-disk", daemon=True)
        self._thread.start()

    def put(self, job: Job, done: Done) -> None:
        """Run a job after those that were put before; from any thread."""
        self._jobs.put((job, done))

    def stop(self) -> None:
        """Finish what was put, then end; returns when it has ended."""
        self._jobs.put(None)
        if self._thread is not None:
            self._thread.join()

    def _live(self) -> None:
        while True:
            entry = self._jobs.get()
            if entry is None:
                return
            job, done = entry
            error: Exception | None = None
            try:
                job()
            except MediaError as caught:
                error = caught
            except Exception as caught:  # a fault here must not end every other recording
                logger.exception("media job %r failed", job)
                error = MediaError(f"{type(caught).__name__}: {caught}")
            self._finished(done, error)
