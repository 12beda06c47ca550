"""Events as they go over the wire: members, and their order."""

import json

import msgspec
import pytest

from arietta.model import events, snapshots
from arietta.model.wire import Encoded

NOW = "2026-11-22T00:04:17.123+0000"
CHANNEL = snapshots.Channel(
    id="1763769857.1",
    name="PJSIP/6001-00000000",
    state="Up",
    protocol_id="abc@phone",
    caller=snapshots.CallerID("Alice", "6001"),
    connected=snapshots.CallerID("", ""),
    accountcode="",
    dialplan=snapshots.DialplanCEP("default", "1000", 2, "Stasis", "hello-world"),
    creationtime=NOW,
    language="en",
)


def members(event: events.Event) -> list[str]:
    return list(json.loads(events.encode(event)))


def test_a_channel_shows_what_applies_and_no_null() -> None:
    plain = json.loads(msgspec.json.encode(CHANNEL))
    assert list(plain) == [
        "id",
        "name",
        "state",
        "protocol_id",
        "caller",
        "connected",
        "accountcode",
        "dialplan",
        "creationtime",
        "language",
    ]
    assert list(plain["dialplan"]) == ["context", "exten", "priority", "app_name", "app_data"]
    more = msgspec.structs.replace(CHANNEL, channelvars={"X": ""}, caller_rdnis="7", tenantid="t")
    assert list(json.loads(msgspec.json.encode(more)))[10:] == ["channelvars", "caller_rdnis", "tenantid"]


def test_a_frame_is_the_event_with_its_receiver() -> None:
    event = events.StasisStart(timestamp=NOW, args=["a"], channel=CHANNEL)
    frame = events.encode(event)[:-1] + events.suffix("00:11:22", 'we "say"')
    told = json.loads(frame)
    assert list(told) == ["type", "timestamp", "args", "channel", "asterisk_id", "application"]
    assert (told["type"], told["asterisk_id"], told["application"]) == ("StasisStart", "00:11:22", 'we "say"')


def test_fields_that_stand_before_the_type() -> None:
    hangup = events.ChannelHangupRequest(timestamp=NOW, cause=32, soft=True, channel=CHANNEL)
    assert members(hangup) == ["cause", "soft", "type", "timestamp", "channel"]
    assert members(events.ChannelHangupRequest(timestamp=NOW, channel=CHANNEL)) == ["type", "timestamp", "channel"]
    varset = events.ChannelVarset(timestamp=NOW, variable="X", value="1")
    assert members(varset) == ["variable", "value", "type", "timestamp"]
    talking = events.ChannelTalkingFinished(timestamp=NOW, duration=1200, channel=CHANNEL)
    assert members(talking) == ["duration", "type", "timestamp", "channel"]


def test_order_of_dial_and_destroyed() -> None:
    dial = events.Dial(timestamp=NOW, dialstatus="", forward="", dialstring="6001", caller=CHANNEL, peer=CHANNEL)
    assert members(dial) == ["type", "timestamp", "dialstatus", "forward", "dialstring", "caller", "peer"]
    gone = events.ChannelDestroyed(timestamp=NOW, cause=17, cause_txt="User busy", tech_cause=486, channel=CHANNEL)
    assert members(gone) == ["type", "timestamp", "cause", "cause_txt", "tech_cause", "channel"]


def test_a_text_message_is_from_somebody() -> None:
    text = snapshots.TextMessage(from_="sip:a@b", to="pjsip:c", body="hello")
    assert json.loads(msgspec.json.encode(text)) == {"from": "sip:a@b", "to": "pjsip:c", "body": "hello"}


@pytest.mark.parametrize("name", sorted(events.CLASSES))
def test_the_class_is_the_type(name: str) -> None:
    kind = events.CLASSES[name]
    values = {field.name: CHANNEL for field in msgspec.structs.fields(kind) if field.required}
    event = kind(**values)
    told = json.loads(msgspec.json.encode(event))
    assert told["type"] == name == events.type_name(event)


def test_encoded_json_stands_for_a_model() -> None:
    kept = Encoded(msgspec.json.encode(CHANNEL))
    assert msgspec.json.encode([kept, CHANNEL]) == b"[" + kept + b"," + kept + b"]"
