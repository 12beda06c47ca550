"""NOTIFYs that nobody subscribed to: of pjsip_notify.conf by name, or as a client writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from arietta.cli.commands import Console, all_commands
from arietta.cli.server_switch import ServerSwitch
from arietta.cli.serving import Stop
from arietta.config.system import LoggerSettings
from arietta.logs import Logs
from arietta.server import Server
from arietta.testing import Phone
from journeys.conftest import FILES

from .conftest import MANAGER, Connect

NOTIFY = r"""
[reboot]
Event => check-sync\;reboot=true
[message]
Event => x
Content-Type => text/plain
Content => a
Content => b
"""


@pytest.fixture
def files() -> dict[str, str]:
    return {**FILES, "manager.conf": MANAGER, "pjsip_notify.conf": NOTIFY}


async def test_a_phone_is_notified(connect: Connect, alice: Phone) -> None:
    client = await connect()
    reply = await client.ask("PJSIPNotify", Endpoint="alice", Option="reboot")
    assert (reply["Response"], reply["Message"]) == ("Success", "NOTIFY sent")
    seen = await alice.sees("NOTIFY")
    assert b"\r\nEvent: check-sync;reboot=true\r\n" in seen.data
    assert b"\r\nSubscription-State: terminated\r\n" in seen.data


async def test_a_notify_has_the_lines_of_the_client(connect: Connect, alice: Phone) -> None:
    client = await connect()
    pairs = ("Event=poke", "Content-Type=text/plain", "Content=x=1", "Content=y")
    lines = tuple(f"Variable: {pair}" for pair in pairs)
    assert (await client.ask("PJSIPNotify", *lines, Endpoint="alice"))["Response"] == "Success"
    seen = await alice.sees("NOTIFY")
    assert seen.data.endswith(b"\r\n\r\nx=1\r\ny")


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"Option": "reboot"}, "PJSIPNotify requires either an endpoint name or a SIP URI, and not both"),
        ({"Endpoint": "alice"}, "PJSIPNotify requires an Option or a Variable"),
        ({"Endpoint": "alice", "Option": "dance"}, "pjsip_notify.conf has no section 'dance'"),
        ({"Endpoint": "alice", "Variable": "Content=x"}, "a NOTIFY needs an Event"),
        ({"Endpoint": "bob", "Option": "reboot"}, "PJSIP endpoint 'bob' has no contact that can be reached"),
        ({"Channel": "PJSIP/alice-0", "Option": "reboot"},
            "Channel is not supported: a NOTIFY goes to an Endpoint or a URI"),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_told(connect: Connect, alice: Phone, headers: dict[str, str], message: str) -> None:
    client = await connect()
    reply = await client.ask("PJSIPNotify", **headers)
    assert (reply["Response"], reply["Message"]) == ("Error", message)


async def test_the_console_notifies_by_name(server: Server, alice: Phone, tmp_path: Path) -> None:
    logs = Logs(LoggerSettings(), tmp_path)
    console = Console(ServerSwitch(server, Stop()), logs, all_commands())
    reply = await console.commands.run(console, "pjsip send notify message endpoint alice")
    assert reply.output == "Sending NOTIFY of type 'message' to 1 contact."
    assert (await alice.sees("NOTIFY")).data.endswith(b"\r\n\r\na\r\nb")
    assert console.commands.complete(console, "pjsip send notify ") == ["message", "reboot"]
