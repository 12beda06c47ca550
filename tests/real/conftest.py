"""What the tests with real processes share: a server on free ports of loopback, ended after each test."""

from __future__ import annotations

import asyncio
import inspect
import secrets
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .running import HOST, PASSWORD, RunningServer, free_port

TEST_WITHIN_S = 50
"""A module with a longer story says so itself, under the same name."""

EXTENSIONS = """
[default]
exten => 1000,1,NoOp()
 same => n,Answer()
 same => n,Stasis(hello-world)
 same => n,Hangup()

exten => 1001,1,Stasis(hello-world,early)
 same => n,Hangup()

exten => 1200,1,Answer()
 same => n,Echo()
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is real."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("real")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test on a real loop."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}

    async def run() -> None:
        async with asyncio.timeout(getattr(pyfuncitem.module, "TEST_WITHIN_S", TEST_WITHIN_S)):
            await pyfuncitem.obj(**arguments)

    asyncio.run(run())
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Add the server's log to the report of a failed test."""
    report = yield
    server = getattr(item, "funcargs", {}).get("server")
    if report.failed and isinstance(server, RunningServer):
        report.sections.append(("log of the server", server.log[-20_000:]))
    return report


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The configuration of the tutorials, on free ports."""
    etc = tmp_path / "etc"
    etc.mkdir()
    http, sip = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM, socket.SOCK_STREAM)
    answering = free_port(socket.SOCK_DGRAM)
    first_rtp = 20000 + 2 * secrets.randbelow(10000)
    files = {
        "http.conf": f"[general]\nenabled=yes\nbindaddr={HOST}\nbindport={http}\n",
        "ari.conf": "[general]\nenabled=yes\n[asterisk]\ntype=user\nread_only=no\n"
        "password=asterisk\npassword_format=plain\n",
        "rtp.conf": f"[general]\nrtpstart={first_rtp}\nrtpend={first_rtp + 1999}\n",
        "extensions.conf": EXTENSIONS,
        "pjsip.conf": pjsip(sip, answering),
    }
    for name, text in files.items():
        (etc / name).write_text(text)
    (tmp_path / "ports").write_text(f"{http} {sip} {answering}")
    return etc


@pytest.fixture
def server(folder: Path) -> Iterator[RunningServer]:
    """A started server."""
    http, sip, answering = map(int, (folder.parent / "ports").read_text().split())
    running = RunningServer(folder, http, sip, answering)
    try:
        running.start()
        yield running
    finally:
        code = running.stop()
    assert code == 0, f"the server ended with {code}:\n{running.log}"
    assert "Traceback" not in running.log, running.log


@pytest.fixture
def node() -> Path:
    """The folder of the node programs; skipped where node or ari-client is not installed."""
    here = Path(__file__).parent / "node"
    if shutil.which("node") is None or not (here / "node_modules" / "ari-client").is_dir():
        pytest.skip("node or ari-client is not installed (tools/install_test_tools.sh does)")
    return here


def needs(program: str) -> pytest.MarkDecorator:
    """Skip where a program is not installed."""
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


def pjsip(sip: int, answering: int) -> str:
    """Two accounts, an endpoint that is called where it always is, and a trunk known by its address."""
    accounts = "".join(
        f"""
[{number}]
type=endpoint
context=default
auth={number}
aors={number}
disallow=all
allow=ulaw,alaw
dtmf_mode={mode}
callerid="{name}" <{number}>
[{number}]
type=auth
auth_type=userpass
username={number}
password={PASSWORD}
[{number}]
type=aor
max_contacts=1
remove_existing=yes
"""
        for number, name, mode in (("6001", "Alice", "rfc4733"), ("6002", "Bob", "info"))
    )
    return f"""
[global]
type=global
endpoint_identifier_order=username,ip
[udp]
type=transport
protocol=udp
bind={HOST}:{sip}
[tcp]
type=transport
protocol=tcp
bind={HOST}:{sip}
[trunk]
type=endpoint
context=default
disallow=all
allow=ulaw,alaw
[trunk]
type=identify
endpoint=trunk
match={HOST}
[answering]
type=endpoint
context=default
aors=answering
disallow=all
allow=ulaw
[answering]
type=aor
contact=sip:answering@{HOST}:{answering}
{accounts}"""
