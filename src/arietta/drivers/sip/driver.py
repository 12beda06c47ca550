"""The SIP driver: calls in and out, registrations, and the one place where the user agent meets sockets and time.

After everything that goes into the user agent its outputs are drained: messages go on the wire, events to the legs,
and one timer is armed for the next deadline.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arietta import sdp
from arietta.channels import signals
from arietta.channels.accounts import account_codes
from arietta.channels.channel import Channel, State
from arietta.channels.driver import CannotRequest, DialRequest, Party
from arietta.channels.groups import Groups
from arietta.channels.registry import ChannelRegistry
from arietta.config.endpoint import Endpoint
from arietta.config.kinds import allows
from arietta.config.pjsip import PjsipSettings
from arietta.config.resolver import ResolverSettings
from arietta.drivers.sip.contacts import Contacts
from arietta.drivers.sip.endpoints import ANYBODY, Endpoints, credentials_of, extend_profile
from arietta.drivers.sip.history import CallHistory, limits_of
from arietta.drivers.sip.hops import Hop, Shunned
from arietta.drivers.sip.identity import caller_of, callerid_of, diverted_from, identity_headers, with_parameters
from arietta.drivers.sip.leg import SipLeg, warning_of
from arietta.drivers.sip.location import ContactState
from arietta.drivers.sip.message_lamps import LampErrand, MessageLamps
from arietta.drivers.sip.message_log import MessageLog
from arietta.drivers.sip.messages import Errand, Messages
from arietta.drivers.sip.noise import configure_guard, log_notes
from arietta.drivers.sip.outbound import OutboundRegistrations
from arietta.drivers.sip.paths import MediaPaths, PathRules
from arietta.drivers.sip.proxies import route_to
from arietta.drivers.sip.reporting import report
from arietta.drivers.sip.resolver import Resolver
from arietta.drivers.sip.subscriptions import Subscriptions
from arietta.drivers.sip.transfer import Transfers, channel_to_replace, parted
from arietta.drivers.sip.transports import ON_SOCKETS, SipTransports
from arietta.media.engine import MediaEngine, MediaError
from arietta.model import causes, events, snapshots
from arietta.model.times import wire_now
from arietta.sip.agent import UserAgent
from arietta.sip.auth import DigestClient, Outcome, Verdict
from arietta.sip.dialogs import literal_address, next_hop
from arietta.sip.errors import ProtocolError
from arietta.sip.events import Incoming
from arietta.sip.guard import Guard
from arietta.sip.invite import InviteSession
from arietta.sip.layer import new_token
from arietta.sip.message import METHODS as METHODS_OF_SIP
from arietta.sip.profile import Profile, check_registration, check_require
from arietta.sip.registration import Registration
from arietta.sip.stun import answer_binding, is_stun
from arietta.sip.timers import Timers
from arietta.sip.transactions import Address, RequestReceived, Send, Transport
from arietta.sip.uri import SipUri, parse_uri

if TYPE_CHECKING:
    from arietta.sip.message import Request

log = logging.getLogger(__name__)

METHODS = (
    "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "REGISTER", "UPDATE", "MESSAGE", "REFER", "NOTIFY", "PRACK",
    "SUBSCRIBE",
)  # fmt: skip
Observer = Callable[[str, bytes, Address, Transport], None]
"""Gets `<` for a message that came or `>` for one that goes, its bytes, the peer's address, and the transport."""
MIN_NAMED_S, MAX_NAMED_S = 30.0, 3600.0
"""Bounds of the time after which hosts that identify endpoints are looked up again."""


