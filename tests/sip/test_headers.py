"""Header field values read on demand."""

from __future__ import annotations

import pytest

from arietta.sip.errors import ProtocolError
from arietta.sip.headers import (
    CSeq,
    Reason,
    canonical_name,
    parse_challenge,
    parse_cseq,
    parse_delta_seconds,
    parse_reason,
    parse_via,
    split_list,
    tag_of,
)


@pytest.mark.parametrize(
    ("given", "name"),
    [("v", "Via"), ("CALL-ID", "Call-ID"), ("cseq", "CSeq"), ("x-my-header", "X-My-Header"), ("L ", "Content-Length")],
)
def test_names(given, name):
    assert canonical_name(given) == name


@pytest.mark.parametrize("name", ["", "a b", "a:", "ü", "a\0"])
def test_names_that_are_no_tokens(name):
    with pytest.raises(ProtocolError):
        canonical_name(name)


def test_lists_are_split_outside_quotes_and_brackets():
    assert split_list('"a,b" <sip:x,y@z>;p="q,\\",r", <sip:c@d>') == [
        '"a,b" <sip:x,y@z>;p="q,\\",r"',
        "<sip:c@d>",
    ]


def test_via():
    via = parse_via("SIP/2.0/udp [2001:db8::1]:5070;branch=z9hG4bKx;rport;received=1.2.3.4")
    assert (via.transport, via.host, via.port, via.branch, via.parameter("rport")) == (
        "UDP", "2001:db8::1", 5070, "z9hG4bKx", "",
    )  # fmt: skip
    assert str(via) == "SIP/2.0/UDP [2001:db8::1]:5070;branch=z9hG4bKx;rport;received=1.2.3.4"
    for broken in ("", "SIP/2.0/UDP", "SIP/2.0 x", "HTTP/1.1/TCP x", "SIP/2.0/UDP a b", "SIP/2.0/UDP x:y"):
        with pytest.raises(ProtocolError):
            parse_via(broken)


def test_cseq():
    assert parse_cseq("00042  INVITE") == CSeq(42, "INVITE")
    for broken in ("", "1", "INVITE 1", "-1 INVITE", "2147483648 INVITE", "1 IN VITE", "1 INV@TE"):
        with pytest.raises(ProtocolError):
            parse_cseq(broken)


def test_delta_seconds():
    assert parse_delta_seconds(" 60 ") == 60
    assert parse_delta_seconds("9" * 40) == 2**32 - 1
    assert parse_delta_seconds("soon") is None and parse_delta_seconds("-1") is None


def test_tags():
    assert tag_of("<sip:a@b;tag=no>;x=1;tag=yes;y") == "yes"
    assert tag_of('"a>;tag=no" <sip:a@b>;TAG = yes') == "yes"
    assert tag_of("sip:a@b;tag=yes") == "yes"
    assert tag_of("<sip:a@b;tag=no>") == ""


def test_challenge():
    challenge = parse_challenge('Digest realm="a, \\"b\\"", nonce=xyz , qop="auth,auth-int", stale=TRUE')
    assert challenge.scheme == "Digest"
    assert challenge.parameters == {"realm": 'a, "b"', "nonce": "xyz", "qop": "auth,auth-int", "stale": "TRUE"}
    with pytest.raises(ProtocolError):
        parse_challenge("Digest realm")


def test_reason():
    assert parse_reason('Q.850;cause=16;text="Normal; done"') == Reason("Q.850", 16, "Normal; done")
    assert parse_reason("SIP;cause=many") == Reason("SIP", None)
    assert str(Reason("SIP", 200, "Call completed elsewhere")) == 'SIP;cause=200;text="Call completed elsewhere"'
