"""The phones of the office, each with an address of its own: most are runs of sipp, one is baresip."""

from __future__ import annotations

import asyncio
import re
import socket
import subprocess
import sys
from pathlib import Path

from ..baresip import BaresipProcess
from ..running import eventually
from . import scenario
from .switches import OFFICE

NUMBERS = range(101, 121)
OVER_TCP = (117, 118)
BARESIP = 120


def address(number: int) -> str:
    """Where a phone is."""
    return f"127.0.10.{number}"


def secret(number: int) -> str:
    """What it proves itself with."""
    return f"phone-secret-{number}"


class Sipp:
    """One run of sipp: `async with Sipp(folder, 101, calls("102"), hangs_up()) as anna`; it ends with `done`."""

    def __init__(self, folder: Path, number: int, *pieces: str, port: int = 5060, more: tuple[str, ...] = ()) -> None:
        self.number, self.port = number, port
        self.folder = folder / f"{number}-{len(list(folder.glob(f'{number}-*')))}"
        self.folder.mkdir()
        file = self.folder / "scenario.xml"
        file.write_text(scenario.scenario(str(number), *pieces))
        transport = "t1" if number in OVER_TCP else "u1"
        self.command = ["sipp", f"{OFFICE}:5060", "-sf", str(file), "-i", address(number), "-p", str(port)]
        self.command += ["-t", transport, "-m", "1", "-nostdin", "-timeout", "30", "-timeout_error", "-trace_msg"]
        self.command += ["-trace_err", "-key", "number", str(number), "-au", str(number), "-ap", secret(number), *more]
        self.process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Sipp:
        with (self.folder / "output").open("wb") as output:
            self.process = await asyncio.create_subprocess_exec(
                *self.command, cwd=self.folder, stdout=output, stderr=output, stdin=subprocess.DEVNULL
            )
        if self.number not in OVER_TCP:
            await eventually(self._listens, f"a socket of {self.number}")
        return self

    def _listens(self) -> bool:
        """Whether its socket is there, or was; addresses of /proc are in the machine's order of bytes."""
        assert self.process is not None
        if self.process.returncode is not None:
            return True
        host = int.from_bytes(socket.inet_aton(address(self.number)), sys.byteorder)
        return f" {host:08X}:{self.port:04X} " in Path("/proc/net/udp").read_text()

    async def __aexit__(self, *error: object) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def done(self, within: float = 20) -> None:
        """Wait until it has done all of its part; AssertionError with what sipp says when it went another way."""
        assert self.process is not None
        try:
            async with asyncio.timeout(within):
                code = await self.process.wait()
        except TimeoutError:
            raise AssertionError(f"{self.number} is not done within {within} s\n{self.told()}") from None
        assert code == 0, f"sipp as {self.number} ended with {code}\n{self.told()}"

    def told(self) -> str:
        """Its errors and messages."""
        files = sorted(self.folder.glob("*_errors.log")) + sorted(self.folder.glob("*_messages.log"))
        return "\n".join(file.read_text(errors="replace")[-8000:] for file in files)

    async def rings(self) -> None:
        """Wait until it is called."""
        await eventually(lambda: "180 Ringing" in self.told(), f"a call for {self.number}")

    async def dialog(self) -> str:
        """Its call as Replaces names it to the switch (RFC 3891 6.1), once it has said ACK."""
        assert self.process
        acked = (
            rf"^ACK .*\n(?:.+\n)*?From:.*;tag=({self.process.pid}-1)\s*\n"
            r"To:.*;tag=(\S+)\s*\nCall-ID: *(\S+)\s*\nCSeq: 2 "
        )
        found: list[re.Match[str]] = []

        def said() -> bool:
            found.extend(re.finditer(acked, self.told(), re.M))
            return bool(found)

        await eventually(said, f"an ACK of {self.number}")
        return f"{found[0][3]};to-tag={found[0][2]};from-tag={found[0][1]}"


class Baresip(BaresipProcess):
    """A whole softphone: number 120, over TLS and SRTP; it answers by itself."""

    def __init__(self, folder: Path, authority: Path) -> None:
        super().__init__(
            folder / "baresip",
            host=address(BARESIP),
            port=5060,
            account=f"<sip:{BARESIP}@{OFFICE}:5061;transport=tls>;auth_user={BARESIP};auth_pass={secret(BARESIP)};"
            "regint=600;audio_codecs=pcma;mediaenc=srtp-mand;answermode=auto",
            modules=("srtp",),
            more=f"sip_cafile {authority}\nsip_verify_server yes\n",
        )
