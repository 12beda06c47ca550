"""URIs and name-addrs (RFC 3261 19.1, 20.10)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.sip.errors import ProtocolError
from arietta.sip.uri import NameAddr, SipUri, parse_name_addr, parse_uri

TEXT = st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=12)
TOKEN = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=8)
HOSTS = st.sampled_from(["example.com", "192.0.2.1", "2001:db8::1", "a-b.example", "x"])
URIS = st.builds(
    SipUri,
    st.sampled_from(["sip", "sips"]),
    st.none() | TEXT,
    HOSTS,
    st.none() | st.integers(0, 65535),
    st.none(),
    st.lists(st.tuples(TOKEN, st.none() | TEXT), max_size=3, unique_by=lambda p: p[0]).map(tuple),
    st.lists(st.tuples(TOKEN, TEXT), max_size=2).map(tuple),
)


@given(URIS)
@settings(max_examples=150, deadline=None)
def test_every_uri_survives_the_wire(uri):
    again = parse_uri(str(uri))
    for field in SipUri.__struct_fields__:
        assert getattr(again, field) == getattr(uri, field)


@given(TEXT, URIS, st.lists(st.tuples(TOKEN, st.none() | TEXT), max_size=3).map(tuple))
@settings(max_examples=100, deadline=None)
def test_every_name_addr_survives_the_wire(display, uri, parameters):
    value = NameAddr(display, str(uri), parameters)
    assert parse_name_addr(str(value)) == value


def test_parts():
    uri = parse_uri("sips:alice:s%20cret@[2001:db8::1]:5061;transport=TCP;lr?Subject=a%20b&Priority=urgent")
    assert (uri.scheme, uri.user, uri.password, uri.host, uri.port) == (
        "sips", "alice", "s cret", "2001:db8::1", 5061,
    )  # fmt: skip
    assert uri.parameter("transport") == "TCP" and uri.parameter("lr") == "" and uri.parameter("x") is None
    assert uri.headers == (("Subject", "a b"), ("Priority", "urgent"))
    number = parse_uri("tel:+358-555-1234567;postd=pp22")
    assert (number.scheme, number.user, str(number)) == ("tel", "+358-555-1234567", "tel:+358-555-1234567;postd=pp22")


@pytest.mark.parametrize(
    ("one", "two"),
    [  # RFC 3261 19.1.4
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
        ("sip:alice@atlanta.com?subject=project%20x&priority=urgent",
         "sip:alice@atlanta.com?priority=urgent&subject=project%20x"),
        ("tel:+1-201-555-0123", "tel:+12015550123"),
    ],
)  # fmt: skip
def test_equivalent(one, two):
    assert parse_uri(one) == parse_uri(two) and hash(parse_uri(one)) is not None


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@b", "sips:a@b"),
    ],
)
def test_not_equivalent(one, two):
    assert parse_uri(one) != parse_uri(two)


@pytest.mark.parametrize(
    "text",
    ["", "sip:", "sip:@x", "sip:a@", "sip:a b@x", "sip:a@x:99999", "sip:a@x:-1", "sip:a@[::1", "sip:a@[g::1]",
     "sip:a@x?y", "tel:", "tel:abcxyz", "nocolon", "sip:a<@x", "sip:%zz@x"],
)  # fmt: skip
def test_malformed(text):
    with pytest.raises(ProtocolError) as caught:
        parse_uri(text)
    assert caught.value.status == 400


def test_unknown_scheme():
    with pytest.raises(ProtocolError) as caught:
        parse_uri("mailto:a@b")
    assert caught.value.status == 416


@pytest.mark.parametrize(
    ("text", "display", "uri", "parameters"),
    [
        ('"A. \\"B\\", <C>" <sip:a@b;x=1>;tag=2', 'A. "B", <C>', "sip:a@b;x=1", (("tag", "2"),)),
        ("sip:a@b;tag=7", "", "sip:a@b", (("tag", "7"),)),
        ("Bob Smith<sip:a@b>", "Bob Smith", "sip:a@b", ()),
        (
            '<sip:a@b>;+sip.instance="<urn:uuid:1>";q=0.5',
            "",
            "sip:a@b",
            (("+sip.instance", "<urn:uuid:1>"), ("q", "0.5")),
        ),
    ],
)
def test_name_addr(text, display, uri, parameters):
    assert parse_name_addr(text) == NameAddr(display, uri, parameters)


@pytest.mark.parametrize("text", ["", '"x <sip:a@b>', "<sip:a@b", "<>", "sip:a@b?x=1", "<sip:a@b> x", "a,b <sip:a@b>"])
def test_malformed_name_addr(text):
    with pytest.raises(ProtocolError):
        parse_name_addr(text)


@pytest.mark.parametrize(
    ("text", "user"), [("%C3%BF", "ÿ"), ("%FF", "ÿ"), ("%f0%9f%98%80", "😀"), ("%ED%A0%80", "í\xa0\x80")]
)
def test_escapes_are_never_half_a_character(text, user):
    uri = parse_uri(f"sip:{text}@example.com")
    assert uri.user == user and parse_uri(str(uri)) == uri
    uri.user.encode()


@pytest.mark.parametrize("host", ["[fe80::1%25eth0]", "[fe80::1%eth0]:5060"])
def test_a_zone_means_nothing_to_others(host: str):
    with pytest.raises(ProtocolError, match="has a zone, which no SIP URI can have"):
        parse_uri(f"sip:a@{host}")
