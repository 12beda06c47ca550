"""Flows that phones keep open to us (RFC 5626): ladders on the virtual network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from arietta.server import Server
from arietta.sip.message import Request, parse
from arietta.testing import Phone, VirtualLoop
from arietta.testing.plugin import Switch

from .running import EXTENSIONS, FILES, PASSWORD, SERVER

INSTANCE = '+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"'
OUTBOUND = (("Supported", "path, outbound"),)
HIDDEN = "sip:bob@192.168.7.7:5062"
MAX_CONTACTS = "max_contacts=1\nremove_existing=yes\n"
BINDING_REQUEST = b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12)
TRANSPORT = "[global]\ntype=global\nkeep_alive_interval=0\n[tcp]\ntype=transport\nprotocol=tcp\nbind=10.0.0.1:5060\n"
PHONES = FILES["pjsip.conf"].replace(MAX_CONTACTS, "max_contacts=2\n")
PJSIP = TRANSPORT + PHONES.replace('callerid="Bob"', 'force_rport=no\ncallerid="Bob"')
ALL = "exten => 1103,1,Dial(${PJSIP_DIAL_CONTACTS(bob)},20)\n same => n,Hangup()\n"
MakePhone = Callable[..., Awaitable[Phone]]


@pytest.fixture
def server(loop: VirtualLoop, switch: Switch) -> Iterator[Server]:
    """A server with UDP and TCP, whose phones may have two contacts."""
    stack = AsyncExitStack()
    files = FILES | {"pjsip.conf": PJSIP, "extensions.conf": EXTENSIONS + ALL}
    yield loop.run(stack.enter_async_context(switch(files)))
    loop.run(stack.aclose())


@pytest.fixture
def alice(server: Server, loop: VirtualLoop, phone: MakePhone) -> Phone:
    """Who calls."""
    return loop.run(phone("10.0.0.2", 5060, username="alice", password=PASSWORD, server=SERVER))


def bob(loop: VirtualLoop, phone: MakePhone, host: str = "10.0.0.3", transport: str = "udp", **more: str) -> Phone:
    """A telephone of bob."""
    return loop.run(phone(host, 5060, username="bob", password=PASSWORD, server=SERVER, transport=transport, **more))


def flow(uri: str, reg_id: int = 1) -> str:
    return f"<{uri};ob>;reg-id={reg_id};{INSTANCE}"


def contacts(server: Server) -> list[str]:
    return [contact.uri for contact in server.sip.contacts.location.contacts(("bob",))]


async def calls(alice: Phone, callee: Phone, number: str = "1100") -> Request:
    """The INVITE of a call that was answered and ended."""
    call = await alice.invite(number)
    (await callee.ringing()).answer()
    await call.answered()
    await call.hang_up()
    invite = next(parse(seen.data) for seen in reversed(callee.seen) if seen.first_line.startswith("INVITE"))
    assert isinstance(invite, Request)
    return invite


async def test_a_phone_behind_nat_is_called_over_its_flow(server: Server, alice: Phone, phone: MakePhone, loop):
    behind = await phone("10.0.0.3", 5060, username="bob", password=PASSWORD, server=SERVER)
    response = await behind.register(contact=flow(HIDDEN), headers=OUTBOUND)
    assert response.values("Require") == ["outbound"] and response.get("Flow-Timer") == "30"
    assert "outbound" in response.values("Supported")
    invite = await calls(alice, behind)
    assert invite.uri_text == f"{HIDDEN};ob"


def test_a_flow_on_udp_lives_by_its_keepalives(server: Server, loop: VirtualLoop, phone: MakePhone):
    behind = bob(loop, phone)
    loop.run(behind.register(contact=flow(HIDDEN), headers=OUTBOUND))
    for _ in range(4):
        loop.advance(29)
        behind.send_raw(BINDING_REQUEST)
    assert contacts(server) == [f"{HIDDEN};ob"]
    loop.advance(40)
    assert contacts(server) == [f"{HIDDEN};ob"]
    loop.advance(11)  # 30 of the Flow-Timer, 15 of grace, and the next look
    assert contacts(server) == [] and len(server.sip.flows) == 0


def test_a_contact_without_flow_is_no_flow(server: Server, loop: VirtualLoop, phone: MakePhone):
    plain = bob(loop, phone)
    response = loop.run(plain.register())
    assert response.get("Flow-Timer") is None and response.values("Require") == []
    loop.advance(100)
    assert contacts(server) == [plain.uri]


def test_a_connection_that_says_nothing_is_over(server: Server, loop: VirtualLoop, phone: MakePhone):
    behind = bob(loop, phone, transport="tcp")
    response = loop.run(behind.register(contact=flow(HIDDEN), headers=OUTBOUND))
    assert response.get("Flow-Timer") == "120"
    for _ in range(3):
        loop.advance(110)
        behind.write(b"\r\n\r\n")
    loop.advance(5)
    assert len(contacts(server)) == 1
    loop.advance(141)
    assert contacts(server) == [] and server.sip.transports.connection_count == 0


def test_of_two_flows_of_a_phone_the_other_one_rings_when_one_has_failed(
    server: Server, alice: Phone, loop: VirtualLoop, phone: MakePhone
):
    first, second = (bob(loop, phone, f"10.0.0.{n}", "tcp") for n in (3, 4))
    loop.run(first.register(contact=flow(HIDDEN), headers=OUTBOUND))
    loop.run(second.register(contact=flow(HIDDEN, 2), headers=OUTBOUND))
    assert contacts(server) == [f"{HIDDEN};ob"] * 2
    loop.run(calls(alice, first))
    loop.run(calls(alice, second, "1103"))  # a phone rings once, on the flow it has opened last
    assert not any("INVITE" in seen.first_line for seen in list(first.seen)[-4:] if not seen.was_sent)
    first.lose_connections()
    loop.advance(1)
    assert len(contacts(server)) == 1
    loop.run(calls(alice, second))


def test_a_flow_that_comes_back_takes_its_own_place(server: Server, alice: Phone, loop: VirtualLoop, phone: MakePhone):
    first, again = (bob(loop, phone, f"10.0.0.{n}", "tcp") for n in (3, 4))
    loop.run(first.register(contact=flow(HIDDEN), headers=OUTBOUND))
    loop.run(again.register(contact=flow("sip:bob@192.168.7.8"), headers=OUTBOUND))
    assert contacts(server) == ["sip:bob@192.168.7.8;ob"]
    first.lose_connections()
    loop.advance(1)
    loop.run(calls(alice, again))


def test_requests_of_a_call_go_over_the_flow_that_it_began_on(server: Server, loop: VirtualLoop, phone: MakePhone):
    behind = bob(loop, phone)
    loop.run(behind.register(contact=flow(HIDDEN), headers=OUTBOUND))

    async def story() -> None:
        call = await behind.invite("1200", contact=f"<{HIDDEN};ob>")
        await call.answered()
        [channel] = server.channels
        channel.request_hangup(16)
        await call.ended()

    loop.run(story())
