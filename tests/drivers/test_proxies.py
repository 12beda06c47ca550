"""Requests that go through a proxy, and calls that are known by what is in our Contact or in their URI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from arietta.config.conf import parse_conf
from arietta.config.pjsip import read_pjsip
from arietta.config.settings import Report
from arietta.drivers.sip.endpoints import Endpoints
from arietta.drivers.sip.proxies import route_through
from arietta.server import Server
from arietta.sip.message import Request, parse
from arietta.testing import Phone, VirtualLoop
from arietta.testing.plugin import Switch

from .running import FILES, PASSWORD
from .running import SERVER as HOME

MakePhone = Callable[..., Awaitable[Phone]]
TRUNK = """
[trunk]
type=endpoint
context=default
aors=trunk
allow=ulaw
outbound_proxy=sip:10.0.0.7:5080
sdp_owner=switch
sdp_session=A good day
[trunk]
type=aor
contact=sip:far.example.com
outbound_proxy=sip:10.0.0.7:5080\\;lr
qualify_frequency=600
[away]
type=registration
server_uri=sip:far.example.com
client_uri=sip:me@far.example.com
outbound_proxy=sip:10.0.0.7:5080\\;lr
max_random_initial_delay=0
line=yes
endpoint=trunk
contact_header_params=reg-id=1
user_agent=Switchboard
support_path=yes
auth_rejection_permanent=no
retry_interval=60
[uri]
type=endpoint
context=default
allow=ulaw
identify_by=request_uri
[uri]
type=identify
endpoint=uri
match_request_uri=/^sip:1200@special/
[tcp]
type=transport
protocol=tcp
bind=10.0.0.1:5060
[bytcp]
type=endpoint
context=default
allow=ulaw
identify_by=transport
[bytcp]
type=identify
endpoint=bytcp
transport=tcp
[system]
type=system
timer_b=8000
[global]
type=global
endpoint_identifier_order=ip,username,request_uri,transport
[door@example.org]
type=endpoint
context=default
allow=ulaw
[example.net]
type=domain_alias
domain=example.org
"""
EXTENSIONS = FILES["extensions.conf"] + "exten => _9.,1,Dial(PJSIP/${EXTEN:1}@trunk,90)\n same => n,Hangup()\n"


@pytest.fixture
def server(loop: VirtualLoop, switch: Switch) -> Iterator[Server]:
    """A server whose trunk is behind a proxy, which is the only one that knows its name."""
    stack = AsyncExitStack()
    files = FILES | {"pjsip.conf": FILES["pjsip.conf"] + TRUNK, "extensions.conf": EXTENSIONS}
    yield loop.run(stack.enter_async_context(switch(files)))
    loop.run(stack.aclose())


@pytest.fixture
def proxy(server: Server, loop: VirtualLoop, phone: MakePhone) -> Phone:
    return loop.run(phone("10.0.0.7", 5080, name="proxy", server=HOME))


def test_a_proxy_is_a_loose_router() -> None:
    assert route_through("") == ()
    assert route_through("sip:proxy.example.com") == ("<sip:proxy.example.com;lr>",)
    assert route_through("sip:[2001:db8::1]:5070;transport=tcp;lr") == ("<sip:[2001:db8::1]:5070;transport=tcp;lr>",)


async def test_calls_go_through_the_proxy(server: Server, proxy: Phone, phone: MakePhone) -> None:
    alice = await phone("10.0.0.2", 5060, username="alice", password=PASSWORD, server=HOME)
    call = await alice.invite("95551234")
    ringing = await proxy.ringing()
    assert ringing.request.uri_text == "sip:5551234@far.example.com"
    assert ringing.request.values("Route") == ["<sip:10.0.0.7:5080;lr>"]
    ringing.answer()
    await call.answered()
    await call.hang_up()


async def test_registrations_and_polls_go_through_the_proxy(proxy: Phone) -> None:
    seen = (await proxy.sees("REGISTER sip:far.example.com")).data
    assert b"Route: <sip:10.0.0.7:5080;lr>" in seen
    assert b">;reg-id=1\r\n" in seen and b";line=" in seen
    assert b"User-Agent: Switchboard\r\n" in seen and b"Supported: path\r\n" in seen
    poll = (await proxy.sees("OPTIONS sip:far.example.com", within=700)).data
    assert b"Route: <sip:10.0.0.7:5080;lr>" in poll


async def test_a_call_by_our_contact_is_the_endpoints(server: Server, proxy: Phone, phone: MakePhone) -> None:
    seen = (await proxy.sees("REGISTER sip:far.example.com")).data.decode()
    line = seen.partition(";line=")[2].partition(">")[0]
    registrar = await phone("10.0.0.66", 5060, name="registrar", server=HOME)
    call = await registrar.invite(f"sip:1200@{HOME[0]};line={line}")
    await call.answered()
    assert [channel.endpoint for channel in server.channels] == ["PJSIP/trunk"]
    await call.hang_up()
    stranger = await registrar.invite(f"sip:1200@{HOME[0]};line={line[:-1]}")
    await stranger.expect(401)


async def test_service_route_is_taken_by_calls(server: Server, proxy: Phone, phone: MakePhone) -> None:
    await proxy.sees("REGISTER sip:far.example.com")
    assert server.sip is not None
    registration = server.sip.registrations.registrations["away"]
    registration.service_route = ("<sip:inner.example.com;lr>",)
    alice = await phone("10.0.0.2", 5060, username="alice", password=PASSWORD, server=HOME)
    call = await alice.invite("95551234")
    ringing = await proxy.ringing()
    assert ringing.request.values("Route") == ["<sip:10.0.0.7:5080;lr>", "<sip:inner.example.com;lr>"]
    ringing.answer()
    await call.answered()
    await call.hang_up()


async def test_a_transport_identifies_an_endpoint(server: Server, phone: MakePhone) -> None:
    stranger = await phone("10.0.0.66", 5060, name="stranger", server=HOME, transport="tcp")
    call = await stranger.invite("1200")
    await call.answered()
    assert [channel.endpoint for channel in server.channels] == ["PJSIP/bytcp"]
    await call.hang_up()


def recognised(uri: str, sender: str, more: str = "") -> str:
    """The endpoint that a request is of."""
    report = Report()
    settings = read_pjsip(parse_conf(TRUNK + more, "pjsip.conf"), report)
    request = parse(
        f"INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.66;branch=z9hG4bKa\r\nFrom: <{sender}>;tag=a\r\n"
        f"To: <{uri}>\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n".encode()
    )
    assert isinstance(request, Request)
    found = Endpoints(settings).identify(request, ("10.0.0.66", 5060), "udp")
    return found.name if found is not None else ""


def test_a_request_uri_identifies_an_endpoint() -> None:
    assert recognised("sip:1200@special.example.com", "sip:x@y") == "uri"
    assert recognised("sip:1201@special.example.com", "sip:x@y") == ""


def test_an_alias_stands_for_its_domain() -> None:
    assert recognised("sip:1@a", "sip:door@example.org") == "door@example.org"
    assert recognised("sip:1@a", "sip:door@EXAMPLE.net") == "door@example.org"
    assert recognised("sip:1@a", "sip:door@example.com") == ""


def test_domains_do_not_count_where_there_is_one() -> None:
    more = "[global](+)\ndisable_multi_domain=yes\n"
    assert recognised("sip:1@a", "sip:door@example.org", more) == ""


def test_the_domain_of_a_transport_is_one_of_its_requests() -> None:
    more = "[udp]\ntype=transport\nbind=10.0.0.1\ndomain=example.org\n"
    assert recognised("sip:1@a", "sip:door@10.0.0.1", more) == "door@example.org"


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (
            "[a]\ntype=aor\noutbound_proxy=proxy.example.com\n",
            "outbound_proxy proxy.example.com is not a SIP URI such as sip:proxy.example.com:5060\\;lr",
        ),
        ("[a]\ntype=endpoint\noutbound_proxy=sip:a:99999\n", "outbound_proxy sip:a:99999 is not a SIP URI"),
        ("[a]\ntype=registration\nline=yes\n", "line=yes of registration [a] needs endpoint: whose calls are they?"),
        (
            "[a]\ntype=registration\ncontact_header_params=a b\n",
            "contact_header_params a b is not NAME=VALUE, several with a semicolon between",
        ),
        ("[a]\ntype=identify\nmatch_request_uri=/(/\n", "match_request_uri /(/ is no regular expression"),
    ],
)
def test_what_could_not_be_used_is_refused(text: str, finding: str) -> None:
    report = Report()
    read_pjsip(parse_conf(text, "pjsip.conf"), report)
    (problem,) = report.problems
    assert str(problem).startswith(f"pjsip.conf line 3: {finding}")


async def test_a_description_has_the_owner_and_the_name_that_are_configured(
    server: Server, proxy: Phone, phone: MakePhone
) -> None:
    alice = await phone("10.0.0.2", 5060, username="alice", password=PASSWORD, server=HOME)
    call = await alice.invite("95551234")
    ringing = await proxy.ringing()
    assert b"\r\no=switch " in ringing.request.body and b"\r\ns=A good day\r\n" in ringing.request.body
    ringing.reject(486)
    await call.ended()


async def test_the_wait_for_an_answer_is_timer_b(
    server: Server, proxy: Phone, phone: MakePhone, loop: VirtualLoop
) -> None:
    alice = await phone("10.0.0.2", 5060, username="alice", password=PASSWORD, server=HOME)
    await proxy.close()
    began = loop.time()
    call = await alice.invite("95551234")
    await call.ended(within=60)
    assert 7 < loop.time() - began < 9


async def test_a_redirection_leads_to_the_best_contact(server: Server, proxy: Phone, phone: MakePhone) -> None:
    alice = await phone("10.0.0.2", 5060, username="alice", password=PASSWORD, server=HOME)
    call = await alice.invite("95551234")
    contacts = "<sip:1300@far.example.com>;q=0.2, <sip:1200@far.example.com>;q=0.8"
    (await proxy.ringing()).reject(302, headers=(("Contact", contacts),))
    await call.answered()
    assert any(channel.exten == "1200" for channel in server.channels)
    await call.hang_up()


async def test_a_redirection_to_several_tries_them_by_their_q(server: Server, proxy: Phone, phone: MakePhone) -> None:
    alice = await phone("10.0.0.2", 5060, username="alice", password=PASSWORD, server=HOME)
    call = await alice.invite("95551234")
    contacts = "<sip:1200@far.example.com>;q=0.2, <sip:nobody@far.example.com>;q=0.8, <sip:nobody@other.example.com>"
    (await proxy.ringing()).reject(302, headers=(("Contact", contacts),))
    await call.answered()
    assert any(channel.exten == "1200" for channel in server.channels)
    await call.hang_up()
