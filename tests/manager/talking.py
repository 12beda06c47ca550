"""A client of the manager interface on the virtual network: blocks of headers, in the order in which they come."""

from __future__ import annotations

import asyncio
from typing import Any

Block = list[tuple[str, str]]


class ManagerClient(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.raw = b""
        self.banner = ""
        self.closed = False
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._news = asyncio.Event()
        self._serial = 0

    @classmethod
    async def open(cls, host: str = "127.0.0.1", port: int = 5038, **options: Any) -> ManagerClient:
        """Connect, and read the banner."""
        _, client = await asyncio.get_running_loop().create_connection(cls, host, port, **options)
        await client._until(lambda: bool(client.banner) or client.closed)
        return client

    async def log_in(self, name: str = "admin", secret: str = "s3cr3t-words", **more: str) -> dict[str, str]:
        """Log in; the response."""
        return await self.ask("Login", Username=name, Secret=secret, **more)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self.raw += data
        self._rest += data
        if not self.banner and b"\r\n" in self._rest:
            line, _, self._rest = self._rest.partition(b"\r\n")
            self.banner = line.decode()
        *whole, self._rest = self._rest.split(b"\r\n\r\n")
        for block in whole:
            lines = block.decode().split("\r\n")
            self.blocks.append([(line.partition(": ")[0].rstrip(":"), line.partition(": ")[2]) for line in lines])
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._news.set()

    def send(self, data: bytes) -> None:
        """Write bytes as they are."""
        assert self._transport is not None
        self._transport.write(data)

    def close(self) -> None:
        """Close the connection."""
        assert self._transport is not None
        self._transport.close()

    async def ask(self, name: str, *lines: str, **headers: str) -> dict[str, str]:
        """Ask for an action; its response, with the last of repeated headers."""
        return dict(await self.ask_block(name, *lines, **headers))

    async def ask_block(self, name: str, *lines: str, **headers: str) -> Block:
        """The same, with all headers."""
        self._serial += 1
        mark = f"mark-{self._serial}"
        text = [f"Action: {name}", f"ActionID: {mark}", *lines, *(f"{key}: {value}" for key, value in headers.items())]
        self.send(("\r\n".join(text) + "\r\n\r\n").encode())
        return await self.block(lambda block: block[0][0] == "Response" and ("ActionID", mark) in block)

    async def ask_list(self, name: str, **headers: str) -> list[dict[str, str]]:
        """Ask for a list; its items, whose number is as told at the end."""
        response = await self.ask_block(name, **headers)
        said = dict(response)
        assert (said["Response"], said.get("EventList")) == ("Success", "start"), response
        mark = ("ActionID", said["ActionID"])
        last = await self.block(lambda block: ("EventList", "Complete") in block and mark in block)
        items = [dict(block) for block in self.blocks if mark in block and block is not response and block is not last]
        assert dict(last)["ListItems"] == str(len(items))
        return items

    async def block(self, wanted: Any) -> Block:
        """The first block that fits, from those that came or will."""
        found: list[Block] = []

        def has_come() -> bool:
            found[:] = [block for block in self.blocks if wanted(block)]
            return bool(found) or self.closed

        await self._until(has_come)
        assert found, f"the connection was closed; it brought {self.blocks}"
        return found[0]

    async def event(self, name: str, **headers: str) -> dict[str, str]:
        """The first event of a name with these headers."""
        pairs = [("Event", name), *headers.items()]
        return dict(await self.block(lambda block: all(pair in block for pair in pairs)))

    def events(self) -> list[str]:
        """The names of all events so far."""
        return [dict(block)["Event"] for block in self.blocks if block[0][0] == "Event"]

    async def gone(self) -> None:
        """Wait until the other side has closed the connection."""
        await self._until(lambda: self.closed)

    async def _until(self, holds: Any) -> None:
        async with asyncio.timeout(120):
            while not holds():
                self._news.clear()
                await self._news.wait()
