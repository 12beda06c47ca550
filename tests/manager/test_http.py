"""The manager interface over HTTP: sessions by cookie, WaitEvent, digest authentication, XML that nothing breaks."""

from __future__ import annotations

import asyncio
import hashlib
import xml.etree.ElementTree as ElementTree

from arietta.manager.message import ManagerEvent
from arietta.manager.web import as_xml
from arietta.server import Server
from arietta.testing import AriClient
from arietta.testing.ari import Reply


async def get(path: str, expect: int = 200, **options: str) -> Reply:
    async with AriClient(username="", password="", prefix="") as client:
        return await client.request("GET", path, expect=expect, **options)


async def test_forms_and_refusals(server: Server) -> None:
    for path, kind in (("/rawman", "text/plain"), ("/manager", "text/html"), ("/mxml", "text/xml")):
        reply = await get(f"{path}?action=ping")
        assert reply.headers["content-type"].startswith(kind)
        assert b"Permission denied" in reply.body
    login = await get("/mxml?action=login&username=admin&secret=s3cr3t-words&actionid=7")
    (response,) = ElementTree.fromstring(login.body).findall("./response/generic")
    assert (response.attrib["response"], response.attrib["actionid"]) == ("Success", "7")
    assert login.headers["set-cookie"].startswith('mansession_id="')
    assert len(server.manager.web) == 1
    await asyncio.sleep(100)
    assert len(server.manager.web) == 0
    assert not server.manager.hub.sessions
    for path in ("/arawman", "/amanager", "/amxml"):
        challenge = (await get(f"{path}?action=ping", expect=401)).headers["www-authenticate"]
        assert challenge.startswith('Digest algorithm=MD5, realm="asterisk", nonce="')


def test_xml_stays_xml() -> None:
    block = (("Event", "VarSet"), ("Variable", "a'<&>\"\x01"), ("variable", "again"), ("1 odd", "x"))
    found = ElementTree.fromstring(as_xml([block])).find("./response/generic")
    assert found is not None
    assert found.attrib == {"event": "VarSet", "variable": "a'<&>\" ", "variable-1": "again", "_1_odd": "x"}
    assert ManagerEvent("x", "", ()).name == "x"


async def test_wait_event_and_digest(server: Server) -> None:
    login = await get("/rawman?action=login&username=admin&secret=s3cr3t-words")
    cookie = login.headers["set-cookie"].partition(";")[0]
    server.dialplan.set_global("SEEN", "yes")
    async with AriClient(username="", password="", prefix="") as client:
        headers = {"Cookie": cookie}
        heard = await client.request("GET", "/rawman?action=waitevent&timeout=5", headers=headers, expect=200)
        assert b"Variable: SEEN" in heard.body
        assert heard.body.endswith(b"Event: WaitEventComplete\r\n\r\n")
        bye = await client.request("GET", "/rawman?action=logoff", headers=headers, expect=200)
        assert b"Goodbye" in bye.body
        challenge = (await client.request("GET", "/arawman?action=ping", expect=401)).headers["www-authenticate"]
        nonce = challenge.partition('nonce="')[2].partition('"')[0]
        right = _digest("admin", "s3cr3t-words", nonce, "/arawman?action=ping", 1)
        reply = await client.request("GET", "/arawman?action=ping", headers={"Authorization": right}, expect=200)
        assert b"Ping: Pong" in reply.body
        again = await client.request("GET", "/arawman?action=ping", headers={"Authorization": right}, expect=401)
        assert "stale=true" in again.headers["www-authenticate"]
        wrong = _digest("admin", "guess", nonce, "/arawman?action=ping", 2)
        await client.request("GET", "/arawman?action=ping", headers={"Authorization": wrong}, expect=401)


def _digest(user: str, secret: str, nonce: str, uri: str, count: int) -> str:
    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    nc = f"{count:08x}"
    response = md5(f"{md5(f'{user}:asterisk:{secret}')}:{nonce}:{nc}:c:auth:{md5(f'GET:{uri}')}")
    return (
        f'Digest username="{user}", realm="asterisk", nonce="{nonce}", uri="{uri}", qop=auth, nc={nc}, cnonce="c",'
        f' response="{response}"'
    )
