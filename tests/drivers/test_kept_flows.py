"""Our own registrations as flows (`support_outbound`, RFC 5626): two servers on the virtual network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from arietta.drivers.sip.kept_flows import KeptFlows
from arietta.server import Server
from arietta.sip.flows import with_flow, without_flow
from arietta.sip.registration import Registration
from arietta.sip.transactions import Send
from arietta.stun import BINDING_SUCCESS, parse_stun, write_stun, xor_mapped_address
from arietta.testing import VirtualLoop
from arietta.testing.plugin import Switch

from .running import FILES, PASSWORD, phone_sections

OURS, THEIRS = "10.0.0.1", "10.0.0.9"
Start = Callable[[str], tuple[Server, Server]]


def files(here: str, pjsip: str, http: int) -> dict[str, str]:
    transports = "".join(f"[{one}]\ntype=transport\nprotocol={one}\nbind={here}:5060\n" for one in ("udp", "tcp"))
    return FILES | {
        "pjsip.conf": transports + pjsip,
        "http.conf": f"[general]\nenabled=yes\nbindaddr=127.0.0.1\nbindport={http}\n",
    }


@pytest.fixture
def start(loop: VirtualLoop, switch: Switch) -> Iterator[Start]:
    """A function that starts two servers: the first registers bob with the other one, by this protocol."""
    stack = AsyncExitStack()

    def begin(protocol: str) -> tuple[Server, Server]:
        away = f"""
[away]
type=registration
server_uri=sip:{THEIRS}\\;transport={protocol}
client_uri=sip:bob@{THEIRS}
outbound_auth=bob
support_outbound=yes
retry_interval=5
max_random_initial_delay=0
[bob]
type=auth
username=bob
password={PASSWORD}
"""
        there = loop.run(stack.enter_async_context(switch(files(THEIRS, phone_sections("bob", "6002"), 8089))))
        here = loop.run(stack.enter_async_context(switch(files(OURS, away, 8088))))
        loop.advance(2)
        return here, there

    yield begin
    loop.run(stack.aclose())


def bound(registrar: Server) -> list[tuple[str, str]]:
    """Transport and instance of the contacts there."""
    found = registrar.sip.contacts.location.contacts(("bob",))
    return [
        (c.transport.protocol, c.binding.flow.instance) for c in found if c.transport and c.binding and c.binding.flow
    ]


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_a_registration_is_a_flow_that_is_kept(start: Start, loop: VirtualLoop, protocol: str):
    here, there = start(protocol)
    assert bound(there) == [(protocol.upper(), f"<urn:uuid:{here.sip.instance}>")]
    assert here.sip.registrations.registrations["away"].flow_timer == (30 if protocol == "udp" else 120)
    loop.advance(400)  # many times what a silent flow lives
    assert len(bound(there)) == 1 and len(there.sip.contacts.location.contacts(("bob",))) == 1


def test_a_connection_that_ends_is_registered_over_again(start: Start, loop: VirtualLoop):
    _, there = start("tcp")
    [connection] = there.sip.transports._connections.values()
    loop.call_soon(connection.close)
    loop.advance(3)
    assert len(bound(there)) == 1
    [again] = there.sip.transports._connections.values()
    assert again is not connection


def test_a_flow_that_does_not_answer_is_registered_over_again(start: Start, loop: VirtualLoop):
    here, there = start("udp")
    [before] = there.sip.contacts.location.contacts(("bob",))
    assert before.binding is not None
    cseq = before.binding.cseq
    there.sip.guard._proven.clear()  # whose keepalives are not answered
    loop.advance(27 * 3 + 2)
    [after] = there.sip.contacts.location.contacts(("bob",))
    assert after.binding is not None and after.binding.cseq > cseq
    assert here.sip.registrations.registrations["away"].flow_timer == 30


def test_contacts_with_and_without_a_flow():
    plain = "<sip:me@192.0.2.1;line=x>;q=0.5"
    flow = with_flow(plain, "00000000-0000-1000-8000-000000000001")
    assert ";ob>" in flow and 'reg-id=1;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000000000001>"' in flow
    assert without_flow(flow) == plain


class Held:
    """Keepalives with nobody behind them."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.sent: list[Send] = []
        self.ended: list[Registration] = []
        self.flows = KeptFlows(loop, self.sent.append, self.ended.append)

    def answer(self, port: int, source: tuple[str, int]) -> bool:
        transaction = parse_stun(self.sent[-1].data).transaction
        mapped = xor_mapped_address(("198.51.100.1", port), transaction)
        return self.flows.take(write_stun(BINDING_SUCCESS, transaction, (mapped,)), source)


@pytest.fixture
def registration(start: Start) -> Registration:
    return start("udp")[0].sip.registrations.registrations["away"]


def test_silence_and_another_nat_end_a_flow(loop: VirtualLoop, registration: Registration):
    held = Held(loop)
    held.flows.keep(registration, 30)
    loop.advance(28)
    assert len(held.sent) == 1 and held.answer(4000, (THEIRS, 5060))
    loop.advance(27)
    assert held.answer(4000, ("203.0.113.1", 5060)) and held.answer(4000, (THEIRS, 5060))  # the first is nobody's
    loop.advance(54)
    assert held.ended == [] and len(held.sent) == 4
    loop.advance(27)
    assert held.ended == [registration] and len(held.flows) == 0
    held.flows.keep(registration, 0)
    loop.advance(28)
    held.answer(4000, (THEIRS, 5060))
    loop.advance(27)
    held.answer(4001, (THEIRS, 5060))
    assert held.ended == [registration] * 2
    assert not held.flows.take(b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12), (THEIRS, 5060))
    assert not held.flows.take(b"nonsense", (THEIRS, 5060))
