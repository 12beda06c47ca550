"""A virtual, seeded, lossy network with a virtual clock, and user agents on it."""

from __future__ import annotations

import random
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from arietta.sip.agent import UserAgent
from arietta.sip.auth import DigestClient
from arietta.sip.invite import InviteSession
from arietta.sip.message import Request, Response, parse
from arietta.sip.profile import Profile
from arietta.sip.transactions import Address, RequestReceived, Send, Transport

SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
ANSWER = SDP.replace(b"4000", b"5000")


class Network:
    """Carries datagrams between parties; everything that passes is in `ladder`."""

    def __init__(self, *, seed: int = 1, loss: float = 0.0, latency: float = 0.02) -> None:
        self.now = 1000.0
        self.loss = loss
        self.latency = latency
        self.ladder: list[str] = []
        self.drop: Callable[[Request | Response], bool] = lambda message: False
        self._random = random.Random(seed)
        self._parties: dict[Address, Party] = {}
        self._flying: list[tuple[float, int, bytes, Address, Address]] = []
        self._count = 0

    def add(self, party: Party) -> None:
        self._parties[party.address] = party

    def send(self, data: bytes, source: Address, destination: Address, *, reliable: bool = False) -> None:
        message = parse(data)
        name = message.method if isinstance(message, Request) else f"{message.status} {message.cseq.method}"
        self.ladder.append(name)
        if self.drop(message) or (not reliable and self._random.random() < self.loss):
            return
        self._count += 1
        jitter = 0.0 if reliable else self._random.random() * self.latency
        heappush(self._flying, (self.now + self.latency + jitter, self._count, data, source, destination))

    def advance(self, seconds: float) -> None:
        """Let time pass; deliver, run timers."""
        end = self.now + seconds
        for party in self._parties.values():
            party.drain()
        while True:
            times = [t for p in self._parties.values() if (t := p.agent.next_timeout()) is not None]
            if self._flying:
                times.append(self._flying[0][0])
            if not times or min(times) > end:
                break
            self.now = max(self.now, min(times))
            while self._flying and self._flying[0][0] <= self.now:
                _, _, data, source, destination = heappop(self._flying)
                party = self._parties.get(destination)
                if party is not None:
                    party.agent.receive(data, source, party.transport, self.now)
                    party.drain()
            for party in list(self._parties.values()):
                party.agent.handle_timeout(self.now)
                party.drain()
        self.now = end


class Party:
    """A user agent with an address that notes what it is told."""

    def __init__(self, network: Network, host: str, *, protocol: str = "UDP", profile: Profile | None = None) -> None:
        self.network = network
        self.address = (host, 5060)
        self.transport = Transport(protocol, host, 5060)
        self.contact = f"<sip:{host}:5060>"
        self.agent = UserAgent(profile)
        self.events: list[Any] = []
        self.session: InviteSession | None = None
        self.on: dict[type, Callable[[Any], object]] = {}
        network.add(self)

    @property
    def now(self) -> float:
        return self.network.now

    def call(self, other: Party, sdp: bytes = SDP, credentials: DigestClient | None = None) -> InviteSession:
        self.session = self.agent.invite(
            f"sip:1000@{other.address[0]}", other.address, self.transport, self.contact, self.now,
            from_=f"<sip:caller@{self.address[0]}>", sdp=sdp, credentials=credentials,
        )  # fmt: skip
        self.drain()
        return self.session

    def do(self, result: object) -> object:
        """What a call on the session returned, after what it sent has left."""
        self.drain()
        return result

    def drain(self) -> None:
        while outputs := self.agent.outputs():
            for output in outputs:
                if isinstance(output, Send):
                    self.network.send(output.data, self.address, output.destination, reliable=output.transport.reliable)
                    continue
                self.events.append(output)
                handler = self.on.get(type(output))
                if handler is not None:
                    handler(output)
                elif isinstance(output, RequestReceived) and output.request.method == "INVITE":
                    self.session = self.agent.accept_invite(output, self.contact, self.now)

    def told(self, kind: type | None = None) -> Any:
        """The names of what happened, or the last event of a kind."""
        if kind is None:
            return [type(event).__name__ for event in self.events]
        found = [event for event in self.events if type(event) is kind]
        assert found, f"no {kind.__name__} among {self.told()}"
        return found[-1]
