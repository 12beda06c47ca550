"""The server, the phones and the typed client of these tests: those of the journeys, on virtual time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from arietta.client import Client
from arietta.server import Server
from arietta.testing import VirtualLoop
from journeys.conftest import alice, bob, hello, server

__all__ = ["alice", "bob", "client", "hello", "server"]

URL = "http://127.0.0.1:8088/ari"


@pytest.fixture
def client(server: Server, loop: VirtualLoop) -> Iterator[Client]:
    """A client of the server's user."""
    made = Client(URL, "asterisk", "asterisk")
    yield made
    loop.run(made.close())
