"""Sessions: who gets in and who does not, what is refused, what each hears."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from arietta.server import Server
from arietta.testing import Phone

from .conftest import MANAGER, Connect
from .talking import ManagerClient


async def test_login_with_a_secret_and_goodbye(server: Server) -> None:
    client = await ManagerClient.open()
    assert client.banner == "Asterisk Call Manager/11.0.0"
    reply = await client.log_in()
    assert (reply["Response"], reply["ActionID"], reply["Message"]) == (
        "Success",
        "mark-1",
        "Authentication accepted",
    )
    booted = await client.event("FullyBooted")
    assert (booted["Privilege"], booted["Status"]) == ("system,all", "Fully Booted")
    pong = await client.ask("Ping")
    assert (pong["Response"], pong["Ping"], "." in pong["Timestamp"]) == ("Success", "Pong", True)
    bye = await client.ask("Logoff")
    assert (bye["Response"], bye["Message"]) == ("Goodbye", "Thanks for all the fish.")
    await client.gone()


async def test_login_with_a_challenge(connect: Connect) -> None:
    client = await connect("")
    assert (await client.ask("Challenge"))["Message"] == "Must specify AuthType"
    challenge = (await client.ask("Challenge", AuthType="MD5"))["Challenge"]
    key = hashlib.md5(f"{challenge}s3cr3t-words".encode()).hexdigest()
    reply = await client.ask("Login", Username="admin", AuthType="MD5", Key=key)
    assert reply["Response"] == "Success"
    again = await connect("")
    reply = await again.ask("Login", Username="admin", AuthType="MD5", Key=key)
    assert reply["Response"] == "Error"  # a key is for one challenge
    await again.gone()


@pytest.mark.parametrize(
    ("name", "secret"), [("admin", "wrong"), ("nobody", "s3cr3t-words"), ("far", "s3cr3t-words"), ("general", "")]
)
async def test_a_failed_login_is_answered_late_and_closed(server: Server, name: str, secret: str) -> None:
    loop = asyncio.get_running_loop()
    watcher = await ManagerClient.open()
    await watcher.log_in()
    client = await ManagerClient.open()
    began = loop.time()
    reply = await client.log_in(name, secret)
    assert (reply["Response"], reply["Message"]) == ("Error", "Authentication failed")
    assert loop.time() - began >= 1
    await client.gone()
    told = {"admin": "InvalidPassword", "far": "FailedACL"}.get(name, "InvalidAccountID")
    fact = await watcher.event(told)
    assert (fact["Service"], fact["AccountID"]) == ("AMI", name)
    assert b"s3cr3t" not in watcher.raw
    watcher.close()


async def test_before_the_login_nothing_is_told(connect: Connect) -> None:
    client = await connect("")
    for name in ("Ping", "CoreShowChannels", "Events", "NoSuchThing"):
        assert (await client.ask(name))["Message"] == "Permission denied"
    assert (await client.ask(""))["Message"] == "Missing action in request"


async def test_who_does_not_log_in_is_let_go(server: Server) -> None:
    client = await ManagerClient.open()
    began = asyncio.get_running_loop().time()
    await client.gone()
    assert 30 <= asyncio.get_running_loop().time() - began < 31


async def test_guessers_are_banned_for_a_while(server: Server) -> None:
    for _ in range(10):
        client = await ManagerClient.open()
        await client.log_in("admin", "guess")
        await client.gone()
    with pytest.raises(ConnectionResetError):
        await ManagerClient.open()
    await asyncio.sleep(600)
    client = await ManagerClient.open()
    assert (await client.log_in())["Response"] == "Success"
    client.close()


async def test_a_user_may_be_logged_in_once(connect: Connect) -> None:
    first = await connect("once")
    second = await connect("")
    assert (await second.log_in("once"))["Message"] == "Login Already In Use"
    await second.gone()
    assert (await first.ask("Ping"))["Response"] == "Success"


async def test_kinds_of_actions(connect: Connect) -> None:
    reader = await connect("reader")
    assert (await reader.ask("Originate", Channel="PJSIP/alice"))["Message"] == "Permission denied"
    assert (await reader.ask("CoreStatus"))["Response"] == "Success"
    assert await reader.ask_list("CoreShowChannels") == []
    listed = await reader.ask("ListCommands")
    assert "Ping" in listed
    assert "Originate" not in listed
    unknown = await reader.ask("Dance")
    assert unknown["Message"] == (
        "Invalid/unknown command: Dance. Use Action: ListCommands to show available commands."
    )


async def test_kinds_of_events_and_filters(connect: Connect, alice: Phone) -> None:
    everything, calls, quiet, filtered = [await connect() for _ in range(4)]
    reader = await connect("reader")
    assert (await calls.ask("Events", EventMask="call"))["Events"] == "On"
    assert (await quiet.ask("Events", EventMask="off"))["Events"] == "Off"
    assert (await quiet.ask("Events", EventMask="whatever"))["Message"] == "Invalid event mask"
    assert (await filtered.ask("Filter", Filter="Event: Newchannel"))["Response"] == "Success"
    assert (await filtered.ask("Filter", Filter="("))["Response"] == "Error"
    call = await alice.invite("1200")
    await call.answered()
    await call.hang_up()
    await everything.event("Hangup")
    for client in (everything, calls, quiet, filtered, reader):
        await client.ask("Ping")
    assert {"Newchannel", "Newexten", "VarSet", "Hangup"} <= set(everything.events())
    assert {"Newchannel", "Hangup"} <= set(calls.events())
    assert "Newexten" not in calls.events()
    began = calls.events().index("Newchannel")  # before it wanted calls alone, it heard others log in
    told, read = calls.events()[began:], reader.events()
    shared = min(len(told), len(read))  # what comes after the end may be on its way still
    assert shared > told.index("Hangup")
    assert told[:shared] == read[:shared]
    assert set(quiet.events()) <= {"FullyBooted", "SuccessfulAuth"}
    assert set(filtered.events()) <= {"FullyBooted", "SuccessfulAuth", "Newchannel"}


async def test_nothing_is_translated_while_nobody_listens(server: Server, connect: Connect) -> None:
    translator = server.manager.hub.translator
    assert not translator.running
    client = await connect(Events="off")
    assert not translator.running
    await client.ask("Events", EventMask="on")
    assert translator.running
    await client.ask("Logoff")
    assert not translator.running


async def test_actions_are_answered_in_their_order(connect: Connect) -> None:
    client = await connect(Events="off")
    client.send(b"Action: WaitEvent\r\nTimeout: 3\r\nActionID: slow\r\n\r\nAction: Ping\r\nActionID: quick\r\n\r\n")
    await client.block(lambda block: ("ActionID", "quick") in block)
    marks = [dict(block).get("ActionID") for block in client.blocks]
    assert marks.index("slow") < marks.index("quick")


async def test_lines_in_pieces_and_with_bare_line_feeds(connect: Connect) -> None:
    client = await connect()
    for piece in (b"\r\n\n", b"acti", b"on: pi", b"ng\nACTION", b"id: odd\n", b"\n"):
        client.send(piece)
    assert await client.block(lambda block: ("ActionID", "odd") in block)


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (b"Action: Ping\r\nX: " + b"x" * 9000 + b"\r\n\r\n", "A line is longer than 8192 bytes"),
        (b"Action: Ping\r\n" + b"X: y\r\n" * 200 + b"\r\n", "The action has more than 128 lines"),
        (b"Action: Ping\r\n" + (b"X: " + b"y" * 7000 + b"\r\n") * 20 + b"\r\n", "longer than 65536 bytes"),
    ],
)
async def test_what_is_beyond_a_limit_is_refused_and_the_next_action_goes_on(
    connect: Connect, block: bytes, words: str
) -> None:
    client = await connect()
    client.send(block)
    assert await client.block(lambda found: any(words in value for _, value in found))
    assert (await client.ask("Ping"))["Response"] == "Success"


async def test_a_value_cannot_add_lines(server: Server, connect: Connect, alice: Phone) -> None:
    client = await connect()
    call = await alice.invite("1200")
    await call.answered()
    channel = next(iter(server.channels))
    channel.set_variable("EVIL", "one\r\n\r\nEvent: Forged\r\nPrivilege: all\r\n\0end")
    heard = await client.event("VarSet", Variable="EVIL")
    assert "Forged" in heard["Value"]
    got = await client.ask("Getvar", Channel=channel.name, Variable="EVIL")
    assert "Forged" in got["Value"]
    assert "Forged" not in client.events()
    await call.hang_up()


async def test_a_slow_reader_is_let_go_and_nobody_else(server: Server, connect: Connect, caplog) -> None:  # type: ignore[no-untyped-def]
    good, slow = await connect(), await connect()
    session = list(server.manager.hub.sessions)[1]
    session.put(b"x" * (server.config.manager.general.queue_bytes + 1))
    await slow.gone()
    assert "bytes wait for it" in caplog.text
    assert (await good.ask("Ping"))["Response"] == "Success"


async def test_a_reload_logs_off_whose_secret_is_another(server: Server, connect: Connect) -> None:
    admin, reader = await connect(), await connect("reader")
    changed = MANAGER.replace("[reader]\nsecret = s3cr3t-words", "[reader]\nsecret = other-words-now")
    (server.config.directory / "manager.conf").write_text(changed)
    assert server.reload(("manager",)).parts == ("manager",)
    await reader.gone()
    assert (await admin.ask("Ping"))["Response"] == "Success"
    again = await connect("")
    assert (await again.log_in("reader", "other-words-now"))["Response"] == "Success"


async def test_too_many_strangers(server: Server) -> None:
    strangers = [await ManagerClient.open() for _ in range(50)]
    with pytest.raises(ConnectionResetError):
        await ManagerClient.open()
    for client in strangers:
        client.close()
