"""Access lists of SIP: ladders on the virtual network, and what they say by themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from arietta.model import facts
from arietta.server import Server
from arietta.testing import Phone, VirtualLoop
from arietta.testing.plugin import Switch

from .running import FILES, PASSWORD, SERVER, phone_sections

MakePhone = Callable[..., Awaitable[Phone]]
Start = Callable[..., Server]
LISTS = "[office]\ndeny=0.0.0.0/0\npermit=10.0.0.0/24\n[nobody]\ndeny=0.0.0.0/0\n"
OFFICE = "[pbx]\ntype=acl\n"


@pytest.fixture
def start(loop: VirtualLoop, switch: Switch) -> Iterator[Start]:
    """A function that starts a server with these lists."""
    stack = AsyncExitStack()

    def begin(alice: str = "", sections: str = "") -> Server:
        transport = f"[udp]\ntype=transport\nprotocol=udp\nbind={SERVER[0]}:{SERVER[1]}\n"
        pjsip = transport + phone_sections("alice", "6001", alice) + sections
        return loop.run(stack.enter_async_context(switch(FILES | {"pjsip.conf": pjsip, "acl.conf": LISTS})))

    yield begin
    loop.run(stack.aclose())


def failed(server: Server) -> list[facts.FailedAcl]:
    """The facts of refusals, as they come."""
    heard: list[facts.FailedAcl] = []
    server.bus.subscribe(facts.SECURITY[0], lambda fact: heard.append(fact) if type(fact) is facts.FailedAcl else None)
    return heard


def at(loop: VirtualLoop, phone: MakePhone, host: str) -> Phone:
    return loop.run(phone(host, 5060, username="alice", password=PASSWORD, server=SERVER))


@pytest.mark.parametrize(
    "lines", ["acl=office", "deny=0.0.0.0/0\npermit=10.0.0.0/24", "permit=192.0.2.0/24\nacl=office"]
)
@pytest.mark.parametrize("everybody", [True, False])
def test_who_comes_from_elsewhere_is_403(
    start: Start, loop: VirtualLoop, phone: MakePhone, lines: str, everybody: bool
):
    server = start("" if everybody else lines, f"{OFFICE}{lines}" if everybody else "")
    heard = failed(server)
    loop.run(at(loop, phone, "10.0.0.2").register())
    assert heard == []
    loop.advance(40)
    loop.run(at(loop, phone, "192.0.2.9").register(expect=403))
    [fact] = heard
    own = "pbx" if everybody else "alice"
    assert (fact.account_id, fact.acl_name) == (
        "<unknown>" if everybody else "alice", "office" if "office" in lines else own
    )  # fmt: skip
    assert fact.service == "PJSIP" and fact.remote_address == "IPV4/UDP/192.0.2.9/5060"
    assert server.sip.agent.counters["guard.acl"] == 1 and len(server.sip.agent.layer) == 0


def test_everybody_means_calls_too_and_keeps_nothing(start: Start, loop: VirtualLoop, phone: MakePhone):
    server = start(sections=f"{OFFICE}acl=nobody")
    caller = at(loop, phone, "10.0.0.2")

    async def story() -> int:
        call = await caller.invite("1200")
        return (await call.ended()).status

    assert loop.run(story()) == 403 and len(server.sip.agent.layer) == 0
    caller.send_raw(b"nonsense\r\n\r\n")
    caller.send_raw(b"SIP/2.0 200 OK\r\n\r\n")
    loop.advance(1)
    assert not [seen for seen in list(caller.seen)[-2:] if b"400" in seen.data]


@pytest.mark.parametrize(
    ("contact", "status"),
    [
        ("<sip:alice@10.0.0.2>", 200),
        ("<sip:alice@192.0.2.80>", 403),
        ("<sip:alice@10.0.0.2>, <sip:alice@192.0.2.80>", 403),
        ("<sip:alice@[2001:db8::1]>", 200),
        ("<sip:alice@inner.example>", 403),
        ("<sip:alice@k3j2h1.invalid;transport=ws>", 200),
    ],
)
@pytest.mark.parametrize(
    ("lines", "everybody"),
    [("contact_acl=office", False), ("contact_deny=0.0.0.0/0\ncontact_permit=10.0.0.0/24", True)],
)
def test_a_contact_that_names_elsewhere_is_403(
    start: Start, loop: VirtualLoop, phone: MakePhone, lines: str, everybody: bool, contact: str, status: int
):
    server = start("" if everybody else lines, "max_contacts=2\n" + (f"{OFFICE}{lines}" if everybody else ""))
    heard = failed(server)
    loop.run(at(loop, phone, "10.0.0.2").register(contact=contact, expect=status))
    assert [fact.account_id for fact in heard] == ["alice"] * (status == 403)


def test_a_contact_that_is_rewritten_is_where_it_came_from(start: Start, loop: VirtualLoop, phone: MakePhone):
    start("rewrite_contact=yes\ncontact_acl=office")
    loop.run(at(loop, phone, "10.0.0.2").register(contact="<sip:alice@192.168.1.7>"))
    loop.run(at(loop, phone, "192.0.2.9").register(contact="<sip:alice@10.0.0.2>", expect=403))
