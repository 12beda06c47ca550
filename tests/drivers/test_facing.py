"""What a socket is called, by where the peer is."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from arietta.config.endpoint import Endpoint
from arietta.config.pjsip import Transport as TransportSettings
from arietta.drivers.sip.facing import NO_WAY_OUT_6, Facing, media_address, media_bind
from arietta.sdp import SessionDescription, parse
from arietta.sip.transactions import Transport

INSIDE = Transport("UDP", "10.0.0.1", 5060, "t")
LOCAL = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def facing(**options: object) -> Facing:
    return Facing(TransportSettings(name="t", **options), "UDP", "10.0.0.1", 5060)


@pytest.mark.parametrize("host", ["10.1.2.3", "192.0.2.9", "2001:db8::1"])
def test_without_names_for_outside_there_is_one(host: str) -> None:
    assert facing(local_net=LOCAL).towards((host, 5060)) == INSIDE


@pytest.mark.parametrize(
    ("host", "is_inside"),
    [("10.1.2.3", True), ("192.0.2.9", False), ("fd00::7", True), ("fd00::7%eth0", True), ("2001:db8::1", False)],
)
def test_local_net_parts_inside_and_outside(host: str, is_inside: bool) -> None:
    outside = Transport("UDP", "192.0.2.1", 15060, "t", "192.0.2.2")
    options = {"external_signaling_address": "192.0.2.1", "external_signaling_port": 15060}
    both = facing(**options, external_media_address="192.0.2.2", local_net=LOCAL)
    assert both.towards((host, 1)) == (INSIDE if is_inside else outside)


def test_without_local_net_all_are_outside() -> None:
    assert facing(external_media_address="192.0.2.2").towards(("10.1.2.3", 1)).media_host == "192.0.2.2"


def test_a_socket_of_all_addresses_is_called_by_one() -> None:
    found = Facing(TransportSettings(name="t"), "TCP", "0.0.0.0", 5060).inside.host
    assert found not in ("0.0.0.0", "")


def described(address: str) -> SessionDescription:
    kind = "IP6" if ":" in address else "IP4"
    return parse(
        f"v=0\no=- 1 1 IN {kind} {address}\ns=-\nt=0 0\nm=audio 4000 RTP/AVP 0\nc=IN {kind} {address}\n".encode()
    )


@pytest.mark.parametrize(
    ("options", "offer", "expected"),
    [
        ({}, None, "10.0.0.1"),
        ({}, "2001:db8::9", "10.0.0.1"),
        ({"rtp_ipv6": True}, None, "2001:db8::1"),
        ({"rtp_ipv6": True}, "2001:db8::9", "2001:db8::1"),
        ({"rtp_ipv6": True}, "192.0.2.9", "10.0.0.1"),
        ({"rtp_ipv6": True, "media_address": "2001:db8::7"}, None, "2001:db8::7"),
        ({"rtp_ipv6": True, "media_address": "2001:db8::7"}, "192.0.2.9", "10.0.0.1"),
        ({"rtp_ipv6": True, "media_address": "192.0.2.7"}, "192.0.2.9", "192.0.2.7"),
    ],
)
def test_media_is_of_the_family_that_both_can_have(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, object], offer: str | None, expected: str
) -> None:
    monkeypatch.setattr("arietta.drivers.sip.facing.primary_address", lambda family_of: "2001:db8::1")
    endpoint = Endpoint(name="a", **options)  # type: ignore[arg-type]
    assert media_address(endpoint, INSIDE, described(offer) if offer is not None else None) == expected


def test_without_ipv6_the_address_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arietta.drivers.sip.facing.primary_address", lambda family_of: NO_WAY_OUT_6)
    assert media_address(Endpoint(name="a", rtp_ipv6=True), INSIDE, described("2001:db8::9")) == "10.0.0.1"


@pytest.mark.parametrize(
    ("address", "bound", "expected"),
    [("10.0.0.1", "0.0.0.0", "0.0.0.0"), ("2001:db8::1", "0.0.0.0", "::"), ("2001:db8::1", "fd00::1", "fd00::1")],
)
def test_sockets_of_media_can_be_reached_where_they_are_named(address: str, bound: str, expected: str) -> None:
    assert media_bind(address, bound) == expected
