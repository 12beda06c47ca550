"""Calls that go: from a channel that is asked for to the INVITE, and to the next server or contact when one fails."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from arietta.channels import signals
from arietta.channels.accounts import account_codes
from arietta.channels.channel import Channel, State
from arietta.channels.driver import CannotRequest, DialRequest
from arietta.channels.identities import redirection_of
from arietta.config.endpoint import Endpoint
from arietta.drivers.sip.channels import create_channel, set_variables
from arietta.drivers.sip.codec_choice import choice_of, codecs_to_offer
from arietta.drivers.sip.diversion import diversions
from arietta.drivers.sip.endpoints import extend_profile
from arietta.drivers.sip.facing import contact_on, host_towards
from arietta.drivers.sip.hops import Hop, is_no_answer, is_unreached
from arietta.drivers.sip.identity import callerid_of, identity_headers, marked_as_phone, with_parameters
from arietta.drivers.sip.leg import SipLeg
from arietta.drivers.sip.proxies import route_to
from arietta.drivers.sip.referral import referred_by
from arietta.media.engine import MediaError
from arietta.model import causes
from arietta.sip.dialogs import literal_address, next_hop
from arietta.sip.errors import ProtocolError
from arietta.sip.invite import InviteSession
from arietta.sip.layer import new_token
from arietta.sip.transactions import Address, Transport
from arietta.sip.uri import SipUri, parse_uri

if TYPE_CHECKING:
    from arietta.drivers.sip.driver import SipDriver
    from arietta.drivers.sip.location import ContactState

log = logging.getLogger(__name__)


class Way(NamedTuple):
    """Where an INVITE is to go."""

    target: SipUri
    route_set: tuple[str, ...]
    transport: Transport
    destination: Address | None
    """The other end of the flow that the phone opened, None where the URI is followed."""


class OutgoingCalls:
    """What calls endpoints."""

    def __init__(self, driver: SipDriver) -> None:
        self._driver = driver

    def request(self, wanted: DialRequest) -> Channel:
        """A channel to ``ENDPOINT``, ``ENDPOINT/sip:URI`` or ``EXTEN@ENDPOINT``; CannotRequest if it leads nowhere."""
        driver = self._driver
        endpoint, exten, uri = self._find(wanted.resource)
        contact: ContactState | None = None
        others: list[ContactState] = []
        usable = [one for one in driver.contacts.of(endpoint) if one.usable]
        if uri:  # of a contact, which is reached by its Path and its newest flow, or any other
            usable = [one for one in reversed(usable) if one.uri == uri]
        elif not usable:
            raise CannotRequest(f"PJSIP endpoint {endpoint.name!r} has no contact that can be reached", 20)
        if usable:
            contact, *others = usable
            uri = contact.uri
        try:
            way = self._way(endpoint, contact, uri, exten)
        except ProtocolError as problem:
            raise CannotRequest(f"PJSIP/{wanted.resource}: {problem}") from problem
        if way is None:
            raise CannotRequest(f"PJSIP/{wanted.resource}: there is no transport for it")
        leg = SipLeg(driver, endpoint, way.transport, formats=wanted.formats, dialstring=wanted.resource)
        _lead(leg, way)
        leg.exten, leg.others = exten, others
        return self._channel(leg, wanted)

    def _find(self, resource: str) -> tuple[Endpoint, str, str]:
        """The endpoint of a resource, the extension that is wanted there, and the URI that it names; "" for none."""
        table = self._driver.endpoints_table
        name, slash, uri = resource.partition("/")
        exten = ""
        endpoint = table.get(name)
        if endpoint is None and "@" in name and not slash:
            exten, _, name = name.rpartition("@")
            endpoint = table.get(name)
        if endpoint is None:
            raise CannotRequest(f"PJSIP endpoint {name!r} does not exist", causes.NO_ROUTE_DESTINATION)
        return endpoint, exten, uri

    def _way(self, endpoint: Endpoint, contact: ContactState | None, uri: str, exten: str) -> Way | None:
        """The way to a contact of an endpoint, or any URI by it; None without a transport, ProtocolError for no URI."""
        target = parse_uri(uri)
        if exten:
            target = SipUri(target.scheme, exten, target.host, target.port, None, target.parameters)
        if endpoint.user_eq_phone:
            target = marked_as_phone(target)
        driver = self._driver
        route_set = route_to(endpoint, contact, driver.registrations.service_route(endpoint.name))
        transport = contact.transport if contact is not None else None
        if transport is None:
            transport = driver.transports.choose(endpoint.transport, next_hop(route_set, target))
        if transport is None:
            return None
        flow = contact.flow if contact is not None and not endpoint.outbound_proxy else None
        return Way(target, route_set, transport, flow)

    def _channel(self, leg: SipLeg, wanted: DialRequest) -> Channel:
        driver, endpoint, originator = self._driver, leg.endpoint, wanted.originator
        if originator is not None:
            leg.redirection = redirection_of(originator)
            leg.more_fields = referred_by(originator)
        _take_codecs_of(leg, originator)
        channel_id = wanted.channel_id or driver.registry.new_id()
        driver.registry.check_free(channel_id)
        try:
            leg.open_media()  # now, since a created channel may join a bridge before it is dialled
        except MediaError as problem:
            raise CannotRequest(str(problem), causes.SWITCH_CONGESTION) from problem
        channel = create_channel(
            driver,
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
        set_variables(channel, endpoint)
        return channel

    # -------------------------------------------------------------------------------- to a server, or the next one

    def start(self, leg: SipLeg) -> None:
        """Send the INVITE of a leg, after the host name was looked up that it goes to, if it is one."""
        uri = next_hop(leg.route_set, parse_uri(leg.target))
        destination = leg.destination or literal_address(uri)
        if destination is not None:
            self._call(leg, Hop(destination, leg.transport))
            return
        self._driver.own(self._look_up_and_call(leg, uri), f"look up {uri.host}")

    async def _look_up_and_call(self, leg: SipLeg, uri: SipUri) -> None:
        leg.hops = list(await self._driver.hops(uri, leg.transport, is_fixed=bool(leg.endpoint.transport)))
        if leg.hops:
            self._call(leg, leg.hops.pop(0))
        elif not self._call_other(leg):
            log.warning("host %s on the way to %s cannot be found", uri.host, leg.target)
            if leg.channel is not None:
                leg.channel.receive(signals.HungUp(causes.NO_ROUTE_DESTINATION))

    def _call(self, leg: SipLeg, hop: Hop) -> None:
        leg.transport = self._driver.transports.towards(hop.transport, hop.address)
        leg.invite(hop.address)
        self._driver.drain()

    def call_next(self, leg: SipLeg, failed: Address, status: int, *, has_response: bool) -> bool:
        """The INVITE of a leg has failed: call the next server, or the next contact; False where it is not for that."""
        if is_no_answer(status, has_response=has_response):
            self._driver.servers.shun(failed, self._driver.now())
            if leg.hops:
                log.info("%s:%s does not answer, %s is tried at %s:%s", *failed, leg.target, *leg.hops[0].address)
                self._call(leg, leg.hops.pop(0))
                return True
        return is_unreached(status, has_response=has_response) and self._call_other(leg)

    def _call_other(self, leg: SipLeg) -> bool:
        """Call the next contact of an endpoint, where its audio can go through the port that is open."""
        bound_host = self._driver.transports.bound_host
        while leg.others:
            contact = leg.others.pop(0)
            way = self._way(leg.endpoint, contact, contact.uri, leg.exten)
            if way is None or bound_host(way.transport) != bound_host(leg.transport):
                continue
            _lead(leg, way)
            self.start(leg)
            return True
        return False

    # -------------------------------------------------------------------------------------------------- the INVITE

    def invite(self, leg: SipLeg, destination: Address, body: bytes) -> InviteSession:
        """Begin the INVITE session of a leg."""
        driver, channel, endpoint, transport = self._driver, leg.channel, leg.endpoint, leg.transport
        assert channel is not None
        host = host_towards(endpoint, transport)
        # What the phone sees as the caller is who its channel is connected to.
        from_, headers = identity_headers(channel.connected, endpoint, host)
        if endpoint.send_diversion:
            headers += diversions(redirection_of(channel) or leg.redirection, host)
        return driver.agent.invite(
            leg.target,
            destination,
            transport,
            contact_on(transport, endpoint.contact_user, is_secure=leg.target.startswith("sips:")),
            driver.now(),
            from_=with_parameters(from_, leg.from_parameters),
            headers=(*headers, *leg.more_fields, *leg.added),
            sdp=body,
            route_set=leg.route_set,
            credentials=driver.endpoints_table.client_credentials(endpoint),
            remember_source=leg.destination is not None,
            call_id=leg.protocol_id,
            max_forwards=driver.settings.general.max_forwards,
            profile=extend_profile(driver.agent.profile, endpoint),
        )

    def new_call_id(self) -> str:
        """A Call-ID for a call of ours."""
        return new_token() + new_token()

    def dress(self, channel: Channel, fields: tuple[tuple[str, str], ...]) -> None:
        """Put header fields on the INVITE of a channel that was requested and not called."""
        assert isinstance(channel.leg, SipLeg)
        channel.leg.more_fields = fields


def _lead(leg: SipLeg, way: Way) -> None:
    leg.target, leg.route_set, leg.transport, leg.destination = str(way.target), way.route_set, *way[2:]


def _take_codecs_of(leg: SipLeg, caller: Channel | None) -> None:
    """Offer what the caller has, as the endpoints want it; CannotRequest where they leave no codec."""
    if caller is None or not isinstance(caller.leg, SipLeg) or caller.leg.media.agreed is None:
        return
    theirs, media, endpoint = caller.leg, leg.media, leg.endpoint
    agreed = theirs.media.agreed
    assert agreed is not None
    media.callers = tuple(dict.fromkeys((agreed.codec, *agreed.send))) if agreed.codec else ()
    media.may_transcode = choice_of(theirs.endpoint.codec_prefs_incoming_offer).transcode == "allow"
    if not codecs_to_offer(endpoint, media.codecs, media.callers, may_transcode=media.may_transcode):
        wanted, there = ", ".join(media.callers), ", ".join(media.codecs)
        reason = f"PJSIP endpoint {endpoint.name!r} has {there}, none of which may be offered to who has {wanted}"
        raise CannotRequest(reason, causes.BEARER_CAPABILITY_UNAVAILABLE)
