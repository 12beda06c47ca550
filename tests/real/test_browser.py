"""A browser as a phone: JsSIP in Chromium over WSS, with ICE, DTLS and one port; both hear each other."""

from __future__ import annotations

import asyncio
import io
import math
import socket
import wave
from array import array
from pathlib import Path

import pytest

from arietta.media.codecs import is_codec
from arietta.media.native import why_no_srtp
from arietta.testing import AriClient, tone
from arietta.testing.audio import write_wav
from certificates import Authority, make_authority, needs_openssl

from .browser import CHROMIUM, MODULES, Browser, jssip_for_a_page
from .running import HOST, PASSWORD, RunningServer, assert_nothing_left, eventually, free_port

pytestmark = [
    needs_openssl,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.skipif(not (MODULES / "jssip").is_dir(), reason="jssip is not installed"),
    pytest.mark.skipif(why_no_srtp() is not None, reason=str(why_no_srtp())),
]

VOICE_HZ, PLAYED_HZ = 440, 1000
PAGES = Path(__file__).parent / "pages"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs the server's certificate."""
    return make_authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def options() -> str:
    """What the browser's endpoint has set besides."""
    return "allow=opus,ulaw\n"


@pytest.fixture
def https_port(authority: Authority, folder: Path, options: str) -> int:
    """Where the server speaks HTTPS and WSS; account 6003 is a browser's."""
    certificate, key = authority.sign("web", f"IP:{HOST}")
    port = free_port(socket.SOCK_STREAM)
    with (folder / "http.conf").open("a") as file:
        file.write(f"tlsenable=yes\ntlsbindaddr={HOST}:{port}\ntlscertfile={certificate}\ntlsprivatekey={key}\n")
        file.write("enable_static=yes\n")
    with (folder / "pjsip.conf").open("a") as file:
        file.write(
            "\n[wss]\ntype=transport\nprotocol=wss\n"
            f"[6003]\ntype=endpoint\ncontext=default\nauth=6003\naors=6003\nwebrtc=yes\ndisallow=all\n{options}"
            f"[6003]\ntype=auth\nusername=6003\npassword={PASSWORD}\n[6003]\ntype=aor\nmax_contacts=1\n"
        )
    pages = folder.parent / "data" / "static-http"
    pages.mkdir(parents=True)
    (folder / "asterisk.conf").write_text(f"[directories]\nastdatadir={pages.parent}\n")
    for page in PAGES.iterdir():
        (pages / page.name).write_text(page.read_text())
    (pages / "jssip.js").write_text(jssip_for_a_page())
    return port


@pytest.fixture
def browser(https_port: int, server: RunningServer, tmp_path: Path) -> Browser:
    """A browser that speaks in a tone of 440 Hz."""
    voice = tmp_path / "voice.wav"
    write_wav(voice, tone(VOICE_HZ, 5000))
    return Browser(tmp_path / "chromium", f"https://{HOST}:{https_port}/static/phone.html", voice)


async def register(browser: Browser, https_port: int) -> None:
    await browser.do(f"register('wss://{HOST}:{https_port}/ws', 'sip:6003@{HOST}', '{PASSWORD}')")


def samples_of(recording: bytes) -> bytes:
    """What is in a wav file of 8 kHz."""
    with wave.open(io.BytesIO(recording)) as sound:
        assert sound.getframerate() == 8000
        return sound.readframes(sound.getnframes())


def purity(samples: bytes, frequency: float, rate: int = 8000) -> float:
    """How much of a sound's power is one frequency: 1 is all of it."""
    values = array("h", samples)
    power = sum(value * value for value in values) / len(values)
    step = 2 * math.pi * frequency / rate
    real = sum(value * math.cos(step * n) for n, value in enumerate(values)) / len(values)
    imaginary = sum(value * math.sin(step * n) for n, value in enumerate(values)) / len(values)
    return 2 * (real * real + imaginary * imaginary) / power if power else 0.0


