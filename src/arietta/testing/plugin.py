"""A pytest plugin: a virtual loop with phones on it for each test that asks.

    async def test_hello_world(phone, loop):
        alice = await phone("10.0.0.2", server=("10.0.0.1", 5060))
        call = await alice.invite("1000")
        await call.answered()

A test that is a coroutine function and uses `loop`, directly or through another fixture here, runs on that loop.
`@pytest.mark.seed(7)` gives its network another seed. When it fails, the ladder of everything the network carried
is part of its report.

A server in a test: `switch` writes configuration files into a folder and starts a server on the loop.

    async def test_ping(switch, ari):
        async with switch({"http.conf": "[general]\\nenabled=yes\\nbindport=8088\\n"}):
            assert (await ari().get("/asterisk/ping")).json["ping"] == "pong"

What starts it is the fixture `start_server`: a callable `async (folder: Path) -> Running`, called on the loop, whose
result has `async stop()`. It is `arietta.testing.switch.start`; a project overrides the fixture in its conftest to
test another composition.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from .ari import AriClient
from .clock import VirtualClock
from .ladder import Ladder
from .loop import VirtualLoop
from .network import Network
from .phone import Phone

__all__ = ["Running", "StartServer", "Switch"]

LADDER_ROWS = 200


class Running(Protocol):
    """A server that was started."""

    async def stop(self) -> None:
        """End it and wait for its end."""


StartServer = Callable[[Path], Awaitable[Running]]
Switch = Callable[[Mapping[str, str]], AbstractAsyncContextManager[Running]]


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", "seed(number): the seed of the test's virtual network (else 0)")


@pytest.fixture
def loop(request: pytest.FixtureRequest) -> Iterator[VirtualLoop]:
    """A virtual event loop; what its callbacks raise fails the test."""
    marker = request.node.get_closest_marker("seed")
    loop = VirtualLoop(seed=marker.args[0] if marker else 0)
    request.node.stash[_LOOP] = loop
    yield loop
    loop.close()
    if loop.failures:
        first = loop.failures[0]
        pytest.fail(f"{len(loop.failures)} failures on the loop, the first: {first}", pytrace=False)


@pytest.fixture
def clock(loop: VirtualLoop) -> VirtualClock:
    """The clock of the loop."""
    return loop.clock


@pytest.fixture
def network(loop: VirtualLoop) -> Network:
    """The network of the loop."""
    return loop.network


@pytest.fixture
def ladder(network: Network) -> Ladder:
    """A ladder of what the network carries."""
    ladder = Ladder()
    ladder.watch(network)
    return ladder


@pytest.fixture
def phone(loop: VirtualLoop) -> Iterator[Callable[..., Awaitable[Phone]]]:
    """A coroutine function with the parameters of `Phone.open`; its phones are closed after the test."""
    phones: list[Phone] = []

    async def open_phone(*args: Any, **options: Any) -> Phone:
        phones.append(await Phone.open(*args, **options))
        return phones[-1]

    yield open_phone
    for each in phones:
        loop.run(each.close())


@pytest.fixture
def ari(loop: VirtualLoop) -> Iterator[Callable[..., AriClient]]:
    """A function with the parameters of `AriClient`; its clients are closed after the test."""
    clients: list[AriClient] = []

    def make_client(*args: Any, **options: Any) -> AriClient:
        clients.append(AriClient(*args, **options))
        return clients[-1]

    yield make_client
    for each in clients:
        loop.run(each.close())


@pytest.fixture
def start_server() -> StartServer:
    """What `switch` starts a server with; override it to test another composition."""
    try:
        module = importlib.import_module("arietta.testing.switch")
    except ModuleNotFoundError as error:
        raise pytest.UsageError(f"no server can be started: {error}; define the fixture start_server") from error
    start: StartServer = module.start
    return start


@pytest.fixture
def switch(loop: VirtualLoop, tmp_path: Path, start_server: StartServer) -> Switch:
    """A server with these configuration files, for the time of an `async with`."""
    count = 0

    @asynccontextmanager
    async def running(config: Mapping[str, str]) -> AsyncIterator[Running]:
        nonlocal count
        count += 1
        folder = tmp_path / f"switch-{count}"
        for name, text in config.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        folder.mkdir(exist_ok=True)
        server = await start_server(folder)
        try:
            yield server
        finally:
            await server.stop()

    return running


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test on its virtual loop."""
    loop = pyfuncitem.funcargs.get("loop") or pyfuncitem.stash.get(_LOOP, None)
    if not isinstance(loop, VirtualLoop) or not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    loop.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Add the ladder to the report of a failed test."""
    report = yield
    loop = item.stash.get(_LOOP, None)
    if report.when == "call" and report.failed and loop is not None and loop.network.record:
        ladder = Ladder(start=loop.clock.now - loop.clock.elapsed)
        for sent in loop.network.record:
            ladder.sent(sent)
        lines = ladder.render().splitlines()
        left_out = len(lines) - 1 - LADDER_ROWS
        if left_out > 0:
            lines[1 : 1 + left_out] = [f"  ... {left_out} rows before"]
        report.sections.append(("ladder of the virtual network", "\n".join(lines)))
    return report


_LOOP = pytest.StashKey[VirtualLoop]()
