"""What operations ask of the domain, and in which order."""

from typing import Any

import pytest

from arietta.ari.domain import Assignment
from arietta.errors import InvalidState, NotFound
from arietta.model import snapshots

from .asking import Server, application, body_of, bridge, channel, playback


@pytest.fixture
def server() -> Server:
    server = Server()
    server.channels.answers |= {"originate": channel(), "create": channel(), "snoop": channel(), "play": playback()}
    server.bridges.answers |= {"create": bridge(), "get": bridge("shown"), "play": playback()}
    server.applications.answers["get"] = application()
    return server


@pytest.mark.parametrize(("given", "seconds"), [("", 30), ("7", 7), ("0", 30), ("-1", -1), ("-5", 30), ("abc", 30)])
def test_timeouts_of_originate(server: Server, given: str, seconds: int) -> None:
    server.ask(
        f"POST /channels?endpoint=Local/a@b&app=a&timeout={given}"
        if given
        else "POST /channels?endpoint=Local/a@b&app=a"
    )
    assert server.channels.last()[1].timeout_seconds == seconds


def test_originate_says_all_it_was_told(server: Server) -> None:
    body = {
        "endpoint": "PJSIP/6001",
        "extension": "1000",
        "context": "c",
        "priority": 3,
        "formats": "ulaw, slin16",
        "variables": {" A ": "1", "B": {"value": "2", "report_events": True}},
        "otherChannelId": "other",
    }
    server.ask("POST /channels/mine", json_body=body)
    order = server.channels.last()[1]
    assert (order.channel_id, order.other_channel_id) == ("mine", "other")
    assert (order.extension, order.context, order.priority, order.app) == ("1000", "c", 3, None)
    assert order.formats == ("ulaw", "slin16")
    assert order.variables == {"A": Assignment("1"), "B": Assignment("2", True)}


def test_create_without_an_application_is_no_refusal(server: Server) -> None:
    assert server.ask("POST /channels/create?endpoint=Local/a@b").status == 200
    assert server.channels.last()[1].app is None


@pytest.mark.parametrize(
    ("query", "cause"),
    [
        ("", 16),
        ("?reason=", 16),
        ("?reason=busy", 17),
        ("?reason_code=42", 42),
        ("?reason_code=3.7", 3),
        ("?reason_code=-1", -1),
        ("?reason_code=0", 0),
        ("?reason_code=999", 999),
    ],
)
def test_causes_of_hangup(server: Server, query: str, cause: int) -> None:
    assert server.ask("DELETE /channels/c1" + query).status == 204
    assert server.channels.last() == ("hang_up", "c1", cause)


def test_the_channel_is_looked_at_before_the_parameters(server: Server) -> None:
    server.channels.answers["require_up"] = InvalidState("Channel in invalid state")
    for step in ("mute", "dtmf", "play", "continue?label=0"):
        assert server.ask(f"POST /channels/c1/{step}").status == 412
    server.channels.answers["require"] = NotFound("Channel not found")
    for line in ("DELETE /channels/c1?reason=x", "POST /channels/c1/snoop?app=a"):
        assert server.ask(line).status == 404
    server.bridges.answers["require"] = NotFound("Bridge not found")
    for line in ("POST /bridges/b1/play", "POST /bridges/b1/variables"):
        assert server.ask(line).status == 404


def test_play_says_all_it_was_told(server: Server) -> None:
    server.ask("POST /channels/c1/play/p7?media=sound:a,sound:b&lang=de&offsetms=5&skipms=-1")
    name, channel_id, order = server.channels.last()
    assert (name, channel_id, order.media) == ("play", "c1", ("sound:a", "sound:b"))
    assert (order.playback_id, order.language, order.offset_ms, order.skip_ms) == ("p7", "de", 5, 0)
    server.ask("POST /bridges/b1/play?media=sound:a&playbackId=p8&announcer_format=slin16")
    order = server.bridges.last()[2]
    assert (order.playback_id, order.format, order.skip_ms) == ("p8", "slin16", 3000)


def test_variables_one_and_many(server: Server) -> None:
    server.channels.answers["variable"] = lambda channel_id, name: f"{name} of {channel_id}"
    assert body_of(server.ask("GET /channels/c1/variable?variable=A")) == {"value": "A of c1"}
    many = server.ask("GET /channels/c1/variables?variables=CHANNEL(state),%20A")
    assert body_of(many) == {"variables": {"CHANNEL(state)": "CHANNEL(state) of c1", "A": "A of c1"}}
    server.ask("POST /channels/c1/variable?variable=A&report_events=true")
    assert server.channels.last() == ("set_variables", "c1", {"A": Assignment("", True)})


