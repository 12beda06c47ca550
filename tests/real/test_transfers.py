"""What phones of sipp do with calls of others: transfer them, take their place, send them on, change them at once."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import quote

import pytest

from arietta.testing import AriClient

from .conftest import needs
from .running import HOST, RunningServer, Sipp, assert_nothing_left, eventually

pytestmark = needs("sipp")

EXTENSIONS = """
exten => 1100,1,Dial(PJSIP/answering,20)
 same => n,Hangup()

exten => 1300,1,Answer()
 same => n,Stasis(hello-world,transferred)
 same => n,Hangup()

exten => 1500,1,Answer()
 same => n,Set(CONNECTEDLINE(num)=4321)
 same => n,Wait(20)

exten => 1501,1,Answer()
 same => n,Set(PJSIP_SEND_SESSION_REFRESH()=update)
 same => n,Wait(20)
"""


TOLD = """
[told]
type=endpoint
context=default
disallow=all
allow=ulaw
send_rpid=yes
trust_id_outbound=yes
"""


@pytest.fixture
def folder(folder: Path) -> Path:
    """The configuration of all, with more extensions and an endpoint that is told whom it is connected to."""
    for name, more in (("extensions.conf", EXTENSIONS), ("pjsip.conf", TOLD)):
        (folder / name).write_text((folder / name).read_text() + more)
    return folder


def at_server(server: RunningServer, user: str, headers: str = "") -> str:
    """A Refer-To with a URI of the server."""
    return f"<sip:{user}@{HOST}:{server.sip_port}{headers}>"


async def named(phone: Sipp) -> str:
    """The call of a phone of sipp, as Replaces names it to the server (RFC 3891 6.1)."""

    assert phone.process
    acked = rf"^ACK .*\n(?:.+\n)*?From:.*;tag=({phone.process.pid}-1)\s*\nTo:.*;tag=(\S+)\s*\nCall-ID: *(\S+)"

    def said() -> re.Match[str] | None:
        return re.search(acked, phone.told(), re.M)

    await eventually(lambda: said() is not None, "an ACK of sipp")
    found = said()
    assert found
    return f"{found[3]};to-tag={found[2]};from-tag={found[1]}"


async def enter(app: AriClient, bridge: str) -> str:
    """Put the next channel that enters the application into a bridge, and answer it then; gives its id."""
    channel = str((await app.event("StasisStart"))["channel"]["id"])
    await app.post(f"/bridges/{bridge}/addChannel", channel=channel, expect=204)
    await app.post(f"/channels/{channel}/answer", expect=204)
    return channel


async def test_a_phone_in_a_bridge_of_the_application_is_transferred(server: RunningServer) -> None:
    async with server.ari() as app, AsyncExitStack() as phones:
        await app.connect("hello-world")
        bridge = (await app.post("/bridges", type="mixing")).json["id"]
        other = await phones.enter_async_context(Sipp(server, "ended_by_server.xml", service="1001"))
        stays = await enter(app, bridge)
        goal = ("-key", "refer_to", at_server(server, "1200"))
        phone = await phones.enter_async_context(Sipp(server, "transfers.xml", *goal, service="1001"))
        goes = await enter(app, bridge)
        told = await app.event("BridgeBlindTransfer")
        assert (told["result"], told["exten"], told["channel"]["id"]) == ("Success", "1200", goes)
        start = await app.event("StasisStart")
        assert start["replace_channel"]["id"] == goes
        await phone.succeeded()
        members = (await app.get(f"/bridges/{bridge}")).json["channels"]
        assert set(members) == {stays, start["channel"]["id"]}
        for channel in members:
            await app.delete(f"/channels/{channel}", expect=204)
        await other.succeeded()
        await app.delete(f"/bridges/{bridge}", expect=204)
        await assert_nothing_left(server, app)


async def test_a_phone_that_dial_connected_transfers_whom_it_called(server: RunningServer) -> None:
    async with server.ari() as app, AsyncExitStack() as phones:
        await app.connect("hello-world")
        called = await phones.enter_async_context(Sipp(server, "answering.xml", port=server.answering_port))
        goal = ("-key", "refer_to", at_server(server, "1300"))
        phone = await phones.enter_async_context(Sipp(server, "transfers.xml", *goal, service="1100"))
        start = await app.event("StasisStart")
        assert start["args"] == ["transferred"]
        assert start["channel"]["name"].startswith("PJSIP/answering-")
        await phone.succeeded()
        await app.delete(f"/channels/{start['channel']['id']}", expect=204)
        await called.succeeded()
        await assert_nothing_left(server, app)


async def test_a_transfer_to_nowhere_leaves_the_call(server: RunningServer) -> None:
    async with server.ari() as app:
        await app.connect("hello-world")
        goal = ("-key", "refer_to", at_server(server, "9999"))
        async with Sipp(server, "transfers_in_vain.xml", *goal, service="1001") as phone:
            channel = (await app.event("StasisStart"))["channel"]["id"]
            await app.post(f"/channels/{channel}/answer", expect=204)
            await app.event("StasisEnd", channel_id=channel)
            await phone.succeeded()
        await assert_nothing_left(server, app)


async def test_a_phone_connects_its_two_calls(server: RunningServer) -> None:
    async with server.ari() as app, AsyncExitStack() as phones:
        await app.connect("hello-world")
        one, two = [(await app.post("/bridges", type="mixing")).json["id"] for _ in range(2)]
        others, stay = [], []
        for bridge in (one, two):
            other = Sipp(server, "ended_by_server.xml", service="1001")
            others.append(await phones.enter_async_context(other))
            stay.append(await enter(app, bridge))
        second = await phones.enter_async_context(Sipp(server, "ended_by_server.xml", service="1001"))
        second_id = await enter(app, two)
        replaces = at_server(server, "1001", "?Replaces=" + quote(await named(second), safe=""))
        first = await phones.enter_async_context(
            Sipp(server, "transfers.xml", "-key", "refer_to", replaces, service="1001")
        )
        first_id = await enter(app, one)
        told = await app.event("BridgeAttendedTransfer")
        assert (told["result"], told["destination_type"]) == ("Success", "link")
        assert (told["transferer_first_leg"]["id"], told["transferer_second_leg"]["id"]) == (first_id, second_id)
        assert [told["transferee"]["id"], told["transfer_target"]["id"]] == stay
        links = [told[f"destination_link_{which}_leg"]["id"] for which in ("first", "second")]
        await first.succeeded()
        await second.succeeded()
        for bridge, channels in ((one, {stay[0], links[0]}), (two, {stay[1], links[1]})):
            assert set((await app.get(f"/bridges/{bridge}")).json["channels"]) == channels
        for channel in (*stay, links[0]):
            await app.delete(f"/channels/{channel}", expect=204)
        for phone in others:
            await phone.succeeded()
        for bridge in (one, two):
            await app.delete(f"/bridges/{bridge}", expect=204)
        await assert_nothing_left(server, app)


async def test_a_phone_takes_the_place_of_another(server: RunningServer) -> None:
    async with server.ari() as app, AsyncExitStack() as phones:
        await app.connect("hello-world")
        bridge = (await app.post("/bridges", type="mixing")).json["id"]
        former = await phones.enter_async_context(Sipp(server, "ended_by_server.xml", service="1001"))
        goes = await enter(app, bridge)
        wanted = ("-key", "replaces", await named(former))
        new = await phones.enter_async_context(Sipp(server, "replaces.xml", *wanted, service="nowhere"))
        start = await app.event("StasisStart")
        assert start["replace_channel"]["id"] == goes
        await former.succeeded()
        assert (await app.get(f"/bridges/{bridge}")).json["channels"] == [start["channel"]["id"]]
        await app.delete(f"/channels/{start['channel']['id']}", expect=204)
        await new.succeeded()
        await app.delete(f"/bridges/{bridge}", expect=204)
        await assert_nothing_left(server, app)


async def test_a_phone_sends_its_caller_to_an_extension(server: RunningServer) -> None:
    async with server.ari() as app, AsyncExitStack() as phones:
        await app.connect("hello-world", subscribe_all=True)
        called = await phones.enter_async_context(Sipp(server, "sends_elsewhere.xml", port=server.answering_port))
        caller = await phones.enter_async_context(Sipp(server, "ended_by_server.xml", service="1100"))
        while not (dial := await app.event("Dial"))["forward"]:
            pass
        assert dial["forward"] == "1200@default"
        assert dial["forwarded"]["name"].startswith("Local/1200@default-")
        await called.succeeded()
        while (dial := await app.event("Dial"))["dialstatus"] != "ANSWER":
            pass
        await app.delete(f"/channels/{dial['caller']['id']}", expect=204)
        await caller.succeeded()
        await assert_nothing_left(server, app)


async def test_one_of_two_phones_behind_a_proxy_gets_the_call(server: RunningServer) -> None:
    async with server.ari() as app:
        await app.connect("hello-world")
        async with Sipp(server, "forks.xml", port=server.answering_port) as phones:
            call = {"endpoint": "PJSIP/answering", "app": "hello-world"}
            channel = (await app.post("/channels", **call, expect=200)).json["id"]
            await app.event("StasisStart", channel_id=channel)
            await eventually(lambda: "BYE sip:" in phones.told(), "the BYE to who answered late")
            assert (await app.get(f"/channels/{channel}")).json["state"] == "Up"
            await app.delete(f"/channels/{channel}", expect=204)
            await phones.succeeded()
        await assert_nothing_left(server, app)


@pytest.mark.parametrize(("scenario", "exten"), [("glares.xml", "1500"), ("glares_with_update.xml", "1501")])
async def test_both_sides_change_the_session_at_once(server: RunningServer, scenario: str, exten: str) -> None:
    async with server.ari() as app:
        async with Sipp(server, scenario, service=exten) as phone:
            await phone.succeeded()
        await assert_nothing_left(server, app)
