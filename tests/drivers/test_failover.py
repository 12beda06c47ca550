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
        "pjsip.conf": FILES["pjsip.conf"] + TRUNK,
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
