"""Actions on a living server: each with its documented reply, and what comes of it."""

from __future__ import annotations

import asyncio

import pytest

from arietta.manager.declared import ACTIONS
from arietta.server import Server
from arietta.testing import Phone

from .conftest import Connect


async def test_a_call_is_originated_shown_and_hung_up(server: Server, connect: Connect, alice: Phone) -> None:
    client = await connect()
    waiting = asyncio.get_running_loop().create_task(alice.ringing())
    reply = await client.ask(
        "Originate",
        "Variable: A=1,B=two",
        "Variable: C=3",
        Channel="PJSIP/alice",
        Context="default",
        Exten="1300",
        Priority="1",
        CallerID='"Robot" <77>',
        Async="true",
        ChannelId="the-call",
    )
    assert (reply["Response"], reply["Message"]) == ("Success", "Originate successfully queued")
    call = await waiting
    call.answer()
    done = await client.event("OriginateResponse", ActionID="mark-2")
    assert (done["Response"], done["Reason"], done["Uniqueid"], done["CallerIDNum"]) == (
        *("Success", "4", "the-call"),
        "77",
    )
    assert (await client.ask("Getvar", Channel="the-call", Variable="B"))["Value"] == "two"
    assert (await client.ask("Getvar", Channel="the-call", Variable="PBX"))["Value"] == "main"
    await asyncio.sleep(1)
    (shown,) = await client.ask_list("CoreShowChannels")
    assert (shown["Uniqueid"], shown["ChannelStateDesc"], shown["Application"]) == ("the-call", "Up", "Wait")
    (status,) = await client.ask_list("Status", Channel=shown["Channel"], Variables="C")
    assert (status["Variable"], status["Type"]) == ("C=3", "PJSIP")
    assert (await client.ask("AbsoluteTimeout", Channel="the-call", Timeout="60"))["Message"] == "Timeout Set"
    assert (await client.ask("Redirect", Channel="the-call", Context="default", Exten="1200", Priority="1"))[
        "Response"
    ] == "Success"
    assert (await client.ask("Hangup", Channel="/^PJSIP/alice-/"))["EventList"] == "start"
    hangup = await client.event("Hangup", Uniqueid="the-call")
    assert hangup["Cause"] == "16"


async def test_a_call_that_is_busy_fails(server: Server, connect: Connect, alice: Phone) -> None:
    client = await connect()
    waiting = asyncio.get_running_loop().create_task(alice.ringing())
    await client.ask("Originate", Channel="PJSIP/alice", Application="Wait", Data="1", Async="yes")
    (await waiting).reject(486)
    done = await client.event("OriginateResponse")
    assert (done["Response"], done["Reason"], done["Application"]) == ("Failure", "5", "Wait")
    assert (await client.ask("Originate", Channel="PJSIP/nobody", Application="Wait"))["Message"] == "Originate failed"


@pytest.mark.parametrize(
    ("name", "headers", "message"),
    [
        ("Originate", {}, "Channel not specified"),
        ("Originate", {"Channel": "alice"}, "Invalid channel"),
        ("Originate", {"Channel": "PJSIP/alice", "Application": "Wait", "Timeout": "soon"},
            "Timeout 'soon' is not a number in 1..2147483647"),
        (
            "Originate",
            {"Channel": "PJSIP/alice", "Exten": "x", "Context": "default", "Priority": "1"},
            "Extension does not exist.",
        ),
        ("Hangup", {"Channel": "PJSIP/none"}, "No such channel"),
        ("Hangup", {}, "No channel specified"),
        ("Setvar", {}, "No variable specified"),
        ("Redirect", {"Channel": "x"}, "Channel does not exist: x"),
        ("BridgeInfo", {"BridgeUniqueid": "x"}, "Bridge not found: x"),
        ("DBGet", {"Family": "f", "Key": "k"}, "Database entry not found"),
        ("PJSIPShowEndpoint", {"Endpoint": "x"}, "Unable to retrieve endpoint x"),
        ("GetConfig", {"Filename": "../pjsip.conf"},
            "Filename '../pjsip.conf' is no .conf file of the configuration folder"),
        ("PlayDTMF", {"Channel": "x", "Digit": "1"}, "No such channel"),
        ("Command", {}, "No command provided"),
        ("Command", {"Command": "module load x"}, "Command blacklisted"),
    ],
)  # fmt: skip
async def test_refusals_name_what_is_wrong(connect: Connect, name: str, headers: dict[str, str], message: str) -> None:
    client = await connect()
    reply = await client.ask(name, **headers)
    assert (reply["Response"], reply["Message"]) == ("Error", message)


