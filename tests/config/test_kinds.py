"""The types of options: what they read, and that a refusal names option, value and limit."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.config import kinds
from arietta.config.kinds import CallerId, HostPort, Invalid, allows


def read(kind: kinds.Kind, *texts: str, name: str = "option", current: Any = ()) -> Any:
    for text in texts:
        current = kind.read(text, name, current, lambda message: None)
    return current


@pytest.mark.parametrize("text", ["yes", "TRUE", "on", "1", "y", "t"])
def test_yes(text: str) -> None:
    assert read(kinds.Bool(""), text) is True


@pytest.mark.parametrize("text", ["no", "False", "off", "0", "n", "f"])
def test_no(text: str) -> None:
    assert read(kinds.Bool(""), text) is False


@pytest.mark.parametrize(
    ("kind", "text", "refusal"),
    [
        (kinds.Bool(""), "maybe", "option maybe is neither yes nor no"),
        (kinds.Integer("", 1, 65535), "99999", "option 99999 is outside 1..65535"),
        (kinds.Integer("", 1, 65535), "8o8", "option 8o8 is not a whole number in 1..65535"),
        (kinds.Seconds("", 0, 9), "-1", "option -1 is outside 0..9 seconds"),
        (kinds.Real("", 0.0, 5.0), "nan", "option nan is outside 0..5 seconds"),
        (kinds.Real("", 0.0, 5.0), "x", "option x is not a number in 0..5 seconds"),
        (kinds.Duration(""), "5 weeks", "option 5 weeks is not a duration such as 500ms, 30s, 5m, 2h or 1d"),
        (kinds.Choice("", "udp", "tcp"), "sctp", "option sctp is none of udp, tcp"),
        (kinds.ChoiceList("", "ip", "username"), "ip,name", "option name is none of ip, username"),
        (kinds.Address(""), "127.0.0.1:0", "option 127.0.0.1:0: port 0 is outside 1..65535"),
        (kinds.Address(""), "127.0.0.1:sip", "option 127.0.0.1:sip: port sip is not a number in 1..65535"),
        (kinds.Address(""), "127.0.0", "option 127.0.0 is not an address"),
        (kinds.Address(""), "[::1", "option [::1 is not [address]:port"),
        (kinds.Host(""), "a b", "option a b is neither an address nor a host name"),
        (kinds.Host(""), "localhost:1", "option localhost:1 may not have a port"),
        (kinds.Variables(""), "novalue", "option novalue is not NAME=VALUE"),
        (kinds.Caller(""), "Alice <600", 'option Alice <600 is not "Name" <number>'),
        (kinds.Groups(""), "1,64", "option 64 is outside 0..63"),
        (kinds.Groups(""), "a", "option a is neither a group nor a range of groups in 0..63"),
        (
            kinds.Tos(""),
            "cs9",
            "option cs9 is neither a DSCP class (cs0..cs7, af11..af43, ef) nor a number in 0..255",
        ),
        (
            kinds.Networks(""),
            "10.0.0.0/33",
            "option 10.0.0.0/33 is not a network such as 192.0.2.0/24, 192.0.2.0/255.255.255.0 or 2001:db8::/32",
        ),
    ],
)
def test_refusals_name_option_value_and_limit(kind: kinds.Kind, text: str, refusal: str) -> None:
    with pytest.raises(Invalid) as caught:
        read(kind, text)
    assert str(caught.value) == refusal


def test_durations_have_units() -> None:
    written = ("500ms", "30", "30s", "1.5m", "2h", "1d")
    assert [read(kinds.Duration(""), text) for text in written] == [0.5, 30.0, 30.0, 90.0, 7200.0, 86400.0]


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:5060", "127.0.0.1", 5060),
        ("0.0.0.0", "0.0.0.0", 0),
        ("[::1]:5061", "::1", 5061),
        ("[::]", "::", 0),
        ("fe80::1", "fe80::1", 0),
        ("sip.example.com:1", "sip.example.com", 1),
    ],
)
def test_addresses(text: str, host: str, port: int) -> None:
    assert read(kinds.Address(""), text) == HostPort(host, port)


def test_codecs_follow_the_lines_in_order() -> None:
    kind = kinds.Codecs("")
    allowed = kind.read("ulaw,alaw", "allow", (), lambda message: None)
    assert allowed == ("ulaw", "alaw")
    assert kind.read("all", "disallow", allowed, lambda message: None) == ()
    assert kind.read("!all,gsm,ulaw", "allow", allowed, lambda message: None) == ("gsm", "ulaw")
    assert kind.read("!alaw", "allow", allowed, lambda message: None) == ("ulaw",)
    assert kind.read("all", "allow", ("gsm",), lambda message: None)[0] == "gsm"


def test_a_known_codec_that_is_not_supported_is_left_out_with_a_word() -> None:
    notes: list[str] = []
    assert kinds.Codecs("").read("g729,ulaw", "allow", (), notes.append) == ("ulaw",)
    assert notes == [f"allow g729 is left out, supported are {', '.join(kinds.SUPPORTED_CODECS)}"]
    with pytest.raises(Invalid, match="allow ulow is not a codec"):
        kinds.Codecs("").read("ulow", "allow", (), notes.append)


@pytest.mark.parametrize(
    ("text", "name", "number"),
    [
        ('"Alice Six" <6001>', "Alice Six", "6001"),
        ("Alice <6001>", "Alice", "6001"),
        ("<6001>", "", "6001"),
        ("+49 30 1234", "", "+49 30 1234"),
        ("Alice", "Alice", ""),
        ("", "", ""),
    ],
)
def test_caller_ids(text: str, name: str, number: str) -> None:
    assert read(kinds.Caller(""), text) == CallerId(name, number)


def test_access_lists_let_the_last_match_decide() -> None:
    kind = kinds.AccessList("")
    rules = kind.read("0.0.0.0/0.0.0.0", "deny", (), lambda message: None)
    rules = kind.read("192.0.2.0/24,10.1.2.3", "permit", rules, lambda message: None)
    assert allows(rules, "192.0.2.77")
    assert allows(rules, "::ffff:192.0.2.77")
    assert allows(rules, "10.1.2.3")
    assert not allows(rules, "10.1.2.4")
    assert allows((), "203.0.113.1")
    assert not allows(kind.read("!192.0.2.0/24", "permit", (), lambda message: None), "192.0.2.1")
    assert not allows(rules, "nonsense"), "an address that cannot be read is refused by any list"


def test_lists_that_grow_and_lists_that_are_replaced() -> None:
    assert read(kinds.TextList("", each_line_adds=True), "a,b", "c") == ("a", "b", "c")
    assert read(kinds.TextList(""), "a,b", "c") == ("c",)
    assert read(kinds.Variables(""), "A=1", "F(x)=y=z") == (("A", "1"), ("F(x)", "y=z"))
    assert read(kinds.Groups(""), "1,3-5") == (1, 3, 4, 5)
    assert [str(found) for found in read(kinds.Matches(""), "10.0.0.1,10.1.0.0/255.255.0.0", "sip.example.com")] == [
        "10.0.0.1/32",
        "10.1.0.0/16",
        "sip.example.com",
    ]


def test_traffic_classes() -> None:
    assert [read(kinds.Tos(""), text) for text in ("ef", "cs3", "af42", "0x18", "184")] == [184, 96, 144, 24, 184]


EVERY_KIND = [
    kinds.Bool(""),
    kinds.Integer("", 0, 5),
    kinds.Real("", 0.0, 5.0),
    kinds.Duration(""),
    kinds.Address(""),
    kinds.Host(""),
    kinds.Networks(""),
    kinds.Matches(""),
    kinds.AccessList(""),
    kinds.Codecs(""),
    kinds.Variables(""),
    kinds.Caller(""),
    kinds.Groups(""),
    kinds.Tos(""),
]


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=30), st.text("0123456789.:/[]-,!<>\"'exsm ²", max_size=30)))
def test_any_text_is_read_or_refused_by_name(text: str) -> None:
    for kind in EVERY_KIND:
        try:
            kind.read(text, "option", (), lambda message: None)
        except Invalid as refusal:
            assert str(refusal).startswith("option ")
