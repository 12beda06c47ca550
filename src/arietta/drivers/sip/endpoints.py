"""Which endpoint a request comes from, and whether it may."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from msgspec.structs import replace

from arietta.config.endpoint import Endpoint
from arietta.config.pjsip import Auth, Identify, PjsipSettings
from arietta.sip.auth import ALGORITHMS, Credentials, DigestClient, DigestServer
from arietta.sip.errors import ProtocolError
from arietta.sip.message import Request
from arietta.sip.profile import Profile
from arietta.sip.session_timer import TimerRules
from arietta.sip.transactions import Address

MAX_KNOWN_HOSTS = 10_000
ANYBODY = "anonymous"
"""The endpoint of whoever is not recognised: its calls prove nothing."""
ANY_ENDPOINT = frozenset(("anonymous", "header"))
"""Ways that count whatever identify_by says."""
ALGORITHM_NAMES = {name.lower(): name for name in ALGORITHMS}


class Endpoints:
    """The configured endpoints, how they are recognised, and their secrets."""

    def __init__(self, settings: PjsipSettings) -> None:
        self.settings = settings
        self._order = settings.general.endpoint_identifier_order
        self._by_name = {name.lower(): endpoint for name, endpoint in settings.endpoints.items()}
        self._has_domains = any("@" in name for name in (*self._by_name, *settings.aors))
        self._aliases = {name.lower(): alias.domain for name, alias in settings.domain_aliases.items()}
        self._by_host: dict[str, Endpoint | None] = {}
        self._servers: dict[tuple[str, tuple[str, ...]], DigestServer] = {}
        self._hosts: dict[str, frozenset[str]] = {}
        self._identifies: list[Identify] = [i for i in settings.identifies.values() if i.endpoint in settings.endpoints]

    def get(self, name: str) -> Endpoint | None:
        """An endpoint by its name, without case."""
        return self._by_name.get(name.lower())

    def identify(self, request: Request, source: Address, transport: str = "") -> Endpoint | None:
        """The endpoint a request comes from, by the ways and the order that the configuration names.

        `transport` is the name of the section that it came by.
        """
        for way in self._order:
            found: Endpoint | None = None
            if way == "username":
                found = self._by_user(request, transport)
            elif way == "ip":
                found = self._by_address(source)
            elif way == "header":
                found = self._by_header(request)
            elif way == "request_uri":
                found = self._by_request_uri(request)
            elif way == "transport":
                found = self._by_transport(transport)
            elif way == "anonymous":
                found = self._anonymous(request, transport)
            if found is not None and (way in ANY_ENDPOINT or way in found.identify_by):
                return found
        return None

    def _by_user(self, request: Request, transport: str) -> Endpoint | None:
        try:
            uri = request.from_.uri
        except ProtocolError:
            return None
        if not uri.user:
            return None
        for domain in self.domains(uri.host, transport):
            endpoint = self._by_name.get(f"{uri.user}@{domain}".lower())
            if endpoint is not None:
                return endpoint
        return self._by_name.get(uri.user.lower())

    def _anonymous(self, request: Request, transport: str) -> Endpoint | None:
        try:
            host = request.from_.uri.host
        except ProtocolError:
            host = ""
        for domain in self.domains(host, transport):
            endpoint = self._by_name.get(f"{ANYBODY}@{domain}".lower())
            if endpoint is not None:
                return endpoint
        return self.settings.endpoints.get(ANYBODY)

    def domains(self, host: str, transport: str) -> Iterable[str]:
        """The domains that a name may be written with: the one said, what it is an alias of, that of the transport."""
        if self.settings.general.disable_multi_domain or not self._has_domains:
            return
        yield host
        alias = self._aliases.get(host.lower())
        if alias:
            yield alias
        configured = self.settings.transports.get(transport)
        if configured is not None and configured.domain:
            yield configured.domain

    def _by_address(self, source: Address) -> Endpoint | None:
        host = source[0]
        known = self._by_host
        if host not in known:
            if len(known) >= MAX_KNOWN_HOSTS:
                known.clear()
            known[host] = self._look_up_address(source)
        return known[host]

    def _look_up_address(self, source: Address) -> Endpoint | None:
        try:
            address = ipaddress.ip_address(source[0].partition("%")[0])
        except ValueError:
            return None
        mapped = getattr(address, "ipv4_mapped", None)
        if mapped is not None:
            address = mapped
        for identify in self._identifies:
            for match in identify.match:
                if isinstance(match, str):
                    if source[0] in self._hosts.get(match, ()):
                        return self.settings.endpoints[identify.endpoint]
                elif address.version == match.version and address in match:
                    return self.settings.endpoints[identify.endpoint]
        return None

    @property
    def host_names(self) -> dict[str, bool]:
        """The names of hosts that identify endpoints; whether their SIP services count as well."""
        names: dict[str, bool] = {}
        for identify in self._identifies:
            for match in identify.match:
                if isinstance(match, str):
                    names[match] = names.get(match, False) or identify.srv_lookups
        return names

    def learn(self, name: str, hosts: Iterable[str]) -> None:
        """Take the addresses of such a name; when none was found, those known before stay."""
        found = frozenset(hosts)
        if found and found != self._hosts.get(name):
            self._hosts[name] = found
            self._by_host.clear()

    def _by_header(self, request: Request) -> Endpoint | None:
        for identify in self._identifies:
            name, colon, value = identify.match_header.partition(":")
            if colon and _header_matches(value.strip(), request.values(name.strip())):
                return self.settings.endpoints[identify.endpoint]
        return None

    def _by_request_uri(self, request: Request) -> Endpoint | None:
        for identify in self._identifies:
            wanted = identify.match_request_uri
            if wanted and _header_matches(wanted, [request.uri_text]):
                return self.settings.endpoints[identify.endpoint]
        return None

    def _by_transport(self, transport: str) -> Endpoint | None:
        for identify in self._identifies:
            if identify.transport and identify.transport == transport:
                return self.settings.endpoints[identify.endpoint]
        return None

    # -------------------------------------------------------------------------------------------------- secrets

    def auths_of(self, names: tuple[str, ...]) -> list[Auth]:
        """The auth sections of some names; those that do not exist were reported when the files were read."""
        return [self.settings.auths[name] for name in names if name in self.settings.auths]

    def server_for(self, endpoint: Endpoint | None) -> DigestServer:
        """What challenges an endpoint; for nobody in particular the default realm."""
        auths = self.auths_of(endpoint.auth) if endpoint is not None else []
        general = self.settings.general
        realm = next((auth.realm for auth in auths if auth.realm), general.default_realm)
        wanted = next((a.supported_algorithms_uas for a in auths if a.supported_algorithms_uas), None)
        names = wanted or general.default_auth_algorithms_uas
        algorithms = _algorithms(names) or ("MD5",)
        server = self._servers.get((realm, algorithms))
        if server is None:
            lifetime = float(max((auth.nonce_lifetime for auth in auths), default=32))
            server = self._servers[realm, algorithms] = DigestServer(realm, lifetime=lifetime, algorithms=algorithms)
        return server

    def credentials_for(self, endpoint: Endpoint | None, username: str) -> Credentials | None:
        """The secret that `username` must prove to be the endpoint."""
        if endpoint is None:
            return None
        return next((credentials_of(a) for a in self.auths_of(endpoint.auth) if a.username == username), None)

    def client_credentials(self, endpoint: Endpoint) -> DigestClient | None:
        """What answers the challenges of an endpoint."""
        return self.answering(endpoint.outbound_auth)

    def answering(self, auths: tuple[str, ...]) -> DigestClient | None:
        """What answers challenges with some auth sections, by the algorithms that each may use; None without one."""
        usual = self.settings.general.default_auth_algorithms_uac
        credentials = [
            replace(credentials_of(auth), algorithms=_algorithms(auth.supported_algorithms_uac or usual))
            for auth in self.auths_of(auths)
        ]
        return DigestClient(*credentials) if credentials else None


def _header_matches(wanted: str, values: list[str]) -> bool:
    """Whether a header has a value, or one that a ``/regular expression/`` finds."""
    if len(wanted) > 2 and wanted[0] == wanted[-1] == "/":
        return any(re.search(wanted[1:-1], value) for value in values)
    return wanted in values


def _algorithms(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(ALGORITHM_NAMES[name] for name in names if name in ALGORITHM_NAMES)


def credentials_of(auth: Auth) -> Credentials:
    """The secret of an auth section."""
    ha1: list[tuple[str, str]] = []
    if auth.auth_type == "md5" and auth.md5_cred:
        ha1.append(("MD5", auth.md5_cred.lower()))
    for entry in auth.password_digest:
        algorithm, _, digest = entry.partition(":")
        if algorithm.lower() in ALGORITHM_NAMES:
            ha1.append((ALGORITHM_NAMES[algorithm.lower()], digest.lower()))
    return Credentials(auth.username, auth.password, tuple(ha1), auth.realm)


def extend_profile(profile: Profile, endpoint: Endpoint) -> Profile:
    """A profile with the session timers and the reliable responses that an endpoint has."""
    rules = TimerRules(endpoint.timers, endpoint.timers_min_se, endpoint.timers_sess_expires)  # type: ignore[arg-type]
    return replace(profile, timers=rules, reliable=endpoint.rel100)
