"""A phone and a trunk that pjsip_wizard.conf alone describes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from arietta.server import Server
from arietta.testing import AriClient, Phone, VirtualLoop

from .conftest import FILES, PASSWORD, SERVER

MakePhone = Callable[..., Awaitable[Phone]]
PJSIP = FILES["pjsip.conf"].partition("[carrier]")[0]
WIZARDS = f"""
[phones](!)
type=wizard
accepts_auth=yes
accepts_registrations=yes
has_hint=yes
hint_application=Dial(${{HINT}},20)
endpoint/context=default
endpoint/allow=ulaw

[desk](phones)
hint_exten=6001
inbound_auth/username=desk
inbound_auth/password={PASSWORD}

[itsp]
type=wizard
sends_auth=yes
sends_registrations=yes
remote_hosts=10.0.1.9
outbound_auth/username=me
outbound_auth/password={PASSWORD}
endpoint/context=default
endpoint/allow=ulaw
registration/max_random_initial_delay=0
"""
DOOR = f"""
[door](phones)
hint_exten=6002
inbound_auth/username=door
inbound_auth/password={PASSWORD}
"""
EXTENSIONS = FILES["extensions.conf"] + "exten => _9.,1,Dial(PJSIP/${EXTEN:1}@itsp,20)\n same => n,Hangup()\n"


@pytest.fixture
def files() -> dict[str, str]:
    return FILES | {"pjsip.conf": PJSIP, "pjsip_wizard.conf": WIZARDS, "extensions.conf": EXTENSIONS}


@pytest.fixture
def desk(server: Server, loop: VirtualLoop, phone: MakePhone) -> Phone:
    opened = loop.run(phone("10.0.0.2", 5060, username="desk", password=PASSWORD, server=SERVER))
    loop.run(opened.register())
    return opened


@pytest.fixture
def itsp(server: Server, loop: VirtualLoop, phone: MakePhone) -> Phone:
    return loop.run(phone("10.0.1.9", 5060, name="itsp", server=SERVER))


async def test_the_phone_calls_out_by_the_trunk(desk: Phone, itsp: Phone) -> None:
    call = await desk.invite("95551234")
    far = await itsp.ringing()
    assert far.request.uri_text.startswith("sip:5551234@10.0.1.9")
    far.answer()
    await call.answered()
    await call.hang_up()


async def test_a_call_of_the_trunk_rings_the_phone_by_its_hint(desk: Phone, itsp: Phone) -> None:
    call = await itsp.invite("6001")
    (await desk.ringing()).answer()
    await call.answered()
    await call.hang_up()


async def test_the_trunk_is_registered_with(itsp: Phone) -> None:
    seen = await itsp.sees("REGISTER sip:10.0.1.9")
    assert b"To: <sip:me@10.0.1.9>" in seen.data


async def test_wizards_objects_are_changed_in_their_file(server: Server, app: AriClient) -> None:
    path = "/asterisk/config/dynamic/res_pjsip/endpoint/desk"
    fields = {field["attribute"]: field["value"] for field in (await app.get(path)).json}
    assert (fields["context"], fields["auth"]) == ("default", "desk-iauth")
    refused = await app.put(path, body={"fields": [{"attribute": "context", "value": "other"}]}, expect=403)
    assert "pjsip_wizard.conf" in refused.json["message"]


async def test_a_reload_reads_wizards_again(server: Server, phone: MakePhone) -> None:
    _write(server, WIZARDS + DOOR)
    server.reload()
    door = await phone("10.0.0.4", 5060, username="door", password=PASSWORD, server=SERVER)
    await door.register()
    call = await door.invite("6002")
    (await door.ringing()).reject(486)
    await call.expect(486)


def _write(server: Server, text: str) -> None:
    Path(server.config.directory, "pjsip_wizard.conf").write_text(text)