async def hear_each_other(browser: Browser, app: AriClient, channel: str) -> None:
    """The browser hears what the channel plays, and its voice is in a recording of the channel."""
    await app.post(f"/channels/{channel}/play", media=f"tone:{PLAYED_HZ}", expect=201)

    async def heard() -> bool:
        return bool(await browser.do(f"hears({PLAYED_HZ}) - hears({VOICE_HZ})") > 30)

    await eventually(heard, "the tone that is played")
    ear = (await app.post(f"/channels/{channel}/snoop", spy="in", app="hello-world", expect=200)).json["id"]
    await app.event("StasisStart", channel_id=ear)
    name = f"voice-{ear}"
    await app.post(f"/channels/{ear}/record", name=name, format="wav", expect=201)
    await asyncio.sleep(1.5)  # so long it is recorded
    await app.post(f"/recordings/live/{name}/stop", expect=204)
    await app.event("RecordingFinished")
    spoken = samples_of((await app.get(f"/recordings/stored/{name}/file")).body)
    pieces = [spoken[at : at + 1600] for at in range(0, len(spoken) - 1600, 1600)]
    pure = sum(purity(piece, VOICE_HZ) > 0.9 for piece in pieces)  # a busy machine leaves out a moment between two
    assert len(pieces) >= 12 and pure >= 0.7 * len(pieces), f"{pure} of {len(pieces)}"
    await app.delete(f"/channels/{ear}", expect=204)
    statistics = await browser.do("statistics()")
    assert statistics["inbound"]["packetsLost"] == 0 and statistics["inbound"]["packetsReceived"] > 50
    assert statistics["transport"]["dtlsState"] == "connected"


@pytest.mark.parametrize(
    ("options", "codec"),
    [
        pytest.param(
            "allow=opus,ulaw\n",
            "audio/opus",
            marks=pytest.mark.skipif(not is_codec("opus"), reason="libopus is not installed"),
        ),
        ("allow=ulaw\ndtls_setup=passive\n", "audio/PCMU"),
    ],
)
async def test_it_registers_and_calls_1000(
    browser: Browser, https_port: int, server: RunningServer, codec: str
) -> None:
    async with server.ari() as app, browser:
        await app.connect("hello-world", subscribe_all=True)
        await register(browser, https_port)
        await browser.do(f"call('sip:1000@{HOST}')")
        channel = (await app.event("StasisStart"))["channel"]["id"]
        await browser.until("connection connected")
        await hear_each_other(browser, app, channel)
        assert set((await browser.do("statistics()"))["codecs"]) == {codec}
        read = await app.get(f"/channels/{channel}/variable", variable="CHANNEL(rtp,secure)", expect=200)
        assert read.json["value"] == "1"
        await browser.do("sendDigits('5')")
        assert (await app.event("ChannelDtmfReceived"))["digit"] == "5"
        await browser.do("hangUp()")
        await app.event("ChannelDestroyed", channel_id=channel)
        await assert_nothing_left(server, app)
    assert "WARNING" not in server.log


async def test_it_is_called(browser: Browser, https_port: int, server: RunningServer) -> None:
    async with server.ari() as app, browser:
        await app.connect("hello-world", subscribe_all=True)
        await register(browser, https_port)
        channel = (await app.post("/channels", endpoint="PJSIP/6003", app="hello-world", expect=200)).json["id"]
        await browser.until("rings")
        await browser.do("answer()")
        await app.event("StasisStart", channel_id=channel)
        await browser.until("connection connected")
        await hear_each_other(browser, app, channel)
        await app.delete(f"/channels/{channel}", expect=204)
        await browser.until("ended Terminated")
        await assert_nothing_left(server, app)


async def test_hold_and_a_restart_of_ice_in_a_call(browser: Browser, https_port: int, server: RunningServer) -> None:
    async with server.ari() as app, browser:
        await app.connect("hello-world", subscribe_all=True)
        await register(browser, https_port)
        await browser.do(f"call('sip:1000@{HOST}')")
        channel = (await app.event("StasisStart"))["channel"]["id"]
        await browser.until("connection connected")
        await browser.do("hold()")
        await app.event("ChannelHold")
        await browser.do("unhold()")
        await app.event("ChannelUnhold")
        before = await browser.do("statistics()")
        assert await browser.do("restartIce()") == "restarted"

        async def restarted() -> bool:
            transport = (await browser.do("statistics()"))["transport"]
            same = transport["iceLocalUsernameFragment"] == before["transport"]["iceLocalUsernameFragment"]
            return not same and transport["iceState"] == "connected"

        await eventually(restarted, "other credentials")
        await hear_each_other(browser, app, channel)
        await app.delete(f"/channels/{channel}", expect=204)
        await assert_nothing_left(server, app)
