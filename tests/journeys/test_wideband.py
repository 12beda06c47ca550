"""Calls in G.722 and Opus: what is above 4 kHz arrives, narrow and wide understand each other, digits last as long."""

from __future__ import annotations

import math
from array import array
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from arietta.media.codecs import CODECS, is_codec
from arietta.media.native import why_not
from arietta.server import Server
from arietta.testing import AriClient, Call, Phone, tone
from arietta.testing.plugin import StartServer
from arietta.testing.switch import start

from .conftest import FILES, PASSWORD, SERVER, phone_sections

needs_opus = pytest.mark.skipif(not is_codec("opus"), reason="libopus is missing")
WIDE = ["g722", pytest.param("opus", marks=needs_opus)]

Opened = Callable[[str], Awaitable[Phone]]


@pytest.fixture
def files() -> dict[str, str]:
    """Alice and bob are narrow, wanda is wide."""
    wanda = phone_sections("wanda", "6005").replace("allow=ulaw,alaw", "allow=opus,g722,ulaw")
    return {**FILES, "pjsip.conf": FILES["pjsip.conf"] + wanda}


@pytest.fixture(
    params=[
        False,
        pytest.param(True, marks=pytest.mark.skipif(why_not() is not None, reason=str(why_not()))),
    ],
    ids=["reference", "native"],
)
def start_server(request: pytest.FixtureRequest) -> StartServer:
    """Servers with either engine."""
    return partial(start, native=request.param)


@pytest.fixture
def wanda(server: Server, phone: Callable[..., Awaitable[Phone]]) -> Opened:
    """A coroutine function that gives the wide phone with its codec."""

    async def registered(codec: str) -> Phone:
        one = await phone("10.0.0.6", 5060, username="wanda", password=PASSWORD, server=SERVER, codecs=(codec,))
        await one.register()
        return one

    return registered


def loudness(samples: bytes, frequency_hz: float, rate: int) -> float:
    """Amplitude of one frequency."""
    values = array("h", samples)
    step = 2 * math.pi * frequency_hz / rate
    real = sum(value * math.cos(step * index) for index, value in enumerate(values))
    imaginary = sum(value * math.sin(step * index) for index, value in enumerate(values))
    return 2 * math.hypot(real, imaginary) / max(1, len(values))


def last_but(call: Call, ms: int, take_ms: int) -> bytes:
    """Some of what was heard last, at the codec's rate."""
    assert call.negotiated is not None
    rate = CODECS[call.negotiated.codec].rate
    end = len(call.heard.wide) - 2 * (ms * rate // 1000)
    return call.heard.wide[max(0, end - 2 * (take_ms * rate // 1000)) : end]


@pytest.mark.parametrize("codec", WIDE)
async def test_what_is_above_4_khz_comes_back(wanda: Opened, codec: str) -> None:
    call = await (await wanda(codec)).invite("1200")
    await call.answered()
    rate = CODECS[codec].rate
    await call.send_tone(5000, 1000, rate=rate)
    assert loudness(last_but(call, 100, 400), 5000, rate) > 4000
    await call.hang_up()


@pytest.mark.parametrize("codec", WIDE)
async def test_wide_and_narrow_understand_each_other(wanda: Opened, bob: Phone, codec: str) -> None:
    call = await (await wanda(codec)).invite("1100")
    other = await bob.ringing()
    other.answer()
    await call.answered()
    await other.answered()
    high, low = tone(1500, 600), tone(500, 600)
    await call.send_audio(high)
    await other.hears(high)
    await other.send_audio(low)
    await call.hears(low)
    await call.hang_up()


@pytest.mark.parametrize("codec", WIDE)
async def test_digits_arrive_with_their_length(wanda: Opened, app: AriClient, codec: str) -> None:
    call = await (await wanda(codec)).invite("1000")
    channel = (await app.event("StasisStart"))["channel"]["id"]
    await call.answered()
    await call.send_digits("5", duration_ms=200)
    received = await app.event("ChannelDtmfReceived")
    assert (received["digit"], received["duration_ms"]) == ("5", 200)
    await app.post(f"/channels/{channel}/dtmf", dtmf="42", expect=204)
    await call.hears_digits("42")
    await call.hang_up()
