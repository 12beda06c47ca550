"""The rule that the server never listens beyond loopback with a password that everybody knows."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from arietta.config.conf import Problem
from arietta.config.settings import Settings

if TYPE_CHECKING:
    from arietta.config.tree import Config

KNOWN_PASSWORDS = frozenset(
    (
        *("0000", "1111", "1234", "12345", "123456", "12345678", "123456789", "abc123", "admin", "administrator"),
        *("amp111", "mysecret"),
        *("arietta", "ari", "asterisk", "changeit", "changeme", "default", "demo", "guest", "letmein", "pass"),
        *("passw0rd", "password", "qwerty", "root", "secret", "sip", "test", "unsecurepassword", "user", "welcome"),
    )
)
MIN_PASSWORD_LENGTH = 6


def is_loopback(host: str) -> bool:
    """Whether an address can only be reached from this machine; host names other than localhost count as public."""
    if host.lower() in ("localhost", "localhost."):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def weakness(user: str, password: str) -> str:
    """Why a password is as good as none, or ""."""
    word = password.lower()
    if not word:
        return "is empty"
    if word == user.lower():
        return "is the user name"
    if word in KNOWN_PASSWORDS:
        return "is one that everybody knows"
    if len(word) < MIN_PASSWORD_LENGTH:
        return f"has {len(word)} characters, at least {MIN_PASSWORD_LENGTH} are needed"
    return ""


def unsafe_listeners(config: Config) -> list[Problem]:
    """An error for each password too weak for an address that the server would listen on."""
    return [*_unsafe_ari(config), *_unsafe_manager(config), *_unsafe_metrics(config), *_unsafe_sip(config)]


def _public_http(config: Config) -> list[str]:
    """The hosts HTTP is listened on for other machines."""
    http = config.http
    public = []
    if http.enabled and http.bindaddr and not is_loopback(http.bindaddr):
        public.append(http.bindaddr)
    if http.enabled and http.tlsenable:
        host = http.tlsbindaddr.host if http.tlsbindaddr else http.bindaddr or "0.0.0.0"
        if not is_loopback(host):
            public.append(host)
    return public


def _unsafe_metrics(config: Config) -> list[Problem]:
    public = _public_http(config)
    settings = config.prometheus
    if not public or not settings.enabled:
        return []
    reason = weakness(settings.auth_username, settings.auth_password if settings.auth_username else "")
    if not reason:
        return []
    return [_refusal(settings, "auth_password", "auth_password of the metrics", reason, f"HTTP on {public[0]}")]


def _unsafe_ari(config: Config) -> list[Problem]:
    public = _public_http(config)
    if not public or not config.ari.general.enabled:
        return []
    found = []
    for user in config.ari.users.values():
        reason = (
            _crypt_weakness(user.name, user.password)
            if user.password_format == "crypt"
            else weakness(user.name, user.password)
        )
        if reason:
            found.append(
                _refusal(user, "password", f"password of ARI user {user.name}", reason, f"HTTP on {public[0]}")
            )
    return found


def _unsafe_manager(config: Config) -> list[Problem]:
    general = config.manager.general
    if not general.enabled:
        return []
    public = []
    if not is_loopback(general.bindaddr):
        public.append(f"the manager interface on {general.bindaddr or 'all addresses'}")
    if general.tlsenable:
        host = general.tlsbindaddr.host if general.tlsbindaddr else general.bindaddr
        if not is_loopback(host):
            public.append(f"the manager interface on {host or 'all addresses'}")
    if general.webenabled:
        public += [f"HTTP on {host}" for host in _public_http(config)]
    found = []
    for user in config.manager.users.values() if public else ():
        reason = weakness(user.name, user.secret)
        if reason:
            found.append(_refusal(user, "secret", f"secret of manager user {user.name}", reason, public[0]))
    return found


def _crypt_weakness(user: str, hashed: str) -> str:
    """Hashes are not guessed at here; only an empty one admits everybody."""
    return "" if hashed else "is empty"


def _unsafe_sip(config: Config) -> list[Problem]:
    pjsip = config.pjsip
    public = [
        str(transport.bind)
        for transport in pjsip.transports.values()
        if transport.bind is not None
        and transport.protocol not in ("ws", "wss")
        and not is_loopback(transport.bind.host)
    ]
    public += _public_sockets(config)
    if not public:
        return []
    used = {name for endpoint in pjsip.endpoints.values() for name in endpoint.auth}
    found = []
    for name in sorted(used):
        auth = pjsip.auths.get(name)
        if auth is None or auth.auth_type == "md5" or (auth.auth_type == "digest" and auth.password_digest):
            continue
        reason = weakness(auth.username, auth.password)
        if reason:
            found.append(_refusal(auth, "password", f"password of SIP auth {name}", reason, f"SIP on {public[0]}"))
    return found


def _public_sockets(config: Config) -> list[str]:
    """Where SIP over WebSockets can be reached from other machines."""
    http = config.http
    if not http.enabled or not any(t.protocol in ("ws", "wss") for t in config.pjsip.transports.values()):
        return []
    hosts = [http.bindaddr] if http.bindaddr else []
    if http.tlsenable:
        hosts.append(http.tlsbindaddr.host if http.tlsbindaddr else http.bindaddr or "0.0.0.0")
    return [f"{host}/ws" for host in hosts if not is_loopback(host)]


def _refusal(settings: Settings, field: str, what: str, reason: str, listener: str) -> Problem:
    at = settings.at(field)
    return Problem(at.file, at.line, "error", f"{what} {reason}: {listener} can be reached from other machines")
