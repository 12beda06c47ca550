"""Options of pjsip.conf about signalling: ladders on the virtual network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from arietta.model import facts
from arietta.server import Server
from arietta.sip.auth import DigestServer
from arietta.sip.message import Request
from arietta.testing import Phone, VirtualLoop
from arietta.testing.plugin import Switch

from .running import EXTENSIONS, FILES, PASSWORD, SERVER, phone_sections

MakePhone = Callable[..., Awaitable[Phone]]
Start = Callable[..., Server]
OVERLAP = """
exten => _55XX,1,Answer()
 same => n,Hangup()
[pieces]
exten => 777,1,NoOp()
[tags]
exten => 1400,1,Set(GLOBAL(TAG)=${CALLERID(tag)})
 same => n,Set(CALLERID(tag)=changed)
 same => n,Set(CALLERID(num)=99)
 same => n,Set(GLOBAL(AFTER)=${CALLERID(tag)})
 same => n,Hangup()
"""


@pytest.fixture
def start(loop: VirtualLoop, switch: Switch) -> Iterator[Start]:
    """A function that starts a server whose alice and general sections have more lines."""
    stack = AsyncExitStack()

    def begin(alice: str = "", sections: str = "", aor: str = "") -> Server:
        pjsip = f"[udp]\ntype=transport\nprotocol=udp\nbind={SERVER[0]}:{SERVER[1]}\n{sections}\n"
        pjsip += phone_sections("alice", "6001", alice) + aor + phone_sections("bob", "6002")
        files = FILES | {"pjsip.conf": pjsip, "extensions.conf": EXTENSIONS + OVERLAP}
        return loop.run(stack.enter_async_context(switch(files)))

    yield begin
    loop.run(stack.aclose())


def alice(loop: VirtualLoop, phone: MakePhone) -> Phone:
    return loop.run(phone("10.0.0.2", 5060, username="alice", password=PASSWORD, server=SERVER))


def test_compact_headers_are_short_both_ways(start: Start, loop: VirtualLoop, phone: MakePhone):
    start(sections="[system]\ntype=system\ncompact_headers=yes")
    caller, callee = alice(loop, phone), loop.run(phone("10.0.0.3", 5060, username="bob", password=PASSWORD))
    callee.server = SERVER
    for one in (caller, callee):
        loop.run(one.register())

    async def story() -> None:
        call = await caller.invite("1100")
        (await callee.ringing()).answer()
        await call.answered()
        await call.hang_up()

    loop.run(story())
    received = [seen.data for one in (caller, callee) for seen in one.seen if not seen.was_sent]
    assert any(data.startswith(b"INVITE") for data in received) and any(b"200 OK" in data for data in received)
    assert all(b"\r\nv: " in data and b"\r\nVia" not in data for data in received)


@pytest.mark.parametrize(("option", "offered"), [("", True), ("norefersub=no", False)])
def test_norefersub_is_offered(start: Start, loop: VirtualLoop, phone: MakePhone, option: str, offered: bool):
    start(sections=f"[global]\ntype=global\n{option}")
    caller = alice(loop, phone)

    async def story() -> bool:
        call = await caller.invite("1200")
        await call.answered()
        await call.hang_up()
        return any(b"norefersub" in seen.data for seen in caller.seen if seen.first_line.startswith("SIP/2.0 200"))

    assert loop.run(story()) is offered


@pytest.mark.parametrize(
    ("options", "exten", "status"),
    [
        ("", "55", 484),
        ("", "551", 484),
        ("", "56", 404),
        ("allow_overlap=no", "55", 404),
        ("overlap_context=pieces", "55", 404),
        ("overlap_context=pieces", "77", 484),
        ("overlap_context=pieces", "777", 404),
    ],
)
def test_a_number_in_pieces(start: Start, loop: VirtualLoop, phone: MakePhone, options: str, exten: str, status: int):
    start(options)

    async def story() -> int:
        call = await alice_of.invite(exten)
        return (await call.ended()).status

    alice_of = alice(loop, phone)
    assert loop.run(story()) == status


def test_the_tag_of_a_caller_is_the_dialplans_to_read_and_write(start: Start, loop: VirtualLoop, phone: MakePhone):
    server = start("callerid_tag=floor-2\ncontext=tags")
    caller = alice(loop, phone)

    async def story() -> None:
        call = await caller.invite("1400")
        await call.ended()

    loop.run(story())
    assert (server.dialplan.globals["TAG"], server.dialplan.globals["AFTER"]) == ("floor-2", "changed")


@pytest.mark.parametrize(
    ("auth", "general", "answers"),
    [
        ("", "", False),
        ("supported_algorithms_uac=md5,sha-256", "", True),
        ("", "default_auth_algorithms_uac=sha-256", True),
        ("supported_algorithms_uac=md5", "default_auth_algorithms_uac=sha-256", False),
    ],
)
def test_challenges_are_answered_with_what_is_allowed(
    start: Start, loop: VirtualLoop, phone: MakePhone, auth: str, general: str, answers: bool
):
    away = f"[away]\ntype=auth\nusername=us\npassword={PASSWORD}\n{auth}\n"
    server = start("outbound_auth=away", f"[global]\ntype=global\n{general}\n{away}")
    client = server.sip.endpoints_table.client_credentials(server.sip.settings.endpoints["alice"])
    assert client is not None
    request = Request("OPTIONS", "sip:far.example", [("CSeq", "1 OPTIONS")])
    challenge = DigestServer("far", algorithms=("SHA-256",)).create_challenge(request, 1.0)
    assert (client.answer(request, challenge) is not None) is answers


@pytest.mark.parametrize(("most", "last"), [(0, 0.0), (20, 15.0), (600, 45.0)])
def test_first_polls_are_spread(start: Start, loop: VirtualLoop, phone: MakePhone, most: int, last: float):
    contacts = "".join(f"contact=sip:{n}@10.0.0.{n}\n" for n in (20, 21, 22, 23))
    begun = loop.time()
    aor = f"\n[many]\ntype=aor\nqualify_frequency=60\n{contacts}"
    opened = [loop.run(phone(f"10.0.0.{n}", 5060)) for n in (20, 21, 22, 23)]
    start(sections=f"[global]\ntype=global\nmax_initial_qualify_time={most}", aor=aor)
    loop.advance(50)
    first = [next(seen.time for seen in one.seen if seen.first_line.startswith("OPTIONS")) - begun for one in opened]
    assert first == sorted(first) and first[-1] == pytest.approx(last, abs=0.5)


@pytest.mark.parametrize("told", [True, False])
def test_a_refresh_is_told_where_it_is_wanted(start: Start, loop: VirtualLoop, phone: MakePhone, told: bool):
    option = "send_contact_status_on_update_registration=yes" if told else ""
    server = start(sections=f"[global]\ntype=global\n{option}")
    heard: list[object] = []
    server.bus.subscribe(facts.ContactRefreshed.topics[0], heard.append)
    caller = alice(loop, phone)
    loop.run(caller.register())
    assert heard == []
    loop.run(caller.register())
    assert [(fact.uri, fact.endpoint) for fact in heard] == ([(caller.uri, "alice")] if told else [])  # type: ignore[attr-defined]
