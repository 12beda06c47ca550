"""A server of its own for each story, after which nothing of the calls may be left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from arietta.server import Server
from arietta.testing import AriClient, Phone, VirtualLoop
from arietta.testing.plugin import Switch

from .running import FILES, PASSWORD, SERVER

HOSTS = {
    "alice": "10.0.0.2",
    "bob": "10.0.0.3",
    "carol": "10.0.0.4",
    "dora": "10.0.0.5",
    "eve": "10.0.0.6",
    "frank": "10.0.0.7",
    "grace": "10.0.0.8",
    "heidi": "10.0.0.9",
}


@pytest.fixture
def files() -> dict[str, str]:
    """What the server is configured with."""
    return FILES


@pytest.fixture
def switchboard(
    loop: VirtualLoop, switch: Switch, files: dict[str, str], caplog: pytest.LogCaptureFixture
) -> Iterator[Server]:
    """A started server; nothing of the calls may be left after the story, and no error logged."""
    stack = AsyncExitStack()
    running = loop.run(stack.enter_async_context(switch(files)))
    assert isinstance(running, Server)
    yield running
    loop.advance(70)
    left = [channel.name for channel in running.channels], len(running.bridges), len(running.sip.agent)
    stats = running.engine.stats()
    loop.run(stack.aclose())
    assert left == ([], 0, 0)
    assert (stats.ports, stats.mixers) == (0, 0)
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert not errors


@pytest.fixture
def registered(
    switchboard: Server, loop: VirtualLoop, phone: Callable[..., Awaitable[Phone]]
) -> Callable[[str], Phone]:
    """A function that gives the registered phone of a name."""

    def opened(name: str) -> Phone:
        one = loop.run(phone(HOSTS[name], 5060, username=name, password=PASSWORD, server=SERVER))
        loop.run(one.register())
        return one

    return opened


@pytest.fixture
def app(switchboard: Server, loop: VirtualLoop, ari: Callable[..., AriClient]) -> AriClient:
    """A client with a socket for the application `app`."""
    client = ari("127.0.0.1", 8088)
    loop.run(client.connect("app"))
    return client
