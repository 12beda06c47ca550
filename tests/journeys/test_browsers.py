"""Calls of browsers: media on one port, found by ICE, with keys agreed by DTLS; by the engine in C on virtual time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

import pytest

from arietta.media.native import why_no_srtp
from arietta.sdp import IceSide
from arietta.testing import AriClient, Call, Phone, VirtualLoop, compare, tone
from arietta.testing.audio import encode
from arietta.testing.network import Network
from arietta.testing.plugin import StartServer, Switch
from arietta.testing.switch import start
from arietta.webrtc.path import CONNECT_WITHIN_S
from webrtc.peer import check, new_identity

from .browser import BrowserMedia
from .conftest import FILES, PASSWORD, SERVER, phone_sections
from .test_secure_media import OTHER_SERVER, OVER_THE_TRUNK, TRUNK

pytestmark = pytest.mark.skipif(why_no_srtp() is not None, reason=str(why_no_srtp()))

HOST = "10.0.0.7"
BEEP = tone(800, 500)
MALLORY = new_identity("mallory")


@pytest.fixture
def files() -> dict[str, str]:
    """Alice has a plain phone, brenda a browser."""
    brenda = phone_sections("brenda", "6007").replace("type=endpoint\n", "type=endpoint\nwebrtc=yes\n", 1)
    return {**FILES, "pjsip.conf": FILES["pjsip.conf"] + brenda}


@pytest.fixture
def start_server() -> StartServer:
    """Servers have the engine that can encrypt."""
    return partial(start, native=True)


@pytest.fixture
def brenda(loop: VirtualLoop, server: Any, phone: Callable[..., Awaitable[Phone]]) -> Phone:
    """A registered browser, of which the phone is the signalling alone."""

    async def registered() -> Phone:
        one = await phone(HOST, 5060, username="brenda", password=PASSWORD, server=SERVER)
        await one.register()
        return one

    return loop.run(registered())


@pytest.fixture
def media(loop: VirtualLoop) -> Iterator[Callable[..., BrowserMedia]]:
    """Makes the media of browsers."""
    made: list[BrowserMedia] = []

    def make(**options: Any) -> BrowserMedia:
        made.append(BrowserMedia(loop, HOST, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


async def calls(brenda: Phone, browser: BrowserMedia, target: str = "1200", setup: str = "actpass") -> Call:
    """A call that was answered."""
    call = await brenda.invite(target, sdp=browser.offer(setup))
    answered = await call.expect(200)
    assert answered.message is not None
    browser.take_answer(answered.message.body)
    return call


async def echoes(browser: BrowserMedia) -> None:
    """1200 sends back what it hears."""
    browser.heard = b""
    await browser.say(BEEP)
    await asyncio.sleep(0.3)
    assert compare(browser.heard, BEEP).correlation > 0.9
    assert browser.unreadable == 0


@pytest.mark.parametrize("setup", ["actpass", "active", "passive"])
async def test_a_browser_hears_its_echo(brenda: Phone, media: Callable[..., BrowserMedia], setup: str) -> None:
    browser = media()
    call = await calls(brenda, browser, setup=setup)
    await browser.shaken()
    await echoes(browser)
    await call.hang_up()


async def test_a_browser_is_called(brenda: Phone, app: AriClient, media: Callable[..., BrowserMedia]) -> None:
    browser = media()
    await app.post("/channels", endpoint="PJSIP/brenda", context="default", extension="1200", priority=1)
    call = await brenda.ringing()
    call.session.accept(brenda.now, browser.answer(call.request.body))
    brenda.drain()
    await browser.shaken()
    await echoes(browser)
    await call.hang_up()


async def test_a_browser_and_a_plain_phone_meet(
    brenda: Phone, phone: Callable[..., Awaitable[Phone]], media: Callable[..., BrowserMedia]
) -> None:
    bob = await phone("10.0.0.3", 5060, username="bob", password=PASSWORD, server=SERVER)
    await bob.register()
    bob.on_invite = Call.answer
    browser = media()
    call = await calls(brenda, browser, "1100")
    await browser.shaken()
    await browser.say(BEEP)
    await bob.calls[0].hears(BEEP)
    browser.heard = b""
    await bob.calls[0].send_audio(BEEP)
    await asyncio.sleep(0.3)
    assert compare(browser.heard, BEEP).correlation > 0.9
    await call.hang_up()


async def test_another_certificate_ends_the_call(
    brenda: Phone, media: Callable[..., BrowserMedia], caplog: pytest.LogCaptureFixture
) -> None:
    browser = media(identity=MALLORY)
    call = await calls(brenda, browser)
    with caplog.at_level(logging.WARNING):
        await call.expect("BYE")
    assert "the certificate is not the one whose fingerprint was described" in caplog.text
    assert "PJSIP/brenda-" in caplog.text


async def test_who_never_checks_is_let_go(
    brenda: Phone, media: Callable[..., BrowserMedia], loop: VirtualLoop, caplog: pytest.LogCaptureFixture
) -> None:
    browser = media()
    browser.checks = False
    call = await calls(brenda, browser)
    began = loop.time()
    await call.expect("BYE", CONNECT_WITHIN_S + 5)
    assert loop.time() - began == pytest.approx(CONNECT_WITHIN_S, abs=0.5)
    assert "no ICE check has nominated a pair within 30 s" in caplog.text


async def test_plain_media_is_neither_heard_nor_sent(brenda: Phone, media: Callable[..., BrowserMedia]) -> None:
    browser = media()
    call = await calls(brenda, browser)
    await browser.say(BEEP, plain=True)
    await browser.shaken()
    await browser.say(BEEP, plain=True)
    assert browser.heard == b"" and browser.unreadable == 0
    await echoes(browser)
    await call.hang_up()


async def test_a_stranger_learns_and_moves_nothing(
    brenda: Phone, media: Callable[..., BrowserMedia], loop: VirtualLoop
) -> None:
    browser = media()
    call = await calls(brenda, browser)
    await browser.shaken()
    mallory = BrowserMedia(loop, "203.0.113.9", identity=MALLORY)
    mallory._agreed, mallory._handshaker = browser._agreed, browser._handshaker
    ice = browser._agreed.ice if browser._agreed is not None else None
    assert ice is not None
    mallory._transport.sendto(check(browser.ours, ice, password="x" * 24), browser.target)
    mallory._transport.sendto(check(IceSide("evil", "e" * 24), ice), browser.target)
    mallory._transport.sendto(b"\x16\xfe\xfd" + bytes(40), browser.target)
    await echoes(browser)
    assert mallory.answered == 0 and mallory.heard == b""
    mallory.close()
    await call.hang_up()


async def test_ice_restarts_from_another_port(brenda: Phone, media: Callable[..., BrowserMedia]) -> None:
    browser = media()
    call = await calls(brenda, browser)
    await browser.shaken()
    await echoes(browser)
    before = browser._agreed
    browser.restart()
    await call.reinvite(browser.offer())
    answer = call.story[-1].message
    assert answer is not None
    browser.take_answer(answer.body)
    assert before is not None and browser._agreed is not None
    assert browser._agreed.ice != before.ice and browser._agreed.dtls == before.dtls
    await asyncio.sleep(0.1)
    await echoes(browser)
    await call.hang_up()


async def test_a_plain_offer_is_refused(brenda: Phone) -> None:
    call = await brenda.invite("1200")
    refusal = await call.expect(488)
    assert refusal.message is not None
    assert "use_avpf" in (refusal.message.get("Warning") or "")


async def test_a_call_that_ends_amid_the_handshake_leaves_nothing(
    brenda: Phone, media: Callable[..., BrowserMedia]
) -> None:
    browser = media()
    call = await calls(brenda, browser)
    await call.hang_up()
    await asyncio.sleep(CONNECT_WITHIN_S + 1)
    assert not browser.has_keys


async def test_the_dialplan_can_see_where_media_goes(
    brenda: Phone, app: AriClient, media: Callable[..., BrowserMedia]
) -> None:
    browser = media()
    browser.checks = False
    call = await calls(brenda, browser, "1300")
    (channel,) = (await app.get("/channels")).json

    async def read(item: str) -> str:
        path = f"/channels/{channel['id']}/variable"
        return str((await app.get(path, variable=f"CHANNEL(rtp,{item})", expect=200)).json["value"])

    assert (await read("secure"), await read("dest")) == ("0", "")
    browser.check()
    await browser.shaken()
    await asyncio.sleep(0.1)
    assert await read("secure") == "1"
    assert (await read("dest")).startswith(f"{HOST}:")
    await call.hang_up()


@pytest.mark.parametrize(
    "wishes",
    [
        pytest.param("webrtc=yes\n", id="two lite agents"),
        pytest.param("webrtc=yes\nice_support=no\nrtp_symmetric=yes\n", id="no ICE"),
        pytest.param("webrtc=yes\ndtls_setup=passive\nuse_avpf=no\nforce_avp=yes\n", id="the caller begins"),
        pytest.param("webrtc=yes\nmedia_encryption_optimistic=yes\n", id="optimistic"),
        pytest.param("ice_support=yes\nrtcp_mux=yes\nmedia_encryption=sdes\n", id="ICE and keys in the description"),
    ],
)
async def test_two_servers_encrypt_what_is_between_them(
    wishes: str, switch: Switch, phone: Callable[..., Awaitable[Phone]], network: Network
) -> None:
    trunk = TRUNK.replace("media_encryption=sdes\n", wishes)
    one = trunk.format(here=SERVER[0], there=OTHER_SERVER[0]) + phone_sections("alice", "6001")
    other = trunk.format(here=OTHER_SERVER[0], there=SERVER[0])
    shared = {"extensions.conf": OVER_THE_TRUNK, "rtp.conf": FILES["rtp.conf"]}
    carried: list[bytes] = []
    network.watchers.append(lambda sent: carried.append(sent.data) if sent.destination[0] == OTHER_SERVER[0] else None)
    async with switch({**shared, "pjsip.conf": one}), switch({**shared, "pjsip.conf": other}):
        alice = await phone("10.0.0.2", 5060, username="alice", password=PASSWORD, server=SERVER)
        await alice.register()
        call = await alice.invite("1500")
        await call.answered()
        await asyncio.sleep(0.5)
        await call.send_audio(BEEP)
        await call.hears(BEEP)
        words = encode("ulaw", tone(800, 20))
        assert len(carried) > 20 and not any(words in data for data in carried)
        await call.hang_up()
