"""The dialplan looks into SIP messages, and changes those that go out."""

from __future__ import annotations

import asyncio

import pytest

from arietta.dialplan.errors import FunctionError
from arietta.server import Server
from arietta.testing import AriClient, Phone

from .conftest import FILES

MORE = """
exten => 1800,1,Set(GLOBAL(COLOUR)=${PJSIP_HEADER(read,x-colour)})
 same => n,Set(GLOBAL(SECOND)=${PJSIP_HEADER(read,X-C*,2)})
 same => n,Set(GLOBAL(NAMES)=${PJSIP_HEADERS(X-)})
 same => n,Set(GLOBAL(NONE)=${PJSIP_HEADER(read,X-Nothing)})
 same => n,Set(GLOBAL(USER)=${PJSIP_PARSE_URI(${PJSIP_HEADER(read,From)},user)})
 same => n,Set(ADDRESS="A, B" <sips:carol:word@[2001:db8::1]:5071\\;transport=tls\\;lr>)
 same => n,Set(GLOBAL(DISPLAY)=${PJSIP_PARSE_URI_FROM(ADDRESS,display)})
 same => n,Set(PJSIP_HEADER(add,X-Late)=1)
 same => n,Answer()
 same => n,Wait(600)
"""


@pytest.fixture
def files() -> dict[str, str]:
    return FILES | {"extensions.conf": FILES["extensions.conf"] + MORE}


async def test_the_dialplan_reads_the_invite(server: Server, alice: Phone) -> None:
    call = await alice.invite("1800", headers=[("X-Colour", "red"), ("X-Colour", "blue"), ("X-Car", "Fiat")])
    await call.expect(200)
    said = server.dialplan.globals
    assert (said["COLOUR"], said["SECOND"], said["NAMES"], said["NONE"]) == ("red", "blue", "X-Colour,X-Car", "")
    assert said["USER"] == "alice"
    (channel,) = server.channels
    with pytest.raises(FunctionError, match="the call came in"):
        server.dialplan.write(channel, "PJSIP_HEADER(add,X-Late)", "1")
    await call.hang_up()


async def test_headers_of_a_call_that_goes_out(server: Server, app: AriClient, bob: Phone) -> None:
    variables = {
        "PJSIP_HEADER(add,X-One)": "1",
        "PJSIP_HEADER(add,X-Two)": "two",
        "PJSIP_HEADER(update,X-One)": "one",
        "PJSIP_HEADER(add,X-Gone)": "x",
        "PJSIP_HEADER(remove,X-G*)": "",
        "PJSIP_HEADER(add,Via)": "SIP/2.0/UDP 192.0.2.1",
        "PJSIP_HEADER(add,X-Split)": "a\r\nX-Evil: 1",
        "PJSIP_HEADER_PARAM(From,uri,isup-oli)": "27",
        "PJSIP_HEADER_PARAM(From,header,shape)": "round",
        "PJSIP_MEDIA_OFFER(audio)": "alaw",
    }
    waiting = asyncio.get_running_loop().create_task(bob.ringing())
    await app.post(
        "/channels", endpoint="PJSIP/bob", app="hello-world", callerId="7<77>", body={"variables": variables}
    )
    call = await waiting
    invite = call.request
    assert (invite.get("X-One"), invite.get("X-Two")) == ("one", "two")
    assert not {"X-Gone", "X-Split", "X-Evil"} & set(invite.headers)
    assert len(invite.headers["Via"]) == 1
    assert invite.from_.uri.parameter("isup-oli") == "27" and invite.from_.parameter("shape") == "round"
    assert invite.from_tag and b"PCMA" in invite.body and b"PCMU" not in invite.body
    call.answer(headers=[("X-Answer", "42")])
    channel = (await app.event("StasisStart"))["channel"]["id"]
    plan, there = server.dialplan, server.channels.get(channel)
    assert plan.read(there, "PJSIP_RESPONSE_HEADER(read,X-Answer)") == "42"
    assert "Contact" in (plan.read(there, "PJSIP_RESPONSE_HEADERS(Co)") or "")
    assert plan.read(there, "PJSIP_HEADER(read,X-One)") == "one"
    assert plan.read(there, "PJSIP_HEADERS(X-)") == "X-One,X-Two"
    with pytest.raises(FunctionError, match="has been sent"):
        plan.write(there, "PJSIP_HEADER(add,X-Three)", "3")
    await app.delete(f"/channels/{channel}", expect=204)
    await call.expect("BYE")


