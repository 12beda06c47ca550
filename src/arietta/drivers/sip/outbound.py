"""Registrations that this server makes elsewhere."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING, Any

from arietta.config import pjsip
from arietta.config.pjsip import PjsipSettings
from arietta.drivers.sip.facing import contact_on
from arietta.drivers.sip.kept_flows import KeptFlows
from arietta.drivers.sip.proxies import route_through
from arietta.model import facts
from arietta.sip.dialogs import next_hop
from arietta.sip.errors import ProtocolError
from arietta.sip.flows import with_flow
from arietta.sip.layer import new_token
from arietta.sip.registration import Registered, Registration, RegistrationFailed, Unregistered
from arietta.sip.transactions import Address, Transport
from arietta.sip.uri import parse_uri
from arietta.verbose import verbose

if TYPE_CHECKING:
    from arietta.drivers.sip.driver import SipDriver

log = logging.getLogger(__name__)


class OutboundRegistrations:
    """Every configured registration, by the name of its section."""

    def __init__(self, driver: SipDriver) -> None:
        self._driver = driver
        self.registrations: dict[str, Registration] = {}
        self._settings: dict[str, pjsip.Registration] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._flows = KeptFlows(driver.loop, driver.transports.send, self._flow_failed)
        self._lines: dict[str, str] = {}  # by what is in our Contacts

    def configure(self, settings: PjsipSettings) -> None:
        """Begin new registrations, end those that are gone or have changed."""
        for name in tuple(self._settings):
            wanted = settings.registrations.get(name)
            if wanted is None or wanted.set_at != self._settings[name].set_at:
                self._end(name)
        for name, wanted in settings.registrations.items():
            if name not in self._settings:
                self._settings[name] = wanted
                task = self._driver.loop.create_task(self._begin(name, wanted), name=f"registration {name}")
                self._tasks[name] = task

    def stop(self) -> None:
        """Take every registration away."""
        self._flows.stop()
        for name in tuple(self._settings):
            self._end(name)

    def register(self, name: str) -> bool:
        """Register now, whatever became of it before; False for one that is not configured."""
        wanted = self._settings.get(name)
        if wanted is None:
            return False
        registration = self.registrations.get(name)
        if registration is not None:
            registration.start(self._driver.now())
            self._driver.drain()
        elif self._tasks[name].done():  # it could not be begun
            self._tasks[name] = self._driver.loop.create_task(self._begin(name, wanted), name=f"registration {name}")
        return True

    def unregister(self, name: str) -> bool:
        """Take a registration away until `register`; False for one that is not configured."""
        registration = self.registrations.get(name)
        if registration is not None:
            registration.stop(self._driver.now())
            self._driver.drain()
        return name in self._settings

    def tell(self, event: Any) -> None:
        """Say what became of a registration."""
        name = next((n for n, r in self.registrations.items() if r is event.registration), "?")
        self._publish(event)
        if isinstance(event, Registered) and event.registration.flow_timer is not None:
            self._flows.keep(event.registration, event.registration.flow_timer)
        else:
            self._flows.forget(event.registration)
        if isinstance(event, Registered):
            verbose(2, f"Registered '{name}' for {event.expires} seconds")
        elif isinstance(event, RegistrationFailed):
            later = f"tried again in {event.retry_in:.0f} s" if event.retry_in is not None else "given up"
            log.warning("registration %s: %d %s, %s", name, event.status, event.reason, later)

    def _publish(self, event: Registered | RegistrationFailed | Unregistered) -> None:
        bus = self._driver.registry.bus
        if bus.wanted(facts.RegistrationChanged.topics):
            status, cause = "Registered", ""
            if isinstance(event, RegistrationFailed):
                status, cause = "Rejected", f"{event.status} {event.reason}"
            elif isinstance(event, Unregistered):
                status = "Unregistered"
            changed = facts.RegistrationChanged(event.registration.aor, event.registration.registrar, status, cause)
            bus.publish(changed, changed.topics)

    def connection_lost(self, transport: Transport, peer: Address) -> None:
        """A connection has ended: what was registered over it as a flow is registered anew (RFC 5626 4.5)."""
        for registration in self.registrations.values():
            same = (registration.transport.name, registration.destination) == (transport.name, peer)
            if same and registration.flow_timer is not None:
                self._flow_failed(registration)

    def take_stun(self, data: bytes, source: Address) -> bool:
        """Take what answers a keepalive of ours; False for anything else."""
        return len(self._flows) > 0 and self._flows.take(data, source)

    def _flow_failed(self, registration: Registration) -> None:
        self._flows.forget(registration)
        registration.flow_failed(self._driver.now())
        self._driver.drain()

    @property
    def has_lines(self) -> bool:
        """Whether calls may be known by our Contact at all."""
        return bool(self._lines)

    def endpoint_of_line(self, line: str) -> str:
        """The endpoint whose calls come by a Contact with this `line`, "" for none."""
        wanted = self._settings.get(self._lines.get(line, "")) if line else None
        return wanted.endpoint if wanted is not None else ""

    def service_route(self, endpoint: str) -> tuple[str, ...]:
        """The proxies that the registrar of an endpoint wants its requests to pass (RFC 3608)."""
        for name, wanted in self._settings.items():
            if wanted.endpoint == endpoint and (registration := self.registrations.get(name)) is not None:
                return registration.service_route
        return ()

    def _end(self, name: str) -> None:
        self._settings.pop(name, None)
        self._lines = {line: owner for line, owner in self._lines.items() if owner != name}
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
        registration = self.registrations.pop(name, None)
        if registration is not None:
            self._flows.forget(registration)
            registration.stop(self._driver.now())

    async def _begin(self, name: str, wanted: pjsip.Registration) -> None:
        driver = self._driver
        try:
            registrar, client = parse_uri(wanted.server_uri), parse_uri(wanted.client_uri)
        except ProtocolError as problem:
            log.error("registration %s: %s", name, problem)
            return
        if wanted.max_random_initial_delay:
            await asyncio.sleep(random.uniform(0, min(wanted.max_random_initial_delay, 1)))
        route_set = route_through(wanted.outbound_proxy)
        target = next_hop(route_set, registrar)
        transport = driver.transports.choose(wanted.transport, target)
        if transport is None:
            log.error("registration %s: there is no transport for %s", name, target)
            return
        is_fixed = bool(wanted.transport)
        while not (hops := await driver.hops(target, transport, is_fixed=is_fixed)):
            wait_s = max(1, wanted.retry_interval)
            log.warning("registration %s: %s cannot be found, tried again in %d s", name, target.host, wait_s)
            await asyncio.sleep(wait_s)
        destination, transport = hops[0]
        user, line = wanted.contact_user or client.user or "s", ""
        if wanted.line_matching:
            line = new_token()
            self._lines[line] = name

        def named_on(carrier: Transport) -> str:
            contact = contact_on(carrier, user, is_secure=registrar.scheme == "sips")
            if line:
                contact = f"{contact[:-1]};line={line}>"
            if wanted.contact_header_params:
                contact = f"{contact};{wanted.contact_header_params}"
            return with_flow(contact, driver.instance) if wanted.support_outbound else contact

        registration = Registration(
            driver.agent.layer,
            registrar=str(registrar),
            aor=str(client),
            contact=named_on(transport),
            destination=destination,
            transport=transport,
            call_id=new_token(),
            tag=new_token(),
            credentials=driver.endpoints_table.answering(wanted.outbound_auth),
            expiration=wanted.expiration,
            retry_interval=float(wanted.retry_interval),
            max_retries=wanted.max_retries,
            forbidden_retry_interval=float(wanted.forbidden_retry_interval),
            fatal_retry_interval=float(wanted.fatal_retry_interval),
            user_agent=wanted.user_agent or driver.agent.profile.product,
            route_set=route_set,
            is_rejection_lasting=wanted.auth_rejection_permanent,
            supports_path=wanted.support_path,
            supports_outbound=wanted.support_outbound,
        )
        registration.ways = [(hop.address, hop.transport, named_on(hop.transport)) for hop in hops[1:]]
        self.registrations[name] = registration
        registration.start(driver.now())
        driver.drain()
