"""A whole server that records calls, on virtual time and network."""

from __future__ import annotations

import csv
import json
from collections.abc import Awaitable, Callable

import pytest

from arietta.server import Server
from arietta.testing import Phone, VirtualLoop
from journeys.conftest import EXTENSIONS, FILES, PJSIP, alice, app, bob, carrier, phone_sections, server
from journeys.conftest import _registered as registered

__all__ = ["alice", "app", "bob", "carrier", "registered", "server"]

CALLS = """
exten => 1400,1,Dial(PJSIP/bob&PJSIP/carol,20)
exten => 1500,1,Dial(Local/1100@default,20)
exten => 1600,1,Answer()
 same => n,Wait(2)
 same => n,Dial(PJSIP/bob,5)
 same => n,Playback(hello-world)
exten => 1700,1,Set(CDR(userfield)=blue)
 same => n,Set(CDR(order)=17)
 same => n,Set(CHANNEL(accountcode)=sales)
 same => n,Answer()
 same => n,Wait(3)
 same => n,Set(GLOBAL(SEEN)=${CDR(src)}/${CDR(billsec)}/${CDR(order)}/${CDR(disposition,u)}/${CDR(userfield)})
 same => n,Hangup()
exten => 1800,1,Answer()
 same => n,Wait(2)
 same => n,ForkCDR(e)
 same => n,Wait(3)
 same => n,ResetCDR()
 same => n,Wait(1)
 same => n,Hangup()
exten => 1900,1,NoCDR()
 same => n,Answer()
 same => n,CELGenUserEvent(Sold,17 pears)
exten => 2000,1,Pickup(1100@default)
exten => 2100,1,Dial(PJSIP/carol,20)
 same => n,Hangup()
exten => 2200,1,Goto(after,s,1)
exten => 2300,1,Dial(PJSIP/bob,5)
 same => n,Goto(1300,1)
exten => 2400,1,Dial(PJSIP/bob,20,g)
 same => n,Wait(4)
 same => n,Hangup()
exten => h,1,Set(GLOBAL(END)=${CDR(disposition)})

[after]
exten => s,1,Answer()
 same => n,Wait(2)
 same => n,Hangup()
exten => h,1,Wait(3)
"""
CDR = "[general]\nenable=yes\n[csv]\nloguniqueid=yes\nloguserfield=yes\nnewcdrcolumns=yes\nusegmtime=yes\n"
CEL = "[general]\nenable=yes\nevents=ALL\napps=dial,wait\n[manager]\nenabled=yes\n"
CEL_CUSTOM = """[mappings]
all.csv => ${CSV_QUOTE(${eventtype})},${CSV_QUOTE(${CHANNEL(channame)})},${CSV_QUOTE(${CHANNEL(appname)})}\
,${CSV_QUOTE(${BRIDGEPEER})},${CSV_QUOTE(${userdeftype})},${CSV_QUOTE(${eventextra})}
"""
SHORT = ("src", "dst", "channel", "dstchannel", "lastapp", "duration", "billsec", "disposition")
COLUMNS = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer",
    "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield", "peeraccount", "linkedid",
    "sequence",
)  # fmt: skip

Rows = Callable[..., list[tuple[str, ...]]]


@pytest.fixture
def settings() -> str:
    """More lines of cdr.conf [general]; a test that is about them has its own."""
    return ""


@pytest.fixture
def files(settings: str) -> dict[str, str]:
    return {
        **FILES,
        "extensions.conf": EXTENSIONS + CALLS,
        "pjsip.conf": PJSIP + phone_sections("carol", "6003"),
        "cdr.conf": CDR.replace("[csv]", f"{settings}[csv]"),
        "cel.conf": CEL,
        "cel_custom.conf": CEL_CUSTOM,
    }


@pytest.fixture
def carol(server: Server, loop: VirtualLoop, phone: Callable[..., Awaitable[Phone]]) -> Phone:
    """A third phone."""
    return registered(loop, phone, "carol", "10.0.0.4")


@pytest.fixture
def rows(server: Server, loop: VirtualLoop) -> Rows:
    """The lines of cdr-csv/Master.csv so far, as tuples of the columns that are named; serials left out of names."""

    def read(*columns: str) -> list[tuple[str, ...]]:
        server.records.writer.stop()
        path = server.config.directories.log / "cdr-csv" / "Master.csv"
        if not path.exists():
            return []
        with path.open(newline="") as file:
            lines = [dict(zip(COLUMNS, line, strict=True)) for line in csv.reader(file)]
        return [
            tuple(short(line[column]) if "channel" in column else line[column] for column in columns or SHORT)
            for line in lines
        ]

    return read


@pytest.fixture
def entries(server: Server) -> Callable[[], list[tuple[str, str, str, str, str, dict[str, object]]]]:
    """The lines of cel-custom/all.csv so far."""

    def read() -> list[tuple[str, str, str, str, str, dict[str, object]]]:
        server.records.writer.stop()
        with (server.config.directories.log / "cel-custom" / "all.csv").open(newline="") as file:
            return [
                (kind, short(name), app, short(peer), user, json.loads(extra) if extra else {})
                for kind, name, app, peer, user, extra in csv.reader(file)
            ]

    return read


def short(text: str) -> str:
    """Names of channels without their serial."""
    return ",".join(
        name.rpartition("-")[0] + name.rpartition("-")[2][8:] if name.startswith(("PJSIP/", "Local/")) else name
        for name in text.split(",")
    )
