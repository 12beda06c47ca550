"""A walk of phones that transfer each other, in every phase of their calls, and an operator who moves them.

python -m tests.journeys.transferring 0 100      # seeds 0 to 99, 60 steps each
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import tempfile
import traceback
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from urllib.parse import quote

from arietta.channels.channel import Channel
from arietta.errors import AriettaError
from arietta.server import Server
from arietta.testing import Call, Phone, Unexpected, VirtualLoop
from arietta.testing.switch import start

from .conftest import ARI, HTTP, PASSWORD, RTP, SERVER, phone_sections
from .leftovers import assert_nothing_left, assert_nothing_open

NAMES = {"alice": "10.0.0.2", "bob": "10.0.0.3", "carol": "10.0.0.4", "dora": "10.0.0.5"}
EXTENSIONS = """
[default]
exten => 1000,1,Answer()
 same => n,Stasis(walk)
 same => n,Hangup()
exten => 1200,1,Answer()
 same => n,Echo()
exten => 1300,1,Wait(600)
exten => 1400,1,Dial(Local/1101@default&PJSIP/carol,15)
 same => n,Dial(PJSIP/dora,5)
exten => 1500,1,Answer()
 same => n,Dial(PJSIP/dora,15)
exten => *8,1,Pickup()
exten => _11XX,1,Dial(PJSIP/${GLOBAL(P${EXTEN:-1})},10)
"""
PLACES = ("1100", "1101", "1102", "1103", "1100", "1101", "1102", "1000", "1200", "1300", "1400", "1500", "*8", "9999")
MOST_CALLS = 10
LOGS = ("arietta", "asyncio")
STEPS = 60


def files() -> dict[str, str]:
    """The configuration of the walk."""
    udp = f"[udp]\ntype=transport\nprotocol=udp\nbind={SERVER[0]}:{SERVER[1]}\n"
    sections = ""
    for number, name in enumerate(NAMES):
        options = f"call_group=1\npickup_group=1\nmoh_passthrough={'yes' if number % 2 else 'no'}\n"
        options += f"refer_blind_progress={'no' if name == 'dora' else 'yes'}\nsend_pai=yes\n"
        sections += phone_sections(name, f"600{number}").replace("callerid=", f"{options}callerid=", 1)
    names = "".join(f"P{number}={name}\n" for number, name in enumerate(NAMES))
    return {
        "http.conf": HTTP,
        "ari.conf": ARI,
        "rtp.conf": RTP,
        "pjsip.conf": udp + sections,
        "extensions.conf": f"[globals]\n{names}{EXTENSIONS}",
    }


class Transferring:
    """One walk: a server of its own, and four phones that do what comes to their minds."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.random = random.Random(seed)
        self.loop = VirtualLoop(seed=seed)
        self.before = asyncio.all_tasks(self.loop)
        self.calls: list[Call] = []
        self.story: list[str] = []
        self.problems: list[str] = []
        self._stack = AsyncExitStack()
        self._handler = _Errors(self.problems)
        for name in LOGS:
            logging.getLogger(name).addHandler(self._handler)
        self.server: Server = self.loop.run(self._open(folder))

    async def _open(self, folder: Path) -> Server:
        for name, text in files().items():
            (folder / name).write_text(text)
        server = await start(folder)
        assert isinstance(server, Server)
        self._stack.push_async_callback(server.stop, drain_seconds=0)
        self.phones = []
        for name, host in NAMES.items():
            phone = await Phone.open(host, 5060, username=name, password=PASSWORD, server=SERVER, name=name)
            self.phones.append(await self._stack.enter_async_context(phone))
            await phone.register()
            phone.on_invite = lambda call: self.calls.append(call)
        return server

    # ------------------------------------------------------------------------------------------------------- steps

    def step(self) -> None:
        """Do something, and let a while pass or none."""
        steps = (
            *(self.invite, self.invite, self.answer, self.answer, self.answer, self.answer, self.answer, self.ring),
            *(self.refer, self.refer, self.refer_with_replaces, self.refer_with_replaces, self.take_place, self.hold),
            *(self.atxfer, self.atxfer, self.give_up, self.transfer, self.redirect, self.bridge),
            *(self.refuse, self.hang_up),
        )
        what = self.random.choice(steps)
        self.story.append(f"{self.loop.time() - 1000:.3f} {what.__name__}")
        self.loop.run(self._do(what))
        for phone in self.phones:
            phone.drain()
        self.server.sip.drain()
        self.loop.advance(self.random.choice((0, 0, 0.005, 0.02, 0.2, 1.0, 6.0)))

    async def _do(self, what: Callable[[], Awaitable[None] | None]) -> None:
        with suppress(AriettaError, Unexpected):
            waits = what()
            if waits is not None:
                await waits

    async def invite(self, headers: tuple[tuple[str, str], ...] = ()) -> None:
        if len(self._living()) < MOST_CALLS:
            phone = self.random.choice(self.phones)
            self.calls.append(await phone.invite(self.random.choice(PLACES), headers=headers))

    def answer(self) -> None:
        for call in [one for one in self._living() if one.session.state == "incoming"]:
            if self.random.random() < 0.7:
                call.answer()

    def ring(self) -> None:
        for call in self._some(lambda one: one.session.state == "incoming"):
            call.session.ring(call.phone.now, self.random.choice((180, 183)))

    def refuse(self) -> None:
        status = self.random.choice((302, 486, 503, 603))
        for call in self._some(lambda one: one.session.state == "incoming"):
            call.session.reject(call.phone.now, status, headers=(("Contact", f"<sip:1200@{SERVER[0]}>"),))

    def hang_up(self) -> None:
        for call in self._some():
            call.session.end(call.phone.now)

    async def hold(self) -> None:
        for call in self._some(lambda one: one.session.state == "confirmed"):
            with suppress(TimeoutError):
                async with asyncio.timeout(0.3):
                    await self.random.choice((call.hold, call.resume))()

    def refer(self) -> None:
        for call in self._some():
            self._refer(call, f"<sip:{self.random.choice(PLACES)}@{SERVER[0]}>")

    def refer_with_replaces(self) -> None:
        for call in self._some():
            others = [one for one in self._living() if one.phone is call.phone]
            named = self._replaces(self.random.choice(others or [call]))
            if named:
                self._refer(call, f"<sip:1200@{SERVER[0]}?Replaces={quote(named, safe='')}>")

    async def take_place(self) -> None:
        for call in self._some():
            named = self._replaces(call)
            if named:
                await self.invite(headers=(("Replaces", named), ("Require", "replaces")))

    def atxfer(self) -> None:
        for channel in self._channels():
            self.server.moves.attended_transfer(channel, "default", self.random.choice(PLACES[:-1]))

    def give_up(self) -> None:
        for channel_id in tuple(self.server.moves.consultations.going_on)[:1]:
            channel = self.server.channels.get(channel_id)
            if channel is not None:
                self.server.moves.cancel_attended_transfer(channel)

    def transfer(self) -> None:
        for channel in self._channels():
            self.server.moves.blind_transfer(channel, "default", self.random.choice(PLACES[:-1]))

    def redirect(self) -> None:
        for channel in self._channels():
            self.server.moves.redirect(channel, "default", self.random.choice(PLACES[:-1]), 1)

    def bridge(self) -> None:
        one, other = self._channels(), self._channels()
        if one and other:
            self.server.moves.bridge(one[0], other[0])

    # ------------------------------------------------------------------------------------------------------ the end

    def end(self) -> None:
        """Everybody hangs up, and nothing is left."""
        for _ in range(4):
            for call in self._living():
                call.session.end(call.phone.now)
                call.phone.drain()
            self.loop.advance(1)
        for channel in self.server.channels:
            if channel.technology != "PJSIP":
                channel.request_hangup()
        self.loop.advance(140)
        assert_nothing_left(self.server, self.loop)
        assert not self.server.sip.parting, "calls are parting still"
        assert not self.server.moves.consultations.going_on, "transfers go on still"
        assert not self.problems, self.problems[0]

    def close(self) -> None:
        """Stop everything."""
        for name in LOGS:
            logging.getLogger(name).removeHandler(self._handler)
        try:
            self.loop.run(self._stack.aclose())
            assert_nothing_open(self.loop, self.before)
        finally:
            self.loop.close()

    # ---------------------------------------------------------------------------------------------------- choosing

    def _living(self) -> list[Call]:
        self.calls = [call for call in self.calls if call.end is None]
        return self.calls

    def _some(self, wanted: Callable[[Call], bool] = lambda call: True) -> list[Call]:
        """One call, sometimes two at once."""
        found = [call for call in self._living() if wanted(call)]
        return self.random.sample(found, min(len(found), self.random.choice((1, 1, 1, 2))))

    def _channels(self) -> list[Channel]:
        found = list(self.server.channels)
        return [self.random.choice(found)] if found else []

    def _replaces(self, call: Call) -> str:
        dialog = call.session.dialog
        if dialog is None:
            return ""
        early = self.random.choice(("", "", ";early-only"))
        return f"{call.call_id};to-tag={dialog.remote_tag};from-tag={dialog.local_tag}{early}"

    def _refer(self, call: Call, to: str) -> None:
        silent = (("Refer-Sub", "false"),) if self.random.random() < 0.1 else ()
        call.session.request(call.phone.now, "REFER", headers=(("Refer-To", to), *silent))


class _Errors(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(logging.ERROR)
        self.problems = problems

    def emit(self, record: logging.LogRecord) -> None:
        self.problems.append(self.format(record))


def walk(seed: int, steps: int = STEPS) -> None:
    """Take the walk of one seed; AssertionError for what is left of it."""
    with tempfile.TemporaryDirectory() as folder:
        one = Transferring(seed, Path(folder))
        try:
            for _ in range(steps):
                one.step()
            one.end()
        except AssertionError as failure:
            raise AssertionError(f"seed {seed}: {failure}\n" + "\n".join(one.story)) from None
        finally:
            one.close()


def main() -> None:
    """Take the walks of some seeds."""
    first, count = (int(word) for word in sys.argv[1:3])
    failed = 0
    for seed in range(first, first + count):
        try:
            walk(seed)
        except BaseException:
            failed += 1
            traceback.print_exc()
            print(f"seed {seed} failed")
    print(f"{count - failed} of {count} walks left nothing")


if __name__ == "__main__":
    main()
