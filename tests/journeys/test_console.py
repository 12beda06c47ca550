"""The console on a whole server, on virtual time: the dialplan changed, SIP asked, sockets closed, sounds converted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from arietta.cli.commands import Console, all_commands
from arietta.cli.server_switch import ServerSwitch
from arietta.cli.serving import Stop
from arietta.config.conf import read_conf
from arietta.config.system import LoggerSettings
from arietta.dialplan.reader import read_dialplan
from arietta.logs import Logs
from arietta.server import Server
from arietta.testing import AriClient, Phone

from .conftest import EXTENSIONS, FILES

Say = Callable[[str], Awaitable[str]]


@pytest.fixture
def files() -> dict[str, str]:
    general = "[general]\nstatic=yes\nwriteprotect=no\n[globals]\nTRUNK=PJSIP/trunk\n"
    acl = "[office]\ndeny=0.0.0.0/0.0.0.0\npermit=10.0.0.0/255.0.0.0\n"
    return {**FILES, "extensions.conf": general + EXTENSIONS, "acl.conf": acl}


@pytest.fixture
def say(server: Server, tmp_path: Path) -> Iterator[Say]:
    """Says a line on the console; the answer."""
    logs = Logs(LoggerSettings(), tmp_path)
    console = Console(ServerSwitch(server, Stop()), logs, all_commands())

    async def run(line: str) -> str:
        return (await console.commands.run(console, line)).output

    yield run
    logs.stop()


async def test_the_dialplan_is_changed_and_called(server: Server, say: Say, alice: Phone) -> None:
    assert await say("dialplan add extension 7007,1,Answer() into default") == (
        "Extension '7007' priority 1 added into 'default' context"
    )
    await say("dialplan add extension 7007,2,Wait,60 into default")
    assert await say("dialplan add extension 7007,2,Echo into default") == "7007@default has priority 2 already"
    assert "added" in await say("dialplan add extension 7007,2,Wait(30) into default replace")
    assert "2. Wait(30)" in await say("dialplan show 7007@default")
    call = await alice.invite("7007")
    await call.answered()
    await call.hang_up()
    assert await say("dialplan remove extension 7007@default 2") == "Priority 2 of extension 7007@default removed"
    assert await say("dialplan remove extension 7007@default") == "Extension 7007@default removed"
    assert await say("dialplan add extension 1,1,Nope() into default") == "There is no application Nope"
    assert await say("dialplan add extension 1,x into default") == "'1,x' is not EXTEN,PRIORITY,APPLICATION"


async def test_contexts_include_and_ignore(say: Say) -> None:
    await say("dialplan add extension _9.,1,Busy() into extra")
    assert await say("dialplan add include extra into default") == "Context 'extra' included in 'default' context"
    assert await say("dialplan add ignorepat 9 into default") == ("Ignore pattern '9' added into the context 'default'")
    assert "Include =>" in await say("dialplan show default")
    assert await say("dialplan remove include extra from default") == (
        "Context 'extra' is not included in 'default' any more"
    )
    assert await say("dialplan remove ignorepat 9 from default") == (
        "Ignore pattern '9' removed from the context 'default'"
    )
    assert await say("dialplan remove context extra") == "Context 'extra' removed"
    assert await say("dialplan remove context extra") == "context 'extra' does not exist"
    assert await say("dialplan add include extra onto default") == "'onto' is not into"


async def test_what_is_saved_is_read_as_the_same(server: Server, say: Say) -> None:
    await say('dialplan add extension "_7[1-3]X/55,1,Set(A=a;b)" into default')
    await say("dialplan add extension 7007,hint,PJSIP/alice into default")
    before = server.dialplan.dialplan
    path = server.config.directory / "extensions.conf"
    former = path.read_text()
    assert (await say("dialplan save")).startswith(f"Dialplan saved into '{path}'")
    assert path.with_name("extensions.conf.old").read_text() == former
    after = read_dialplan(read_conf(path))
    assert (after.globals, after.general) == (before.globals, before.general)
    for name, context in before.contexts.items():
        told = [(e.name, e.caller, e.hint, e.labels, _steps(e)) for e in context.extensions()]
        assert told == [(e.name, e.caller, e.hint, e.labels, _steps(e)) for e in after.contexts[name].extensions()]
    assert "is no name of a .conf file" in await say("dialplan save ../x.conf")
    assert "is no name of a .conf file" in await say("dialplan save pjsip.conf")
    await say("dialplan reload")
    assert "7007" in await say("dialplan show default")


def _steps(extension: object) -> list[tuple[int, str, str]]:
    return [(at, step.application, step.written) for at, step in sorted(extension.steps.items())]  # type: ignore[attr-defined]


async def test_functions_and_variables(say: Say, alice: Phone) -> None:
    assert await say("dialplan eval function LEN(abc)") == "Return Value: Success (0)\nResult: 3"
    call = await alice.invite("1200")
    await call.answered()
    name = (await say("core show channels concise")).partition("!")[0]
    assert "set to 'blue'" in await say(f"dialplan set chanvar {name} COLOUR blue")
    assert "COLOUR=blue" in await say(f"dialplan show chanvar {name}")
    await call.hang_up()


async def test_sip_is_listed_and_asked(say: Say, alice: Phone, bob: Phone) -> None:
    assert "alice" in await say("pjsip list endpoints")
    assert "ParameterName" in await say("pjsip show aor alice")
    assert "password" in await say("pjsip show auth alice")
    assert "a-well-kept-secret" not in await say("pjsip show auth alice")
    assert await say("pjsip show auth nobody") == "Unable to find object nobody."
    assert "udp" in await say("pjsip list transports")
    assert "Reachable" in await say("pjsip list contacts") or "NonQualified" in await say("pjsip list contacts")
    contact = next(word for word in (await say("pjsip list contacts")).split() if word.startswith("alice/"))
    assert "endpoint     : alice" in await say(f"pjsip show contact {contact}")
    assert await say("pjsip qualify alice") == "The contacts of endpoint alice are asked whether they are there."
    assert await say("pjsip qualify nobody") == "endpoint 'nobody' does not exist"
    assert await say("pjsip send register nobody") == "Unable to retrieve registration nobody"
    assert "Global Settings:" in await say("pjsip show settings")
    call = await alice.invite("1200")
    await call.answered()
    assert "Objects found: 1" in await say("pjsip show channels")
    await call.hang_up()
    assert "Reloaded res_pjsip.so" in await say("pjsip reload")


async def test_event_sockets_are_shown_told_and_closed(server: Server, say: Say, app: AriClient) -> None:
    shown = await say("ari show websocket sessions")
    assert "hello-world" in shown
    assert "1 session of clients" in shown
    assert await say("ari set debug hello-world on") == "Events and requests over sockets are told of hello-world."
    assert await say("ari set debug all off") == "Events and requests over sockets are told of no application."
    assert await say("ari shutdown websocket session 0") == "There is no session 0"
    assert await say("ari shutdown websocket sessions") == "1 session closed."
    assert await say("ari show outbound-websockets") == (
        f"{'Name':<24} {'Client':<24} {'Applications':<40} Up\n0 outbound websockets"
    )


async def test_lists_of_what_there_is(say: Say) -> None:
    assert "PJSIP" in await say("core show channeltypes")
    assert "Channels: 0" in await say("core show channeltype pjsip")
    assert await say("acl show") == "acl\n---\noffice"
    assert await say("acl show office") == f"ACL: office\n{'-' * 45}\n  DENY  - 0.0.0.0/0\n  ALLOW - 10.0.0.0/8"
    assert "STREAM FILE" in await say("agi show commands stream")
    assert "Changed CustomPresence:bob" in await say("presencestate change CustomPresence:bob away,,back")
    assert "back" in await say("presencestate list")
    assert "is no presence" in await say("presencestate change CustomPresence:bob asleep")
    assert "descriptors" in await say("ulimit descriptors")
    assert "pickupexten" in await say("features show")
    assert "TLS_AES_256_GCM_SHA384" in await say("pjsip list ciphers")
    assert "Event: Hangup" in await say("manager show event hangup")
    assert "PresenceStatus" in await say("manager show events")
    assert "password = $6$" in await say("ari mkpasswd a-new-one")
    assert "hello-world" in await say("core show sounds en")
    assert "switch" in await say("core show switches")


async def test_a_call_is_recorded_from_the_console(server: Server, say: Say, alice: Phone) -> None:
    call = await alice.invite("1200")
    await call.answered()
    name = (await say("core show channels concise")).partition("!")[0]
    assert "is recorded into" in await say(f"mixmonitor start {name} one.wav")
    assert "one.wav" in await say(f"mixmonitor list {name}")
    assert await say(f"mixmonitor stop {name}") == f"1 recording of {name} ended."
    assert await say(f"mixmonitor stop {name}") == f"{name} is not recorded"
    assert "has no suffix" in await say(f"mixmonitor start {name} one")
    assert await say("mixmonitor list PJSIP/none") == "PJSIP/none is not a known channel"
    await call.hang_up()


async def test_what_is_not_here_says_why(say: Say) -> None:
    assert (await say("core show taskprocessors")).startswith("'core show taskprocessors' is not supported: ")
    assert (await say("queue show sales")).startswith("'queue show' is not supported: ")
    assert (await say("frobnicate")).startswith("No such command 'frobnicate'")


async def test_a_sound_is_converted(server: Server, say: Say) -> None:
    folder = server.config.directories.sounds
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "beep.ulaw").write_bytes(b"\xff" * 8000)
    assert "1.0 s of sound." in await say("file convert beep.ulaw beep.sln16")
    assert (folder / "beep.sln16").stat().st_size == 32000
    assert "is no file with an extension" in await say("file convert beep.ulaw ../beep.wav")
    assert "no recording format" in await say("file convert beep.ulaw beep.mp3")


async def test_log_channels_come_and_go(server: Server, say: Say, tmp_path: Path) -> None:
    assert await say("logger add channel extra notice,warning") == "Log channel 'extra' added with notice,warning."
    assert (tmp_path / "extra").exists()
    assert "notice, warning" in await say("logger show channels")
    assert await say("logger remove channel extra") == "Log channel 'extra' removed; the file stays."
    assert "VERBOSE" in await say("logger show levels")
    assert "kept from consoles" in await say("logger set level notice off")
    assert "shown on consoles" in await say("logger set level NOTICE on")
    assert "is none of" in await say("logger set level loud on")
