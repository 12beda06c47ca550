"""Commands that change the database, devices, bridges, channels, variables and modules."""

from __future__ import annotations

import asyncio

import pytest

from arietta.cli.commands import Console

from .conftest import FakeSwitch


def run(console: Console, line: str) -> tuple[str, int]:
    reply = asyncio.run(console.commands.run(console, line))
    return reply.output, reply.status


def test_the_database_is_written_shown_and_emptied(console: Console) -> None:
    assert run(console, "database put cfwd 1001 PJSIP/1002") == ("Updated database successfully", 0)
    run(console, "database put cfwd/old 1001 x")
    assert run(console, "database get cfwd 1001") == ("Value: PJSIP/1002", 0)
    assert run(console, "database get cfwd 7") == ("Database entry not found.", 1)
    first = f"{'/cfwd/1001':<50}: {'PJSIP/1002':<25}"
    second = f"{'/cfwd/old/1001':<50}: {'x':<25}"
    assert run(console, "database show") == (f"{first}\n{second}\n2 results found.", 0)
    assert run(console, "database show cfwd old") == (f"{second}\n1 results found.", 0)
    assert run(console, "database showkey 1001")[0].endswith("2 results found.")
    assert console.commands.complete(console, "database get ") == ["cfwd", "cfwd/old"]
    assert console.commands.complete(console, "database get cfwd 1") == ["1001"]
    assert run(console, "database del cfwd 1001") == ("Database entry removed.", 0)
    assert run(console, "database del cfwd 1001") == ("Database entry could not be removed.", 1)
    assert run(console, "database deltree cfwd") == ("1 database entries removed.", 0)


DONE = {
    "devstate change Custom:lamp inuse": ("Changing Custom:lamp to INUSE", ("device", "Custom:lamp", "inuse")),
    "bridge kick b-1 PJSIP/1001-00000000": (
        "Kicking channel 'PJSIP/1001-00000000' from bridge 'b-1'",
        ("kick", "b-1", "PJSIP/1001-00000000"),
    ),
    "bridge destroy b-1": ("Destroying bridge 'b-1'", ("destroy", "b-1")),
    "channel redirect PJSIP/1001-00000000 other,5,2": (
        "Channel 'PJSIP/1001-00000000' successfully redirected to other,5,2",
        ("redirect", "1700000000.1", "other", "5", "2"),
    ),
    "channel redirect 1700000000.1 2": (
        "Channel 'PJSIP/1001-00000000' successfully redirected to 2",
        ("redirect", "1700000000.1", "", "", "2"),
    ),
    "dialplan set global A b": ("    -- Global variable 'A' set to 'b'", ("global", "A", "b")),
    "module load app_echo": ("Loaded app_echo.so", ("load", "app_echo.so")),
    "module unload app_echo.so": ("Unloaded app_echo.so", ("unload", "app_echo.so")),
    "rtp set debug ip 192.0.2.1": ("Packets of RTP are shown.", ("rtp debug", "ip", "192.0.2.1")),
    "rtcp set debug on": ("Packets of RTP are shown.", ("rtcp debug", "on")),
    "rtcp set stats off": ("Packets of RTP are shown.", ("rtcp stats", "off")),
}


@pytest.mark.parametrize("line", DONE)
def test_what_is_done(console: Console, switch: FakeSwitch, line: str) -> None:
    output, done = DONE[line]
    assert run(console, line) == (output, 0)
    assert switch.done == [done]


def test_what_is_shown(console: Console) -> None:
    assert "--- Name: 'Custom:lamp'  State: 'BUSY'" in run(console, "devstate list")[0]
    assert run(console, "dialplan show globals")[0] == "   TRUNK=PJSIP/trunk\n   EMPTY=\n\n    -- 2 variables"
    assert run(console, "moh show files default")[0] == "Class: default\n\tFile: /moh/one.wav\n\tFile: /moh/two.wav"
    assert "Class: other\n\tMode: files" in run(console, "moh show classes")[0]
    assert run(console, "group show channels")[0].splitlines()[1].split() == [
        "PJSIP/1001-00000000",
        "sales",
        "(default)",
    ]
    assert "Port start:" in run(console, "rtp show settings")[0]


def test_what_the_machine_and_the_media_have_is_listed(console: Console) -> None:
    assert "audio    ulaw               8000" in run(console, "core show codecs")[0].splitlines()
    formats = run(console, "core show file formats")[0]
    assert "slin       sln" in formats.splitlines()
    assert formats.endswith("file formats registered.")
    assert "MainThread" in run(console, "core show threads")[0]
    assert "Total RAM:" in run(console, "core show sysinfo")[0]


REFUSED = {
    "moh show files none": "There is no class of music on hold 'none'",
    "channel redirect PJSIP/1001-00000000 a,b,c,d": "'a,b,c,d' is not [[CONTEXT,]EXTEN,]PRIORITY",
    "channel redirect PJSIP/7-0 1": "PJSIP/7-0 is not a known channel",
    "database put cfwd": "Usage: database put FAMILY KEY VALUE",
}


@pytest.mark.parametrize("line", REFUSED)
def test_refusal(console: Console, switch: FakeSwitch, line: str) -> None:
    assert run(console, line) == (REFUSED[line], 1)
    assert switch.done == []
