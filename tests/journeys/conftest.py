"""What journeys share: the whole server on virtual time, its phones and clients on the virtual network."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from arietta.server import Server
from arietta.testing import AriClient, Phone, VirtualLoop
from arietta.testing.plugin import Switch

from .leftovers import assert_nothing_left, assert_nothing_open

SERVER = ("10.0.0.1", 5060)
PASSWORD = "a-well-kept-secret"

HTTP = "[general]\nenabled=yes\nbindaddr=127.0.0.1\nbindport=8088\n"
ARI = "[general]\nenabled=yes\n[asterisk]\ntype=user\nread_only=no\npassword=asterisk\npassword_format=plain\n"
RTP = "[general]\nrtpstart=10000\nrtpend=10999\n"
EXTENSIONS = """
[default]
exten => 1000,1,NoOp()
 same => n,Answer()
 same => n,Stasis(hello-world)
 same => n,Hangup()

exten => 1001,1,Stasis(hello-world,early,"bird")
 same => n,Hangup()

exten => 1100,1,Dial(PJSIP/bob,20)
 same => n,Set(GLOBAL(HOW)=${DIALSTATUS})
 same => n,Hangup()

exten => 1200,1,Answer()
 same => n,Echo()

exten => 1300,1,Answer()
 same => n,Wait(600)
"""


def phone_sections(name: str, number: str) -> str:
    """The endpoint, password and address of record of one phone."""
    return f"""
[{name}]
type=endpoint
context=default
auth={name}
aors={name}
disallow=all
allow=ulaw,alaw
callerid="{name.title()}" <{number}>
[{name}]
type=auth
auth_type=userpass
username={name}
password={PASSWORD}
[{name}]
type=aor
max_contacts=1
remove_existing=yes
"""


PJSIP = (
    f"""
[udp]
type=transport
protocol=udp
bind={SERVER[0]}:{SERVER[1]}
[tcp]
type=transport
protocol=tcp
bind={SERVER[0]}:{SERVER[1]}
[carrier]
type=endpoint
context=default
disallow=all
allow=ulaw,alaw
[carrier]
type=identify
endpoint=carrier
match=10.0.1.0/24
"""
    + phone_sections("alice", "6001")
    + phone_sections("bob", "6002")
)

FILES = {"http.conf": HTTP, "ari.conf": ARI, "rtp.conf": RTP, "extensions.conf": EXTENSIONS, "pjsip.conf": PJSIP}


@pytest.fixture
def files() -> dict[str, str]:
    """The configuration; a module with needs of its own has its own."""
    return FILES


@pytest.fixture
def server(
    loop: VirtualLoop, switch: Switch, files: dict[str, str], caplog: pytest.LogCaptureFixture
) -> Iterator[Server]:
    """A started server; after the story nothing of it may be left, nothing at all after its stop, no error logged."""
    tasks = asyncio.all_tasks(loop)
    stack = AsyncExitStack()
    running = loop.run(stack.enter_async_context(switch(files)))
    assert isinstance(running, Server)
    yield running
    try:
        if running.channels.accepting:
            loop.advance(40)  # RFC 3261 transactions remember their answers for 64*T1
            assert_nothing_left(running, loop)
    finally:
        loop.run(stack.aclose())
    assert_nothing_open(loop, tasks)
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert not errors, f"errors were logged: {errors}"


@pytest.fixture
def alice(server: Server, loop: VirtualLoop, phone: Callable[..., Awaitable[Phone]]) -> Phone:
    """A phone with an account, registered."""
    return _registered(loop, phone, "alice", "10.0.0.2")


@pytest.fixture
def bob(server: Server, loop: VirtualLoop, phone: Callable[..., Awaitable[Phone]]) -> Phone:
    """Another one."""
    return _registered(loop, phone, "bob", "10.0.0.3")


@pytest.fixture
def carrier(server: Server, loop: VirtualLoop, phone: Callable[..., Awaitable[Phone]]) -> Phone:
    """A trunk that is known by its address and needs no password."""
    return loop.run(phone("10.0.1.9", 5060, name="carrier", server=SERVER))


@pytest.fixture
def app(server: Server, loop: VirtualLoop, ari: Callable[..., AriClient]) -> AriClient:
    """A client with a socket for hello-world."""
    client = ari("127.0.0.1", 8088)
    loop.run(client.connect("hello-world"))
    return client


@pytest.fixture
def hello() -> Path:
    """The words."""
    return Path(__file__).parents[2] / "src/arietta/data/sounds/en/hello-world.wav"


def _registered(loop: VirtualLoop, phone: Callable[..., Awaitable[Phone]], name: str, host: str) -> Phone:
    opened = loop.run(phone(host, 5060, username=name, password=PASSWORD, server=SERVER))
    loop.run(opened.register())
    return opened
