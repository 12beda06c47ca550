"""What phones of sipp do with a call: hold it, change it, send digits and texts, keep a number secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import needs
from .running import RunningServer, Sipp, assert_nothing_left

pytestmark = needs("sipp")


@pytest.fixture
def folder(folder: Path) -> Path:
    """The configuration of all, with a trunk that is believed."""
    pjsip = folder / "pjsip.conf"
    trunk = "[trunk]\ntype=endpoint\n"
    assert trunk in pjsip.read_text()
    pjsip.write_text(pjsip.read_text().replace(trunk, trunk + "trust_id_inbound=yes\ndtmf_mode=info\n"))
    return folder


async def test_a_call_is_held_and_taken_back(server: RunningServer) -> None:
    async with server.ari() as app:
        await app.connect("hello-world")
        async with Sipp(server, "holds.xml", service="1001") as phone:
            channel = (await app.event("StasisStart"))["channel"]["id"]
            await app.post(f"/channels/{channel}/answer", expect=204)
            for name in ("ChannelHold", "ChannelUnhold", "ChannelHold", "ChannelUnhold"):
                await app.event(name, channel_id=channel)
            await phone.succeeded()
        await assert_nothing_left(server, app)


async def test_a_session_is_changed_by_update(server: RunningServer) -> None:
    async with server.ari() as app:
        await app.connect("hello-world")
        async with Sipp(server, "updates.xml", service="1001") as phone:
            channel = (await app.event("StasisStart"))["channel"]["id"]
            await app.post(f"/channels/{channel}/answer", expect=204)
            await app.event("ChannelHold", channel_id=channel)
            await app.event("ChannelUnhold", channel_id=channel)
            await phone.succeeded()
        await assert_nothing_left(server, app)


async def test_digits_come_in_info(server: RunningServer) -> None:
    async with server.ari() as app:
        await app.connect("hello-world")
        async with Sipp(server, "sends_digits.xml", service="1001") as phone:
            channel = (await app.event("StasisStart"))["channel"]["id"]
            await app.post(f"/channels/{channel}/answer", expect=204)
            heard = [(await app.event("ChannelDtmfReceived", channel_id=channel))["digit"] for _ in range(2)]
            assert heard == ["5", "9"]
            await app.delete(f"/channels/{channel}", expect=204)
            await phone.succeeded()
        await assert_nothing_left(server, app)


async def test_texts_come_and_go(server: RunningServer) -> None:
    async with server.ari() as app:
        await app.connect("hello-world")
        await app.post("/applications/hello-world/subscription", eventSource="endpoint:PJSIP/trunk", expect=200)
        async with Sipp(server, "sends_message.xml", service="1001") as phone:
            message = (await app.event("TextMessageReceived"))["message"]
            assert message["body"].strip() == "good morning"
            await phone.succeeded()
        async with Sipp(server, "gets_message.xml", port=server.answering_port) as phone:
            text = {"from": "sip:us@127.0.0.1", "body": "good evening"}
            await app.put("/endpoints/PJSIP/answering/sendMessage", body=text, expect=202)
            await phone.succeeded()


async def test_a_number_is_kept_secret(server: RunningServer) -> None:
    async with server.ari() as app:
        await app.connect("hello-world")
        async with Sipp(server, "keeps_secret.xml", service="1001") as phone:
            channel = (await app.event("StasisStart"))["channel"]
            assert channel["caller"]["number"] == "+4912345"
            value = (await app.get(f"/channels/{channel['id']}/variable", variable="CALLERID(pres)")).json["value"]
            assert value.startswith("prohib")
            await app.post(f"/channels/{channel['id']}/answer", expect=204)
            await app.delete(f"/channels/{channel['id']}", expect=204)
            await phone.succeeded()
        await assert_nothing_left(server, app)
