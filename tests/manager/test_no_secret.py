"""A server whose files are full of secrets: no listing, event or log line of the manager, the console and ARI has one.

The one exception is Asterisk's too: ARI gives an auth section, which may be changed there, with its password.
"""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from arietta.ari.dispatch import Api
from arietta.cli.commands import Console, all_commands
from arietta.cli.server_switch import ServerSwitch
from arietta.cli.serving import Stop
from arietta.config.system import LoggerSettings
from arietta.logs import Logs
from arietta.manager.actions.system import REFUSED_COMMANDS
from arietta.manager.declared import ACTIONS
from arietta.server import Server
from arietta.testing import AriClient, Phone
from journeys.conftest import FILES, PASSWORD, PJSIP

from .conftest import MANAGER, Connect
from .fuzz.mutation import WITHOUT

MARK = "hidden-word"
MORE = f"""
[trunk]
type=endpoint
context=default
allow=ulaw
outbound_auth=trunk
aors=trunk
[trunk]
type=aor
contact=sip:10.0.0.99
[trunk]
type=auth
username=us
password={MARK}-trunk
[trunk]
type=registration
server_uri=sip:10.0.0.99
client_uri=sip:us@10.0.0.99
outbound_auth=trunk
[digested]
type=auth
auth_type=md5
username=them
md5_cred=0123456789abcdef0123456789abcdef
"""
SECRETS = (MARK, PASSWORD, "0123456789abcdef0123456789abcdef")
CONSOLE_ENDS = {"stop", "restart", "waitfullybooted", "shutdown"}


@pytest.fixture
def files() -> dict[str, str]:
    ari = FILES["ari.conf"].replace("password=asterisk", f"password={MARK}-ari")
    manager = MANAGER.replace("s3cr3t-words", f"{MARK}-manager")
    metrics = f"[general]\nenabled=yes\nauth_username=me\nauth_password={MARK}-metrics\n"
    clients = (
        f"[away]\ntype=websocket_client\nuri=ws://10.0.0.98/ws\nprotocols=ari\nusername=me\npassword={MARK}-away\n"
    )
    return {
        **FILES,
        "ari.conf": ari,
        "manager.conf": manager,
        "pjsip.conf": PJSIP + MORE,
        "prometheus.conf": metrics,
        "websocket_client.conf": clients,
    }


def assert_no_secret(text: str, what: str) -> None:
    for secret in SECRETS:
        assert secret not in text, f"{what} shows {secret}: {text[max(0, text.index(secret) - 300) :][:400]}"


async def test_the_manager_tells_none(
    server: Server, connect: Connect, alice: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        client = await connect("admin", secret=f"{MARK}-manager")
        wrong = await connect("")
        await wrong.log_in("admin", f"{MARK}-wrong")
        call = await alice.invite("1200")
        await call.answered()
        for path in sorted(server.config.directory.glob("*.conf")):
            await client.ask("GetConfig", Filename=path.name)
            await client.ask("GetConfigJSON", Filename=path.name)
        for name in ("alice", "trunk"):
            await client.ask_list("PJSIPShowEndpoint", Endpoint=name)
        for key in sorted(set(ACTIONS) - WITHOUT):
            await client.ask(ACTIONS[key].name, Channel=next(iter(server.channels)).name)
            if "hangup" in key:
                await call.ended()
                call = await alice.invite("1200")
                await call.answered()
        await call.hang_up()
    assert_no_secret(client.raw.decode(), "the manager interface")
    assert_no_secret(caplog.text, "the log")


async def test_the_console_tells_none(server: Server, alice: Phone, tmp_path: Path) -> None:
    logs = Logs(LoggerSettings(), tmp_path)
    console = Console(ServerSwitch(server, Stop()), logs, all_commands())
    call = await alice.invite("1200")
    await call.answered()
    for command in console.commands:
        if CONSOLE_ENDS & set(command.words) or command.words[:2] in REFUSED_COMMANDS:
            continue
        words = console.commands.complete(console, command.name + " ") if command.most else []
        for line in [command.name, *(f"{command.name} {word}" for word in words)]:
            if not line.startswith(("module unload", "channel request", "pjsip set logger")):
                assert_no_secret((await console.commands.run(console, line)).output, line)
    await call.hang_up()


async def test_ari_tells_none(server: Server, alice: Phone) -> None:
    api: Api = server.api
    assert api is not None
    call = await alice.invite("1200")
    await call.answered()
    async with AriClient(username="asterisk", password=f"{MARK}-ari") as client:
        for path in (
            *("/channels", "/endpoints", "/bridges", "/applications", "/asterisk/info", "/asterisk/modules"),
            *("/asterisk/logging", "/deviceStates", "/mailboxes", "/recordings/stored", "/sounds", "/asterisk/ping"),
            "/asterisk/config/dynamic/res_pjsip/endpoint/trunk",
            "/asterisk/config/dynamic/res_pjsip/aor/trunk",
            "/asterisk/config/dynamic/res_pjsip/registration/trunk",
        ):
            assert_no_secret((await client.get(path)).body.decode(), path)
    await call.hang_up()
