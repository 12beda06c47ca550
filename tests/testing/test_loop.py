"""The virtual loop: time that jumps, timers in order, the ends of tasks."""

from __future__ import annotations

import asyncio
import signal
import threading
import time

import pytest

from arietta.testing.loop import Deadlock, VirtualLoop


@pytest.fixture
def loop():
    loop = VirtualLoop()
    yield loop
    loop.close()


def test_an_hour_of_sleep_takes_no_time(loop):
    began = time.perf_counter()
    start = loop.time()
    loop.run(asyncio.sleep(3600))
    assert loop.time() == start + 3600
    assert time.perf_counter() - began < 1


def test_timers_fire_by_time_and_then_by_age(loop):
    fired: list[str] = []
    now = loop.time()
    loop.call_at(now + 2, fired.append, "second")
    loop.call_at(now + 1, fired.append, "first")
    for number in range(50):
        loop.call_at(now + 2, fired.append, f"second {number}")
    loop.call_later(3, fired.append, "third")
    loop.advance(2)
    assert fired == ["first", "second", *(f"second {number}" for number in range(50))]
    loop.advance(1)
    assert fired[-1] == "third"


def test_a_cancelled_timer_does_not_fire_and_does_not_hold_the_clock(loop):
    fired: list[int] = []
    timers = [loop.call_later(number, fired.append, number) for number in range(1, 400)]
    for timer in timers[:-1]:
        timer.cancel()
    start = loop.time()
    loop.run(asyncio.sleep(1000))
    assert fired == [399]
    assert loop.time() == start + 1000


def test_advance_runs_what_is_due_at_its_very_end_and_nothing_after_it(loop):
    seen: list[str] = []

    def due() -> None:
        seen.append("due")
        loop.call_soon(lambda: loop.call_soon(seen.append, "what follows from it"))
        loop.call_later(0.001, seen.append, "too late")

    loop.call_later(32, due)
    start = loop.time()
    loop.advance(32)
    assert seen == ["due", "what follows from it"]
    assert loop.time() == start + 32


def test_settle_runs_what_needs_no_time(loop):
    seen: list[int] = []

    async def story() -> None:
        for number in range(5):
            await asyncio.sleep(0)
            seen.append(number)
        await asyncio.sleep(0.1)
        seen.append(99)

    task = loop.create_task(story())
    start = loop.time()
    loop.settle()
    assert seen == [0, 1, 2, 3, 4]
    assert loop.time() == start
    loop.advance(1)
    assert task.done()
    assert seen[-1] == 99


def test_a_timeout_ends_a_wait_and_a_result_ends_a_timeout(loop):
    async def story() -> tuple[float, str]:
        start = loop.time()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await loop.create_future()
        waited = loop.time() - start
        soon: asyncio.Future[str] = loop.create_future()
        loop.call_later(5, soon.set_result, "answer")
        return waited, await asyncio.wait_for(soon, 30)

    assert loop.run(story()) == (30, "answer")


def test_cancelling_a_task_runs_its_ending(loop):
    ended: list[str] = []

    async def leg() -> None:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            await asyncio.sleep(2)  # the BYE
            ended.append("bye")
            raise

    async def story() -> float:
        task = loop.create_task(leg())
        await asyncio.sleep(1)
        task.cancel()
        start = loop.time()
        with pytest.raises(asyncio.CancelledError):
            await task
        return loop.time() - start

    assert loop.run(story()) == 2
    assert ended == ["bye"]


def test_a_task_group_fails_as_one(loop):
    async def fails() -> None:
        await asyncio.sleep(1)
        raise ValueError("broken")

    async def story() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(1000))
            group.create_task(fails())

    start = loop.time()
    with pytest.raises(ExceptionGroup):
        loop.run(story())
    assert loop.time() == start + 1


def test_close_lets_tasks_end(loop):
    ended: list[str] = []

    async def server() -> None:
        try:
            await loop.create_future()
        finally:
            await asyncio.sleep(1)
            ended.append("closed")

    loop.create_task(server())
    loop.settle()
    loop.close()
    assert ended == ["closed"]


def test_waiting_for_what_cannot_come_is_told(loop):
    async def waits_for_nobody() -> None:
        await loop.create_future()

    with pytest.raises(Deadlock, match="waits_for_nobody"):
        loop.run(waits_for_nobody())


def test_call_soon_threadsafe_from_this_thread_only(loop):
    seen: list[object] = []
    loop.call_soon_threadsafe(seen.append, "here")
    loop.settle()
    assert seen == ["here"]

    def elsewhere() -> None:
        try:
            loop.call_soon_threadsafe(seen.append, "there")
        except RuntimeError as error:
            seen.append(str(error))

    thread = threading.Thread(target=elsewhere, name="stranger")
    thread.start()
    thread.join()
    loop.settle()
    assert seen == ["here", "thread 'stranger' called into a virtual loop"]


def test_an_executor_runs_on_this_thread(loop):
    async def story() -> bool:
        return await loop.run_in_executor(None, threading.get_ident) == threading.get_ident()

    assert loop.run(story())

    async def fails() -> None:
        await loop.run_in_executor(None, int, "no number")

    with pytest.raises(ValueError, match="no number"):
        loop.run(fails())


def test_a_failing_callback_is_noted_and_the_loop_goes_on(loop, caplog):
    loop.call_soon(lambda: 1 // 0)
    seen: list[int] = []
    loop.call_soon(seen.append, 1)
    loop.settle()
    assert seen == [1]
    assert isinstance(loop.failures[0]["exception"], ZeroDivisionError)


def test_a_signal_reaches_its_handler(loop):
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    loop.deliver_signal(signal.SIGTERM)
    loop.run(stopped.wait())
    assert loop.remove_signal_handler(signal.SIGTERM)
    with pytest.raises(LookupError, match="SIGTERM"):
        loop.deliver_signal(signal.SIGTERM)


def test_the_clock_shows_a_date(loop):
    before = loop.clock.wall
    loop.advance(90)
    assert (loop.clock.wall - before).total_seconds() == 90


def test_queues_and_events_keep_their_order(loop):
    async def story() -> list[int]:
        queue: asyncio.Queue[int] = asyncio.Queue(maxsize=2)

        async def producer() -> None:
            for number in range(10):
                await queue.put(number)
                await asyncio.sleep(0.02)

        async with asyncio.TaskGroup() as group:
            group.create_task(producer())
            return [await queue.get() for _ in range(10)]

    assert loop.run(story()) == list(range(10))


def test_a_runner_may_drive_it():
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(asyncio.sleep(86400, "a day later")) == "a day later"
