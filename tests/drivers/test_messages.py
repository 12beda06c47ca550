"""Texts and references outside of calls, between phones, the server and its clients."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.drivers.sip.messages import read_text
from arietta.errors import Refused
from arietta.server import Server
from arietta.sip.auth import Credentials, DigestServer, Outcome
from arietta.sip.message import Request, parse
from arietta.sip.transactions import Transport
from arietta.testing import AriClient, Phone, VirtualLoop
from arietta.testing.plugin import Switch
from arietta.testing.waiting import Unexpected

SERVER = ("10.0.0.1", 5060)
PASSWORD = "a-well-kept-secret"

PJSIP = f"""
[udp]
type=transport
protocol=udp
bind={SERVER[0]}:{SERVER[1]}
[tcp]
type=transport
protocol=tcp
bind={SERVER[0]}:{SERVER[1]}
[alice]
type=endpoint
context=default
auth=alice
aors=alice
allow=ulaw
callerid="Alice" <6001>
[alice]
type=auth
auth_type=userpass
username=alice
password={PASSWORD}
[alice]
type=aor
max_contacts=1
remove_existing=yes
[carrier]
type=endpoint
context=default
message_context=texts
aors=carrier
outbound_auth=carrier
allow=ulaw
[carrier]
type=aor
contact=sip:10.0.1.9:5060
[carrier]
type=auth
auth_type=userpass
username=us
password=ours
[carrier]
type=identify
endpoint=carrier
match=10.0.1.0/24
[global]
type=global
default_outbound_endpoint=carrier
"""
EXTENSIONS = """
[default]
exten => 1160,1,NoOp()
exten => 1161,1,Set(MESSAGE(body)=${MESSAGE(body)} ${CALLERID(num)} ${MESSAGE_DATA(X-Kit)})
 same => n,MessageSend(pjsip:carrier,${MESSAGE(from)})
 same => n,Set(GLOBAL(SENT)=${MESSAGE_SEND_STATUS} ${MESSAGE(to)} ${CHANNEL})
