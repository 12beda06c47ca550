"""AstDB, groups, variables elsewhere, structured text: what functions keep, find and count."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.astdb import AstDb
from arietta.channels.channel import Channel
from arietta.dialplan.errors import DialplanError, FunctionError
from arietta.dialplan.interpreter import Interpreter
from arietta.store import Store

from .stage import Stage, walk


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage("[default]\nexten => s,1,NoOp()\n")
    stage.plan.database = AstDb(Store(tmp_path / "astdb.sqlite3"))
    stage.loop.close()
    return stage


@pytest.fixture
def channel(stage: Stage) -> Channel:
    return stage.channel()


def shown(stage: Stage, channel: Channel, text: str) -> str:
    return stage.plan.substitute(channel, text)


def test_astdb_is_written_read_counted_and_emptied(stage: Stage, channel: Channel) -> None:
    for name, value in (("cf/100", "200"), ("cf/101", "300"), ("cf/deep/er", "x"), ("dnd/100", "yes")):
        stage.plan.write(channel, f"DB({name})", value)
    assert shown(stage, channel, "${DB(cf/100)}${DB_RESULT}") == "200200"
    assert shown(stage, channel, "${DB_EXISTS(cf/100)}${DB_EXISTS(cf/102)}") == "10"
    assert shown(stage, channel, "${DB_KEYS()}|${DB_KEYS(cf)}|${DB_KEYS(cf/deep)}") == "cf,dnd|100,101,deep|er"
    assert shown(stage, channel, "${DB_KEYCOUNT(cf)}${DB_KEYCOUNT(none)}") == "30"
    assert shown(stage, channel, "${DB_DELETE(cf/100)}${DB_EXISTS(cf/100)}") == "2000"
    stage.plan.write(channel, "DB_DELETE(cf/101)", "whatever")
    assert shown(stage, channel, "<${DB(cf/101)}>") == "<>"


def test_a_database_counts_even_while_it_is_empty(stage: Stage, tmp_path: Path) -> None:
    database = AstDb(Store(tmp_path / "other.sqlite3"))
    assert Interpreter(stage.plan.dialplan, stage.registry, database=database).database is database


@pytest.mark.parametrize("name", ["DB(cf)", "DB()", "DB(/x)", "DB_EXISTS(a)", "DB_DELETE(a)"])
def test_astdb_wants_a_family_and_a_key(stage: Stage, channel: Channel, name: str) -> None:
    with pytest.raises(FunctionError, match="FAMILY/KEY"):
        stage.plan.value(channel, name)


def test_astdb_says_what_it_cannot_keep(stage: Stage, channel: Channel) -> None:
    with pytest.raises(FunctionError, match="255 at most"):
        stage.plan.write(channel, f"DB(f/{'k' * 300})", "1")
    stage.plan.database = Interpreter(stage.plan.dialplan, stage.registry).database
    with pytest.raises(FunctionError, match="there is no database"):
        stage.plan.write(channel, "DB(f/k)", "1")


def test_applications_empty_astdb_and_lists(tmp_path: Path) -> None:
    stage = Stage(
        "[default]\n"
        "exten => s,1,DBdel(cf/100)\n"
        "same => n,DBdeltree(dnd)\n"
        "same => n,Set(HASH(h,k)=v)\n"
        "same => n,ClearHash(h)\n"
        "same => n,ImportVar(COPY=Test/caller,UNIQUEID)\n"
        "same => n,Set(LEFT=${DB_KEYS()}<${HASHKEYS(h)}>)\n"
    )
    database = stage.plan.database = AstDb(Store(tmp_path / "astdb.sqlite3"))
    for family, key in (("cf", "100"), ("cf", "101"), ("dnd", "1"), ("dnd", "2")):
        database.put(family, key, "x")
    channel = stage.channel()
    stage.run(channel)
    assert stage.variables("LEFT") == ["cf<>"]
    assert stage.variables("COPY") == [channel.id]


def test_groups_count_the_channels_in_them(stage: Stage, channel: Channel) -> None:
    one, other = channel, stage.channel()
    stage.plan.write(one, "GROUP()", "trunk")
    stage.plan.write(other, "GROUP()", "trunk")
    stage.plan.write(other, "GROUP(kind)", "fax")
    stage.plan.write(one, "GROUP()", "voice@kind")
    assert shown(stage, one, "${GROUP_COUNT(trunk)}${GROUP_COUNT()}${GROUP_COUNT(fax@kind)}${GROUP_COUNT(x)}") == "2210"
    assert shown(stage, other, "${GROUP()} ${GROUP(kind)}: ${GROUP_LIST()}") == "trunk fax: trunk fax@kind"
    assert shown(stage, one, "${GROUP_MATCH_COUNT(^t)}${GROUP_MATCH_COUNT(fax|voice@kind)}") == "22"
    stage.plan.write(one, "GROUP()", "other")
    assert shown(stage, one, "${GROUP_COUNT(trunk)}") == "1"


def test_a_channel_that_ends_leaves_its_groups(stage: Stage, channel: Channel) -> None:
    other = stage.channel()
    stage.plan.write(other, "GROUP()", "trunk")
    stage.plan.write(other, "GROUP(b)", "x")
    other.finish()
    assert list(stage.plan.groups) == []
    assert shown(stage, channel, "${GROUP_COUNT(trunk)}") == "0"


def test_variables_of_others(stage: Stage, channel: Channel) -> None:
    other = stage.channel()
    other.set_variable("COLOUR", "red")
    stage.plan.write(channel, f"EXPORT({other.id},SIZE)", "9")
    stage.plan.write(channel, f"SHARED(NOTE,{other.id})", "hello")
    assert shown(stage, channel, f"${{IMPORT({other.id},COLOUR)}}") == "red"
    assert shown(stage, other, "${SIZE}${SHARED(NOTE)}") == "9hello"
    assert shown(stage, channel, "${CHANNEL_EXISTS(nobody)}${CHANNEL_EXISTS(Test/caller)}<${SHARED(NOTE)}>") == "01<>"
    other.link_with(channel)
    stage.plan.write(other, "MASTER_CHANNEL(DEEP)", "1")
    assert (channel.get_variable("DEEP"), shown(stage, other, "${MASTER_CHANNEL(DEEP)}")) == ("1", "1")


def test_variables_that_go_away(stage: Stage, channel: Channel) -> None:
    channel.set_variable("HERE", "1")
    stage.plan.write(None, "EVERYWHERE", "1")
    both = "${VARIABLE_EXISTS(HERE)}${GLOBAL_EXISTS(EVERYWHERE)}"
    assert shown(stage, channel, both) == "11"
    stage.plan.write(channel, "DELETE(HERE)", "")
    stage.plan.write(channel, "GLOBAL_DELETE(EVERYWHERE)", "")
    assert shown(stage, channel, both) == "00"


def test_the_stack_of_gosubs_can_be_looked_at() -> None:
    steps, _ = walk(
        "[default]\n"
        "exten => s,1,Set(A=outer)\n"
        "same => n,Gosub(sub,1(x))\n"
        "exten => sub,1,Set(LOCAL(A)=inner)\n"
        "same => n,NoOp(${LOCAL_PEEK(0,A)} ${LOCAL_PEEK(1,A)} ${LOCAL_PEEK(1,ARG1)})\n"
        "same => n,NoOp(${STACK_PEEK(1,l)} ${STACK_PEEK(1,e)} <${STACK_PEEK(2,e,1)}>)\n"
    )
    assert steps[-2:] == ["sub:2 NoOp(inner outer )", "sub:3 NoOp(default,s,2 s <>)"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${JSON_DECODE(J,a.b)}", "x"),
        ("${JSON_DECODE(J,list.1)}", "two"),
        ("${JSON_DECODE(J,list,,c)}${JSON_DECODE(J,a,,c)}", "21"),
        ("${JSON_DECODE(J,list.7)}${JSON_DECODE(J,a.b.c)}${JSON_DECODE(J,none)}", ""),
        ("${JSON_DECODE(J,a/b,/)}", "x"),
        ("${JSON_DECODE(J,yes)}${JSON_DECODE(J,n)}", "12.5"),
        ("${JSON_DECODE(J,a)}", '{"b":"x"}'),
        ("${SORT(five:5,two:2.5,minus:-1)}", "minus,two,five"),
        ("${STRBETWEEN(T,<,>)}<${STRBETWEEN(T,<,!)}>", "in<>"),
        ("${SPRINTF(%05.1f|%-4d|%x|%s%%,2.55,7,255,z)}", "002.5|7   |ff|z%"),
        ("${KEYPADHASH(Les-9)}", "5379"),
        ("${STRPTIME(2026-01-02 03:04:05,UTC,%Y-%m-%d %H:%M:%S)}", "1767323045"),
        ("${STRPTIME(2026-07-01,Europe/Berlin,%Y-%m-%d)}", "1782856800"),
    ],
)
def test_structured_text(stage: Stage, channel: Channel, text: str, value: str) -> None:
    channel.variables.update(J='{"a":{"b":"x"},"list":["one","two"],"yes":true,"n":2.5}', T="before <in> after")
    assert shown(stage, channel, text) == value


@pytest.mark.parametrize(
    "name",
    [
        "JSON_DECODE(J)", "JSON_DECODE(NOTHING,a)", "JSON_DECODE(J,a,,z)", "SORT(a)", "SORT(a:b)", "STRBETWEEN(T,a)",
        "SPRINTF(%d,x)", "SPRINTF(%d)", "SPRINTF(%99999d,1)", "SPRINTF(%y,1)", "STRPTIME(a,b)", "STRPTIME(a,UTC,%Y)",
        "STACK_PEEK(1,c)", "STACK_PEEK(x,c)", "GROUP_MATCH_COUNT()", "GROUP_MATCH_COUNT([)", "EXCEPTION(why)",
        "SHARED(A,nobody)", "CHANNEL_EXISTS()", "IMPORT(a)",
    ],
)  # fmt: skip
def test_what_is_refused_says_why(stage: Stage, channel: Channel, name: str) -> None:
    channel.variables["J"] = "{}"
    with pytest.raises(FunctionError):
        stage.plan.value(channel, name)


@given(
    name=st.sampled_from(
        ["JSON_DECODE", "SORT", "SPRINTF", "STRBETWEEN", "STRPTIME", "KEYPADHASH", "GROUP_MATCH_COUNT"]
    ),
    arguments=st.text(alphabet='aJ1.,:%$#-+ *dsfxc()[]{}"\\\0é', max_size=40),
)
@settings(max_examples=300, deadline=None)
def test_no_text_is_worse_than_a_refusal(name: str, arguments: str) -> None:
    plan = STAGE.plan
    try:
        plan.functions.read(plan, CHANNEL, name, arguments)
    except DialplanError:
        pass


STAGE = Stage("[default]\nexten => s,1,NoOp()\n")
STAGE.loop.close()
CHANNEL = STAGE.channel()
CHANNEL.variables["J"] = '{"a": [1, {"d": null}]}'
