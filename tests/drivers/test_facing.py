"""What a socket is called, by where the peer is."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from arietta.config.pjsip import Transport as TransportSettings
from arietta.drivers.sip.facing import Facing
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
