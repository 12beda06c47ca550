"""The story of the demonstration: a phone dials 1000, an ARI application plays hello-world, the phone hangs up."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from rich.console import Console as Terminal
from websockets.asyncio.client import ClientConnection, connect

from arietta.testing.ladder import MARGIN, Ladder
from arietta.testing.phone import Call, Phone, Unexpected

PHONE, SERVER, PROGRAM = "phone", "Arietta", "your program"
APPLICATION = "hello-world"
USER, PASSWORD = "asterisk", "asterisk"
SOUND = Path(__file__).resolve().parent.parent / "data" / "sounds" / "en" / "hello-world.wav"
AT_LEAST = 0.9
STORY_S = 30.0

Address = tuple[str, int]


class Story:
    """One telling; everything goes over real sockets, and every message is drawn when it passes."""

    def __init__(self, terminal: Terminal, wav: Path, http: Address, sip: Address) -> None:
        self._terminal = terminal
        self._wav = wav
        self._http = http
        self._sip = sip
        self._loop = asyncio.get_running_loop()
        self._ladder = Ladder((PHONE, SERVER, PROGRAM), live=terminal, width=min(36, (terminal.width - MARGIN) // 3))
        self._ladder.add_party(SERVER, f"{sip[0]}:{sip[1]}")
        self._finished = asyncio.Event()
        self._over = asyncio.Event()

    async def tell(self) -> bool:
        """Play the story; whether the phone heard hello-world."""
        self._terminal.print("\nA phone dials 1000; extensions.conf hands the call to the application hello-world.\n")
        try:
            async with asyncio.timeout(STORY_S):
                return await self._tell()
        except TimeoutError:
            self._terminal.print(f"[bold red]The story did not end within {STORY_S:g} s.[/]")
        except Unexpected as failure:
            self._terminal.print(str(failure), style="bold red", markup=False)
        return False

    async def _tell(self) -> bool:
        host, port = self._http
        query = urlencode({"api_key": f"{USER}:{PASSWORD}", "app": APPLICATION}, safe=":")
        async with connect(f"ws://{host}:{port}/ari/events?{query}", proxy=None) as events:
            self._ladder.rest(self._now, PROGRAM, SERVER, f"WebSocket app={APPLICATION}")
            program = asyncio.ensure_future(self._program(events))
            caller = asyncio.ensure_future(self._call())
            try:
                await asyncio.wait((program, caller), return_when=asyncio.FIRST_COMPLETED)
                if program.done():
                    program.result()
                    raise Unexpected("the WebSocket was closed before the story was over")
                return caller.result()
            finally:
                for task in (program, caller):
                    task.cancel()
                await asyncio.gather(program, caller, return_exceptions=True)

    async def _call(self) -> bool:
        """The phone's part."""
        async with await Phone.open(self._sip[0], server=self._sip, name=PHONE) as phone:
            phone.draw_on(self._ladder)
            call = await phone.invite("1000")
            await call.answered()
            return await self._listen(call)

    async def _listen(self, call: Call) -> bool:
        """Hear the words, hang up, and say how well they were heard."""
        first_at = await call.voice.news.find(lambda: call.heard.first_at, STORY_S, lambda: "no audio came")
        self._ladder.rtp(first_at, SERVER, PHONE, "RTP: audio begins")
        match = await call.hears(SOUND, AT_LEAST)
        await self._finished.wait()
        self._ladder.note(self._now, f"heard hello-world, correlation {match.correlation:.3f}", PHONE)
        await call.hang_up()
        await self._over.wait()
        call.heard_wav(self._wav)
        self._terminal.print(
            f"\n[bold green]The phone heard hello-world[/] (correlation {match.correlation:.3f} with the file,"
            f" {AT_LEAST} is enough).\nWhat it heard, {call.heard.duration_ms / 1000:.1f} s: {self._wav}"
        )
        return True

    async def _program(self, events: ClientConnection) -> None:
        """The ARI application: it plays a sound to whoever comes."""
        async for message in events:
            event = json.loads(message)
            kind = event["type"]
            self._ladder.event(self._now, SERVER, PROGRAM, kind)
            if kind == "StasisStart":
                await self._ask("POST", f"/channels/{event['channel']['id']}/play?media=sound:hello-world")
            elif kind == "PlaybackFinished":
                self._finished.set()
            elif kind == "StasisEnd":
                self._over.set()

    async def _ask(self, method: str, path: str) -> Any:
        """One REST request, as any HTTP client makes it."""
        self._ladder.rest(self._now, PROGRAM, SERVER, f"{method} …/{path.rpartition('/')[2]}")
        status, reason, body = await asyncio.to_thread(self._request, method, f"/ari{path}")
        self._ladder.rest(self._now, SERVER, PROGRAM, f"{status} {reason}")
        if status >= 300:
            raise Unexpected(f"{method} {path} was answered {status} {reason}: {body.decode('utf-8', 'replace')}")
        return json.loads(body) if body else None

    def _request(self, method: str, path: str) -> tuple[int, str, bytes]:
        connection = HTTPConnection(*self._http, timeout=STORY_S)
        try:
            key = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            connection.request(method, path, headers={"Authorization": f"Basic {key}"})
            answer = connection.getresponse()
            return answer.status, answer.reason, answer.read()
        finally:
            connection.close()

    @property
    def _now(self) -> float:
        return self._loop.time()
