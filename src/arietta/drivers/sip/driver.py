"""The SIP driver: what holds its parts together, and the one place where the user agent meets sockets and time.

After everything that goes into the user agent its outputs are drained: messages go on the wire, events to the legs,
and one timer is armed for the next deadline.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from msgspec.structs import replace

from arietta.channels.channel import Channel
from arietta.channels.driver import DialRequest
from arietta.channels.registry import ChannelRegistry
from arietta.channels.texts import IncomingText
from arietta.config.pjsip import PjsipSettings
from arietta.config.resolver import ResolverSettings
from arietta.drivers.sip.access import Access
from arietta.drivers.sip.contacts import Contacts
from arietta.drivers.sip.devices import Devices
from arietta.drivers.sip.endpoints import Endpoints
from arietta.drivers.sip.errands import Errand
from arietta.drivers.sip.flows import DatagramFlows
from arietta.drivers.sip.history import CallHistory, limits_of
from arietta.drivers.sip.hops import Hop
from arietta.drivers.sip.leg import SipLeg
from arietta.drivers.sip.location import ContactState
from arietta.drivers.sip.media_log import MediaLog
from arietta.drivers.sip.message_lamps import LampErrand, MessageLamps
from arietta.drivers.sip.message_log import MessageLog
from arietta.drivers.sip.messages import Messages
from arietta.drivers.sip.named_hosts import NamedHosts
from arietta.drivers.sip.noise import configure_guard, log_notes
from arietta.drivers.sip.outbound import OutboundRegistrations
from arietta.drivers.sip.outgoing import OutgoingCalls
from arietta.drivers.sip.parting import parted
from arietta.drivers.sip.paths import MediaPaths, PathRules
from arietta.drivers.sip.reception import Reception
from arietta.drivers.sip.resolver import Resolver
from arietta.drivers.sip.servers import Servers
from arietta.drivers.sip.streams import Connection
from arietta.drivers.sip.subscriptions import Subscriptions
from arietta.drivers.sip.transfer import Transfers
from arietta.drivers.sip.transports import SipTransports
from arietta.media.engine import MediaEngine
from arietta.model import snapshots
from arietta.sip.agent import UserAgent
from arietta.sip.compact import compact
from arietta.sip.events import Incoming
from arietta.sip.guard import Guard
from arietta.sip.invite import InviteSession
from arietta.sip.profile import Profile
from arietta.sip.registration import Registration
from arietta.sip.stun import answer_binding, is_stun
from arietta.sip.timers import Timers
from arietta.sip.transactions import Address, RequestReceived, Send, Transport
from arietta.sip.uri import SipUri

if TYPE_CHECKING:
    from arietta.sip.message import Request

log = logging.getLogger(__name__)

METHODS = (
    "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "REGISTER", "UPDATE", "MESSAGE", "REFER", "NOTIFY", "PRACK",
    "SUBSCRIBE",
)  # fmt: skip
Observer = Callable[[str, bytes, Address, Transport], None]
"""Gets `<` for a message that came or `>` for one that goes, its bytes, the peer's address, and the transport."""


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
        instance: str = "",
    ) -> None:
        """`folder` is where relative names of certificates begin, `instance` the UUID of this server for registrars."""
        self.instance = instance or str(uuid4())
        self.registry = registry
        self.engine: MediaEngine = registry.engine
        self.loop = registry.loop
        self.settings = settings
        self.endpoints_table = Endpoints(settings)
        profile = Profile(
            allow=METHODS,
            supported=("replaces", "norefersub") if settings.general.norefersub else ("replaces",),
            product=settings.general.user_agent or product,
        )
        timer_b_s = settings.system.timer_b / 1000 if "timer_b" in settings.system.set_at else 0.0
        self.agent = UserAgent(profile, timers=Timers(t1=settings.system.timer_t1 / 1000, b=timer_b_s))
        self.resolver = Resolver(resolver or ResolverSettings(), self.loop, self.agent.counters)
        self._named_hosts = NamedHosts(self.resolver, self.loop)
        self.contacts = Contacts(self)
        self.flows = DatagramFlows(self.loop, self.contacts.flow_ended)
        self.guard = Guard(counters=self.agent.counters)
        configure_guard(self.guard, settings)
        self.access = Access(settings)
        self.transports = SipTransports(
            self._received, self._send_failed, self._connection_lost, folder, self.agent.counters
        )
        self.transports.admits = self.guard.admits_connection
        self.servers = Servers(self.resolver, self.transports)
        self.paths = MediaPaths(self.engine, self.loop, folder, path_rules)
        self.registrations = OutboundRegistrations(self)
        self.messages = Messages(self)
        self.subscriptions = Subscriptions(self)
        self.message_lamps = MessageLamps(self)
        self.message_lamps.configure(settings)
        self.send_message = self.messages.send_message
        self.refer = self.messages.refer
        self.reception = Reception(self)
        self.outgoing = OutgoingCalls(self)
        self.devices = Devices(self)
        self.history = CallHistory(self.loop.time)
        self.message_log = MessageLog(self)
        self.media_log = MediaLog(self)
        self.observers: list[Observer] = []
        """Each sees every message that is taken or sent."""
        self.transfers: Transfers | None = None
        self.take_text: Callable[[IncomingText], None] | None = None
        """Told of each text outside of calls whose extension is there."""
        self.parting: dict[InviteSession, asyncio.TimerHandle] = {}  # calls without channel, left to the phone's BYE
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._draining = False
        self._is_compact = settings.system.compact_headers
        self._tasks: set[asyncio.Task[None]] = set()
        self.contacts.configure(settings)
        self._observe(settings)

    # -------------------------------------------------------------------------------------------- life and reload

    async def start(self) -> None:
        """Bind the transports, register where the configuration says, begin to poll contacts."""
        if not self.settings.system.disable_tcp_switch:
            self.agent.layer.larger = self._larger
        self.paths.prepare(self.settings.endpoints.values())
        self.paths.start()
        await self.transports.open(self.settings)
        self.contacts.start()
        self._named_hosts.keep(self.endpoints_table)
        self.subscriptions.start()
        self.message_lamps.start()
        self.registrations.configure(self.settings)

    async def stop(self) -> None:
        """Take our registrations away, then close the sockets."""
        self.registrations.stop()
        self.message_lamps.stop()
        self.subscriptions.stop()
        self.flows.stop()
        self.contacts.stop()
        self.messages.stop()
        for session in tuple(self.parting):
            parted(self, session, bye=True)
        self.drain()
        await self.paths.stop()
        await self._named_hosts.stop()
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
        self.media_log.stop()

    def reload(self, settings: PjsipSettings) -> list[str]:
        """Take a new configuration; what a reload cannot change (transports) is told."""
        notes = self.transports.reload(settings)
        self.settings = settings
        self.endpoints_table = Endpoints(settings)
        self.paths.prepare(settings.endpoints.values())
        configure_guard(self.guard, settings)
        self.access = Access(settings)
        self.contacts.configure(settings)
        self._named_hosts.keep(self.endpoints_table)
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
        if self.flows and not transport.reliable:
            self.flows.heard(transport, source)
        if is_stun(data):
            if not self.registrations.take_stun(data, source):
                self._answer_stun(data, source, transport)
            return
        for observe in self.observers:
            observe("<", data, source, transport)
        self.reception.source = source
        if not self.access.is_open and (acl := self.access.refuses_host(source[0])):
            self.reception.turn_away(data, transport, acl)
            return
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

    def _connection_lost(self, connection: Connection) -> None:
        self.contacts.flow_lost(connection)
        self.registrations.connection_lost(connection.transport, connection.peer)

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
                        self.send(output)
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

    def send(self, send: Send) -> None:
        """Put a message on the wire, for all to see that look."""
        if self._is_compact:
            send = replace(send, data=compact(send.data))
        for observe in self.observers:
            observe(">", send.data, send.destination, send.transport)
        self.transports.send(send)

    def _tell(self, output: Any) -> None:
        try:
            if isinstance(output, RequestReceived):
                self.reception.take(output)
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
                self.contacts.polls.take(user, output)
            elif isinstance(user, LampErrand):
                self.message_lamps.answered(user, output)
            elif isinstance(user, Errand):
                self.messages.answered(user, output)
            elif hasattr(output, "registration"):
                self.registrations.tell(output)
        except Exception:
            log.exception("a SIP event was lost: %s", type(output).__name__)

    def own(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run something to its end, or to that of the driver."""
        task = self.loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------------------------------- what channels ask of it

    def request(self, wanted: DialRequest) -> Channel:
        """A channel to ``ENDPOINT``, ``ENDPOINT/sip:URI`` or ``EXTEN@ENDPOINT``; CannotRequest if it leads nowhere."""
        return self.outgoing.request(wanted)

    def forget(self, channel: Channel) -> None:
        """A channel has ended."""
        self.history.ended(channel.leg.protocol_id, channel.linkedid)
        self.devices.ended(channel)

    async def hops(self, uri: SipUri, transport: Transport, *, is_fixed: bool = False) -> tuple[Hop, ...]:
        """The servers that a request to a URI may go to, the best first; () for none.

        `is_fixed`: no protocol but that of the transport, since the configuration names it.
        """
        return await self.servers.find(uri, transport, self.now(), is_fixed=is_fixed)

    def endpoints(self) -> Sequence[snapshots.Endpoint]:
        return [self.devices.snapshot(name) for name in self.settings.endpoints]

    def endpoint(self, resource: str) -> snapshots.Endpoint | None:
        endpoint = self.endpoints_table.get(resource)
        return self.devices.snapshot(endpoint.name) if endpoint is not None else None

    def device_state(self, resource: str) -> str | None:
        endpoint = self.endpoints_table.get(resource)
        return self.devices.state_of(endpoint) if endpoint is not None else None


__all__ = ["SipDriver"]