exten => 1162,1,Wait(60)
exten => 1163,1,Stasis(texts)
[texts]
exten => 1170,1,NoOp()
"""
FILES = {
    "http.conf": "[general]\nenabled=yes\nbindaddr=127.0.0.1\nbindport=8088\n",
    "ari.conf": "[general]\nenabled=yes\n[asterisk]\ntype=user\npassword=asterisk\n",
    "pjsip.conf": PJSIP,
    "extensions.conf": EXTENSIONS,
    "rtp.conf": "[general]\nrtpstart=10000\nrtpend=10099\n",
}
KIT = {"from": "sip:kit@10.0.0.1"}


@pytest.fixture
def server(loop: VirtualLoop, switch: Switch) -> Iterator[Server]:
    running = switch(FILES)
    server = loop.run(running.__aenter__())
    assert isinstance(server, Server)
    yield server
    loop.run(running.__aexit__(None, None, None))


@pytest.fixture
def alice(server: Server, loop: VirtualLoop, phone: Callable[..., Awaitable[Phone]]) -> Phone:
    opened = loop.run(phone("10.0.0.2", 5060, username="alice", password=PASSWORD, server=SERVER))
    loop.run(opened.register())
    return opened


@pytest.fixture
def carrier(server: Server, loop: VirtualLoop, phone: Callable[..., Awaitable[Phone]]) -> Phone:
    return loop.run(phone("10.0.1.9", 5060, name="carrier", server=SERVER))


@pytest.fixture
def app(server: Server, loop: VirtualLoop, ari: Callable[..., AriClient]) -> AriClient:
    client = ari("127.0.0.1", 8088)
    loop.run(client.connect("texts"))
    return client


def refer_of(phone: Phone) -> Request:
    """The REFER a phone got."""
    found = [parse(seen.data) for seen in phone.seen if seen.first_line.startswith("REFER")]
    assert isinstance(found[-1], Request)
    return found[-1]


# ------------------------------------------------------------------------------------------------------- texts in


async def test_a_text_reaches_the_applications_that_listen_to_its_endpoint(alice: Phone, app: AriClient) -> None:
    await app.post("/applications/texts/subscription", eventSource="endpoint:PJSIP/alice")
    await alice.message("1160", "Grüße\nan alle", headers=[("X-Kit", "one"), ("X-Kit", "two")], expect=202)
    event = await app.event("TextMessageReceived")
    assert event["endpoint"] == {"technology": "PJSIP", "resource": "alice", "state": "online", "channel_ids": []}
    message = event["message"]
    assert (message["from"], message["to"]) == ("<sip:alice@10.0.0.1>", "pjsip:1160@10.0.0.1")
    assert message["body"] == "Grüße\nan alle"
    facts = message["variables"]
    assert (facts["PJSIP_RECVADDR"], facts["PJSIP_TRANSPORT"]) == ("10.0.0.2:5060", "UDP")
    assert (facts["X-Kit"], facts["CSeq"], facts["Content-Length"]) == ("one, two", "3 MESSAGE", "15")
    assert {"Via", "From", "To", "Call-ID", "Max-Forwards", "Content-Type", "Authorization"} < facts.keys()


async def test_who_does_not_listen_hears_nothing(alice: Phone, carrier: Phone, app: AriClient) -> None:
    await app.post("/applications/texts/subscription", eventSource="endpoint:PJSIP/alice")
    await carrier.message("1170", "x", expect=202)
    await app.no_event("TextMessageReceived")


async def test_the_dialplan_passes_a_text_on(alice: Phone, carrier: Phone, server: Server) -> None:
    await alice.message("1161", "hello", headers=[("X-Kit", "one")], expect=202)
    passed = await carrier.news.find(lambda: carrier.inbox[-1] if carrier.inbox else None, 5, lambda: "no text")
    assert (passed.body, passed.from_.uri.user) == (b"hello 6001 one", "alice")
    assert server.dialplan.globals["SENT"] == "SUCCESS pjsip:1161@10.0.0.1 Message/ast_msg_queue"
    assert not len(server.channels)


async def test_texts_wait_for_the_one_before_but_not_for_ever(alice: Phone, carrier: Phone) -> None:
    await alice.message("1162", "first", expect=202)
    await alice.message("1161", "second", expect=202)
    await asyncio.sleep(29)
    assert not carrier.inbox
    await asyncio.sleep(2)
    assert [text.body for text in carrier.inbox] == [b"second 6001"]


async def test_an_application_is_given_no_text(alice: Phone, carrier: Phone, app: AriClient) -> None:
    await alice.message("1163", "first", expect=202)
    await alice.message("1161", "second", expect=202)
    await carrier.news.find(lambda: carrier.inbox or None, 5, lambda: "no text")
    assert "StasisStart" not in app.types()


async def test_a_text_needs_an_extension_in_the_context_for_texts(carrier: Phone, alice: Phone, app: AriClient) -> None:
    await app.post("/applications/texts/subscription", eventSource="endpoint:PJSIP")
    await carrier.message("1160", "x", expect=404)
    await alice.message("1170", "x", expect=404)
    await carrier.message("1170", "x", expect=202)
    await app.event("TextMessageReceived")
    await app.no_event("TextMessageReceived")


async def test_a_text_needs_the_password_of_its_endpoint(
    server: Server, phone: Callable[..., Awaitable[Phone]], app: AriClient
) -> None:
    await app.post("/applications/texts/subscription", eventSource="endpoint:PJSIP")
    mallory = await phone("10.0.0.66", 5060, username="alice", password="guessed", server=SERVER)
    stranger = await phone("10.0.0.67", 5060, name="stranger", server=SERVER)
    for one in (mallory, stranger):
        with pytest.raises(Unexpected, match="401"):
            await one.message("1160", "x", expect=202)
    await app.no_event("TextMessageReceived")


async def test_only_texts_are_taken(carrier: Phone) -> None:
    request = carrier._create("MESSAGE", "sip:1170@10.0.0.1", "sip:1170@10.0.0.1")
    request.set("Content-Type", "application/octet-stream")
    request.body = b"\0"
    response = await carrier.request(request, expect=415)
    assert response.get("Accept") == "text/plain"
    options = await carrier.options(expect=200)
    assert "MESSAGE" in (options.get("Allow") or "")


def test_stray_bytes_become_text_that_json_can_carry() -> None:
    data = (
        b"MESSAGE sip:1@10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK1\r\n"
        b'From: "A \\"B\\" \xff" <sip:a@10.0.0.9:5090;x=y>;tag=1\r\nTo: <sips:1@[2001:db8::1]:5061>\r\n'
        b"Call-ID: 1\r\nCSeq: 1 MESSAGE\r\nContent-Length: 2\r\n\r\n\xff\xfe"
    )
    request = parse(data)
    assert isinstance(request, Request)
    text = read_text(request, ("2001:db8::9", 5090), Transport("TCP", "10.0.0.1", 5060))
    assert text.from_ == '"A \\"B\\" ÿ" <sip:a@10.0.0.9>'
    assert text.to == "pjsip:1@[2001:db8::1]"
    assert text.body == "\N{REPLACEMENT CHARACTER}" * 2
    assert isinstance(text.variables, dict)
    assert text.variables["PJSIP_RECVADDR"] == "[2001:db8::9]:5090"


# ------------------------------------------------------------------------------------------------------ texts out


async def test_a_text_to_an_endpoint_goes_to_its_contact(alice: Phone, app: AriClient) -> None:
    await app.put("/endpoints/PJSIP/alice/sendMessage", body={"body": "hällo", **KIT}, expect=202)
    message = await alice.next_message()
    assert (message.uri_text, message.body, message.get("Content-Type")) == (alice.uri, "hällo".encode(), "text/plain")
    assert (str(message.from_.uri), message.get("To")) == ("sip:kit@10.0.0.1", f"<{alice.uri}>")
    assert message.get("Contact") is None  # RFC 3428 5


@pytest.mark.parametrize(
    ("to", "uri"),
    [
        ("pjsip:carrier", "sip:10.0.1.9:5060"),
        ("pjsip:carrier@anywhere", "sip:10.0.1.9:5060"),
        ("pjsip:carrier/carrier", "sip:10.0.1.9:5060"),
        ("pjsip:carrier/sip:bob@10.0.1.9", "sip:bob@10.0.1.9"),
        ("pjsip:carrier/bob@10.0.1.9", "sip:bob@10.0.1.9"),
        ("PJSIP:sip:bob@10.0.1.9:5060", "sip:bob@10.0.1.9:5060"),
        ('pjsip:"Bob" <sip:bob@10.0.1.9>', "sip:bob@10.0.1.9"),
    ],
)
async def test_ways_to_write_where_a_text_goes(carrier: Phone, app: AriClient, to: str, uri: str) -> None:
    await app.put("/endpoints/sendMessage", body={"to": to, "body": "x", **KIT}, expect=202)
    message = await carrier.next_message()
    assert message.uri_text == message.to.uri_text == uri
    assert message.to.display == ("Bob" if "Bob" in to else "")


@pytest.mark.parametrize(
    ("sender", "shown"),
    [
        ('"Kit" <sip:kit@example.com>', '"Kit" <sip:kit@example.com>'),
        ("kit@example.com", "<sip:kit@example.com>"),
        ("kit", "<sip:kit@10.0.0.1>"),
        ("alice", '"Alice" <sip:6001@10.0.0.1>'),
        ("pjsip:ALICE", '"Alice" <sip:6001@10.0.0.1>'),
    ],
)
async def test_ways_to_write_who_sends(carrier: Phone, app: AriClient, sender: str, shown: str) -> None:
    await app.put("/endpoints/sendMessage", body={"to": "pjsip:carrier", "from": sender, "body": "x"}, expect=202)
    assert ((await carrier.next_message()).get("From") or "").partition(";tag=")[0] == shown


async def test_variables_are_headers_but_for_those_that_make_the_request(carrier: Phone, app: AriClient) -> None:
    variables = {
        "X-Kit": "one",
        "Content-Type": "text/html",
        "Via": "SIP/2.0/UDP 10.6.6.6",
        "v": "SIP/2.0/UDP 10.6.6.6",
        "Call-ID": "theirs",
        "CONTENT-LENGTH": "999",
        "PJSIP_RECVADDR": "10.6.6.6:5060",
    }
    await app.put("/endpoints/sendMessage", body={"to": "pjsip:carrier", "variables": variables, **KIT}, expect=202)
    message = await carrier.next_message()
    assert (message.get("X-Kit"), message.get("Content-Type"), message.body) == ("one", "text/html", b"")
    assert "10.6.6.6" not in bytes(message).decode() and message.call_id != "theirs"


@pytest.mark.parametrize(
    ("order", "status"),
    [
        ({"to": "pjsip:nobody"}, 404),
        ({"to": "pjsip:alice"}, 404),  # not registered
        ({"to": "pjsip:carrier/sip:"}, 404),
        ({"to": "smoke:signal"}, 404),
        ({"to": "carrier"}, 404),
        ({"to": "pjsip:carrier", "variables": {"X-Kit": "one\r\nX-Evil: two"}}, 400),
        ({"to": "pjsip:carrier", "variables": {"X Kit": "one"}}, 400),
        ({"to": "pjsip:carrier", "from": "sip:a@b\r\nX-Evil: two"}, 400),
        ({"to": "pjsip:carrier/sip:a@10.0.1.9\r\nX-Evil: two"}, 404),
    ],
)
async def test_what_cannot_be_sent_is_refused(
    carrier: Phone, app: AriClient, order: dict[str, Any], status: int
) -> None:
    await app.put("/endpoints/sendMessage", body={"body": "x", **KIT, **order}, expect=status)
    await asyncio.sleep(1)
    assert not carrier.inbox and not carrier.seen


def test_whatever_is_asked_for_is_refused_or_sent_as_one_request(server: Server) -> None:
    sent: list[Request] = []

    def observe(direction: str, data: bytes, *_: object) -> None:
        if direction == ">":
            message = parse(data)
            assert isinstance(message, Request)
            sent.append(message)

    server.sip.observers.append(observe)
    texts = st.text(st.sampled_from('\r\n\0\t "<>;:,?@=%/\\[]sipab1é.'), max_size=20)
    addresses = st.one_of(texts, texts.map("sip:{}".format), texts.map('"{}" <sip:a@10.0.1.9>'.format))
    variables = st.dictionaries(st.one_of(texts, st.just("X-Kit"), st.just("display_name")), texts, max_size=2)

    @settings(max_examples=300, deadline=None)
    @given(addresses, addresses, texts, variables)
    def ask(to: str, other: str, text: str, variables: dict[str, str]) -> None:
        sent.clear()
        for order in (
            lambda: server.sip.send_message(f"carrier/{to}", other, text, variables),
            lambda: server.sip.refer("carrier", text, to, False, variables),
        ):
            with contextlib.suppress(Refused):
                order()
        for request in sent:
            # What the caller wrote stays where it belongs: the request is one, and nothing was added to it.
            assert request.method in ("MESSAGE", "REFER")
            assert len(request.headers["To"]) == len(request.headers["From"]) == len(request.headers["CSeq"]) == 1
            assert request.to.uri and request.from_.uri and request.from_tag
            if request.method == "MESSAGE":
                assert request.body == text.encode()
            else:
                assert request.body == b"" and len(request.values("Refer-To")) == 1

    ask()
    assert len(server.sip.agent.layer) > 20  # transactions that have no answer yet


async def test_a_challenge_is_answered_with_the_credentials_for_the_endpoint(
    server: Server, loop: VirtualLoop, app: AriClient
) -> None:
    guard = DigestServer("carrier", algorithms=("MD5",))
    seen: list[tuple[Outcome, int]] = []

    class Carrier(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, address: Any) -> None:
            request = parse(data)
            assert isinstance(request, Request)
            verdict = guard.check(request, lambda name: Credentials("us", "ours"), loop.time())
            seen.append((verdict.outcome, request.cseq.number))
            if verdict.outcome is Outcome.ACCEPTED:
                response = request.create_response(202)
            else:
                response = guard.create_challenge(request, loop.time())
            self.transport.sendto(bytes(response), address)

    transport, _ = await loop.create_datagram_endpoint(Carrier, local_addr=("10.0.1.9", 5060))
    await app.put("/endpoints/sendMessage", body={"to": "pjsip:carrier", "body": "x", **KIT}, expect=202)
    await asyncio.sleep(60)
    assert seen == [(Outcome.MISSING, 1), (Outcome.ACCEPTED, 2)]
    assert len(server.sip.agent.layer) == 0
    transport.close()


async def test_a_name_is_looked_up_and_a_text_nobody_takes_is_reported(
    server: Server, loop: VirtualLoop, carrier: Phone, app: AriClient, caplog: pytest.LogCaptureFixture
) -> None:
    loop.network.names["carrier.example.com"] = "10.0.1.9"
    for host in ("carrier.example.com", "nowhere.example.com", "10.0.1.77"):
        await app.put("/endpoints/sendMessage", body={"to": f"pjsip:carrier/x@{host}", "body": host, **KIT}, expect=202)
    assert (await carrier.next_message()).body == b"carrier.example.com"
    await asyncio.sleep(40)
    assert "host nowhere.example.com cannot be found" in caplog.text
    assert "MESSAGE to sip:x@10.0.1.77: no answer" in caplog.text
    assert len(server.sip.agent.layer) == 0


async def test_a_text_goes_over_the_connection_that_the_phone_opened(
    server: Server, phone: Callable[..., Awaitable[Phone]], app: AriClient
) -> None:
    alice = await phone("10.0.0.2", 5060, username="alice", password=PASSWORD, server=SERVER, transport="tcp")
    await alice.register()
    await app.put("/endpoints/PJSIP/alice/sendMessage", body={"body": "over TCP", **KIT}, expect=202)
    assert (await alice.next_message()).via.transport == "TCP"


# ------------------------------------------------------------------------------------------------- references out


async def test_a_phone_is_asked_to_call_and_tells_what_became_of_it(
    server: Server, loop: VirtualLoop, app: AriClient
) -> None:
    answers: list[int] = []

    @asynccontextmanager
    async def carrier() -> AsyncIterator[Any]:
        inbox: asyncio.Queue[Any] = asyncio.Queue()

        class Carrier(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, address: Any) -> None:
                inbox.put_nowait(parse(data))

        transport, _ = await loop.create_datagram_endpoint(Carrier, local_addr=("10.0.1.9", 5060))
        yield transport, inbox
        transport.close()

    async with carrier() as (transport, inbox):
        order = {"to": "pjsip:carrier", "refer_to": "sip:1000@10.0.0.1", **KIT}
        await app.post("/endpoints/refer", body=order, expect=202)
        refer = await inbox.get()
        assert (refer.method, refer.get("Refer-To"), refer.get("Contact")) == (
            "REFER",
            "sip:1000@10.0.0.1",
            "<sip:10.0.0.1:5060>",
        )
        transport.sendto(bytes(refer.create_response(202, to_tag="theirs")), SERVER)

        async def notify(number: int, state: str, words: str, tag: str = "") -> int:
            request = Request(
                "NOTIFY",
                "sip:10.0.0.1:5060",
                [
                    ("Via", f"SIP/2.0/UDP 10.0.1.9:5060;branch=z9hG4bKn{number}"),
                    ("From", f"{refer.get('To')};tag=theirs"),
                    ("To", f"<sip:kit@10.0.0.1>;tag={tag or refer.from_tag}"),
                    ("Call-ID", refer.call_id),
                    ("CSeq", f"{number} NOTIFY"),
                    ("Event", "refer"),
                    ("Subscription-State", state),
                    ("Content-Type", "message/sipfrag"),
                ],
                f"{words}\r\n".encode(),
            )
            transport.sendto(bytes(request), SERVER)
            return int((await inbox.get()).status)

        assert await notify(1, "active;expires=60", "SIP/2.0 100 Trying", tag="other") == 481
        answers.append(await notify(2, "active;expires=60", "SIP/2.0 100 Trying"))
        answers.append(await notify(3, "terminated;reason=noresource", "SIP/2.0 200 OK"))
        answers.append(await notify(4, "active", "SIP/2.0 200 OK"))
    assert answers == [200, 200, 481]


@pytest.mark.parametrize(
    ("order", "shown"),
    [
        ({"refer_to": "bob@example.com"}, "sip:bob@example.com"),
        ({"refer_to": "sip:bob@example.com;user=phone"}, "<sip:bob@example.com;user=phone>"),
        ({"refer_to": "alice"}, "sip:alice@10.0.0.2:5060"),
        ({"refer_to": "PJSIP/alice", "to_self": True}, "sip:alice@10.0.0.1:5060"),
        ({"refer_to": "sip:b@c", "variables": {"display_name": "Bob B."}}, '"Bob B." <sip:b@c>'),
    ],
)
async def test_ways_to_write_whom_to_call(
    carrier: Phone, alice: Phone, app: AriClient, order: dict[str, Any], shown: str
) -> None:
    await app.post("/endpoints/PJSIP/carrier/refer", body={**KIT, **order}, expect=202)
    await carrier.sees("REFER")
    assert refer_of(carrier).get("Refer-To") == shown


@pytest.mark.parametrize(
    ("order", "status"),
    [
        ({"to": "pjsip:nobody", "refer_to": "sip:b@c"}, 404),
        ({"to": "pjsip:carrier", "refer_to": "alice"}, 404),  # not registered
        ({"to": "pjsip:carrier", "refer_to": "sip:"}, 400),
        ({"to": "pjsip:carrier", "refer_to": "sip:b@c", "variables": {"display_name": "B\r\nX-Evil: 1"}}, 400),
    ],
)
async def test_what_cannot_be_referred_is_refused(app: AriClient, order: dict[str, Any], status: int) -> None:
    await app.post("/endpoints/refer", body={**KIT, **order}, expect=status)


async def test_news_of_references_are_waited_for_a_time_only(
    server: Server, loop: VirtualLoop, carrier: Phone, app: AriClient
) -> None:
    await app.post("/endpoints/PJSIP/carrier/refer", body={**KIT, "refer_to": "sip:b@c"}, expect=202)
    await asyncio.sleep(200)
    assert server.sip.messages._references == {} and server.sip.agent._listeners == {}