async def test_a_session_is_refreshed(server: Server, app: AriClient, alice: Phone) -> None:
    call = await alice.invite("1000")
    await call.expect(200)
    channel = server.channels.get((await app.event("StasisStart"))["channel"]["id"])
    plan = server.dialplan
    plan.write(channel, "PJSIP_MEDIA_OFFER(audio)", "alaw")
    plan.write(channel, "PJSIP_SEND_SESSION_REFRESH()", "invite")
    offered = await call.expect("INVITE")
    assert offered is not None
    await asyncio.sleep(1)
    assert plan.read(channel, "CHANNEL(audionativeformat)") == "alaw"
    plan.write(channel, "PJSIP_DTMF_MODE()", "info")
    assert plan.read(channel, "PJSIP_DTMF_MODE()") == "info"
    await call.hang_up()


async def test_what_is_known_of_endpoints_and_contacts(server: Server, bob: Phone) -> None:
    plan = server.dialplan
    assert plan.read(None, "PJSIP_ENDPOINT(bob,context)") == "default"
    assert plan.read(None, "PJSIP_ENDPOINT(bob,allow)") == "ulaw,alaw"
    assert plan.read(None, "PJSIP_AOR(bob,max_contacts)") == "1"
    contact = plan.read(None, "PJSIP_AOR(bob,contact)") or ""
    uri = plan.read(None, f"PJSIP_CONTACT({contact},uri)") or ""
    assert uri == bob.uri
    assert int(plan.read(None, f"PJSIP_CONTACT({contact},expiration_time)") or "0") > 0
    assert plan.read(None, "PJSIP_DIAL_CONTACTS(bob)") == f"PJSIP/bob/{uri}"
    assert plan.read(None, "PJSIP_DIAL_CONTACTS(bob,,77)") == f"PJSIP/bob/sip:77@{uri.partition('@')[2]}"


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("display", "A"), ("scheme", "sips"), ("user", "carol"), ("passwd", "word"), ("host", "10.0.0.9"),
        ("port", "5071"), ("transport_param", "tls"), ("lr_param", "1"), ("maddr_param", ""), ("user_param", "phone"),
    ],
)  # fmt: skip
def test_parts_of_a_uri(server: Server, part: str, value: str) -> None:
    uri = '"A" <sips:carol:word@10.0.0.9:5071;transport=tls;lr;user=phone>'
    assert server.dialplan.read(None, f"PJSIP_PARSE_URI({uri},{part})") == value
    server.dialplan.set_global("ADDRESS", uri)
    assert server.dialplan.read(None, f"PJSIP_PARSE_URI_FROM(ADDRESS,{part})") == value


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("PJSIP_PARSE_URI(sip:a@b,colour)", "'colour' is none of display"),
        ("PJSIP_ENDPOINT(nobody,context)", "there is no endpoint 'nobody'"),
        ("PJSIP_ENDPOINT(bob,colour)", "no option 'colour'"),
        ("PJSIP_AOR(nobody,contact)", "there is no address of record 'nobody'"),
        ("PJSIP_CONTACT(bob;@sip:x,uri)", "there is no contact"),
        ("PJSIP_DIAL_CONTACTS(bob,alice)", "endpoint bob has no address of record 'alice'"),
        ("PJSIP_HEADER(read,From)", "needs a channel"),
    ],
)
def test_what_is_not_there_is_named(server: Server, name: str, message: str) -> None:
    with pytest.raises(FunctionError, match=message):
        server.dialplan.read(None, name)


def test_what_is_no_uri_has_no_parts(server: Server) -> None:
    assert server.dialplan.read(None, "PJSIP_PARSE_URI(not a uri,user)") == ""
