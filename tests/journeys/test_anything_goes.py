"""Phones and a client that do anything in any order: no request fails with 500, and at the end nothing is left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from random import Random
from typing import Any

import pytest

from arietta.server import Server
from arietta.testing import AriClient, Call, Network, Phone, Unexpected

STEPS = 150
EXTENSIONS = ("1000", "1000", "1000", "1001", "1100", "1200", "1300", "999")
PAUSES = (0, 0, 0.0005, 0.001, 0.002, 0.02, 0.3, 2)

# Operations on a channel, a bridge and a playback; {c}, {b} and {p} are ids that live, lived or never were.
OPERATIONS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("POST", "/channels/{c}/answer", {}),
    ("POST", "/channels/{c}/ring", {}),
    ("DELETE", "/channels/{c}/ring", {}),
    ("POST", "/channels/{c}/play", {"media": "sound:hello-world"}),
    ("POST", "/channels/{c}/play", {"media": "sound:beep,digits:12,sound:nothing", "playbackId": "{p}"}),
    ("POST", "/channels/{c}/play", {"media": "tone:!440/200"}),
    (
        "POST",
        "/channels/{c}/record",
        {"name": "{p}", "format": "wav", "ifExists": "overwrite", "maxDurationSeconds": 2},
    ),
    ("POST", "/channels/{c}/hold", {}),
    ("DELETE", "/channels/{c}/hold", {}),
    ("POST", "/channels/{c}/mute", {"direction": "both"}),
    ("DELETE", "/channels/{c}/mute", {"direction": "in"}),
    ("POST", "/channels/{c}/moh", {}),
    ("DELETE", "/channels/{c}/moh", {}),
    ("POST", "/channels/{c}/silence", {}),
    ("POST", "/channels/{c}/dtmf", {"dtmf": "12#"}),
    ("POST", "/channels/{c}/variable", {"variable": "COLOUR", "value": "blue"}),
    ("POST", "/channels/{c}/continue", {}),
    ("POST", "/channels/{c}/continue", {"context": "default", "extension": "1200", "priority": 1}),
    ("POST", "/channels/{c}/move", {"app": "hello-world"}),
    ("POST", "/channels/{c}/snoop", {"app": "hello-world", "spy": "both", "whisper": "out"}),
    ("DELETE", "/channels/{c}", {}),
    ("DELETE", "/channels/{c}", {"reason": "busy"}),
    ("POST", "/channels", {"endpoint": "PJSIP/bob", "app": "hello-world", "timeout": 5}),
    ("POST", "/channels", {"endpoint": "PJSIP/alice", "context": "default", "extension": "1200", "priority": 1}),
    ("POST", "/channels", {"endpoint": "Local/1000@default", "app": "hello-world"}),
    ("POST", "/channels/create", {"endpoint": "PJSIP/bob", "app": "hello-world"}),
    ("POST", "/channels/{c}/dial", {"timeout": 5}),
    ("POST", "/bridges", {"type": "mixing"}),
    ("POST", "/bridges", {"type": "holding"}),
    ("POST", "/bridges/{b}/addChannel", {"channel": "{c}"}),
    ("POST", "/bridges/{b}/addChannel", {"channel": "{c}"}),
    ("POST", "/bridges/{b}/removeChannel", {"channel": "{c}"}),
    ("POST", "/bridges/{b}/play", {"media": "sound:hello-world"}),
    ("POST", "/bridges/{b}/record", {"name": "{p}", "format": "wav", "ifExists": "overwrite", "maxDurationSeconds": 2}),
    ("POST", "/bridges/{b}/moh", {}),
    ("DELETE", "/bridges/{b}/moh", {}),
    ("DELETE", "/bridges/{b}", {}),
    ("POST", "/playbacks/{p}/control", {"operation": "reverse"}),
    ("POST", "/playbacks/{p}/control", {"operation": "restart"}),
    ("DELETE", "/playbacks/{p}", {}),
    ("POST", "/recordings/live/{p}/stop", {}),
    ("DELETE", "/recordings/live/{p}", {}),
)


@pytest.mark.parametrize("number", [pytest.param(seed, marks=pytest.mark.seed(seed)) for seed in range(1, 13)])
async def test_anything_in_any_order(
    server: Server, alice: Phone, bob: Phone, app: AriClient, network: Network, number: int
) -> None:
    if number % 2 == 0:
        network.link(loss=0.1, duplication=0.1, reordering=0.1, jitter=0.02)
    app.within = 60  # answers of operations wait for what plays before them
    crowd = Crowd(Random(number), [alice, bob], app, server)
    for _ in range(STEPS):
        await crowd.step()
    await crowd.goes_home()
    assert len(server.channels) == 0
    assert crowd.refused == []


class Crowd:
    """Phones and a client without manners; what they do is drawn from one seed."""

    def __init__(self, random: Random, phones: list[Phone], app: AriClient, server: Server) -> None:
        self.random = random
        self.phones = phones
        self.app = app
        self.server = server
        self.refused: list[str] = []
        """Requests that were answered with 500."""
        self._tasks: set[asyncio.Task[Any]] = set()
        for phone in phones:
            phone.on_invite = self._ringing

    async def step(self) -> None:
        """Do one thing."""
        some: list[Callable[[], Awaitable[None]]] = [self.dial, self.hang_up, self.speak, self.socket]
        some += [self.ask] * 8
        await self.random.choice(some)()
        await asyncio.sleep(self.random.choice(PAUSES))

    async def dial(self) -> None:
        """A phone calls an extension."""
        phone = self.random.choice(self.phones)
        call = await phone.invite(self.random.choice(EXTENSIONS), ack=self.random.random() > 0.1)
        if self.random.random() < 0.2:
            self._later(call.cancel())

    async def hang_up(self) -> None:
        """A phone ends one of its calls, whatever it is doing."""
        if calls := self._open_calls():
            self._later(self.random.choice(calls).hang_up())

    async def speak(self) -> None:
        """Somebody on the phone says something, presses a key, or puts the call on hold."""
        calls = [call for call in self._open_calls() if call.is_confirmed and call.negotiated is not None]
        if calls:
            call = self.random.choice(calls)
            what = self.random.choice(("hold", "resume", "digits", "info", "tone"))
            if what == "hold":
                self._later(call.hold())
            elif what == "resume":
                self._later(call.resume())
            elif what == "info":
                self._later(call.send_info("5"))
            elif what == "tone":
                call.send_tone(440, 200)
            elif call.negotiated is not None and call.negotiated.event_payload_type is not None:
                call.send_digits("42")

    async def socket(self) -> None:
        """The client's socket dies, and another one comes."""
        if self.random.random() < 0.3:
            self.app.sockets[-1].drop()
            await asyncio.sleep(self.random.choice(PAUSES))
            await self.app.connect("hello-world", subscribe_all=self.random.random() < 0.5)

    async def ask(self) -> None:
        """The client asks for something."""
        method, path, query = self.random.choice(OPERATIONS)
        ids = {
            "c": self._one_of([channel.id for channel in self.server.channels]),
            "b": self._one_of([bridge.id for bridge in self.server.bridges]),
            "p": f"thing-{self.random.randrange(4)}",
        }
        filled = {name: value.format(**ids) if isinstance(value, str) else value for name, value in query.items()}
        asked = f"{method} {path.format(**ids)} {filled}"
        try:
            reply = await self.app.request(method, path.format(**ids), query=filled)
        except TimeoutError:
            raise Unexpected(f"no answer to {asked}") from None
        if reply.status >= 500 and b"Allocation failed" not in reply.body:
            self.refused.append(f"{asked}: {reply.status} {reply.body!r}")

    async def goes_home(self) -> None:
        """Every call is ended, every bridge destroyed."""
        for phone in self.phones:
            phone.on_invite = lambda call: call.reject(480)
        for call in self._open_calls():
            self._later(call.hang_up())
        for bridge in self.server.bridges:
            await self.app.request("DELETE", f"/bridges/{bridge.id}")
        await asyncio.sleep(5)
        for channel in self.server.channels:
            await self.app.request("DELETE", f"/channels/{channel.id}")
        await asyncio.sleep(70)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _one_of(self, living: list[str]) -> str:
        return self.random.choice(living) if living and self.random.random() < 0.95 else "nobody"

    def _open_calls(self) -> list[Call]:
        return [call for phone in self.phones for call in phone.calls if call.end is None]

    def _ringing(self, call: Call) -> None:
        self._later(self._take(call))

    async def _take(self, call: Call) -> None:
        await asyncio.sleep(self.random.choice(PAUSES))
        if self.random.random() < 0.5:
            call.ring()
            await asyncio.sleep(self.random.choice(PAUSES))
        how = self.random.random()
        if how < 0.6:
            call.answer()
        elif how < 0.8:
            call.reject(486)

    def _later(self, story: Coroutine[Any, Any, object]) -> None:
        async def tell() -> None:
            try:
                await story
            except (Unexpected, TimeoutError):
                pass  # another part of the crowd was faster

        task = asyncio.get_running_loop().create_task(tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