async def test_lists_and_databases(server: Server, connect: Connect, alice: Phone) -> None:
    client = await connect()
    assert (await client.ask("DBPut", Family="cfwd", Key="1", Val="2"))["Response"] == "Success"
    assert [item["Val"] for item in await client.ask_list("DBGet", Family="cfwd", Key="1")] == ["2"]
    assert [item["Key"] for item in await client.ask_list("DBGetTree")] == ["/cfwd/1"]
    assert (await client.ask("DBDelTree", Family="cfwd"))["Response"] == "Success"
    names = {item["ObjectName"] for item in await client.ask_list("PJSIPShowEndpoints")}
    assert {"alice", "bob"} <= names
    details = await client.ask_list("PJSIPShowEndpoint", Endpoint="alice")
    assert {"EndpointDetail", "AuthDetail", "AorDetail", "ContactStatusDetail"} <= {item["Event"] for item in details}
    for name in sorted(ACTIONS):
        if name.startswith("pjsipshow") and name != "pjsipshowendpoint":
            await client.ask_list(ACTIONS[name].name)
    for name in (
        *("BridgeList", "BridgeTechnologyList", "DeviceStateList", "ExtensionStateList", "PresenceStateList"),
        "ShowDialPlan",
    ):
        await client.ask_list(name)
    assert (await client.ask("PJSIPQualify", Endpoint="alice"))["Message"] == "Endpoint found, will qualify"
    await client.ask("MWIUpdate", Mailbox="6001@default", NewMessages="3", OldMessages="1")
    assert (await client.ask("MailboxCount", Mailbox="6001@default"))["NewMessages"] == "3"
    assert (await client.ask("GetConfig", Filename="manager.conf"))["Response"] == "Success"
    await client.ask("GetConfigJSON", Filename="pjsip.conf")
    assert b"a-well-kept-secret" not in client.raw
    assert b"s3cr3t-words" not in client.raw
    for name in ("CoreStatus", "CoreSettings", "Reload", "ListCommands"):
        assert (await client.ask(name))["Response"] == "Success"
    await client.ask("UserEvent", UserEvent="Mine", Colour="red")
    assert (await client.event("UserEvent"))["Colour"] == "red"


async def test_every_action_survives_without_headers(connect: Connect) -> None:
    for name in sorted(ACTIONS):
        if name in ("login", "logoff", "waitevent"):
            continue
        client = await connect(Events="off")
        client.send(f"Action: {ACTIONS[name].name}\r\nActionID: alone\r\n\r\n".encode())
        block = dict(await client.block(lambda found: ("ActionID", "alone") in found))
        assert "Internal error" not in block.get("Message", ""), name


async def test_commands_of_the_console(server: Server, connect: Connect) -> None:
    client = await connect()
    assert (await client.ask("Command", Command="core show version"))["Response"] == "Error"  # there is no console

    async def run(line: str) -> tuple[str, int]:
        return f"one\ntwo of {line}", int(line == "bad")

    server.manager.domain.command_line = run
    block = await client.ask_block("Command", Command="core show version")
    assert [value for name, value in block if name == "Output"] == ["one", "two of core show version"]
    assert (await client.ask("Command", Command="bad"))["Response"] == "Error"
