"""Calls whose session is refreshed or expires (RFC 4028), and early media that is acknowledged (RFC 3262)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from arietta.server import Server
from arietta.sip.profile import Profile
from arietta.sip.session_timer import TimerRules
from arietta.testing import AriClient, Phone, tone

from .conftest import EXTENSIONS, FILES, PASSWORD, PJSIP, SERVER

OpenPhone = Callable[..., Awaitable[Phone]]
OLD = ("INVITE", "ACK", "BYE", "CANCEL")
MORE = """
exten => 1400,1,Progress()
 same => n,Wait(2)
 same => n,Answer()
 same => n,Echo()
exten => 1401,1,Ringing()
 same => n,Wait(2)
 same => n,Answer()
 same => n,Echo()
"""


@pytest.fixture
def files() -> dict[str, str]:
    options = "allow=ulaw,alaw\ntimers_sess_expires=90\n100rel=peer_supported"
    return FILES | {"pjsip.conf": PJSIP.replace("allow=ulaw,alaw", options), "extensions.conf": EXTENSIONS + MORE}


@pytest.fixture
def knowing(server: Server, phone: OpenPhone) -> Callable[..., Awaitable[Phone]]:
    """A registered phone that knows session timers and 100rel."""

    async def opened(name: str, host: str, allow: tuple[str, ...] = Profile().allow) -> Phone:
        profile = Profile(allow=allow, timers=TimerRules("yes"), reliable="yes")
        one = await phone(host, 5060, username=name, password=PASSWORD, server=SERVER, profile=profile)
        await one.register()
        return one

    return opened


def seen(phone: Phone, begins: str, *, was_sent: bool) -> list[bytes]:
    return [m.data for m in phone.seen if m.was_sent is was_sent and m.first_line.startswith(begins)]


async def test_a_phone_refreshes_its_call(knowing: OpenPhone) -> None:
    alice = await knowing("alice", "10.0.0.2")
    call = await alice.invite("1300")
    await call.answered()
    assert b"Session-Expires: 90;refresher=uac" in seen(alice, "SIP/2.0 200", was_sent=False)[-1]
    await asyncio.sleep(200)
    assert call.end is None and len(seen(alice, "UPDATE", was_sent=True)) == 4
    await call.hang_up()


async def test_a_phone_that_went_dark_is_missed_when_its_refresh_is_due(
    knowing: OpenPhone, app: AriClient, loop: asyncio.AbstractEventLoop
) -> None:
    alice = await knowing("alice", "10.0.0.2")
    await (await alice.invite("1000")).answered()
    channel = (await app.event("StasisStart"))["channel"]["id"]
    began = loop.time()
    await alice.close()
    request = await app.event("ChannelHangupRequest", channel_id=channel, within=61)
    assert request["cause"] == 102 and 59 < loop.time() - began < 61


@pytest.mark.parametrize("allow", [Profile().allow, OLD], ids=["UPDATE", "INVITE"])
async def test_the_server_refreshes_calls_that_it_makes(
    knowing: OpenPhone, app: AriClient, allow: tuple[str, ...]
) -> None:
    bob = await knowing("bob", "10.0.0.3", allow)
    await app.post("/applications/hello-world/subscription", eventSource="channel:")
    made = await app.post("/channels", endpoint="PJSIP/bob", context="default", extension="1200", priority=1)
    call = await bob.ringing()
    call.answer()
    await call.answered()
    for _ in range(3):
        await call.expect("UPDATE" if "UPDATE" in allow else "INVITE", within=50)
    beep = tone(800, 500)
    await call.send_audio(beep)
    await call.hears(beep)  # 1200 is an echo
    await bob.close()
    destroyed = await app.event("ChannelDestroyed", channel_id=made.json["id"], within=90)
    assert destroyed["cause"] == 102  # the session expires before its refresh is given up


@pytest.mark.parametrize("offers", [True, False], ids=["offer in the INVITE", "offer in the 1xx"])
@pytest.mark.parametrize(("number", "status"), [("1400", 183), ("1401", 180)])
async def test_early_responses_are_acknowledged(knowing: OpenPhone, number: str, status: int, offers: bool) -> None:
    alice = await knowing("alice", "10.0.0.2")
    call = await alice.invite(number, sdp=None if offers else b"")
    await call.expect(status)
    await alice.sees("SIP/2.0 200 OK")
    await call.answered()
    [prack] = seen(alice, "PRACK", was_sent=True)
    assert (b"m=audio" in prack) is not offers
    described = status == 183 or not offers
    assert (b"m=audio" in seen(alice, "SIP/2.0 200", was_sent=False)[-1]) is not described
    beep = tone(800, 500)
    await call.send_audio(beep)
    await call.hears(beep)
    await call.hang_up()


async def test_ringing_of_a_phone_is_acknowledged(knowing: OpenPhone, app: AriClient) -> None:
    bob = await knowing("bob", "10.0.0.3")
    bob.agent.profile = Profile(reliable="required")
    made = (await app.post("/channels", endpoint="PJSIP/bob", app="hello-world")).json
    call = await bob.ringing()
    call.ring()
    await bob.sees("PRACK")
    await app.event("ChannelStateChange", channel_state="Ringing")
    call.answer()
    await app.event("StasisStart", channel_id=made["id"])
    await call.hang_up()