def test_variables_that_have_to_be_waited_for(server: Server) -> None:
    async def later(*_: Any) -> str:
        return "late"

    server.channels.answers["variable"] = later
    server.system.answers["global_variable"] = later
    assert body_of(server.ask("GET /channels/c1/variable?variable=A")) == {"value": "late"}
    assert body_of(server.ask("GET /channels/c1/variables?variables=A")) == {"variables": {"A": "late"}}
    assert body_of(server.ask("GET /asterisk/variable?variable=A")) == {"value": "late"}


def test_a_bridge_without_an_id_takes_its_whole_body_for_variables(server: Server) -> None:
    assert body_of(server.ask("POST /bridges?type=holding,%20dtmf_events&name=n"))["id"] == "b1"
    assert server.bridges.last() == ("create", None, ("holding", "dtmf_events"), "n")
    answer = server.ask("POST /bridges", json_body={"bridgeId": "mine", "variables": {"A": "b"}})
    assert answer.status == 400
    assert server.bridges.last() == ("create", "mine", ("mixing",), "")
    assert server.ask("POST /bridges", json_body={"A": "b"}).status == 200
    assert ("set_variables", "b1", {"A": Assignment("b")}) in server.bridges.asked


def test_a_bridge_with_an_id_has_variables_of_its_own(server: Server) -> None:
    answer = server.ask("POST /bridges/mine", json_body={"name": "n", "variables": {"A": "b"}})
    assert body_of(answer)["id"] == "shown"
    assert server.bridges.asked[0] == ("create", "mine", ("mixing",), "n")
    assert server.bridges.asked[1] == ("set_variables", "b1", {"A": Assignment("b")})


def test_subscribing_stops_at_the_first_bad_source(server: Server) -> None:
    answer = server.ask("POST /applications/a/subscription?eventSource=bridge:,nonsense:x,channel:c")
    assert answer.status == 400
    assert server.applications.asked == [("require", "a"), ("subscribe", "a", "bridge", "")]


@pytest.mark.parametrize(
    ("body", "allowed", "disallowed"),
    [
        ({}, [], []),
        ({"allowed": [{"type": "Dial", "more": 1}]}, [{"type": "Dial", "more": 1}], None),
        ({"disallowed": []}, None, []),
        ({"nonsense": []}, None, None),
    ],
)
def test_filters_replace_the_lists_they_name(server: Server, body: Any, allowed: Any, disallowed: Any) -> None:
    assert server.ask("PUT /applications/a/eventFilter", json_body=body).status == 200
    assert ("set_event_filter", "a", allowed, disallowed) in server.applications.asked


def test_a_filter_without_a_body_clears_both(server: Server) -> None:
    server.ask("PUT /applications/a/eventFilter")
    assert ("set_event_filter", "a", [], []) in server.applications.asked


def test_info_shows_what_is_asked_for(server: Server) -> None:
    server.system.answers |= {
        "build": snapshots.BuildInfo(os="o", kernel="k", machine="m", options="", date="d", user="u"),
        "system": snapshots.SystemInfo("23", "00:11"),
        "config": snapshots.ConfigInfo(name="n", default_language="en", setid=snapshots.SetId("u", "g")),
        "status": snapshots.StatusInfo("t", "t"),
    }
    assert list(body_of(server.ask("GET /asterisk/info"))) == ["build", "system", "config", "status"]
    assert list(body_of(server.ask("GET /asterisk/info?only=build,system"))) == ["build", "system"]
    assert list(body_of(server.ask("GET /asterisk/info?only=build&only=config"))) == ["config"]
    assert body_of(server.ask("GET /asterisk/info?only=nonsense")) == {}
    assert body_of(server.ask("GET /asterisk/info?only=")) == {}


def test_device_states_in_any_case(server: Server) -> None:
    assert server.ask("PUT /deviceStates/stasis:x?deviceState=ringinuse").status == 204
    assert server.device_states.last() == ("update", "stasis:x", "RINGINUSE")


def test_user_events_carry_any_json(server: Server) -> None:
    variables = {"n": 5, "l": [1], "o": {"x": "y"}}
    body = {"application": "a", "source": ["channel:c1"], "variables": variables}
    assert server.ask("POST /events/user/two%20words", json_body=body).status == 204
    assert server.applications.last() == ("user_event", "a", "two words", [("channel", "c1")], variables)


def test_messages_to_an_endpoint_go_to_its_address(server: Server) -> None:
    assert server.ask("PUT /endpoints/PJSIP/6001/sendMessage?from=sip:kit&body=hi").status == 202
    assert server.endpoints.last() == ("send_message", "pjsip:6001", "sip:kit", "hi", {})
