"""Configuration files changed by clients: what is written, what is taken, and what is refused and left as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from arietta.server import Server

from .conftest import Connect

EXTENSIONS = "extensions.conf"


def folder_of(server: Server) -> Path:
    return server.config.directory


async def test_a_change_is_written_and_taken(server: Server, connect: Connect) -> None:
    client = await connect()
    reply = await client.ask(
        "UpdateConfig",
        "Action-000000: NewCat",
        "Cat-000000: from-panel",
        "Action-000001: Append",
        "Cat-000001: from-panel",
        "Var-000001: exten",
        "Value-000001: >55,1,Echo()",
        SrcFilename=EXTENSIONS,
        DstFilename=EXTENSIONS,
        Reload="pbx_config.so",
    )
    assert reply["Response"] == "Success", reply
    assert (folder_of(server) / EXTENSIONS).read_text().endswith("[from-panel]\nexten => 55,1,Echo()\n")
    (step,) = await client.ask_list("ShowDialPlan", Context="from-panel")
    assert (step["Extension"], step["Application"]) == ("55", "Echo")


async def test_what_the_server_would_not_take_is_put_back(server: Server, connect: Connect) -> None:
    client = await connect()
    before = (folder_of(server) / "rtp.conf").read_text() if (folder_of(server) / "rtp.conf").exists() else None
    former = (folder_of(server) / EXTENSIONS).read_text()
    change = ("Action-000000: Append", "Cat-000000: default", "Var-000000: exten", "Value-000000: >1,nonsense,Echo()")
    reply = await client.ask("UpdateConfig", *change, SrcFilename=EXTENSIONS, DstFilename=EXTENSIONS, Reload="yes")
    assert reply["Response"] == "Error"
    assert "extensions.conf is as it was" in reply["Message"]
    assert (folder_of(server) / EXTENSIONS).read_text() == former
    assert before is None or (folder_of(server) / "rtp.conf").read_text() == before


async def test_a_new_file_is_made_once(server: Server, connect: Connect) -> None:
    client = await connect()
    assert (await client.ask("CreateConfig", Filename="indications.conf"))["Response"] == "Success"
    assert (folder_of(server) / "indications.conf").read_text() == ""
    assert (await client.ask("CreateConfig", Filename="indications.conf"))["Message"] == (
        "indications.conf is there already"
    )


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "SrcFilename not specified"),
        ({"SrcFilename": "../x.conf"}, "SrcFilename '../x.conf' is no .conf file of the configuration folder"),
        ({"SrcFilename": "/etc/passwd"}, "SrcFilename '/etc/passwd' is no .conf file of the configuration folder"),
        ({"SrcFilename": "sip.conf", "DstFilename": "sip.conf"}, "sip.conf is no file that is read here"),
        (
            {"SrcFilename": "manager.conf", "DstFilename": "manager.conf"},
            "manager.conf says who may do what: it is changed from here with live_dangerously alone",
        ),
        ({"SrcFilename": EXTENSIONS, "DstFilename": EXTENSIONS}, "There is no Action-000000: nothing to do"),
        (
            {"SrcFilename": EXTENSIONS, "DstFilename": EXTENSIONS, "Action-000000": "Explode"},
            "Action-000000: 'Explode' is none of NewCat, RenameCat, DelCat, EmptyCat, Update, Delete, Append, Insert",
        ),
        (
            {"SrcFilename": EXTENSIONS, "DstFilename": EXTENSIONS, "Action-000000": "DelCat", "Cat-000000": "none"},
            "Action-000000: section [none] does not exist",
        ),
        (
            {
                "SrcFilename": "pjsip.conf",
                "DstFilename": "pjsip.conf",
                "Action-000000": "Update",
                "Cat-000000": "alice",
                "Var-000000": "password",
                "Value-000000": "********",
            },
            "Action-000000: the value of password is what stands for a secret that is not shown",
        ),
    ],
)
async def test_refusals_name_what_is_wrong(
    server: Server, connect: Connect, headers: dict[str, str], message: str
) -> None:
    client = await connect()
    former = {path: path.read_bytes() for path in folder_of(server).glob("*.conf")}
    reply = await client.ask("UpdateConfig", *(f"{name}: {value}" for name, value in headers.items()))
    assert (reply["Response"], reply["Message"]) == ("Error", message)
    assert {path: path.read_bytes() for path in folder_of(server).glob("*.conf")} == former


async def test_sections_of_a_name_are_told_apart_by_their_options(connect: Connect) -> None:
    client = await connect()
    block = await client.ask_block("GetConfig", Filename="pjsip.conf", Category="alice", Filter="type=^aor$")
    assert [value for name, value in block if name.startswith("Category-")] == ["alice"]
    assert any(value == "type=aor" for _, value in block)
    assert not any(value == "type=endpoint" for _, value in block)
    reply = await client.ask("GetConfig", Filename="pjsip.conf", Filter="type=(")
    assert reply["Message"].startswith("Regex compile failed")
