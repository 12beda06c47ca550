"""The event socket of a client: handshake, messages, keepalive (RFC 6455) on websockets' sans-IO core."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Sequence
from typing import Self
from urllib.parse import quote, urlencode

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.uri import parse_uri

from .carrier import READ_BYTES, Place, open_streams
from .errors import CannotConnect, ConnectionLost, api_error

MAX_MESSAGE_BYTES = 1 << 24
SILENCE_SECONDS = 20.0
"""After so long without a byte a ping is sent; after twice as long the connection is given up."""
CLOSE_SECONDS = 2.0
"""How long the server's close frame is waited for."""

frame_log = logging.getLogger("arietta.client.frames")


class EventSocket:
    """One open socket. Made by `open`; ended by `close`."""

    def __init__(self, protocol: ClientProtocol, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._protocol = protocol
        self._reader = reader
        self._writer = writer
        self._pieces: list[bytes] = []
        self._is_waiting_for_pong = False

    @classmethod
    async def open(
        cls, place: Place, apps: Sequence[str], subscribe_all: bool, tls: ssl.SSLContext | None, within: float
    ) -> Self:
        """Connect and shake hands; raises CannotConnect, or the ApiError the server answers with."""
        query = {"app": ",".join(apps)} | ({"subscribeAll": "true"} if subscribe_all else {})
        scheme = "wss" if place.is_secure else "ws"
        uri = f"{scheme}://{place.authority}{place.path}/events?{urlencode(query, quote_via=quote)}"
        protocol = ClientProtocol(parse_uri(uri), max_size=MAX_MESSAGE_BYTES, logger=frame_log)
        request = protocol.connect()
        request.headers["Authorization"] = place.authorization
        reader, writer = await open_streams(place, tls, within)
        socket = cls(protocol, reader, writer)
        try:
            async with asyncio.timeout(within):
                await socket._shake_hands(request)
        except TimeoutError:
            writer.transport.abort()
            raise CannotConnect(f"{place.authority}: the event socket was not answered within {within:g} s") from None
        except OSError as problem:
            writer.transport.abort()
            raise CannotConnect(f"{place.authority}: {problem}") from problem
        except BaseException:
            writer.transport.abort()
            raise
        return socket

    async def receive(self) -> list[bytes]:
        """Wait until something comes; the text messages in it, perhaps none. ConnectionLost when it is over."""
        messages = self._messages()
        if messages:
            return messages
        if self._protocol.state is not State.OPEN:
            raise ConnectionLost(f"the event socket was closed: {self._reason()}")
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                data = await self._reader.read(READ_BYTES)
        except TimeoutError:
            if self._is_waiting_for_pong:
                raise ConnectionLost(f"no sign of life for {2 * SILENCE_SECONDS:g} s") from None
            self._is_waiting_for_pong = True
            self._protocol.send_ping(b"")
            self._flush()
            return []
        except OSError as problem:
            raise ConnectionLost(f"the event socket broke: {problem}") from problem
        self._is_waiting_for_pong = False
        self._feed(data)
        return self._messages()

    async def close(self) -> None:
        """Close it politely; a server that does not answer is left behind."""
        try:
            if self._protocol.state is State.OPEN:
                self._protocol.send_close(1000)
                self._flush()
            async with asyncio.timeout(CLOSE_SECONDS):
                while self._protocol.state is State.CLOSING and self._protocol.close_rcvd is None:
                    self._feed(await self._reader.read(READ_BYTES))
                    self._messages()
        except (TimeoutError, OSError):
            pass
        finally:
            if self._protocol.close_rcvd is not None:
                self._writer.close()
            else:
                self._writer.transport.abort()

    async def _shake_hands(self, request: Request) -> None:
        protocol = self._protocol
        protocol.send_request(request)
        self._flush()
        while protocol.state is State.CONNECTING and protocol.handshake_exc is None:
            self._feed(await self._reader.read(READ_BYTES))
        refusal = protocol.handshake_exc
        if isinstance(refusal, InvalidStatus):
            answer = refusal.response
            raise api_error(answer.status_code, answer.reason_phrase, bytes(answer.body or b""))
        if refusal is not None:
            raise CannotConnect(f"{protocol.uri.host}:{protocol.uri.port}: no WebSocket: {refusal}")

    def _feed(self, data: bytes) -> None:
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        self._flush()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data and not self._writer.is_closing():
                self._writer.write(data)

    def _messages(self) -> list[bytes]:
        found = []
        for frame in self._protocol.events_received():
            if isinstance(frame, Frame) and frame.opcode in (Opcode.TEXT, Opcode.CONT):
                self._pieces.append(bytes(frame.data))
                if frame.fin:
                    found.append(b"".join(self._pieces))
                    self._pieces.clear()
        return found

    def _reason(self) -> str:
        failure, close = self._protocol.parser_exc, self._protocol.close_rcvd
        return str(failure or close or "without a close frame")
