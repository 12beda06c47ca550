"""Every session of the manager interface: who may log in, and which event goes to whom."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import logging
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

from arietta.config.kinds import allows
from arietta.config.manager import ManagerSettings, ManagerUser
from arietta.manager import actions
from arietta.manager.domain import Domain
from arietta.manager.events import Translator
from arietta.manager.logins import LoginRules, Logins
from arietta.manager.message import ManagerEvent, encode_event
from arietta.manager.session import Encoded, Session
from arietta.model import facts
from arietta.verbose import verbose

log = logging.getLogger(__name__)


class Hub:
    """The sessions, and what they share."""

    def __init__(self, domain: Domain, settings: ManagerSettings, clock: Callable[[], float]) -> None:
        assert actions.MODULES  # there are no actions before they are imported
        self.domain = domain
        self.settings = settings
        self.clock = clock
        self.sessions: dict[Session, None] = {}
        self.logins = Logins(_rules(settings))
        self.on_waiting: dict[Session, Callable[[], None]] = {}
        """What is told that something waits to go out."""
        self._receivers: dict[str, tuple[Session, ...]] = {}
        self._serial = itertools.count(1)
        self.translator = Translator(
            domain.bus, domain.channels, domain.bridges, self.deliver, variables=settings.general.channelvars
        )
        self._disabled = frozenset(name.lower() for name in settings.general.disabledevents)

    # ------------------------------------------------------------------------------------------------ sessions

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self.sessions))

    def refuses(self, host: str) -> str:
        """Why a host gets no session now; empty if it does."""
        general = self.settings.general
        if not self.logins.admits(host, self.clock()):
            return "banned for its failed logins"
        if len(self.sessions) >= general.sessionlimit:
            self._tell_limit(host)
            return f"there are {len(self.sessions)} sessions, {general.sessionlimit} at most"
        strangers = sum(not session.is_logged_in for session in self.sessions)
        if strangers >= general.authlimit:
            self._tell_limit(host)
            return f"{strangers} connections have not logged in, {general.authlimit} at most"
        return ""

    def open(self, host: str, port: int, transport: str, on_waiting: Callable[[], None] | None = None) -> Session:
        """A new session of nobody yet."""
        session = Session(self, host, port, transport)
        self.sessions[session] = None
        if on_waiting is not None:
            self.on_waiting[session] = on_waiting
        return session

    def forget(self, session: Session) -> None:
        """A session ended."""
        if session not in self.sessions:
            return
        del self.sessions[session]
        self.on_waiting.pop(session, None)
        self.sort()
        if session.is_logged_in and self._displays(session.user):
            verbose(2, f"Manager '{session.name}' logged off from {session.host}")

    def wake(self, session: Session) -> None:
        """Something waits to go out."""
        then = self.on_waiting.get(session)
        if then is not None:
            then()

    def configure(self, settings: ManagerSettings) -> None:
        """Take new settings: users that are gone or have another secret are logged off, all others go on."""
        former = self.settings
        self.settings = settings
        self.logins.rules = _rules(settings)
        self._disabled = frozenset(name.lower() for name in settings.general.disabledevents)
        self.translator.show_variables(settings.general.channelvars)
        for session in self:
            if not session.is_logged_in:
                continue
            user = settings.users.get(session.name)
            if user is None or user.secret != former.users[session.name].secret:
                session.end()
                continue
            session.user = user
            session.wants(session.mask)
        self.sort()

    def stop(self) -> None:
        """End every session."""
        for session in self:
            session.end()
        self.translator.stop()

    # -------------------------------------------------------------------------------------------------- logins

    def check(self, session: Session, name: str, secret: str, key: str) -> ManagerUser | None:
        """The user that a secret, or a key made of it and the session's challenge, belongs to; None for nobody."""
        user = self.settings.users.get(name)
        challenge, session.challenge = session.challenge, ""
        expected = user.secret if user is not None else secrets.token_hex(16)  # a stranger takes as long
        if key:
            digest = hashlib.md5((challenge + expected).encode(), usedforsecurity=False).hexdigest()
            matches = bool(challenge) and hmac.compare_digest(digest.encode(), key.lower().encode())
        else:
            matches = hmac.compare_digest(expected.encode(), secret.encode())
        if user is None:
            self.tell_security(facts.InvalidAccountId, session, account_id=name)
            return None
        if not self.permits(user, session.host):
            self.tell_security(facts.FailedAcl, session, account_id=name)
            log.warning("manager user '%s' may not come from %s", name, session.host)
            return None
        if matches and user.secret:
            return user
        if key:
            self.tell_security(
                facts.ChallengeResponseFailed, session, account_id=name, challenge=challenge, response=key
            )
        else:
            self.tell_security(facts.InvalidPassword, session, account_id=name)
        return None

    def permits(self, user: ManagerUser, host: str) -> bool:
        """Whether a user may come from a host."""
        lists = [user.access]
        acls = self.domain.system.config.acls
        for name in user.acl:
            if name not in acls:
                return False
            lists.append(acls[name].access)
        return all(allows(rules, host) for rules in lists)

    def is_taken(self, name: str) -> bool:
        """Whether somebody is logged in under a name that may only be once."""
        user = self.settings.users.get(name)
        if user is None:
            return False
        several = user.allowmultiplelogin
        if several is None:
            several = self.settings.general.allowmultiplelogin
        return not several and any(session.name == name for session in self.sessions)

    def welcome(self, session: Session, name: str, user: ManagerUser, mask: str, *, password: bool) -> None:
        """Let a session be a user."""
        session.log_in(name, user, mask)
        self.logins.succeed(session.host)
        self.sort()
        self.tell_security(facts.SuccessfulAuth, session, account_id=name, using_password=password)
        if self._displays(user):
            verbose(2, f"Manager '{name}' logged on from {session.host}")

    def reject(self, session: Session, name: str) -> None:
        """Take a failed login."""
        log.warning("%s failed to authenticate as manager user '%s'", session.host, name[:80])
        if self.logins.fail(session.host, self.clock()):
            log.warning(
                "%s is banned for %.0f s: %d failed logins",
                *(session.host, self.logins.rules.ban_s, self.logins.rules.failures),
            )

    def new_challenge(self, session: Session) -> str:
        """A number that nobody can guess, good for one login."""
        session.challenge = str(secrets.randbelow(9 * 10**8) + 10**8)
        self.tell_security(facts.ChallengeSent, session, challenge=session.challenge)
        return session.challenge

    def tell_security(self, kind: type[facts.Security], session: Session, **more: Any) -> None:
        """Publish a security fact about a session."""
        bus = self.domain.bus
        if bus.wanted(kind.topics):
            more.setdefault("account_id", session.name)
            address = f"IPV{6 if ':' in session.host else 4}/{'TLS' if session.transport == 'TLS' else 'TCP'}"
            remote = f"{address}/{session.host}/{session.port}"
            fact = kind(service="AMI", session_id=f"{id(session):#x}", remote_address=remote, **more)
            bus.publish(fact, kind.topics)

    def _tell_limit(self, host: str) -> None:
        log.warning("a manager connection from %s is refused: there are too many", host)
        self.tell_security(facts.SessionLimit, Session(self, host, 0, "TCP"))

    def _displays(self, user: ManagerUser) -> bool:
        return self.settings.general.displayconnects if user.displayconnects is None else user.displayconnects

    # -------------------------------------------------------------------------------------------------- events

    def sort(self) -> None:
        """Note who reads what; without anybody who does, nothing is translated."""
        self._receivers.clear()
        if any(session.reads for session in self.sessions):
            self.translator.start()
        else:
            self.translator.stop()

    def deliver(self, event: ManagerEvent) -> None:
        """Give an event to every session that reads its kind."""
        receivers = self._receivers.get(event.privilege)
        if receivers is None:
            receivers = self._receivers[event.privilege] = self._readers_of(event.privilege)
        if not receivers or (self._disabled and event.name.lower() in self._disabled):
            return
        encoded = Encoded(event, self._encode(event))
        for session in receivers:
            session.deliver(encoded)

    def _readers_of(self, privilege: str) -> tuple[Session, ...]:
        kinds = frozenset(privilege.split(",")) - {"all"}
        return tuple(session for session in self.sessions if session.reads & kinds)

    def _encode(self, event: ManagerEvent) -> bytes:
        general = self.settings.general
        if general.debug:
            numbered = (("SequenceNumber", str(next(self._serial))), *event.headers)
            event = ManagerEvent(event.name, event.privilege, numbered)
        return encode_event(event, timestamp=time.time() if general.timestampevents else None)


def _rules(settings: ManagerSettings) -> LoginRules:
    general = settings.general
    return LoginRules(general.auth_failures, float(general.auth_failure_period), float(general.ban_time))
