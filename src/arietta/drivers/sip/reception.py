"""Requests that come outside of a dialog: who sent them, whether they may, and who takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.drivers.sip.endpoints import ANYBODY, extend_profile
from arietta.drivers.sip.incoming import take_invite
from arietta.drivers.sip.noise import log_notes
from arietta.drivers.sip.reporting import report, report_failed_acl
from arietta.sip.auth import Outcome, Verdict
from arietta.sip.errors import ProtocolError
from arietta.sip.layer import new_token
from arietta.sip.message import METHODS as METHODS_OF_SIP
from arietta.sip.message import Request, parse
from arietta.sip.profile import check_registration, check_require
from arietta.sip.transactions import Address, RequestReceived, Send, Transport

if TYPE_CHECKING:
    from arietta.config.endpoint import Endpoint
    from arietta.drivers.sip.driver import SipDriver
    from arietta.sip.profile import Profile


class Reception:
    """Where every request stops that is in no dialog."""

    def __init__(self, driver: SipDriver) -> None:
        self._driver = driver
        self.source: Address = ("", 0)
        """Where the message comes from that is being taken."""

    def take(self, received: RequestReceived) -> None:
        """Answer a request, or hand it to who does."""
        request, transaction = received.request, received.transaction
        driver, source = self._driver, self.source
        try:
            if request.method == "OPTIONS":
                check_require(driver.agent.profile, request)
                self._answer_options(received)
                return
            if request.method not in ("INVITE", "REGISTER", "MESSAGE", "SUBSCRIBE", "NOTIFY"):
                self._refuse_method(received)
                return
            endpoint = self._identify(received)
            if self._is_kept_out(received, endpoint, source) or not self._authenticate(received, endpoint, source):
                return
            assert endpoint is not None
            driver.transports.keep(transaction.transport, source)
            if request.method != "REGISTER":  # whose extensions depend on the address of record
                check_require(self._profile_for(request, endpoint), request)
            if request.method == "REGISTER":
                check_registration(request)
                driver.contacts.take_register(received, endpoint, source)
            elif request.method == "MESSAGE":
                driver.messages.take_message(received, endpoint, source)
            elif request.method == "SUBSCRIBE":
                driver.subscriptions.take_subscribe(received, endpoint, source)
            elif request.method == "NOTIFY":
                driver.message_lamps.take_notify(received, endpoint)
            else:
                take_invite(driver, received, endpoint, source)
        except ProtocolError as problem:
            driver.agent.refuse(transaction, problem, driver.now())

    def recognise(self, received: RequestReceived) -> tuple[Endpoint | None, Address]:
        """Who sent a request within a dialog, once it has proved to be so, and from where; None: it was answered."""
        source = self.source
        endpoint = self._identify(received)
        if self._is_kept_out(received, endpoint, source) or not self._authenticate(received, endpoint, source):
            return None, source
        return endpoint, source

    def _identify(self, received: RequestReceived) -> Endpoint | None:
        """Who sent a request: the registrar that knows our Contact, else as the configuration says."""
        driver, request, source = self._driver, received.request, self.source
        if driver.registrations.has_lines:
            name = driver.registrations.endpoint_of_line(request.uri.parameter("line") or "")
            found = driver.endpoints_table.get(name) if name else None
            if found is not None:
                return found
        return driver.endpoints_table.identify(request, source, received.transaction.transport.name)

    def _is_kept_out(self, received: RequestReceived, endpoint: Endpoint | None, source: Address) -> bool:
        """Whether an access list refuses the request, which is 403."""
        driver, request, now = self._driver, received.request, self._driver.now()
        if endpoint is None or not (acl := driver.access.refuses(endpoint, request, source)):
            return False
        driver.guard.see_outsider(source[0], now, acl)
        log_notes(driver.guard)
        report_failed_acl(driver.registry, request, received.transaction.transport, source, endpoint.name, acl)
        driver.agent.respond_once(received.transaction, now, 403)
        return True

    def _refuse_method(self, received: RequestReceived) -> None:
        """405 for a method that has no place outside of a dialog, 501 for one that nobody knows (RFC 3261 8.2.1)."""
        status = 405 if received.request.method in METHODS_OF_SIP else 501
        agent = self._driver.agent
        headers = (("Allow", agent.profile.allow_value),)
        agent.respond_once(received.transaction, self._driver.now(), status, headers=headers)

    def _authenticate(self, received: RequestReceived, endpoint: Endpoint | None, source: Address) -> bool:
        """Whether the request may go on; an unknown endpoint is challenged like a known one, and costs the same."""
        driver, now = self._driver, self._driver.now()
        table = driver.endpoints_table
        if endpoint is not None and not endpoint.auth:
            if endpoint.name != ANYBODY:
                driver.guard.prove(source[0], now)
            return True
        server = table.server_for(endpoint)
        verdict = server.check(received.request, lambda name: table.credentials_for(endpoint, name), now, source[0])
        if verdict.outcome is Outcome.ACCEPTED and endpoint is not None:
            driver.guard.prove(source[0], now)
            report(driver.registry, received, endpoint, verdict, source)
            return True
        self._report_stranger(received, endpoint, verdict, source)
        if verdict.outcome is Outcome.MALFORMED:
            report(driver.registry, received, endpoint, verdict, source)
            driver.agent.respond_once(received.transaction, now, 400)
            return False
        headers = server.challenge(now, stale=verdict.outcome is Outcome.STALE, host=source[0])
        report(driver.registry, received, endpoint, verdict, source, headers)
        driver.agent.respond_once(received.transaction, now, 401, headers=headers)
        return False

    def _report_stranger(
        self, received: RequestReceived, endpoint: Endpoint | None, verdict: Verdict, source: Address
    ) -> None:
        """Tell the guard who did not get in."""
        guard, now, what = self._driver.guard, self._driver.now(), received.request.method
        if verdict.outcome in (Outcome.REJECTED, Outcome.MALFORMED):
            genuine = verdict.nonce_is_ours or received.transaction.transport.reliable
            guard.fail(source[0], now, is_genuine=genuine, what=what)
        elif endpoint is None:
            guard.see_stranger(source[0], now, what)
        log_notes(guard)

    def _answer_options(self, received: RequestReceived) -> None:
        agent = self._driver.agent
        headers = (("Allow", agent.profile.allow_value), ("Accept", "application/sdp"))
        agent.respond_once(received.transaction, self._driver.now(), 200, headers=headers)

    def _profile_for(self, request: Request, endpoint: Endpoint) -> Profile:
        """What an endpoint may require of us: in calls as it is configured."""
        profile = self._driver.agent.profile
        return extend_profile(profile, endpoint) if request.method == "INVITE" else profile

    def turn_away(self, data: bytes, transport: Transport, acl: str) -> None:
        """Answer a message of whom an access list keeps from speaking at all: 403, of which nothing is kept."""
        driver, source = self._driver, self.source
        driver.guard.see_outsider(source[0], driver.now(), acl)
        log_notes(driver.guard)
        try:
            request = parse(data)
            if not isinstance(request, Request) or request.method == "ACK":
                return
            answer = bytes(request.create_response(403, to_tag=new_token()))
        except ProtocolError:
            return
        report_failed_acl(driver.registry, request, transport, source, "", acl)
        driver.send(Send(answer, source, transport))
