"""A user of the REST interface: a name, a password, and the addresses it may come from."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class AclRule:
    """One permit or deny line."""

    permit: bool
    network: Network


@dataclass(frozen=True, slots=True)
class User:
    """A user section of ari.conf; `password` is a crypt(3) hash when the format says so."""

    name: str
    password: str
    password_format: Literal["plain", "crypt"] = "plain"
    read_only: bool = False
    acls: tuple[tuple[AclRule, ...], ...] = ()
    """Lists that the client's address has to pass, each for itself."""


def acl_permits(rules: Iterable[AclRule], host: str) -> bool:
    """Whether an address may connect: the last rule that matches decides, none permits.

    An IPv4 address mapped into IPv6 counts as the IPv4 address. What is no address (a local socket) is permitted.
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return True
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    permitted = True
    for rule in rules:
        if address in rule.network:  # an address of the other family is in no network
            permitted = rule.permit
    return permitted
