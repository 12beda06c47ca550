"""Where URIs lead, by records that are given: RFC 3263, 2782, 3403."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.sip.locating import Address4or6, Naptr, Record, Srv, Target, locate, order_services
from arietta.sip.uri import parse_uri

ALL = ("UDP", "TCP", "TLS")
ADDRESSES = {
    "a.example.com A": [Address4or6("192.0.2.1")],
    "b.example.com A": [Address4or6("192.0.2.2")],
    "b.example.com AAAA": [Address4or6("2001:db8::2")],
    "example.com A": [Address4or6("192.0.2.9")],
}


def targets(
    uri: str,
    records: dict[str, list[Record]] | None = None,
    able: tuple[str, ...] = ALL,
    families: tuple[int, ...] = (4,),
    asked: list[str] | None = None,
) -> list[str]:
    """The targets of a URI as `protocol host:port`, the lots drawn always 0."""
    known = {**ADDRESSES, **(records or {})}
    steps = locate(parse_uri(uri), able=able, families=families, draw=lambda below: 0)
    try:
        questions = next(steps)
        while True:
            if asked is not None:
                asked += [f"{question.name} {question.kind}" for question in questions]
            answers = tuple(tuple(known.get(f"{question.name} {question.kind}", ())) for question in questions)
            questions = steps.send(answers)
    except StopIteration as end:
        return [f"{target.protocol} {target.host}:{target.port}" for target in end.value]


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sip:192.0.2.1", ["UDP 192.0.2.1:5060"]),
        ("sip:192.0.2.1:5070;transport=tcp", ["TCP 192.0.2.1:5070"]),
        ("sips:192.0.2.1", ["TLS 192.0.2.1:5061"]),
        ("sip:[2001:db8::1]", ["UDP 2001:db8::1:5060"]),
        ("sip:example.com;maddr=192.0.2.7", ["UDP 192.0.2.7:5060"]),
        ("sip:192.0.2.1;transport=sctp", []),
    ],
)
def test_addresses_ask_for_nothing(uri: str, expected: list[str]) -> None:
    asked: list[str] = []
    assert targets(uri, asked=asked) == expected
    assert asked == []


def test_a_port_means_the_host_itself() -> None:
    asked: list[str] = []
    assert targets("sip:example.com:5080", asked=asked) == ["UDP 192.0.2.9:5080"]
    assert asked == ["example.com A"]


def test_naptr_names_the_protocols_in_the_order_the_domain_likes() -> None:
    records: dict[str, list[Record]] = {
        "example.com NAPTR": [
            Naptr(50, 50, "s", "SIP+D2U", "_sip._udp.example.com"),
            Naptr(20, 50, "s", "SIPS+D2T", "_sips._tcp.example.com"),
            Naptr(20, 10, "s", "SIP+D2S", "_sip._sctp.example.com"),
            Naptr(10, 10, "u", "E2U+sip", ""),
        ],
        "_sip._udp.example.com SRV": [Srv(10, 0, 5060, "a.example.com")],
        "_sips._tcp.example.com SRV": [Srv(10, 0, 5061, "b.example.com")],
    }
    assert targets("sip:example.com", records) == ["TLS 192.0.2.2:5061", "UDP 192.0.2.1:5060"]
    assert targets("sip:example.com", records, able=("UDP", "TCP")) == ["UDP 192.0.2.1:5060"]
    assert targets("sips:example.com", records) == ["TLS 192.0.2.2:5061"]


def test_without_naptr_the_services_of_every_protocol_are_asked_for() -> None:
    records: dict[str, list[Record]] = {"_sip._tcp.example.com SRV": [Srv(10, 0, 5066, "a.example.com")]}
    asked: list[str] = []
    assert targets("sip:example.com", records, asked=asked) == ["TCP 192.0.2.1:5066"]
    assert asked[:4] == [
        "example.com NAPTR",
        "_sip._udp.example.com SRV",
        "_sip._tcp.example.com SRV",
        "_sips._tcp.example.com SRV",
    ]


def test_a_protocol_that_the_uri_names_asks_for_no_naptr() -> None:
    records: dict[str, list[Record]] = {"_sip._tcp.example.com SRV": [Srv(1, 0, 5066, "a.example.com")]}
    asked: list[str] = []
    assert targets("sip:example.com;transport=tcp", records, asked=asked) == ["TCP 192.0.2.1:5066"]
    assert asked == ["_sip._tcp.example.com SRV", "a.example.com A"]


def test_without_services_the_name_itself_is_asked_for() -> None:
    assert targets("sip:example.com") == ["UDP 192.0.2.9:5060"]
    assert targets("sip:example.com", able=("TCP",)) == ["TCP 192.0.2.9:5060"]
    assert targets("sips:example.com") == ["TLS 192.0.2.9:5061"]


def test_a_service_that_is_not_there_is_not_replaced_by_the_name() -> None:
    records: dict[str, list[Record]] = {"_sip._udp.example.com SRV": [Srv(0, 0, 0, "")]}
    assert targets("sip:example.com", records, able=("UDP",)) == []


def test_each_server_has_all_of_its_addresses() -> None:
    records: dict[str, list[Record]] = {
        "_sip._udp.example.com SRV": [Srv(20, 0, 5062, "a.example.com"), Srv(10, 0, 5060, "b.example.com")]
    }
    assert targets("sip:example.com", records, able=("UDP",), families=(4, 6)) == [
        "UDP 192.0.2.2:5060",
        "UDP 2001:db8::2:5060",
        "UDP 192.0.2.1:5062",
    ]


def test_weights_share_the_calls() -> None:
    import random

    lots = random.Random(1)
    servers = [Srv(1, 60, 1, "a"), Srv(1, 20, 1, "b"), Srv(1, 20, 1, "c"), Srv(0, 0, 1, "first")]
    firsts: Counter[str] = Counter()
    for _ in range(3000):
        ordered = order_services(servers, lots.randrange)
        assert ordered[0].target == "first" and len(ordered) == 4
        firsts[ordered[1].target] += 1
    assert abs(firsts["a"] / 3000 - 0.6) < 0.05 and abs(firsts["b"] / 3000 - 0.2) < 0.05


RECORDS = st.one_of(
    st.builds(
        Naptr,
        st.integers(0, 3),
        st.integers(0, 3),
        st.sampled_from(["s", "S", "u", ""]),
        st.sampled_from(["SIP+D2U", "sip+d2t", "SIPS+D2T", "x"]),
        st.sampled_from(["", "n", "192.0.2.3", "example.com"]),
    ),
    st.builds(
        Srv, st.integers(0, 3), st.integers(0, 65535), st.integers(0, 65535), st.sampled_from(["", "n", "192.0.2.3"])
    ),
    st.builds(Address4or6, st.sampled_from(["192.0.2.1", "2001:db8::1"])),
)


@given(
    st.lists(st.lists(RECORDS, max_size=40), min_size=1),
    st.sampled_from(["sip:n", "sips:n", "sip:n:1", "sip:n;transport=tcp"]),
)
def test_whatever_records_say_targets_are_bounded_and_speakable(answers: list[list[Record]], uri: str) -> None:
    steps = locate(parse_uri(uri), able=("UDP", "TLS"), families=(4, 6))
    number = 0
    try:
        questions = next(steps)
        while True:
            given_now = [tuple(answers[(number + each) % len(answers)]) for each in range(len(questions))]
            number += len(questions)
            questions = steps.send(tuple(given_now))
    except StopIteration as end:
        found: tuple[Target, ...] = end.value
        assert len(found) <= 24 and len(set(found)) == len(found)
        assert all(target.protocol in ("UDP", "TLS") for target in found)
