"""CALLERID, CONNECTEDLINE and REDIRECTING, item by item."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.channels.callerid import PRESENTATIONS
from arietta.channels.channel import Channel
from arietta.channels.driver import Party
from arietta.dialplan.errors import FunctionError
from arietta.dialplan.functions.parties import CHARSETS, ITEMS

from .stage import Stage

WRITTEN = {
    "name": "Ann",
    "name-valid": "1",
    "name-charset": "utf8",
    "name-pres": "prohib",
    "num": "123",
    "num-valid": "1",
    "num-plan": "17",
    "num-pres": "allowed",
    "subaddr": "77",
    "subaddr-valid": "1",
    "subaddr-type": "2",
    "subaddr-odd": "1",
    "tag": "a tag",
}
PREFIXES = {
    "CALLERID": ("", "priv-", "ani-", "dnid-"),
    "CONNECTEDLINE": ("", "priv-"),
    "REDIRECTING": ("orig-", "from-", "to-", "priv-orig-", "priv-from-", "priv-to-"),
}
EVERY = [(name, prefix) for name, prefixes in PREFIXES.items() for prefix in prefixes]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    made = Stage("[default]\nexten => 1000,1,NoOp()")
    yield made
    made.loop.close()


@pytest.fixture
def channel(stage: Stage) -> Channel:
    return stage.channel()


def read(stage: Stage, channel: Channel, name: str) -> str | None:
    return stage.plan.read(channel, name)


@pytest.mark.parametrize(("name", "prefix"), EVERY)
def test_every_item_is_read_as_it_was_written(stage: Stage, channel: Channel, name: str, prefix: str) -> None:
    assert set(WRITTEN) == set(ITEMS)
    for item, value in WRITTEN.items():
        stage.plan.write(channel, f"{name}({prefix}{item})", value)
    for item, value in WRITTEN.items():
        assert read(stage, channel, f"{name}({prefix}{item})") == value, item
    assert read(stage, channel, f"{name}({prefix}all)") == '"Ann" <123>'
    assert read(stage, channel, f"{name}({prefix}pres)") == "prohib"  # the stricter one
    stage.plan.write(channel, f"{name}({prefix}pres)", "allowed_passed_screen")
    for item in ("name-pres", "num-pres", "pres"):
        assert read(stage, channel, f"{name}({prefix}{item})") == "allowed_passed_screen"
    for item in ("name", "num", "subaddr"):
        stage.plan.write(channel, f"{name}({prefix}{item}-valid)", "0")
        assert read(stage, channel, f"{name}({prefix}{item})") == ""


@pytest.mark.parametrize(("name", "prefix"), EVERY)
@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("nonsense", "1"),
        ("name-charset", "ebcdic"),
        ("num-pres", "maybe"),
        ("num-plan", "128"),
        ("num-plan", "-1"),
        ("num-plan", "²"),
        ("subaddr-type", "8"),
        ("subaddr-odd", "2"),
        ("num-valid", "yes"),
    ],
)
def test_what_cannot_be_is_refused(
    stage: Stage, channel: Channel, name: str, prefix: str, item: str, value: str
) -> None:
    with pytest.raises(FunctionError, match=name):
        stage.plan.write(channel, f"{name}({prefix}{item})", value)
    if item == "nonsense":
        with pytest.raises(FunctionError, match=name):
            read(stage, channel, f"{name}({prefix}{item})")


def test_they_are_apart(stage: Stage, channel: Channel) -> None:
    for number, (name, prefix) in enumerate(EVERY):
        stage.plan.write(channel, f"{name}({prefix}num)", str(number))
    for number, (name, prefix) in enumerate(EVERY):
        assert read(stage, channel, f"{name}({prefix}num)") == str(number)
    assert (channel.caller.number, channel.connected.number) == ("0", "4")


def test_who_is_charged_is_the_caller_until_it_is_written(stage: Stage, channel: Channel) -> None:
    channel.set_caller(Party("Ann", "123"))
    assert read(stage, channel, "CALLERID(ani)") == read(stage, channel, "CALLERID(ANI-num)") == "123"
    stage.plan.write(channel, "CALLERID(ani)", "999")
    assert (read(stage, channel, "CALLERID(ani)"), channel.caller.number) == ("999", "123")
    stage.plan.write(channel, "CALLERID(ani2)", "62")
    assert read(stage, channel, "CALLERID(ani2)") == "62"


def test_what_a_phone_says_of_itself_later_counts(stage: Stage, channel: Channel) -> None:
    stage.plan.write(channel, "CALLERID(name-pres)", "prohib")
    channel.set_caller(Party("Zoe", "7", 3))
    assert read(stage, channel, "CALLERID(name-pres)") == "allowed"
    assert read(stage, channel, "CALLERID(all)") == '"Zoe" <7>'


def test_a_hidden_name_hides_the_caller(stage: Stage, channel: Channel) -> None:
    stage.plan.write(channel, "CALLERID(name-pres)", "prohib")
    assert channel.caller.presentation == 35
    assert read(stage, channel, "CALLERID(num-pres)") == "allowed_not_screened"


def test_a_caller_id_that_stands_there_is_taken_apart(stage: Stage, channel: Channel) -> None:
    assert read(stage, channel, 'CALLERID(name,"Ann B" <123>)') == "Ann B"
    assert read(stage, channel, 'CALLERID(num,"Ann B" <123>)') == "123"
    with pytest.raises(FunctionError):
        read(stage, channel, "CALLERID(pres,Ann <1>)")


def test_redirecting_has_reasons_and_a_count(stage: Stage, channel: Channel) -> None:
    assert read(stage, channel, "REDIRECTING(reason)") == "unknown"
    assert read(stage, channel, "REDIRECTING(count)") == "0"
    for item, value in (("reason", "cfb"), ("orig-reason", "my own"), ("count", "3"), ("from-num", "300")):
        stage.plan.write(channel, f"REDIRECTING({item},i)", value)
        assert read(stage, channel, f"REDIRECTING({item})") == value
    assert read(stage, channel, "CALLERID(rdnis)") == "300" == channel.redirecting_number
    stage.plan.write(channel, "CALLERID(RDNIS)", "301")
    assert read(stage, channel, "REDIRECTING(from-num)") == "301"
    for item, value in (("count", "65536"), ("count", ""), ("from", "1"), ("of-num", "1"), ("count,x", "1")):
        with pytest.raises(FunctionError):
            stage.plan.write(channel, f"REDIRECTING({item})", value)


@given(text=st.text(max_size=30), item=st.sampled_from(sorted(ITEMS)))
def test_any_text_is_taken_or_refused(stage: Stage, text: str, item: str) -> None:
    channel = stage.channel()
    try:
        stage.plan.write(channel, f"REDIRECTING(from-{item})", text)
    except FunctionError:
        assert item not in ("name", "num", "tag", "subaddr")
    else:
        value = read(stage, channel, f"REDIRECTING(from-{item})")
        assert value in {text, text.strip().lower(), text.strip().lstrip("0") or "0", *PRESENTATIONS, *CHARSETS}
