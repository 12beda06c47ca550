"""Contacts behind proxies that put themselves on the way (RFC 3327)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from arietta.server import Server
from arietta.sip.message import Request, parse
from arietta.testing import AriClient, Phone, VirtualLoop
from arietta.testing.plugin import Switch

from .running import FILES, PASSWORD, SERVER

PATH = "<sip:10.0.0.9:5070;lr>, <sip:inner.example;lr>"
ROUTES = ["<sip:10.0.0.9:5070;lr>", "<sip:inner.example;lr>"]
AOR = "max_contacts=1\nremove_existing=yes\n"
PJSIP = FILES["pjsip.conf"].replace(AOR, AOR + "support_path=yes\nqualify_frequency=30\n")
MakePhone = Callable[..., Awaitable[Phone]]


@pytest.fixture
def server(loop: VirtualLoop, switch: Switch) -> Iterator[Server]:
    """A server whose phones may be behind proxies."""
    stack = AsyncExitStack()
    yield loop.run(stack.enter_async_context(switch(FILES | {"pjsip.conf": PJSIP})))
    loop.run(stack.aclose())


@pytest.fixture
def bob(server: Server, loop: VirtualLoop, phone: MakePhone) -> Phone:
    """A phone."""
    return loop.run(phone("10.0.0.3", 5060, username="bob", password=PASSWORD, server=SERVER))


@pytest.fixture
def proxy(loop: VirtualLoop, phone: MakePhone) -> Phone:
    """Who gets what goes by the way."""
    return loop.run(phone("10.0.0.9", 5070, name="proxy"))


async def received(proxy: Phone, method: str) -> Request:
    request = parse((await proxy.sees(f"{method} sip:bob@10.0.0.3")).data)
    assert isinstance(request, Request)
    return request


async def test_a_call_goes_by_the_way_of_the_register(bob: Phone, proxy: Phone, phone: MakePhone, loop):
    response = await bob.register(headers=(("Path", PATH), ("Require", "path")))
    assert response.values("Path") == ROUTES and "path" in response.values("Supported")
    alice = await phone("10.0.0.2", 5060, username="alice", password=PASSWORD, server=SERVER)
    call = await alice.invite("1100")
    invite = await received(proxy, "INVITE")
    assert invite.values("Route") == ROUTES and invite.uri_text == bob.uri
    (await proxy.ringing()).answer()
    await call.answered()
    await call.hang_up()


async def test_polls_and_texts_take_it_too(
    server: Server, bob: Phone, proxy: Phone, ari: Callable[..., AriClient], loop
):
    await bob.register(headers=(("Path", PATH),))
    assert (await received(proxy, "OPTIONS")).values("Route") == ROUTES
    answer = await ari("127.0.0.1", 8088).put("/endpoints/PJSIP/bob/sendMessage?from=alice&body=Hello")
    assert answer.status == 202
    assert (await received(proxy, "MESSAGE")).values("Route") == ROUTES


async def test_a_register_without_path_ends_the_detour(server: Server, bob: Phone, proxy: Phone, loop):
    await bob.register(headers=(("Path", PATH),))
    await bob.register()
    [contact] = server.sip.contacts.location.aors["bob"].contacts.values()
    assert contact.route_set == ()


async def test_path_that_is_required_and_not_supported_is_refused(registered, phone: MakePhone, loop):
    bob = await phone("10.0.0.33", 5060, username="bob", password=PASSWORD, server=SERVER)
    response = await bob.register(headers=(("Path", PATH), ("Require", "path")), expect=420)
    assert response.values("Unsupported") == ["path"]
    response = await bob.register(headers=(("Path", PATH),))
    assert response.values("Path") == []
