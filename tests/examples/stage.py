"""The stage of an example: a server with the lines of its docstring, three phones, and the program itself."""

from __future__ import annotations

import asyncio
import importlib.util
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from arietta.client import Client
from arietta.server import Server
from arietta.testing import Call, Phone
from arietta.testing.plugin import Switch
from journeys.conftest import ARI, HTTP, PASSWORD, RTP, SERVER, phone_sections
from journeys.leftovers import leftovers

FOLDER = Path(__file__).parents[2] / "examples"
SOUNDS = Path(__file__).parents[2] / "src/arietta/data/sounds/en"
NAMES = ("1001", "1002", "1003")
TRANSPORT = f"[udp]\ntype=transport\nprotocol=udp\nbind={SERVER[0]}:{SERVER[1]}\n"
PJSIP = TRANSPORT + "".join(phone_sections(name, name) for name in NAMES)
LINES = re.compile(r"^    (exten => .*| same => .*)$", re.MULTILINE)

OpenPhone = Callable[..., Awaitable[Phone]]


@dataclass
class Stage:
    """A running example."""

    module: ModuleType
    server: Server
    client: Client
    phones: dict[str, Phone]

    async def dial(self, name: str, number: str) -> Call:
        """A phone calls a number."""
        return await self.phones[name].invite(number)


def load(name: str) -> ModuleType:
    """An example as a module."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def extensions(module: ModuleType) -> str:
    """The lines of extensions.conf that its docstring asks for."""
    lines = LINES.findall(module.__doc__ or "")
    assert lines, f"{module.__name__} says no lines of extensions.conf"
    return "[default]\n" + "\n".join(lines) + "\n"


def application(module: ModuleType) -> str:
    """The application its lines name."""
    found = re.search(r"Stasis\(([\w-]+)", module.__doc__ or "")
    assert found is not None
    return found[1]


def sound(name: str) -> Path:
    """The file of an English sound."""
    return next(SOUNDS / f"{name}{suffix}" for suffix in (".wav", ".ulaw") if (SOUNDS / f"{name}{suffix}").exists())


@asynccontextmanager
async def stage(name: str, switch: Switch, phone: OpenPhone, **constants: object) -> AsyncIterator[Stage]:
    """Run an example, some of its constants changed; afterwards nothing of its calls is left in the server."""
    module = load(name)
    for constant, value in constants.items():
        assert hasattr(module, constant)
        setattr(module, constant, value)
    files = {"http.conf": HTTP, "ari.conf": ARI, "rtp.conf": RTP, "pjsip.conf": PJSIP}
    async with switch({**files, "extensions.conf": extensions(module)}) as server:
        assert isinstance(server, Server)
        phones = {}
        for number, user in enumerate(NAMES, 2):
            phones[user] = await phone(f"10.0.0.{number}", 5060, username=user, password=PASSWORD, server=SERVER)
            await phones[user].register()
        async with Client("http://127.0.0.1:8088/ari", "asterisk", "asterisk") as client:
            program = asyncio.ensure_future(module.serve(client, application(module)))
            await asyncio.sleep(0.5)
            yield Stage(module, server, client, phones)
            await asyncio.sleep(40)  # RFC 3261: transactions remember their answers for 64*T1
            assert not program.done(), program
            program.cancel()
            await asyncio.wait([program])
        await asyncio.sleep(1)
        left = leftovers(server)
        assert not left, f"left after the example: {left}"
