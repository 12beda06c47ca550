"""Texts within calls: to a phone, from a phone, across a bridge and a Local channel, and what EAGI hears."""

from __future__ import annotations

import asyncio
import os

import pytest

from arietta.dialplan.agi.audio import AudioPipe
from arietta.server import Server
from arietta.testing import Phone, tone

from .conftest import FILES

PLAN = """
[default]
exten => 1,1,Answer()
 same => n,Set(SENDTEXT_FROM_DISPLAYNAME=Front Desk)
 same => n,SendText(how are you)
 same => n,Set(GLOBAL(SENT)=${SENDTEXTSTATUS})
 same => n,ReceiveText(5)
 same => n,Set(GLOBAL(GOT)=${RECEIVETEXTSTATUS} ${RECEIVETEXTMESSAGE})
exten => 2,1,SendText(too early)
 same => n,Set(GLOBAL(SENT)=${SENDTEXTSTATUS})
exten => 3,1,Dial(PJSIP/bob)
exten => 4,1,Dial(Local/3@default/n)
exten => 5,1,Answer()
 same => n,Wait(30)
exten => 6,1,Set(MESSAGE(body)=see you)
 same => n,MessageSend(pjsip:bob,<sip:desk@example.org>,"The Boss" <sip:boss@example.org>)
 same => n,Set(GLOBAL(SENT)=${MESSAGE_SEND_STATUS})
 same => n,MessageSend(pjsip:nobody)
 same => n,Set(GLOBAL(GOT)=${MESSAGE_SEND_STATUS})
"""


@pytest.fixture
def files() -> dict[str, str]:
    return {**FILES, "extensions.conf": PLAN}


async def test_a_phone_is_sent_a_text_and_sends_one(server: Server, alice: Phone) -> None:
    call = await (await alice.invite("1")).answered()
    text = (await call.expect("MESSAGE")).message
    assert text.body == b"how are you"
    assert text.from_.display == "Front Desk"
    await call.send_message("very well")
    await call.ended()
    assert (server.dialplan.globals["SENT"], server.dialplan.globals["GOT"]) == ("SUCCESS", "SUCCESS very well")


async def test_a_text_before_the_dialog_fails(server: Server, alice: Phone) -> None:
    call = await alice.invite("2")
    await call.ended()
    assert server.dialplan.globals["SENT"] == "FAILURE"


async def test_other_content_than_text_is_refused(server: Server, alice: Phone) -> None:
    call = await (await alice.invite("5")).answered()
    answer = await call.send_request("MESSAGE", b"GIF", "image/gif", expect=415)
    assert answer.headers["Accept"] == ["text/plain"]
    await call.send_request("MESSAGE", b"x" * 40_000, "text/plain", expect=413)
    await call.hang_up()


@pytest.mark.parametrize("number", ["3", "4"])
async def test_a_text_crosses_bridges(server: Server, alice: Phone, bob: Phone, number: str) -> None:
    calling = await alice.invite(number)
    called = await bob.ringing()
    called.answer()
    await calling.answered()
    await calling.send_message("psst")
    assert (await called.expect("MESSAGE")).message.body == b"psst"
    await called.send_message("yes?")
    assert (await calling.expect("MESSAGE")).message.body == b"yes?"
    await calling.hang_up()
    await called.ended()


async def test_a_text_outside_of_calls(server: Server, alice: Phone, bob: Phone) -> None:
    call = await alice.invite("6")
    await call.ended()
    text = await bob.next_message()
    assert (text.body, text.from_.uri.user) == (b"see you", "desk")
    assert str(text.to) == '"The Boss" <sip:boss@example.org>'
    assert (server.dialplan.globals["SENT"], server.dialplan.globals["GOT"]) == ("SUCCESS", "INVALID_URI")


async def test_what_a_program_of_eagi_hears(server: Server, alice: Phone) -> None:
    call = await (await alice.invite("5")).answered()
    (channel,) = server.channels
    with AudioPipe(channel) as pipe:
        await call.send_audio(tone(500, 1000))
        await asyncio.sleep(0.5)
        os.set_blocking(pipe.reader, False)
        heard = os.read(pipe.reader, 1 << 16)
    loud = sum(abs(sample) > 1000 for sample in memoryview(heard).cast("h"))
    assert 6500 < loud < 8500, "a second of a tone at 8 kHz"
    await call.hang_up()


async def test_what_a_program_does_not_read_is_dropped(
    server: Server, alice: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    call = await (await alice.invite("5")).answered()
    (channel,) = server.channels
    with AudioPipe(channel):
        await call.send_audio(tone(500, 6000))
    assert "the program did not read" in caplog.text
    with AudioPipe(channel) as pipe:
        pipe.give_away()
        await asyncio.sleep(1)
    await call.hang_up()
