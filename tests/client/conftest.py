"""The server, the phones and the typed client of these tests: those of the journeys, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from arietta.client import Client
from arietta.server import Server
from arietta.testing import VirtualLoop
from journeys.conftest import alice, bob, files, hello, server

__all__ = ["alice", "bob", "client", "files", "hello", "run", "server"]

URL = "http://127.0.0.1:8088/ari"


@pytest.fixture
def client(server: Server, loop: VirtualLoop) -> Iterator[Client]:
    """A client of the server's user."""
    made = Client(URL, "asterisk", "asterisk")
    yield made
    loop.run(made.close())


@pytest.fixture
def run(client: Client, loop: VirtualLoop) -> Iterator[Callable[..., Awaitable[asyncio.Task[None]]]]:
    """Let the client run applications; ended after the test."""
    running: list[asyncio.Task[None]] = []

    async def start(*applications: str) -> asyncio.Task[None]:
        running.append(asyncio.ensure_future(client.run(*applications)))
        await asyncio.sleep(0.1)
        assert not running[-1].done(), running[-1]
        return running[-1]

    yield start
    for task in running:
        task.cancel()
    if running:
        loop.run(asyncio.wait(running))