class SipDriver:
    """Makes PJSIP channels."""

    technology = "PJSIP"

    def __init__(
        self,
        registry: ChannelRegistry,
        settings: PjsipSettings,
        *,
        product: str = "Arietta",
        folder: Path = Path(),
        path_rules: PathRules | None = None,
        resolver: ResolverSettings | None = None,
    ) -> None:
        """`folder` is where relative names of certificates begin."""
        self.registry = registry
        self.engine: MediaEngine = registry.engine
        self.loop = registry.loop
        self.settings = settings
        self.endpoints_table = Endpoints(settings)
        profile = Profile(
            allow=METHODS,
            supported=("replaces",),
            product=settings.general.user_agent or product,
            resolve=self._resolve_now,
        )
        timer_b_s = settings.system.timer_b / 1000 if "timer_b" in settings.system.set_at else 0.0
        self.agent = UserAgent(profile, timers=Timers(t1=settings.system.timer_t1 / 1000, b=timer_b_s))
        self.resolver = Resolver(resolver or ResolverSettings(), self.loop, self.agent.counters)
        self.shunned = Shunned()
        self._naming: asyncio.Task[None] | None = None  # keeps the addresses of hosts that identify endpoints
        self.contacts = Contacts(self)
        self.guard = Guard(counters=self.agent.counters)
        configure_guard(self.guard, settings)
        self.transports = SipTransports(
            self._received, self._send_failed, self.contacts.flow_lost, folder, self.agent.counters
        )
        self.transports.admits = self.guard.admits_connection
        self.paths = MediaPaths(self.engine, self.loop, folder, path_rules)
        self.registrations = OutboundRegistrations(self)
        self.messages = Messages(self)
        self.subscriptions = Subscriptions(self)
        self.message_lamps = MessageLamps(self)
        self.message_lamps.configure(settings)
        self.send_message = self.messages.send_message
        self.refer = self.messages.refer
        self.history = CallHistory(self.loop.time)
        self.message_log = MessageLog(self)
        self.observers: list[Observer] = []
        """Each sees every message that is taken or sent."""
        self.transfers: Transfers | None = None
        self.parting: dict[InviteSession, asyncio.TimerHandle] = {}  # calls without channel, left to the phone's BYE
        self._channels: dict[str, dict[str, None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._draining = False
        self._source: Address = ("", 0)  # of the message that is being taken
        self._tasks: set[asyncio.Task[None]] = set()
        self.contacts.configure(settings)
        self._observe(settings)

    # -------------------------------------------------------------------------------------------- life and reload

    async def start(self) -> None:
        """Bind the transports, register where the configuration says, begin to poll contacts."""
        if not self.settings.system.disable_tcp_switch:
            self.agent.layer.larger = self._larger
        self.paths.prepare(self.settings.endpoints.values())
        await self.transports.open(self.settings)
        self.contacts.start()
        self._name_hosts()
        self.subscriptions.start()
        self.message_lamps.start()
        self.registrations.configure(self.settings)

    async def stop(self) -> None:
        """Take our registrations away, then close the sockets."""
        self.registrations.stop()
        self.message_lamps.stop()
        self.subscriptions.stop()
        self.contacts.stop()
        self.messages.stop()
        for session in tuple(self.parting):
            parted(self, session, bye=True)
        self.drain()
        await self.resolver.stop()
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self.transports.close()
        self.message_log.stop()

    def reload(self, settings: PjsipSettings) -> list[str]:
        """Take a new configuration; what a reload cannot change (transports) is told."""
        notes = self.transports.reload(settings)
        self.settings = settings
        self.endpoints_table = Endpoints(settings)
        self.paths.prepare(settings.endpoints.values())
        configure_guard(self.guard, settings)
        self.contacts.configure(settings)
        self._name_hosts()
        self.message_lamps.configure(settings)
        self.subscriptions.configure(settings)
        self.registrations.configure(settings)
        self._observe(settings)
        return notes

    def _observe(self, settings: PjsipSettings) -> None:
        """Keep and log messages as the configuration says."""
        self.history.configure(limits_of(settings.ladder))
        watched = self.history.observe in self.observers
        if watched and not self.history.enabled:
            self.observers.remove(self.history.observe)
        elif self.history.enabled and not watched:
            self.observers.append(self.history.observe)
        self.message_log.configure(settings.general.debug)

    def _larger(self, request: Request, destination: Address, transport: Transport) -> Transport | None:
        """The TCP that a large request takes, unless its URI asks for UDP."""
        if request.uri.parameter("transport") or request.uri.scheme not in ("sip", "tel"):
            return None
        found = self.transports.find("", "TCP", destination[0])
        return self.transports.towards(found, destination) if found is not None else None

    def now(self) -> float:
        """The clock of everything here."""
        return self.loop.time()

    # ------------------------------------------------------------------------------------------ sockets and timer

    def _received(self, data: bytes, source: Address, transport: Transport) -> None:
        now, counters = self.loop.time(), self.agent.counters
        if not self.guard.admits(data, source[0], now):
            log_notes(self.guard)
            return
        if is_stun(data):
            self._answer_stun(data, source, transport)
            return
        for observe in self.observers:
            observe("<", data, source, transport)
        self._source = source
        answers = counters["responses"]
        self.agent.receive(data, source, transport, now)
        if counters["responses"] != answers:  # nobody can guess our branch
            self.guard.prove(source[0], now)
        self.drain()

    def _answer_stun(self, data: bytes, source: Address, transport: Transport) -> None:
        """Tell one of our phones its address; strangers would have their victims told more than they said."""
        answer = answer_binding(data, source) if self.guard.is_proven(source[0], self.now()) else None
        if answer is not None and not transport.reliable:
            self.transports.send(Send(answer, source, transport))

    def _send_failed(self, send: Send) -> None:
        self.agent.transport_failed(send, self.now())
        self.drain()

    def _timeout(self) -> None:
        self._timer = None
        self.agent.handle_timeout(self.loop.time())
        self.drain()

    def drain(self) -> None:
        """Send and tell what the user agent has put out, until there is no more; then arm the timer."""
        if self._draining:
            return
        self._draining = True
        try:
            while outputs := self.agent.outputs():
                for output in outputs:
                    if type(output) is Send:
                        for observe in self.observers:
                            observe(">", output.data, output.destination, output.transport)
                        self.transports.send(output)
                    else:
                        self._tell(output)
        finally:
            self._draining = False
        deadline = self.agent.next_timeout()
        if deadline is None:
            return
        if self._timer is not None:
            if self._timer_at <= deadline:
                return
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = self.loop.call_at(deadline, self._timeout)

    def _tell(self, output: Any) -> None:
        try:
            if isinstance(output, RequestReceived):
                self._take_request(output)
                return
            session = getattr(output, "session", None)
            if session is not None:
                leg = session.user
                if isinstance(leg, SipLeg):
                    leg.take(output)
                elif not isinstance(output, Incoming):
                    log.debug("nobody takes %s", type(output).__name__)
                return
            user = getattr(getattr(output, "transaction", None), "user", None)
            if isinstance(user, Registration):
                user.receive(output, self.now())
            elif isinstance(user, ContactState):
                self.contacts.polled(user, output)
            elif isinstance(user, LampErrand):
                self.message_lamps.answered(user, output)
            elif isinstance(user, Errand):
                self.messages.answered(user, output)
            elif hasattr(output, "registration"):
                self.registrations.tell(output)
        except Exception:
            log.exception("a SIP event was lost: %s", type(output).__name__)

    # ------------------------------------------------------------------------------------------ requests that come

    def _take_request(self, received: RequestReceived) -> None:
        request, transaction = received.request, received.transaction
        source = self._source
        try:
            if request.method == "OPTIONS":
                check_require(self.agent.profile, request)
                self._answer_options(received)
                return
            if request.method not in ("INVITE", "REGISTER", "MESSAGE", "SUBSCRIBE", "NOTIFY"):
                self._refuse_method(received)
                return
            endpoint = self._identify(received)
            if not self._authenticate(received, endpoint, source):
                return
            assert endpoint is not None
            self.transports.keep(transaction.transport, source)
            if request.method != "REGISTER":  # whose extensions depend on the address of record
                check_require(self.profile_of(endpoint) if request.method == "INVITE" else self.agent.profile, request)
            if request.method == "REGISTER":
                check_registration(request)
                self.contacts.take_register(received, endpoint, source)
            elif request.method == "MESSAGE":
                self.messages.take_message(received, endpoint, source)
            elif request.method == "SUBSCRIBE":
                self.subscriptions.take_subscribe(received, endpoint, source)
            elif request.method == "NOTIFY":
                self.message_lamps.take_notify(received, endpoint)
            else:
                self._take_invite(received, endpoint, source)
        except ProtocolError as problem:
            self.agent.refuse(transaction, problem, self.now())

    def recognise(self, received: RequestReceived) -> tuple[Endpoint | None, Address]:
        """Who sent a request within a dialog, once it has proved to be so, and from where; None: it was answered."""
        source = self._source
        endpoint = self._identify(received)
        return (endpoint if self._authenticate(received, endpoint, source) else None), source

    def _identify(self, received: RequestReceived) -> Endpoint | None:
        """Who sent a request: the registrar that knows our Contact, else as the configuration says."""
        request, source = received.request, self._source
        if self.registrations.has_lines:
            name = self.registrations.endpoint_of_line(request.uri.parameter("line") or "")
            found = self.endpoints_table.get(name) if name else None
            if found is not None:
                return found if not found.access or allows(found.access, source[0]) else None
        return self.endpoints_table.identify(request, source, received.transaction.transport.name)

    def _refuse_method(self, received: RequestReceived) -> None:
        """405 for a method that has no place outside of a dialog, 501 for one that nobody knows (RFC 3261 8.2.1)."""
        status = 405 if received.request.method in METHODS_OF_SIP else 501
        headers = (("Allow", self.agent.profile.allow_value),)
        self.agent.respond_once(received.transaction, self.now(), status, headers=headers)

    def _authenticate(self, received: RequestReceived, endpoint: Endpoint | None, source: Address) -> bool:
        """Whether the request may go on; an unknown endpoint is challenged like a known one, and costs the same."""
        table, now = self.endpoints_table, self.now()
        if endpoint is not None and not endpoint.auth:
            if endpoint.name != ANYBODY:
                self.guard.prove(source[0], now)
            return True
        server = table.server_for(endpoint)
        verdict = server.check(received.request, lambda name: table.credentials_for(endpoint, name), now, source[0])
        if verdict.outcome is Outcome.ACCEPTED and endpoint is not None:
            self.guard.prove(source[0], now)
            report(self.registry, received, endpoint, verdict, source)
            return True
        self._report_stranger(received, endpoint, verdict, source)
        if verdict.outcome is Outcome.MALFORMED:
            report(self.registry, received, endpoint, verdict, source)
            self.agent.respond_once(received.transaction, now, 400)
            return False
        headers = server.challenge(now, stale=verdict.outcome is Outcome.STALE, host=source[0])
        report(self.registry, received, endpoint, verdict, source, headers)
        self.agent.respond_once(received.transaction, now, 401, headers=headers)
        return False

    def _report_stranger(
        self, received: RequestReceived, endpoint: Endpoint | None, verdict: Verdict, source: Address
    ) -> None:
        """Tell the guard who did not get in."""
        now, what = self.now(), received.request.method
        if verdict.outcome in (Outcome.REJECTED, Outcome.MALFORMED):
            genuine = verdict.nonce_is_ours or received.transaction.transport.reliable
            self.guard.fail(source[0], now, is_genuine=genuine, what=what)
        elif endpoint is None:
            self.guard.see_stranger(source[0], now, what)
        log_notes(self.guard)

    def _answer_options(self, received: RequestReceived) -> None:
        headers = (("Allow", self.agent.profile.allow_value), ("Accept", "application/sdp"))
        self.agent.respond_once(received.transaction, self.now(), 200, headers=headers)

    def _take_invite(self, received: RequestReceived, endpoint: Endpoint, source: Address) -> None:
        request, transaction, now = received.request, received.transaction, self.now()
        exten = request.uri.user or "s"
        dialplan = self.registry.dialplan
        caller = caller_of(request, endpoint)
        if not self.registry.accepting or dialplan is None or self._too_many():
            self.agent.respond(transaction, now, 503, headers=(("Retry-After", "5"),))
            return
        former = channel_to_replace(self, request)
        if former is not None and endpoint.name == ANYBODY:
            raise ProtocolError(403, "who is not recognised replaces nobody", message=request)
        if former is None and not dialplan.exists(endpoint.context, exten, 1, caller.number):
            log.info("call from %s to %s@%s: no such extension", endpoint.name, exten, endpoint.context)
            self.agent.respond(transaction, now, 404)
            return
        offer = None
        if request.sdp:
            try:
                offer = sdp.parse(request.sdp)
            except sdp.SdpError as problem:
                self.agent.respond(
                    transaction, now, 400, f"Bad SDP: {problem}"[:100].replace("\r", " ").replace("\n", " ")
                )
                return
        leg = SipLeg(self, endpoint, transaction.transport)
        try:
            refusal = leg.take_invite(request, offer)
        except MediaError as problem:
            log.error("call from %s: %s", endpoint.name, problem)
            leg.hangup(causes.SWITCH_CONGESTION)
            self.agent.respond(transaction, now, 503, headers=(("Retry-After", "5"),))
            return
        if refusal is not None:
            leg.hangup(causes.BEARER_CAPABILITY_UNAVAILABLE)
            self.agent.respond(transaction, now, refusal.status, headers=warning_of(refusal))
            return
        session = self.agent.accept_invite(
            received,
            self.contact_on(transaction.transport, is_secure=request.uri.scheme == "sips"),
            now,
            source=source,
            remember_source=endpoint.force_rport or endpoint.rewrite_contact,
            credentials=self.client_credentials(endpoint),
            profile=self.profile_of(endpoint),
        )
        if session is None:
            leg.hangup(causes.INTERWORKING)
            return
        leg.join_session(session)
        channel = self._channel(leg, endpoint, State.RING, self.registry.new_id(), caller=caller, exten=exten)
        leg.identified()
        channel.dialed_number = exten
        channel.redirecting_number = diverted_from(request)
        channel.set_variable("SIPDOMAIN", request.uri.host)
        self._set_variables(channel, endpoint)
        channel.own(dialplan.run(channel) if former is None else self._replace(channel, former))

    async def _replace(self, channel: Channel, former: Channel) -> None:
        """The story of a call that takes the place of another one (RFC 3891)."""
        assert self.transfers is not None
        if not self.transfers.can_replace(former):
            channel.hangup_cause = causes.CALL_REJECTED
            return
        story = self.transfers.replace(former, channel)
        channel.answer()
        await story()

    def _too_many(self) -> bool:
        limit = self.registry.max_channels
        return limit is not None and len(self.registry) >= limit

    # ---------------------------------------------------------------------------------------------- calls that go

    def request(self, wanted: DialRequest) -> Channel:
        """A channel to ``ENDPOINT``, ``ENDPOINT/sip:URI`` or ``EXTEN@ENDPOINT``; CannotRequest if it leads nowhere."""
        name, slash, uri = wanted.resource.partition("/")
        exten = ""
        endpoint = self.endpoints_table.get(name)
        if endpoint is None and "@" in name and not slash:
            exten, _, name = name.rpartition("@")
            endpoint = self.endpoints_table.get(name)
        if endpoint is None:
            raise CannotRequest(f"PJSIP endpoint {name!r} does not exist", causes.NO_ROUTE_DESTINATION)
        contact: ContactState | None = None
        others: list[ContactState] = []
        if not uri:
            usable = [c for c in self.contacts.of(endpoint) if c.usable]
            if not usable:
                raise CannotRequest(f"PJSIP endpoint {name!r} has no contact that can be reached", 20)
            contact, others = usable[0], usable[1:]
            uri = contact.uri
        try:
            target = parse_uri(uri)
            route_set = route_to(endpoint, contact, self.registrations.service_route(endpoint.name))
        except ProtocolError as problem:
            raise CannotRequest(f"PJSIP/{wanted.resource}: {problem}") from problem
        if exten:
            target = SipUri(target.scheme, exten, target.host, target.port, None, target.parameters)
        transport = contact.transport if contact is not None else None
        if transport is None:
            transport = self.transports.choose(endpoint.transport, next_hop(route_set, target))
        if transport is None:
            raise CannotRequest(f"PJSIP/{wanted.resource}: there is no transport for it")
        if self._too_many():
            raise CannotRequest("the limit of channels is reached", causes.SWITCH_CONGESTION)
        leg = SipLeg(self, endpoint, transport, formats=wanted.formats, dialstring=wanted.resource)
        leg.target = str(target)
        if contact is not None and contact.source is not None and transport.reliable and not endpoint.outbound_proxy:
            leg.destination = contact.source  # the connection that the phone opened
        leg.route_set = route_set
        leg.exten, leg.others = exten, others
        originator = wanted.originator
        leg.diverted_from = originator.redirecting_number if originator is not None else ""
        channel_id = wanted.channel_id or self.registry.new_id()
        self.registry.check_free(channel_id)
        try:
            leg.open_media()  # now, since a created channel may join a bridge before it is dialled
        except MediaError as problem:
            raise CannotRequest(str(problem), causes.SWITCH_CONGESTION) from problem
        channel = self._channel(
            leg,
            endpoint,
            State.DOWN,
            channel_id,
            caller=wanted.caller or callerid_of(endpoint),
            connected=wanted.connected,
            language=wanted.language or (originator.language if originator else ""),
            accounts=account_codes(wanted, endpoint.accountcode),
            linked_to=originator,
            on_channel=wanted.on_channel,
        )
        leg.identified()
        for variable, value in wanted.variables.items():
            channel.set_variable(variable, value)
        self._set_variables(channel, endpoint)
        return channel

    def start_call(self, leg: SipLeg) -> None:
        """Send the INVITE of a leg, after the host name was looked up that it goes to, if it is one."""
        uri = next_hop(leg.route_set, parse_uri(leg.target))
        destination = leg.destination or literal_address(uri)
        if destination is not None:
            self._invite(leg, Hop(destination, leg.transport))
            return
        self.own(self._look_up_and_call(leg, uri), f"look up {uri.host}")

    def own(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run something to its end, or to that of the driver."""
        task = self.loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look_up_and_call(self, leg: SipLeg, uri: SipUri) -> None:
        leg.hops = list(await self.hops(uri, leg.transport, is_fixed=bool(leg.endpoint.transport)))
        if leg.hops:
            self._invite(leg, leg.hops.pop(0))
        elif not self._call_other(leg):
            log.warning("host %s on the way to %s cannot be found", uri.host, leg.target)
            if leg.channel is not None:
                leg.channel.receive(signals.HungUp(causes.NO_ROUTE_DESTINATION))

    def _invite(self, leg: SipLeg, hop: Hop) -> None:
        leg.transport = self.transports.towards(hop.transport, hop.address)
        leg.invite(hop.address)
        self.drain()

    def call_next(self, leg: SipLeg, failed: Address) -> bool:
        """A server did not answer the INVITE of a leg: call the next one, or the next contact; False for none."""
        self.shunned.add(failed, self.now())
        if leg.hops:
            log.info("%s:%s does not answer, %s is tried at %s:%s", *failed, leg.target, *leg.hops[0].address)
            self._invite(leg, leg.hops.pop(0))
            return True
        return self._call_other(leg)

    def _call_other(self, leg: SipLeg) -> bool:
        """Call the next contact of an endpoint, where its audio can go through the port that is open."""
        while leg.others:
            contact = leg.others.pop(0)
            target = parse_uri(contact.uri)
            if leg.exten:
                target = SipUri(target.scheme, leg.exten, target.host, target.port, None, target.parameters)
            route_set = route_to(leg.endpoint, contact, self.registrations.service_route(leg.endpoint.name))
            transport = contact.transport or self.transports.choose(leg.endpoint.transport, next_hop(route_set, target))
            if transport is None or self.media_bind(transport) != self.media_bind(leg.transport):
                continue
            leg.transport, leg.target, leg.route_set = transport, str(target), route_set
            leg.destination = contact.source if transport.reliable and not leg.endpoint.outbound_proxy else None
            self.start_call(leg)
            return True
        return False

    async def hops(self, uri: SipUri, transport: Transport, *, is_fixed: bool = False) -> tuple[Hop, ...]:
        """The servers that a request to a URI may go to, the best first; () for none.

        `is_fixed`: no protocol but that of the transport, since the configuration names it.
        """
        family = 6 if ":" in self.media_bind(transport) else 4
        able = (transport.protocol,) if is_fixed else self.transports.protocols(family)
        found: list[Hop] = []
        for target in await self.resolver.targets(uri, able, (family,)):
            address = (target.host, target.port)
            carrier: Transport | None = transport
            if target.protocol != transport.protocol:
                carrier = self.transports.find("", target.protocol, target.host)
            if carrier is not None:
                if literal_address(uri) is None:  # RFC 5922 4: the certificate is for the name that was asked for
                    self.transports.note_name(address, uri.host)
                found.append(Hop(address, self.transports.towards(carrier, address)))
        return self.shunned.order(found, self.now())

    async def look_up(self, uri: SipUri, transport: Transport) -> Address | None:
        """The best server of a URI by the protocol of a transport; None if there is none."""
        hops = await self.hops(uri, transport, is_fixed=True)
        return hops[0].address if hops else None

    def _name_hosts(self) -> None:
        """Look up the hosts that identify endpoints, and again whenever what was learnt is over."""
        if self._naming is not None:
            self._naming.cancel()
            self._naming = None
        if self.endpoints_table.host_names:
            self._naming = self.loop.create_task(self._keep_hosts_named(self.endpoints_table), name="identify hosts")
            self._tasks.add(self._naming)
            self._naming.add_done_callback(self._tasks.discard)

    async def _keep_hosts_named(self, table: Endpoints) -> None:
        while True:
            wait_s = MAX_NAMED_S
            for name, with_services in table.host_names.items():
                hosts, good_s = await self.resolver.hosts(name, with_services=with_services)
                if not hosts:
                    log.warning("identify: host %s cannot be found", name)
                table.learn(name, hosts)
                wait_s = min(wait_s, good_s)
            await asyncio.sleep(max(wait_s, MIN_NAMED_S))

    def invite(self, leg: SipLeg, destination: Address, body: bytes) -> InviteSession:
        """Begin the INVITE session of an outgoing leg."""
        channel, endpoint, transport = leg.channel, leg.endpoint, leg.transport
        assert channel is not None
        host = self.host_towards(endpoint, transport)
        # What the phone sees as the caller is who its channel is connected to.
        diverted = channel.redirecting_number or leg.diverted_from
        from_, headers = identity_headers(channel.connected, endpoint, host, diverted)
        return self.agent.invite(
            leg.target,
            destination,
            transport,
            self.contact_on(transport, endpoint.contact_user, is_secure=leg.target.startswith("sips:")),
            self.now(),
            from_=with_parameters(from_, leg.from_parameters),
            headers=(*headers, *leg.more_fields, *leg.added),
            sdp=body,
            route_set=leg.route_set,
            credentials=self.client_credentials(endpoint),
            remember_source=leg.destination is not None,
            call_id=leg.protocol_id,
            max_forwards=self.settings.general.max_forwards,
            profile=self.profile_of(endpoint),
        )

    def dress(self, channel: Channel, fields: tuple[tuple[str, str], ...]) -> None:
        """Put header fields on the INVITE of a channel that was requested and not called."""
        assert isinstance(channel.leg, SipLeg)
        channel.leg.more_fields = fields

    def endpoint_towards(self, uri: SipUri) -> Endpoint | None:
        """The endpoint that has a contact at the host of a URI, else the one of calls to bare URIs, if it exists."""
        for endpoint in self.settings.endpoints.values():
            for contact in self.contacts.of(endpoint):
                if uri.host.lower() in contact.uri.lower() and parse_uri(contact.uri).host.lower() == uri.host.lower():
                    return endpoint
        return self.endpoints_table.get(self.settings.general.default_outbound_endpoint)

    def host_towards(self, endpoint: Endpoint, transport: Transport) -> str:
        """The host of URIs that name people to an endpoint."""
        host = endpoint.from_domain or transport.host
        return f"[{host}]" if ":" in host and not host.startswith("[") else host

    def profile_of(self, endpoint: Endpoint) -> Profile:
        """What calls of an endpoint say and demand of SIP's extensions."""
        return extend_profile(self.agent.profile, endpoint)

    def client_credentials(self, endpoint: Endpoint) -> DigestClient | None:
        """What answers the challenges of an endpoint."""
        auths = self.endpoints_table.auths_of(endpoint.outbound_auth)
        return DigestClient(*(credentials_of(auth) for auth in auths)) if auths else None

    def contact_on(self, transport: Transport, user: str = "", *, is_secure: bool = False) -> str:
        """Our Contact on a transport; a sips URI where the request is for one (RFC 3261 8.1.1.8, 12.1.1)."""
        at = f"{user}@" if user else ""
        protocol = transport.protocol
        if protocol in ON_SOCKETS:
            parameter = ";transport=ws"  # RFC 7118 5.2: the one name for both
        elif protocol == "UDP" or is_secure:
            parameter = ""  # sips says it all (RFC 5630 3.1.4)
        else:
            parameter = f";transport={protocol.lower()}"
        return f"<{'sips' if is_secure else 'sip'}:{at}{transport.sent_by}{parameter}>"

    def new_call_id(self) -> str:
        """A Call-ID for a call of ours."""
        return new_token() + new_token()

    def uri_of(self, target: str) -> str | None:
        """A SIP URI, or the first contact of an endpoint, as a URI; None if it is neither."""
        if target.startswith(("sip:", "sips:")):
            try:
                return str(parse_uri(target))
            except ProtocolError:
                return None
        endpoint = self.endpoints_table.get(target)
        contacts = self.contacts.of(endpoint) if endpoint is not None else []
        return contacts[0].uri if contacts else None

    # -------------------------------------------------------------------------------------------------- channels

    def _channel(
        self,
        leg: SipLeg,
        endpoint: Endpoint,
        state: State,
        channel_id: str,
        *,
        caller: Party | None,
        connected: Party | None = None,
        exten: str = "s",
        language: str = "",
        accounts: tuple[str, str] | None = None,
        linked_to: Channel | None = None,
        on_channel: Callable[[Channel], None] | None = None,
    ) -> Channel:
        accountcode, peeraccount = accounts if accounts is not None else (endpoint.accountcode, "")
        channel = Channel(
            self.registry,
            leg,
            channel_id=channel_id,
            name=f"PJSIP/{endpoint.name}-{self.registry.next_number('PJSIP')}",
            state=state,
            context=endpoint.context,
            exten=exten,
            caller=caller,
            connected=connected,
            language=endpoint.language or language or self.registry.default_language,
            accountcode=accountcode,
            peeraccount=peeraccount,
            endpoint=f"PJSIP/{endpoint.name}",
            linked_to=linked_to,
        )
        leg.channel = channel
        channel.tenant_id = endpoint.tenantid
        if endpoint.call_group or endpoint.named_call_group:
            channel.call_groups = Groups(frozenset(endpoint.call_group), frozenset(endpoint.named_call_group))
        if endpoint.pickup_group or endpoint.named_pickup_group:
            channel.pickup_groups = Groups(frozenset(endpoint.pickup_group), frozenset(endpoint.named_pickup_group))
        channel.tone_zone = endpoint.tone_zone
        channel.music_class = endpoint.moh_suggest if "moh_suggest" in endpoint.set_at else ""
        if on_channel is not None:
            on_channel(channel)
        self.registry.add(channel)
        self._channels.setdefault(endpoint.name, {})[channel.id] = None
        self._announce_channels(endpoint.name)
        return channel

    def forget(self, channel: Channel) -> None:
        """A channel of an endpoint has ended."""
        self.history.ended(channel.leg.protocol_id, channel.linkedid)
        name = channel.endpoint.partition("/")[2] if channel.endpoint else ""
        channels = self._channels.get(name)
        if channels is not None and channels.pop(channel.id, 0) is None:
            if not channels:
                del self._channels[name]
            self._announce_channels(name)

    def _set_variables(self, channel: Channel, endpoint: Endpoint) -> None:
        dialplan = self.registry.dialplan
        for name, value in endpoint.set_var:
            if dialplan is not None:
                dialplan.write(channel, name, value)

    def media_address(self, leg: SipLeg) -> str:
        """The address we name in SDP."""
        return leg.endpoint.media_address or leg.transport.media_host or leg.transport.host

    def media_bind(self, transport: Transport) -> str:
        """The address RTP sockets are bound to: that of the transport."""
        settings = self.settings.transports.get(transport.name)
        return settings.bind.host if settings is not None and settings.bind is not None else transport.host

    # -------------------------------------------------------------------------------------------------- endpoints

    def endpoints(self) -> Sequence[snapshots.Endpoint]:
        return [self._endpoint(name) for name in self.settings.endpoints]

    def endpoint(self, resource: str) -> snapshots.Endpoint | None:
        endpoint = self.endpoints_table.get(resource)
        return self._endpoint(endpoint.name) if endpoint is not None else None

    def _endpoint(self, name: str) -> snapshots.Endpoint:
        endpoint = self.settings.endpoints[name]
        online = any(contact.usable for contact in self.contacts.of(endpoint))
        return snapshots.Endpoint(
            technology="PJSIP",
            resource=name,
            state="online" if online else "offline",
            channel_ids=list(self._channels.get(name, ())),
        )

    def _announce_channels(self, name: str) -> None:
        """The channels of an endpoint are others now; those of one that cannot be reached are no news."""
        if not self.registry.bus.wanted(_endpoint_topics(name)):
            return
        endpoint = self.settings.endpoints.get(name)
        if endpoint is not None and any(contact.usable for contact in self.contacts.of(endpoint)):
            self.announce_endpoint(name)

    def announce_endpoint(self, name: str) -> None:
        """Publish EndpointStateChange: reachability or the channels of an endpoint are different now."""
        self.registry.device_changed(f"PJSIP/{name}")
        topics = _endpoint_topics(name)
        if name in self.settings.endpoints and self.registry.bus.wanted(topics):
            self.registry.bus.publish(
                events.EndpointStateChange(timestamp=wire_now(), endpoint=self._endpoint(name)), topics
            )

    def device_state(self, resource: str) -> str | None:
        endpoint = self.endpoints_table.get(resource)
        if endpoint is None:
            return None
        if not any(contact.usable for contact in self.contacts.of(endpoint)):
            return "UNAVAILABLE"
        channels = [c for c in map(self.registry.get, self._channels.get(endpoint.name, ())) if c is not None]
        if not channels:
            return "NOT_INUSE"
        if endpoint.device_state_busy_at and len(channels) >= endpoint.device_state_busy_at:
            return "BUSY"
        begun = [c for c in channels if c.state is not State.DOWN]
        if not begun:
            return "NOT_INUSE"
        ringing = sum(c.state is State.RINGING for c in begun)
        if ringing:
            return "RINGING" if ringing == len(begun) else "RINGINUSE"
        return "ONHOLD" if all(isinstance(c.leg, SipLeg) and c.leg.held for c in begun) else "INUSE"

    def _resolve_now(self, uri: SipUri) -> Address | None:
        return literal_address(uri)


@lru_cache(maxsize=4096)
def _endpoint_topics(name: str) -> tuple[str, ...]:
    """What an endpoint's events are published on."""
    return (f"endpoint:PJSIP/{name}", "endpoint:PJSIP", "endpoint:")


__all__ = ["SipDriver"]
