"""The typed client and the whole server: operations, events, and calls told from top to bottom."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from arietta.client import ChannelGone, Client, Conflict, LiveChannel, NotFound, Reconnected
from arietta.model import events, snapshots
from arietta.server import Server
from arietta.testing import Phone

Run = Callable[..., Awaitable[asyncio.Task[None]]]
APP = "hello-world"


def collect(client: Client) -> list[events.Event]:
    """All events that will come."""
    seen: list[events.Event] = []
    client.on(events.Event)(seen.append)
    return seen


async def test_operations_answer_with_snapshots(bob: Phone, client: Client, run: Run) -> None:
    await run(APP)
    assert (await client.asterisk.ping()).ping == "pong"
    channel = await client.channels.originate(endpoint="PJSIP/bob", app=APP, variables={"CITY": "Zürich, south"})
    assert isinstance(channel, snapshots.Channel) and channel.state == "Down"
    assert [each.id for each in await client.channels.list()] == [channel.id]
    value = await client.channels.get_channel_var(channel_id=channel.id, variable="CITY")
    assert value.value == "Zürich, south"
    with pytest.raises(Conflict):
        await client.channels.originate_with_id(channel_id=channel.id, endpoint="PJSIP/bob", app=APP)
    await client.channels.hangup(channel_id=channel.id, reason="busy")
    with pytest.raises(NotFound, match="404: "):
        await client.channels.get(channel_id=channel.id)
    await (await bob.ringing()).ended()


async def test_events_are_values(alice: Phone, client: Client) -> None:
    async with client.events(APP) as stream:
        call = await alice.invite("1000")
        start = await anext(stream)
        assert isinstance(start, events.StasisStart) and start.channel.caller.number == "6001"
        await client.channels.hangup(channel_id=start.channel.id)
        kinds = [type(await anext(stream)) for _ in range(2)]
        assert kinds == [events.ChannelHangupRequest, events.StasisEnd]
        await call.ended()


async def test_the_hello_world_story(alice: Phone, client: Client, run: Run, hello: Path) -> None:
    @client.on(events.StasisStart)
    async def greet(event: events.StasisStart) -> None:
        call = client.live(event.channel)
        assert (await call.play("sound:hello-world")).state == "done"
        await call.hang_up()

    await run(APP)
    call = await alice.invite("1000")
    await call.hears(hello, at_least=0.99)
    await call.expect("BYE")


async def test_digits_may_be_dialled_ahead_and_end_a_prompt(alice: Phone, client: Client, run: Run) -> None:
    got: list[str] = []

    @client.on(events.StasisStart)
    async def menu(event: events.StasisStart) -> None:
        call = client.live(event.channel)
        await asyncio.sleep(2)
        got.append(await call.ask("sound:demo-congrats"))
        got.append(await call.ask("sound:demo-congrats"))
        got.append(await call.ask("sound:beep", within=3))
        await call.hang_up()

    await run(APP)
    call = await (await alice.invite("1000")).answered()
    begin = asyncio.get_running_loop().time()
    await call.send_digits("12")
    await call.expect("BYE")
    assert got == ["1", "2", ""]
    assert asyncio.get_running_loop().time() - begin < 7


async def test_a_story_ends_with_its_caller(alice: Phone, client: Client, run: Run) -> None:
    ends: list[str] = []

    @client.on(events.StasisStart)
    async def wait(event: events.StasisStart) -> None:
        try:
            await client.live(event.channel).digit(within=1000)
        except ChannelGone as end:
            ends.append(end.channel_id)
            raise

    seen = collect(client)
    await run(APP)
    call = await (await alice.invite("1000")).answered()
    await asyncio.sleep(1)
    await call.hang_up()
    await asyncio.sleep(1)
    start = next(event for event in seen if isinstance(event, events.StasisStart))
    assert ends == [start.channel.id]
    assert client.live(start.channel).is_gone
    with pytest.raises(ChannelGone):
        await client.live(start.channel).answer()
    await client.live(start.channel).hang_up()  # it is what was wanted


async def test_a_story_that_fails_ends_alone(
    alice: Phone, client: Client, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    seen = collect(client)

    @client.on(events.StasisStart)
    def plain(event: events.StasisStart) -> None:
        raise ValueError("plain trouble")

    @client.on(events.StasisStart)
    async def story(event: events.StasisStart) -> None:
        raise ValueError("story trouble")

    @client.on(events.StasisStart)
    async def refused(event: events.StasisStart) -> None:
        await client.bridges.destroy(bridge_id="none")

    running = await run(APP)
    call = await (await alice.invite("1000")).answered()
    await asyncio.sleep(3)
    await call.hang_up()
    await asyncio.sleep(1)
    assert not running.done() and [type(event).__name__ for event in seen][-1] == "StasisEnd"
    words = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert words == [
        "handler of StasisStart failed",
        "story of StasisStart failed",
        "story of StasisStart ended: NotFound: 404: bridge 'none' does not exist",
    ]
    caplog.clear()


async def test_a_channel_that_is_yet_to_be_made(bob: Phone, client: Client, run: Run) -> None:
    await run(APP)
    live = client.live("chosen-here")
    await client.channels.originate(endpoint="PJSIP/bob", app=APP, channel_id=live.id)
    call = await bob.ringing()
    call.answer()
    start = await live.until(events.StasisStart, within=5)
    assert start.channel.id == live.id
    with pytest.raises(TimeoutError):
        await live.until(events.ChannelHold, within=5)
    assert await live.during(asyncio.sleep(1, "slept")) == "slept"
    long = asyncio.ensure_future(live.during(asyncio.sleep(1000)))
    await asyncio.sleep(1)
    await call.hang_up()
    with pytest.raises(ChannelGone):
        await long
    await live.gone()


async def test_a_recording_and_its_digits(alice: Phone, client: Client, run: Run) -> None:
    got: list[object] = []

    @client.on(events.StasisStart)
    async def story(event: events.StasisStart) -> None:
        call = client.live(event.channel)
        recording = await call.record("notes/one", beep=False)
        got.extend([recording.state, await call.digit(within=1)])
        got.append(len(await client.recordings.get_stored_file(recording_name="notes/one")) > 8000)
        await call.hang_up()

    await run(APP)
    call = await (await alice.invite("1000")).answered()
    await asyncio.sleep(0.5)
    await call.send_tone(440, 1000)
    await call.send_digits("#")
    await call.expect("BYE")
    assert got == ["done", "", True]


async def test_who_left_while_the_socket_was_lost_is_gone(
    server: Server, alice: Phone, client: Client, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    lives: list[LiveChannel] = []

    @client.on(events.StasisStart)
    async def story(event: events.StasisStart) -> None:
        lives.append(client.live(event.channel))
        await lives[-1].gone()

    seen = collect(client)
    await run(APP)
    stays = await (await alice.invite("1000")).answered()
    leaves = await (await alice.invite("1000")).answered()
    await asyncio.sleep(1)
    for socket in tuple(server.ari.sockets):
        socket.close()
    await leaves.hang_up()
    await asyncio.sleep(2)
    assert any(isinstance(event, Reconnected) for event in seen)
    assert [live.is_gone for live in lives] == [False, True]
    await stays.hang_up()


async def test_cancelling_run_ends_its_stories(alice: Phone, client: Client, run: Run) -> None:
    ended: list[str] = []

    @client.on(events.StasisStart)
    async def story(event: events.StasisStart) -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append(event.channel.id)

    running = await run(APP)
    call = await (await alice.invite("1000")).answered()
    await asyncio.sleep(1)
    running.cancel()
    await asyncio.wait([running])
    assert len(ended) == 1
    await call.hang_up()
