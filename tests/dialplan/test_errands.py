"""Errands: what others have an owner do while it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from arietta.channels import signals
from arietta.channels.channel import Channel
from arietta.dialplan.errands import MAX_WAITING, Errands
from arietta.dialplan.errors import ApplicationError

from .stage import Stage


def waiting(
    play: Callable[[Stage, Errands, asyncio.Future[str]], Coroutine[Any, Any, None]], timeout: float | None = None
) -> list[str]:
    """Let an owner wait with errands while `play` asks for some; what happened, in order."""
    stage = Stage("")
    said: list[str] = []

    async def story() -> None:
        channel = stage.channel()
        errands = Errands(channel)
        done: asyncio.Future[str] = stage.loop.create_future()

        async def owner() -> None:
            try:
                said.append(await errands.until(done, timeout))
            except TimeoutError:
                said.append("timeout")

        channel.own(owner())
        await play(stage, errands, done)
        assert channel.task is not None
        await channel.task

    stage.do(story())
    return said


def test_an_errand_is_done_and_the_wait_goes_on() -> None:
    async def play(stage: Stage, errands: Errands, done: asyncio.Future[str]) -> None:
        assert await errands.ask(lambda: errands.channel.sleep(3))
        assert stage.loop.time() == pytest.approx(3)
        done.set_result("over")

    assert waiting(play) == ["over"]


def test_an_errand_that_fails_is_told_and_the_wait_goes_on() -> None:
    async def fail() -> None:
        raise ApplicationError("no")

    async def play(stage: Stage, errands: Errands, done: asyncio.Future[str]) -> None:
        assert not await errands.ask(fail)
        done.set_result("over")

    assert waiting(play) == ["over"]


def test_what_is_asked_for_after_the_end_or_too_much_is_not_done() -> None:
    async def play(stage: Stage, errands: Errands, done: asyncio.Future[str]) -> None:
        asked = [errands.ask(lambda: errands.channel.sleep(1)) for _ in range(MAX_WAITING + 2)]
        assert [one.done() for one in asked[-2:]] == [True, True]
        done.set_result("over")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not await errands.ask(lambda: errands.channel.sleep(1))
        assert not any([await one for one in asked])

    assert waiting(play) == ["over"]


def test_time_passes_while_errands_are_done() -> None:
    async def play(stage: Stage, errands: Errands, done: asyncio.Future[str]) -> None:
        await errands.ask(lambda: errands.channel.sleep(7))

    assert waiting(play, timeout=5) == ["timeout"]


def test_a_hangup_ends_errand_and_wait() -> None:
    async def play(stage: Stage, errands: Errands, done: asyncio.Future[str]) -> None:
        channel: Channel = errands.channel
        stage.later(2, channel.receive, signals.HungUp(16))
        assert not await errands.ask(lambda: channel.sleep(10))
        assert stage.loop.time() == pytest.approx(2)

    assert waiting(play) == []
