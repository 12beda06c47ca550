"""Each example, told as its caller lives it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager

import pytest

from arietta.media.tones import parse_tones, render
from arietta.testing import Call, tone
from arietta.testing.plugin import Switch

from .stage import FOLDER, OpenPhone, Stage, load, sound, stage

On = Callable[..., AbstractAsyncContextManager[Stage]]
EXAMPLES = sorted(path.stem for path in FOLDER.glob("*.py"))


def samples(cadence: str) -> bytes:
    """A tone as it sounds on a telephone."""
    return render(parse_tones(cadence), 8000)[0]


BEEP = samples("1400/200")
"""What the server plays before a recording."""


@pytest.fixture
def on(switch: Switch, phone: OpenPhone, caplog: pytest.LogCaptureFixture) -> Iterator[On]:
    """Run an example by its name, with other values of its constants; no warning may be logged meanwhile."""
    yield lambda name, **constants: stage(name, switch, phone, **constants)
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert not errors, f"logged: {errors}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_says_what_to_dial_and_is_short(name: str) -> None:
    module = load(name)
    assert "Dial 70" in (module.__doc__ or "") or "dial 70" in (module.__doc__ or "")
    assert f"python examples/{name}.py --url" in (module.__doc__ or "")
    assert len((FOLDER / f"{name}.py").read_text().splitlines()) < 100


async def test_channel_dump(on: On, capsys: pytest.CaptureFixture[str]) -> None:
    async with on("channel_dump") as play:
        call = await play.dial("1001", "7001")
        await call.hears(sound("hello-world"))
        await call.expect("BYE")
    said = capsys.readouterr().out
    assert "channel PJSIP/1001-" in said and "    arguments: one, two\n" in said
    assert '    CALLERID(all): "1001" <1001>\n' in said


async def test_channel_state(on: On, capsys: pytest.CaptureFixture[str]) -> None:
    async with on("channel_state") as play:
        call = await play.dial("1001", "7002")
        ringing = await call.expect(180)
        answer = await call.expect(200)
        end = await call.expect("BYE")
        assert answer.time - ringing.time == pytest.approx(2, abs=0.2)
        assert end.time - answer.time == pytest.approx(5, abs=0.2)
    states = [line.split(" ", 1)[1] for line in capsys.readouterr().out.splitlines()]
    assert states == ["came in, state Ring", "is Up now", "left"]


async def test_channel_tones(on: On) -> None:
    async with on("channel_tones") as play:
        call = await (await play.dial("1001", "7003")).answered()
        await call.hears(samples("350+440/1000"))
        await call.send_digits("2")
        await call.hears(samples("400/375,0/375,400/375"))
        await call.send_digits("9")
        await call.expect("BYE")


async def test_ivr_leads_to_a_department(on: On, capsys: pytest.CaptureFixture[str]) -> None:
    async with on("ivr") as play:
        call = await (await play.dial("1001", "7004")).answered()
        await call.hears(sound("for-sales"))
        await call.send_digits("9")
        await call.hears(sound("option-is-invalid"))
        await call.send_digits("2")
        await call.hears(sound("pls-wait-connect-call"))
        await call.expect("BYE")
    assert "1001 chose support\n" in capsys.readouterr().out


async def test_ivr_gives_up_after_three_times_nothing(on: On) -> None:
    async with on("ivr") as play:
        call = await (await play.dial("1001", "7004")).answered()
        await call.expect("BYE", within=90)
        await call.hears(sound("goodbye"))


async def test_hold(on: On) -> None:
    async with on("hold") as play:
        call = await (await play.dial("1001", "7005")).answered()
        music = await music_of(call)
        await call.send_digits("*")
        await call.hears(sound("connected"))
        await asyncio.sleep(1)
        assert loudness(call, 0.5) < 10, "the music goes on"
        await call.send_digits("*")
        await call.hears(sound("one-moment-please"))
        assert await music_of(call) > 100 and music > 100
        await call.send_digits("#")
        await call.expect("BYE")


async def test_infinite_wait(on: On) -> None:
    async with on("infinite_wait", WORD_EVERY_SECONDS=6) as play:
        one = await (await play.dial("1001", "7006")).answered()
        assert await music_of(one) > 100
        two = await (await play.dial("1002", "7006")).answered()
        for call in (one, two):
            await call.hears(sound("queue-thankyou"))
        await one.hang_up()
        await asyncio.sleep(1)
        assert [len(bridge.channels) for bridge in await play.client.bridges.list()] == [1]
        await two.hang_up()
        await asyncio.sleep(1)
        assert await play.client.bridges.list() == []


async def test_move(on: On, capsys: pytest.CaptureFixture[str]) -> None:
    async with on("move") as play:
        call = await (await play.dial("1001", "7007")).answered()
        await call.hears(sound("welcome"))
        await call.send_digits("1")
        await call.hears(sound("connected"))
        await call.send_digits("*")
        await asyncio.sleep(1)
        await call.send_digits("#")
        await call.expect("BYE")
    places = [line.rsplit("the ", 1)[1] for line in capsys.readouterr().out.splitlines()]
    assert places == ["front desk", "back office", "front desk"]


async def test_bridge_dial_connects_two(on: On) -> None:
    async with on("bridge_dial") as play:
        caller = await play.dial("1002", "7008")
        await caller.expect(180)
        callee = await play.phones["1001"].ringing()
        callee.ring()
        callee.answer()
        await caller.answered()
        words, answer = tone(440, 600), tone(620, 600)
        await asyncio.sleep(0.5)
        caller.send_audio(words)
        await callee.hears(words)
        callee.send_audio(answer)
        await caller.hears(answer)
        await callee.hang_up()
        await caller.expect("BYE")


async def test_bridge_dial_when_the_other_is_busy(on: On) -> None:
    async with on("bridge_dial") as play:
        caller = await play.dial("1002", "7008")
        (await play.phones["1001"].ringing()).reject(486)
        assert (await caller.ended()).status >= 400


async def test_bridge_dial_when_the_caller_gives_up(on: On) -> None:
    async with on("bridge_dial") as play:
        caller = await play.dial("1002", "7008")
        callee = await play.phones["1001"].ringing()
        callee.ring()
        await caller.expect(180)
        await caller.cancel()
        assert (await callee.ended()).reason == "CANCEL"


async def test_voicemail_is_recorded_checked_and_counted(on: On) -> None:
    async with on("voicemail_record") as play:
        call = await (await play.dial("1002", "7009")).answered()
        await call.hears(sound("vm-intro"))
        await call.hears(BEEP)
        message = sound("hello-world")
        await asyncio.sleep(0.5)
        await call.send_audio(message)
        await call.send_digits("#")
        await asyncio.sleep(1)
        await call.send_digits("2")
        await call.hears(message)
        await call.send_digits("1")
        await call.hears(sound("vm-msgsaved"))
        await call.expect("BYE")
        await asyncio.sleep(1)
        (stored,) = await play.client.recordings.list_stored()
        assert stored.name.startswith("voicemail/1001/")
        assert (await play.client.mailboxes.get(mailbox_name="1001@default")).new_messages == 1


async def test_voicemail_of_a_caller_who_just_hangs_up_is_kept(on: On) -> None:
    async with on("voicemail_record") as play:
        call = await (await play.dial("1002", "7009")).answered()
        await call.hears(BEEP)
        await call.send_tone(500, 2000)
        await call.hang_up()
        await asyncio.sleep(1)
        assert (await play.client.mailboxes.get(mailbox_name="1001@default")).new_messages == 1


async def test_voicemail_is_reviewed_and_deleted(on: On) -> None:
    async with on("voicemail_review") as play:
        folder = play.server.config.directories.recordings / "voicemail" / "1001"
        folder.mkdir(parents=True)
        for number, name in ((1, "hello"), (2, "welcome"), (3, "demo-thanks")):
            (folder / f"{number}.wav").write_bytes(sound(name).read_bytes())
        call = await (await play.dial("1001", "7010")).answered()
        await call.hears(sound("digits/3"))
        await call.hears(sound("hello"))
        await call.send_digits("3")
        await call.hears(sound("vm-deleted"))
        await call.hears(sound("welcome"))
        await call.send_digits("#")
        await call.hears(sound("vm-goodbye"))
        await call.expect("BYE")
        await asyncio.sleep(1)
        stored = [recording.name for recording in await play.client.recordings.list_stored()]
        assert sorted(stored) == ["voicemail/1001/2", "voicemail/1001/3"]
        mailbox = await play.client.mailboxes.get(mailbox_name="1001@default")
        assert (mailbox.old_messages, mailbox.new_messages) == (2, 0)


async def test_call_queue_serves_callers_in_order(on: On) -> None:
    async with on("call_queue") as play:
        first = await (await play.dial("1001", "7011")).answered()
        await first.hears(sound("queue-youarenext"))
        second = await (await play.dial("1002", "7011")).answered()
        await second.hears(sound("queue-callswaiting"))
        agent = await (await play.dial("1003", "7012")).answered()
        await hear_each_other(agent, first, 440)
        await first.hang_up()
        await hear_each_other(agent, second, 620)
        await agent.hang_up()
        await asyncio.sleep(1)
        assert second.end is None and await music_of(second) > 100
        other = await (await play.dial("1003", "7012")).answered()
        await hear_each_other(other, second, 550)
        await second.hang_up()
        await asyncio.sleep(1)
        await other.hang_up()


async def test_conference_lets_in_who_knows_the_pin(on: On) -> None:
    async with on("conference") as play:
        one = await (await play.dial("1001", "7021")).answered()
        await one.hears(sound("conf-getpin"))
        await one.send_digits("1234#")
        assert await music_of(one) > 100
        other = await (await play.dial("1002", "7021")).answered()
        await asyncio.sleep(0.5)
        await other.send_digits("99#")
        await other.hears(sound("conf-invalidpin"))
        await other.send_digits("1234#")
        await one.hears(sound("beep"))
        await hear_each_other(one, other, 440)
        await other.send_digits("*")
        await asyncio.sleep(1)
        other.send_audio(tone(700, 800))
        await asyncio.sleep(1)
        assert loudness(one, 0.5) == 0
        await other.send_digits("#")
        await other.expect("BYE")
        assert await music_of(one) > 100
        stranger = await (await play.dial("1003", "7022")).answered()
        for _ in range(3):
            await asyncio.sleep(1)
            await stranger.send_digits("5#")
        await stranger.expect("BYE")
        await one.hang_up()


def loudness(call: Call, seconds: float) -> int:
    """The mean amplitude of what was heard lately; nothing is 0."""
    latest = memoryview(call.heard.since(asyncio.get_running_loop().time() - seconds)).cast("h")
    return sum(map(abs, latest)) // max(1, len(latest))


async def music_of(call: Call) -> int:
    """How loud it is after two more seconds."""
    await asyncio.sleep(2)
    return loudness(call, 1)


async def hear_each_other(one: Call, other: Call, frequency_hz: float) -> None:
    """Both are in one bridge, some seconds from now."""
    await asyncio.sleep(4)
    words, answer = tone(frequency_hz, 800), tone(frequency_hz * 2, 800)
    one.send_audio(words)
    await other.hears(words)
    other.send_audio(answer)
    await one.hears(answer)


async def test_page_is_heard_by_all_and_hears_nobody(on: On, capsys: pytest.CaptureFixture[str]) -> None:
    async with on("page") as play:
        caller = await (await play.dial("1001", "7030")).answered()
        listeners = [await play.phones[name].ringing() for name in ("1002", "1003")]
        for listener in listeners:
            assert "info=alert-autoanswer" in listener.request.headers["Alert-Info"][0]
            listener.answer()
        await caller.hears(sound("beep"))
        await asyncio.sleep(1)
        words = tone(440, 800)
        caller.send_audio(words)
        for listener in listeners:
            await listener.hears(words)
        listeners[0].send_audio(tone(700, 800))
        await asyncio.sleep(1)
        assert loudness(caller, 0.5) == 0
        await caller.hang_up()
        for listener in listeners:
            await listener.expect("BYE")
    assert "pages 2 phones" in capsys.readouterr().out


async def test_page_is_over_when_nobody_listens(on: On) -> None:
    async with on("page", RINGING_SECONDS=3) as play:
        caller = await (await play.dial("1001", "7030")).answered()
        (await play.phones["1002"].ringing()).reject(486)
        (await play.phones["1003"].ringing()).ring()
        await caller.expect("BYE", within=10)


async def test_followme_finds_who_takes_the_call(on: On, capsys: pytest.CaptureFixture[str]) -> None:
    async with on("followme", RINGING_SECONDS=3) as play:
        caller = await (await play.dial("1001", "7050")).answered()
        await caller.hears(sound("pls-hold-while-try"))
        (await play.phones["1002"].ringing()).ring()
        found = await play.phones["1003"].ringing(within=10)
        assert await music_of(caller) > 100
        found.answer()
        await found.hears(sound("incoming-call"))
        await found.send_digits("1")
        await hear_each_other(caller, found, 440)
        await caller.hang_up()
        await found.expect("BYE")
    assert "not at PJSIP/1002" in capsys.readouterr().out


async def test_followme_is_declined_everywhere(on: On) -> None:
    async with on("followme") as play:
        caller = await (await play.dial("1001", "7050")).answered()
        for name in ("1002", "1003"):
            phone = await play.phones[name].ringing(within=20)
            phone.answer()
            await phone.hears(sound("incoming-call"))
            await phone.send_digits("2")
            await phone.expect("BYE")
        await caller.hears(sound("vm-isunavail"))
        await caller.expect("BYE")


async def test_followme_of_a_caller_who_gives_up(on: On) -> None:
    async with on("followme") as play:
        caller = await (await play.dial("1001", "7050")).answered()
        phone = await play.phones["1002"].ringing(within=20)
        await caller.hang_up()
        assert (await phone.ended()).reason == "CANCEL"


async def test_park_and_take_up(on: On) -> None:
    async with on("park") as play:
        parked = await (await play.dial("1001", "7040")).answered()
        await parked.hears(sound("call-parked"))
        await parked.hears(sound("digits/1"))
        nobody = await (await play.dial("1003", "7042")).answered()
        await nobody.hears(sound("pbx-invalidpark"))
        await nobody.expect("BYE")
        taker = await (await play.dial("1002", "7041")).answered()
        await hear_each_other(parked, taker, 440)
        await parked.hang_up()
        await taker.expect("BYE")


async def test_park_by_a_transfer_is_told_and_comes_back(on: On) -> None:
    async with on("park", PARKED_SECONDS=5) as play:
        caller = await play.dial("1001", "1002")
        parker = await play.phones["1002"].ringing()
        parker.answer()
        await caller.answered()
        await parker.send_request("REFER", headers=(("Refer-To", "<sip:7040@10.0.0.1>"),), expect=202)
        await parker.hang_up()
        told = await play.phones["1002"].ringing()
        told.answer()
        await told.hears(sound("call-parked"))
        await told.expect("BYE")
        back = await play.phones["1002"].ringing(within=15)
        back.answer()
        await hear_each_other(caller, back, 440)
        await back.hang_up()
        await caller.expect("BYE")
