"""What has to hold, whatever a client says: blocks of lines come back, nothing fails, nothing secret is shown."""

from __future__ import annotations

import asyncio
import logging

from arietta.manager.connection import Connection
from arietta.manager.message import ActionReader
from arietta.server import Server
from arietta.testing import VirtualLoop

SECRETS = (b"a-well-kept-secret", b"s3cr3t-words")
FULL_WORK_S = 40.0


class Errors(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(self.format(record))


def check_reader(data: bytes) -> set[str]:
    """Whatever pieces it comes in, the same actions are read."""
    whole, split = ActionReader(), ActionReader()
    at_once = whole.receive(data)
    bit_by_bit = [found for at in range(0, len(data), 7) for found in split.receive(data[at : at + 7])]
    assert at_once == bit_by_bit
    return {type(found).__name__ for found in at_once}


class Talk:
    """A session of somebody who may do all, on a server that lives on virtual time."""

    def __init__(self, server: Server, loop: VirtualLoop) -> None:
        self._server, self._loop = server, loop
        self._hub = server.manager.hub
        self.errors = Errors()
        logging.getLogger().addHandler(self.errors)

    def close(self) -> None:
        """Hear of no more errors."""
        logging.getLogger().removeHandler(self.errors)

    def say(self, data: bytes) -> set[str]:
        """Say it, check what comes back, and tell the kinds of what was read and answered."""
        read = check_reader(data)
        answered = self._loop.run(self._answer(data))
        blocks = check_blocks(answered)
        assert not self.errors.found, self.errors.found
        assert not any(secret in answered and secret not in data for secret in SECRETS), answered
        return read | {_kind(block) for block in blocks}

    async def _answer(self, data: bytes) -> bytes:
        session = self._hub.open("127.0.0.1", 5, "TCP", lambda: None)
        connection = Connection(self._hub, session, self._hub.clock())
        session.log_in("admin", self._hub.settings.users["admin"], "on")
        session.take()
        connection.receive(data)
        for _ in range(100):
            work = connection.work()
            if work is None:
                break
            connection.finish(await asyncio.wait_for(_carry_out(work), FULL_WORK_S))
        answered = session.take()
        session.end()
        for channel in self._server.channels:
            channel.request_hangup()
        await asyncio.sleep(1)
        return answered


async def _carry_out(work):  # type: ignore[no-untyped-def]
    return await work


def check_blocks(data: bytes) -> list[list[tuple[bytes, bytes]]]:
    """What is answered is blocks of headers, each of which begins as one."""
    *blocks, rest = data.split(b"\r\n\r\n")
    assert rest == b"", rest
    found = []
    for block in blocks:
        lines = [line.partition(b":") for line in block.split(b"\r\n")]
        assert all(colon for _, colon, _ in lines), block
        assert b"\n" not in block.replace(b"\r\n", b""), block
        assert b"\0" not in block, block
        assert lines[0][0] in (b"Response", b"Event"), block
        assert sum(name in (b"Response",) for name, _, _ in lines) <= 1 or lines[0][0] == b"Event", block
        found.append([(name, value.strip()) for name, _, value in lines])
    return found


def _kind(block: list[tuple[bytes, bytes]]) -> str:
    """What an answer is, without what is particular."""
    name, value = block[0]
    return f"{name.decode()}: {value.decode()} of {len(block).bit_length()}"
