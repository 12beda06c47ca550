"""A whole server under mutated messages, on virtual time: `python -m tests.sip.fuzz.server [--seconds 60] [--seed 1]`.

Its calls are real ones: whoever sends an INVITE that can be read is answered by an echo, and hung up after a while.
Nothing may be logged as an error, nothing may be left when everybody has gone.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import tempfile
import time
from pathlib import Path
from random import Random

from arietta.server import Server
from arietta.testing import VirtualLoop
from arietta.testing.switch import start

from .mutation import seeds, vary

AORS = ("user", "j.user", "watson", "alice")
FILES = {
    "http.conf": "[general]\nenabled=no\n",
    "ari.conf": "[general]\nenabled=no\n",
    "rtp.conf": "[general]\nrtpstart=10000\nrtpend=10199\n",
    "extensions.conf": "[default]\nexten => _.,1,Answer()\n same => n,Echo()\n",
    "pjsip.conf": "[udp]\ntype=transport\nprotocol=udp\nbind=192.0.2.100:5060\n[guard]\ntype=guard\nenabled=no\n"
    + f"[anonymous]\ntype=endpoint\ncontext=default\nallow=ulaw\naors={','.join(AORS)}\n"
    + "".join(f"[{name}]\ntype=aor\nmax_contacts=2\nremove_existing=yes\n" for name in AORS)
    + "[alice]\ntype=endpoint\ncontext=default\nallow=ulaw\naors=alice\nauth=alice\n"
    + "[alice]\ntype=auth\nusername=alice\npassword=a-well-kept-secret\n",
}
ROUND = 200
"""Inputs between two looks at what is left."""


class Errors(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(self.format(record))


class Conversation:
    """A peer that repeats the tags and branches it is given, so that its messages reach dialogs."""

    def __init__(self, server: Server, seed: int) -> None:
        self.server = server
        self.random = Random(seed)
        self.pool = seeds()
        self.heard: list[bytes] = []
        server.sip.observers.append(self._hear)

    def _hear(self, direction: str, data: bytes, *_: object) -> None:
        if direction == ">":
            self.heard.append(data)
            del self.heard[:-50]

    def speak(self) -> bytes:
        """Send one message."""
        data = vary(self.random, self.pool)
        if self.heard and self.random.random() < 0.6:
            data = self._in_dialog(self.random.choice(self.heard))
            if self.random.random() < 0.5:
                data = vary(self.random, [data])
        sip = self.server.sip
        sip.transports.received(data, ("192.0.2.15", 5060), sip.transports.find(""))  # type: ignore[arg-type]
        return data

    def _in_dialog(self, heard: bytes) -> bytes:
        """A request, or a response, that fits what the server said."""
        lines = heard.partition(b"\r\n\r\n")[0].split(b"\r\n")
        kept = [x for x in lines[1:] if x.partition(b":")[0] in (b"From", b"To", b"Call-ID", b"Via", b"CSeq")]
        if not heard.startswith(b"SIP/2.0"):  # its request: From and To stay
            status = self.random.choice((b"100", b"180", b"200", b"302", b"401", b"481", b"503", b"699"))
            return b"\r\n".join((b"SIP/2.0 " + status + b" X", *kept, b"", b""))
        method = self.random.choice((b"ACK", b"BYE", b"CANCEL", b"INFO", b"INVITE", b"REFER", b"UPDATE", b"NOTIFY"))
        number = self.random.choice((b"1", b"2", b"3", b"56", b"9999", b"2147483647"))
        kept = [b"CSeq: " + number + b" " + method if x.startswith(b"CSeq") else x for x in kept]
        if self.random.random() < 0.7:
            kept = [x + b"%d" % self.random.randrange(9) if x.startswith(b"Via") else x for x in kept]
        more = (b"Contact: <sip:a@192.0.2.15>", b"Refer-To: <sip:1@192.0.2.100>", b"Event: refer")
        return b"\r\n".join((method + b" sip:a@192.0.2.100 SIP/2.0", *kept, *more, b"", b""))


async def play(folder: Path, seconds: float, seed: int, inputs: int) -> int:
    """Talk to a server until time or inputs are over; how many inputs that were."""
    errors, count, end = Errors(), 0, time.monotonic() + seconds
    logging.getLogger().addHandler(errors)
    server = await start(folder)
    peer = Conversation(server, seed)
    sent: list[bytes] = []
    try:
        while count < inputs and time.monotonic() < end:
            sent = [*sent[-ROUND:], peer.speak()]
            count += 1
            await asyncio.sleep(peer.random.choice((0, 0, 0.01, 0.5)))
            if count % ROUND == 0:
                for channel in tuple(server.channels):
                    channel.request_hangup()
                await asyncio.sleep(100)
                left = [channel.name for channel in server.channels], len(server.sip.agent), len(server.sip.agent.layer)
                assert left == ([], 0, 0), f"seed {seed}, input {count}: {left} are left"
            if errors.found:
                (Path.cwd() / "broken.dat").write_bytes(b"\n----\n".join(sent))
                raise AssertionError(f"seed {seed}, input {count}: {errors.found[0]}")
    finally:
        await server.stop()
        logging.getLogger().removeHandler(errors)
    return count


def run(seconds: float, seed: int, inputs: int = 10**9) -> int:
    """The same on a loop of its own."""
    loop = VirtualLoop(seed=seed)
    try:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in FILES.items():
                (Path(folder) / name).write_text(text)
            count: int = loop.run(play(Path(folder), seconds, seed, inputs))
    finally:
        loop.close()
    assert not loop.failures, loop.failures[0]
    return count


if __name__ == "__main__":
    options = argparse.ArgumentParser(prog="python -m tests.sip.fuzz.server", description=__doc__)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--seed", type=int, default=int(time.time()))
    given = options.parse_args()
    print(f"{run(given.seconds, given.seed)} inputs in {given.seconds:.0f} s, seed {given.seed}")
