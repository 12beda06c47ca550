"""Nothing that a peer can name or say adds a line, a header or an event to what manager sessions hear."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import quote

import pytest

from arietta.server import Server
from arietta.testing import AriClient, Phone

from .conftest import Connect
from .fuzz.check import check_blocks
from .talking import ManagerClient
from .test_http import get

FORGED = "x\r\n\r\nEvent: Forged\r\nPrivilege: all,all\r\n\r\n"
HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9 _()/-]*")


def check(client: ManagerClient) -> None:
    """Everything that came is blocks whose headers the server has named, and none is forged."""
    _, _, told = client.raw.partition(b"\r\n")
    for block in check_blocks(told):
        assert block[0] != (b"Event", b"Forged"), block
        assert all(HEADER.fullmatch(name) for name, _ in block), block


async def test_a_phone_that_names_itself_and_others_oddly(server: Server, connect: Connect, alice: Phone) -> None:
    client = await connect()
    odd = (
        ("P-Asserted-Identity", '"x\\" <sip:%0d%0a%0d%0aEvent%3a%20Forged@10.0.0.2>'),
        ("Diversion", "<sip:%0d%0a%0d%0aEvent%3a%20Forged@x>;reason=unknown"),
    )
    for number in ("1200", "%0d%0a%0d%0aEvent%3a%20Forged%0d%0a"):
        call = await alice.invite(f"sip:{number}@10.0.0.1", headers=odd, display='a"b\\c')
        if number == "1200":
            await call.answered()
            await call.hang_up()
        else:
            await call.ended()
    await client.ask_list("CoreShowChannels")
    await asyncio.sleep(1)
    assert {"Newchannel", "Hangup"} <= set(client.events())
    check(client)


async def test_a_program_that_sets_odd_values(server: Server, connect: Connect, app: AriClient, alice: Phone) -> None:
    client = await connect()
    call = await alice.invite("1000")
    channel = (await app.event("StasisStart"))["channel"]["id"]
    await app.post(f"/channels/{channel}/variable", variable="ODD", value=FORGED)
    for item in ("CALLERID(name)", "CALLERID(num)", "CONNECTEDLINE(name)", "CHANNEL(accountcode)", "CHANNEL(language)"):
        await app.post(f"/channels/{channel}/variable", variable=item, value=FORGED)
    await app.post(
        "/events/user/Odd",
        application="hello-world",
        source=f"channel:{channel}",
        json={"variables": {"Colour\r\nEvent": FORGED, "Event: Forged\r\n\r\nx": "1"}},
        expect=204,
    )
    await app.post("/bridges", name=FORGED, type="mixing")
    for action in ("CoreShowChannels", "Status", "BridgeList"):
        await client.ask_list(action)
    assert "Forged" in (await client.ask("Getvar", Channel=channel, Variable="ODD"))["Value"]
    await call.hang_up()
    await client.event("Hangup")
    for bridge in (await app.get("/bridges")).json:
        await app.delete(f"/bridges/{bridge['id']}")
    check(client)


@pytest.mark.parametrize("form", ["rawman", "mxml", "manager"])
async def test_a_client_over_http_that_says_lines(server: Server, connect: Connect, form: str) -> None:
    client = await connect()
    login = await get(f"/{form}?action=login&username=admin&secret=s3cr3t-words")
    cookie = login.headers["set-cookie"].partition(";")[0]
    odd = quote(FORGED)
    async with AriClient(username="", password="", prefix="") as web:
        for query in (
            f"action=userevent&userevent={odd}&{odd}={odd}",
            f"action=setvar&variable=ODD&value={odd}",
            f"action=getvar&variable=ODD&actionid={odd}",
            f"action={odd}",
            "action=logoff",
        ):
            answer = await web.request("GET", f"/{form}?{query}", headers={"Cookie": cookie})
            if form == "rawman":
                check_blocks(answer.body)
    await client.event("VarSet", Variable="ODD")
    _, _, told = client.raw.partition(b"\r\n")
    assert all(block[0] != (b"Event", b"Forged") for block in check_blocks(told))
