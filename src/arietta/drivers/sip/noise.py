"""The guard as the configuration wants it, and what it has to say in the log."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable

from arietta.config.kinds import Network
from arietta.config.pjsip import PjsipSettings
from arietta.sip.guard import Guard, Rules

log = logging.getLogger(__name__)

THIS_MACHINE: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
"""Who can send from here could stop the server as well."""


def configure_guard(guard: Guard, settings: PjsipSettings) -> None:
    """Give the guard the rules of pjsip.conf."""
    wanted, general = settings.guard, settings.general
    rules = Rules(
        enabled=wanted.enabled,
        invite_rate=wanted.invite_rate,
        register_rate=wanted.register_rate,
        options_rate=wanted.options_rate,
        other_rate=wanted.other_rate,
        strangers_rate=wanted.strangers_rate,
        auth_failures=wanted.auth_failures,
        auth_failure_period=wanted.auth_failure_period,
        ban_time=wanted.ban_time,
        scanners=wanted.scanners,
        unidentified_count=general.unidentified_request_count,
        unidentified_period=general.unidentified_request_period,
    )
    guard.configure(rules, trusts=_within((*THIS_MACHINE, *wanted.trusted)))


def log_notes(guard: Guard) -> None:
    """Log what the guard has to say: one line for each source and minute at most."""
    for note in guard.notes():
        log.warning("SIP: %s", note)


def _within(networks: tuple[Network, ...]) -> Callable[[str], bool]:
    def holds(host: str) -> bool:
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address.version == network.version and address in network for network in networks)

    return holds
