"""Servers that have names: calls, registrations and polls go to the next one when one does not answer (RFC 3263)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from arietta.server import Server
from arietta.testing import Phone, VirtualLoop
from arietta.testing.plugin import Switch

from .nameserver import Nameserver
from .running import FILES, PASSWORD
from .running import SERVER as HOME

MakePhone = Callable[..., Awaitable[Phone]]
TRUNK = """
[trunk]
type=endpoint
context=default
aors=trunk
allow=ulaw
mailboxes=6001@default
[trunk]
type=aor
contact=sip:example.com
[trunk]
type=identify
endpoint=trunk
match=example.com
[away]
type=registration
server_uri=sip:example.com
client_uri=sip:me@example.com
max_random_initial_delay=0
"""
EXTENSIONS = FILES["extensions.conf"] + "exten => _9.,1,Dial(PJSIP/${EXTEN:1}@trunk,90)\n same => n,Hangup()\n"
ZONE = {
    "_sip._udp.example.com SRV": ("20 0 5062 b.example.com.", "10 0 5061 a.example.com."),
    "a.example.com A": ("10.0.0.7",),
    "b.example.com A": ("10.0.0.8",),
}


@pytest.fixture
def server(loop: VirtualLoop, switch: Switch) -> Iterator[Server]:
    """A server with a trunk whose domain has two servers."""
    stack = AsyncExitStack()
    names = Nameserver(ZONE)
    loop.run(names.open("10.0.0.53"))
    files = FILES | {
        "pjsip.conf": FILES["pjsip.conf"].replace("max_contacts=1\nremove_existing=yes", "max_contacts=2") + TRUNK,
        "extensions.conf": EXTENSIONS,
        "resolver_unbound.conf": "[general]\nnameserver=10.0.0.53\n",
    }
    yield loop.run(stack.enter_async_context(switch(files)))
    loop.run(stack.aclose())
    names.close()


@pytest.fixture
def alice(server: Server, loop: VirtualLoop, phone: MakePhone) -> Phone:
    return loop.run(phone("10.0.0.2", 5060, username="alice", password=PASSWORD, server=HOME))


async def test_a_call_goes_to_the_best_server(alice: Phone, phone: MakePhone) -> None:
    first = await phone("10.0.0.7", 5061, name="first")
    call = await alice.invite("95551234")
    ringing = await first.ringing()
    assert ringing.request.uri_text.startswith("sip:5551234@example.com")
    ringing.answer()
    await call.answered()
    await call.hang_up()


async def test_a_server_that_says_503_is_followed_by_the_next(alice: Phone, phone: MakePhone) -> None:
    first = await phone("10.0.0.7", 5061, name="first")
    second = await phone("10.0.0.8", 5062, name="second")
    call = await alice.invite("95551234")
    (await first.ringing()).reject(503)
    (await second.ringing()).answer()
    await call.answered()
    await call.hang_up()


async def test_a_silent_server_is_waited_for_once(alice: Phone, phone: MakePhone, loop: VirtualLoop) -> None:
    second = await phone("10.0.0.8", 5062, name="second")
    call = await alice.invite("95551234")
    began = loop.time()
    (await second.ringing(within=60)).answer()
    assert 31 < loop.time() - began < 34  # timer B
    await call.answered()
    await call.hang_up()
    again = await alice.invite("95551234")
    began = loop.time()
    (await second.ringing()).answer()
    assert loop.time() - began < 1
    await again.answered()
    await again.hang_up()


async def test_addresses_of_a_domains_servers_identify_the_trunk(
    alice: Phone, server: Server, phone: MakePhone
) -> None:
    await asyncio.sleep(1)  # until the names are known
    second = await phone("10.0.0.8", 5062, name="second", server=HOME)
    call = await second.invite("1200")
    await call.answered()
    await call.hang_up()


async def test_a_text_and_a_lamp_go_to_the_next_server(server: Server, phone: MakePhone, loop: VirtualLoop) -> None:
    second = await phone("10.0.0.8", 5062, name="second")
    began = loop.time()
    server.sip.send_message("trunk", "", "hello", {})
    assert (await second.next_message(within=60)).body == b"hello"
    assert 31 < loop.time() - began < 34  # timer F
    server.sip.send_message("trunk", "", "again", {})
    assert (await second.next_message(within=5)).body == b"again"
    assert any(seen.first_line.startswith("NOTIFY") for seen in second.seen)  # of the mailbox, as at every start


async def test_a_poll_asks_every_server_in_its_time(server: Server, phone: MakePhone, loop: VirtualLoop) -> None:
    endpoint = server.sip.settings.endpoints["trunk"]
    [contact] = server.sip.contacts.of(endpoint)
    server.sip.contacts.qualify(endpoint)
    await asyncio.sleep(7)  # three seconds for each of the two
    assert contact.status == "Unreachable"
    second = await phone("10.0.0.8", 5062, name="second")
    server.sip.contacts.qualify(endpoint)
    await second.sees("OPTIONS")
    await asyncio.sleep(0.1)
    assert contact.status == "Reachable" and contact.roundtrip_usec < 1_000_000
    await asyncio.sleep(40)  # what became of the first server changes nothing
    assert contact.status == "Reachable"


@pytest.mark.parametrize(
    ("status", "goes_on"), [(408, True), (430, True), (503, True), (486, False), (480, False), (404, False)]
)
async def test_the_next_contact_is_called_when_the_first_is_not_reached(
    server: Server, alice: Phone, phone: MakePhone, status: int, goes_on: bool
) -> None:
    first, second = [await phone(f"10.0.1.{n}", 5060, username="bob", password=PASSWORD, server=HOME) for n in (1, 2)]
    for one in (first, second):
        await one.register()
    call = await alice.invite("1100")
    (await first.ringing()).reject(status)
    if goes_on:
        (await second.ringing()).answer()
        await call.answered()
        await call.hang_up()
    else:
        await call.ended()
        assert not any("INVITE" in seen.first_line for seen in second.seen)


async def test_a_phone_that_rang_is_not_left_for_another(server: Server, alice: Phone, phone: MakePhone) -> None:
    first, second = [await phone(f"10.0.1.{n}", 5060, username="bob", password=PASSWORD, server=HOME) for n in (1, 2)]
    for one in (first, second):
        await one.register()
    call = await alice.invite("1100")
    ringing = await first.ringing()
    ringing.ring()
    await call.expect(180)
    ringing.reject(408)
    await call.ended()
    assert not any("INVITE" in seen.first_line for seen in second.seen)


async def test_a_text_goes_to_the_next_contact(server: Server, phone: MakePhone) -> None:
    first, second = [await phone(f"10.0.1.{n}", 5060, username="bob", password=PASSWORD, server=HOME) for n in (1, 2)]
    for one in (first, second):
        await one.register()
    await first.close()
    server.sip.send_message("bob", "", "hello", {})
    text = await second.next_message(within=60)
    assert text.body == b"hello" and text.uri_text == second.uri
