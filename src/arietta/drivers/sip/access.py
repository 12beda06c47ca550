"""Access lists of SIP: who may send to us, and what a Contact may name; each list that is named has to admit it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from arietta.config.endpoint import Endpoint
from arietta.config.kinds import AccessRule, allows
from arietta.config.pjsip import Acl, PjsipSettings
from arietta.sip.message import Request
from arietta.sip.transactions import Address
from arietta.sip.uri import SipUri

MAX_HOSTS = 10_000
NOWHERE = ".invalid"
"""What ends the hosts of those who are reached by their WebSocket alone (RFC 7118 5, RFC 2606)."""


class AccessRules(NamedTuple):
    """One list with its name; that of a section stands in the section itself."""

    name: str
    rules: tuple[AccessRule, ...]


class AccessLists(NamedTuple):
    """The lists of one endpoint, or of everybody."""

    addresses: tuple[AccessRules, ...]
    contacts: tuple[AccessRules, ...]


class Access:
    """Who may do what by the access lists of a configuration. Answers are the name of the list that refuses, or ""."""

    def __init__(self, settings: PjsipSettings) -> None:
        everybody = [_lists_of(acl, settings) for acl in settings.acls.values()]
        self._all = AccessLists(
            tuple(one for lists in everybody for one in lists.addresses),
            tuple(one for lists in everybody for one in lists.contacts),
        )
        self._of: dict[str, AccessLists] = {}
        for endpoint in settings.endpoints.values():
            lists = _lists_of(endpoint, settings)
            if lists.addresses or lists.contacts:
                self._of[endpoint.name] = lists
        self.is_open = not self._all.addresses
        """Whether everybody may speak."""
        self.refuses_host = lru_cache(MAX_HOSTS)(self._refuses_host)
        """The list that keeps a host from speaking at all."""

    def _refuses_host(self, host: str) -> str:
        return _refused_by(self._all.addresses, host)

    def refuses(self, endpoint: Endpoint, request: Request, source: Address) -> str:
        """The list that keeps an endpoint from sending a request from there, or with the Contact that it has."""
        own = self._of.get(endpoint.name)
        if own is not None and (name := _refused_by(own.addresses, source[0])):
            return name
        lists = (*self._all.contacts, *(own.contacts if own is not None else ()))
        if not lists or "Contact" not in request.headers:
            return ""
        hosts = [source[0]] if endpoint.rewrite_contact else _hosts_of(contact.uri for contact in request.contacts)
        return next((name for host in hosts if (name := _refused_by(lists, host))), "")


def _lists_of(section: Acl | Endpoint, settings: PjsipSettings) -> AccessLists:
    def lists(rules: tuple[AccessRule, ...], names: tuple[str, ...]) -> tuple[AccessRules, ...]:
        own = (AccessRules(section.name, rules),) if rules else ()
        return (*own, *(AccessRules(name, settings.lists[name]) for name in names if name in settings.lists))

    return AccessLists(lists(section.access, section.acl), lists(section.contact_access, section.contact_acl))


def _hosts_of(uris: Iterable[SipUri]) -> list[str]:
    return [uri.host.strip("[]") for uri in uris if not uri.host.lower().endswith(NOWHERE)]


def _refused_by(lists: tuple[AccessRules, ...], host: str) -> str:
    """The first list that does not admit a host; a name is admitted by no list that has rules."""
    return next((one.name for one in lists if not allows(one.rules, host)), "")
