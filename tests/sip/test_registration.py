"""Our own registration, against a scripted registrar."""

from __future__ import annotations

import pytest

from arietta.sip.auth import Credentials, DigestClient, DigestServer, Outcome
from arietta.sip.flows import with_flow, without_flow
from arietta.sip.registrar import Binding, Rules, register
from arietta.sip.registration import (
    Registered,
    Registration,
    RegistrationFailed,
    RegistrationState,
    Unregistered,
)
from arietta.sip.transactions import RequestReceived, ResponseReceived, TimedOut, TransportFailed

from .net import Network, Party


class Registrar:
    """A registrar that answers with `status` instead, when set."""

    def __init__(self, party: Party) -> None:
        self.party = party
        self.bindings: tuple[Binding, ...] = ()
        self.rules = Rules()
        self.auth = DigestServer("example.com")
        self.status = 0
        self.seen = 0
        self.service_route: tuple[str, ...] = ()
        party.on[RequestReceived] = self.answer

    def answer(self, received: RequestReceived) -> None:
        self.seen += 1
        agent, now = self.party.agent, self.party.now
        verdict = self.auth.check(received.request, {"me": Credentials("me", "secret")}.get, now)
        if self.status:
            agent.respond(received.transaction, now, self.status)
        elif verdict.outcome is not Outcome.ACCEPTED:
            agent.layer.respond(received.transaction, self.auth.create_challenge(received.request, now), now)
        else:
            update = register(self.bindings, received.request, self.rules, now)
            self.bindings = update.bindings
            headers = (*update.headers, *(("Service-Route", route) for route in self.service_route))
            agent.respond(received.transaction, now, update.status, headers=headers)


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def phone(network) -> Party:
    party = Party(network, "192.0.2.1")
    for kind in (ResponseReceived, TimedOut, TransportFailed):
        party.on[kind] = lambda event: event.transaction.user.receive(event, party.now)
    return party


@pytest.fixture
def registrar(network) -> Registrar:
    return Registrar(Party(network, "192.0.2.2"))


def start(phone: Party, registrar: Registrar, **options) -> Registration:
    registration = Registration(
        phone.agent.layer, registrar="sip:192.0.2.2", aor="sip:me@192.0.2.2", contact=phone.contact,
        destination=registrar.party.address, transport=phone.transport, call_id="reg", tag="t",
        credentials=DigestClient(Credentials("me", "secret")), **options,
    )  # fmt: skip
    registration.start(phone.now)
    return registration


def test_registers_refreshes_and_leaves(network, phone, registrar):
    registration = start(phone, registrar, expiration=600)
    network.advance(1)
    assert phone.told(Registered).expires == 600 and len(registrar.bindings) == 1
    assert registrar.seen == 2  # the first was challenged
    network.advance(530)
    assert registrar.seen == 2
    network.advance(20)
    assert registrar.seen == 4 and registrar.bindings[0].expires_at > network.now + 580
    registration.stop(network.now)
    network.advance(1)
    assert phone.told(Unregistered) and registrar.bindings == ()
    network.advance(1000)
    assert registration.state is RegistrationState.UNREGISTERED and phone.agent.next_timeout() is None


def test_too_brief(network, phone, registrar):
    registrar.rules = Rules(minimum_expiration=300)
    start(phone, registrar, expiration=120)
    network.advance(1)
    assert phone.told(Registered).expires == 300


def test_no_answer_is_tried_again(network, phone, registrar):
    network.drop = lambda message: True
    registration = start(phone, registrar, retry_interval=60)
    network.advance(33)
    failed = phone.told(RegistrationFailed)
    assert (failed.status, failed.retry_in, registration.state) == (408, 60, RegistrationState.WAITING)
    network.drop = lambda message: False
    network.advance(61)
    assert phone.told(Registered) and registration.retries == 0


@pytest.mark.parametrize(
    ("status", "options", "state"),
    [
        (403, {}, RegistrationState.REJECTED),
        (403, {"forbidden_retry_interval": 30.0}, RegistrationState.WAITING),
        (404, {}, RegistrationState.REJECTED),
        (503, {}, RegistrationState.WAITING),
    ],
)
def test_refusals(network, phone, registrar, status, options, state):
    registrar.status = status
    registration = start(phone, registrar, **options)
    network.advance(1)
    assert (phone.told(RegistrationFailed).status, registration.state) == (status, state)


def test_gives_up_after_max_retries(network, phone, registrar):
    registrar.status = 500
    registration = start(phone, registrar, retry_interval=10, max_retries=2)
    network.advance(100)
    assert registrar.seen == 3 and registration.state is RegistrationState.REJECTED
    assert phone.told(RegistrationFailed).retry_in is None


def test_wrong_password(network, phone, registrar):
    registrar.auth = DigestServer("example.com")
    registration = start(phone, registrar)
    registration._credentials = DigestClient(Credentials("me", "wrong"))
    network.advance(1)
    assert phone.told(RegistrationFailed).status == 401 and registrar.seen == 2


def test_the_newest_service_route_is_kept(network, phone, registrar):  # RFC 3608 6.1
    registrar.service_route = ("<sip:a.example.com;lr>, <sip:b.example.com;lr>",)
    registration = start(phone, registrar)
    network.advance(1)
    assert registration.service_route == ("<sip:a.example.com;lr>", "<sip:b.example.com;lr>")
    registrar.service_route = ("<sip:[nowhere;lr>",)
    registration.start(phone.now)
    network.advance(1)
    assert registration.service_route == ()
    assert registration.state is RegistrationState.REGISTERED


def test_refused_credentials_may_be_tried_again(network, phone, registrar):
    registrar.status = 401
    registration = start(phone, registrar, is_rejection_lasting=False, retry_interval=60.0)
    network.advance(1)
    assert registration.state is RegistrationState.WAITING
    registrar.status = 0
    network.advance(61)
    assert registration.state is RegistrationState.REGISTERED


def test_every_server_is_tried_in_each_round(network, phone, registrar):
    registrar.status = 503
    other = Registrar(Party(network, "192.0.2.3"))
    other.status = 503
    registration = start(phone, registrar, retry_interval=10.0)
    registration.ways = [(other.party.address, phone.transport, phone.contact)]
    network.advance(1)
    assert (registrar.seen, other.seen) == (1, 1) and phone.told(RegistrationFailed).retry_in == 10.0
    registrar.status = 0
    network.advance(10)
    assert (other.seen, len(registrar.bindings)) == (2, 1) and registration.destination == registrar.party.address


def test_where_the_first_hop_keeps_no_flow_it_is_registered_without(network, phone, registrar):
    flow = with_flow(phone.contact, "00000000-0000-1000-8000-000000000001")
    registrar.rules = Rules(max_contacts=2)
    registration = Registration(
        phone.agent.layer, registrar="sip:192.0.2.2", aor="sip:me@192.0.2.2", contact=flow,
        destination=registrar.party.address, transport=phone.transport, call_id="reg", tag="t",
        credentials=DigestClient(Credentials("me", "secret")), supports_outbound=True,
    )  # fmt: skip
    registration.start(phone.now)
    network.advance(1)
    assert registration.flow_timer == 0 and registrar.bindings[0].flow is not None
    registrar.status = 439
    registration.flow_failed(phone.now)
    network.advance(0.5)
    assert without_flow(flow) == registration.contact
    registrar.status = 0
    registration.start(phone.now)
    network.advance(1)
    assert registration.flow_timer is None and registrar.bindings[-1].flow is None
