"""Several answers to one INVITE of ours (RFC 3261 13.2.1, 13.2.2.4; RFC 3960)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from arietta.drivers.sip.leg import SipLeg
from arietta.server import Server
from arietta.sip.message import Request, parse
from arietta.testing import Phone, VirtualLoop
from arietta.testing.plugin import Switch

from .running import FILES, PASSWORD, SERVER, phone_sections

MakePhone = Callable[..., Awaitable[Phone]]
Start = Callable[..., Server]
Answers = list[tuple[int, str, int]]
HOME = ("10.0.0.3", 5060)
SDP = "v=0\r\no=- 1 1 IN IP4 10.0.0.3\r\ns=-\r\nc=IN IP4 10.0.0.3\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"


@pytest.fixture
def start(loop: VirtualLoop, switch: Switch) -> Iterator[Start]:
    """A function that starts a server whose bob and system have these options; bob is where a proxy forks."""
    stack = AsyncExitStack()

    def begin(bob: str = "", system: str = "") -> Server:
        pjsip = f"[udp]\ntype=transport\nprotocol=udp\nbind={SERVER[0]}:{SERVER[1]}\n[system]\ntype=system\n{system}\n"
        pjsip += phone_sections("alice", "6001") + phone_sections("bob", "6002", bob)
        pjsip += f"contact=sip:bob@{HOME[0]}\n"
        return loop.run(stack.enter_async_context(switch(FILES | {"pjsip.conf": pjsip})))

    yield begin
    loop.run(stack.aclose())


class Fork(asyncio.DatagramProtocol):
    """Answers an INVITE with these responses: status, To tag, port of its audio; 0 for no description."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.DatagramTransport)
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        request = parse(data)
        if not isinstance(request, Request) or request.method == "ACK":
            return
        if request.method != "INVITE":
            self.transport.sendto(bytes(request.create_response(200)), addr)
            return
        for status, tag, port in self.answers:
            body = SDP.format(port=port).encode() if port else b""
            response = request.create_response(
                status, to_tag=tag, body=body, content_type="application/sdp" if port else ""
            )
            response.add("Contact", f"<sip:bob@{HOME[0]};tag={tag}>")
            self.transport.sendto(bytes(response), addr)


@pytest.mark.parametrize(
    ("bob", "system", "answers", "port"),
    [
        ("", "", [(183, "a", 4000)], 4000),
        ("", "", [(183, "a", 4000), (183, "b", 5000)], 5000),
        ("follow_early_media_fork=no", "", [(183, "a", 4000), (183, "b", 5000)], 4000),
        ("", "follow_early_media_fork=no", [(183, "a", 4000), (180, "b", 5000)], 4000),
        ("", "", [(183, "a", 4000), (183, "b", 0)], 4000),
        ("", "", [(183, "a", 4000), (183, "a", 5000)], 4000),
        ("accept_multiple_sdp_answers=yes", "", [(183, "a", 4000), (183, "a", 5000)], 4000),
        (
            "accept_multiple_sdp_answers=yes",
            "accept_multiple_sdp_answers=yes",
            [(183, "a", 4000), (183, "a", 5000)],
            5000,
        ),
        ("", "", [(183, "a", 4000), (200, "a", 5000)], 4000),
        ("", "", [(183, "a", 4000), (183, "b", 5000), (200, "a", 4000)], 4000),
        ("follow_early_media_fork=no", "", [(183, "a", 4000), (183, "b", 5000), (200, "b", 5000)], 5000),
        ("", "", [(180, "a", 0), (200, "b", 5000)], 5000),
    ],
)
def test_media_follows_the_answer_that_counts(
    start: Start, loop: VirtualLoop, phone: MakePhone, bob: str, system: str, answers: Answers, port: int
):
    server = start(bob, system)
    alice = loop.run(phone("10.0.0.2", 5060, username="alice", password=PASSWORD, server=SERVER))
    loop.run(loop.create_datagram_endpoint(lambda: Fork(answers), local_addr=HOME))

    async def story() -> int:
        call = await alice.invite("1100")
        await asyncio.sleep(1)
        [leg] = [one.leg for one in server.channels if isinstance(one.leg, SipLeg) and one.leg.endpoint.name == "bob"]
        agreed = leg.media.agreed
        assert agreed is not None
        if call.session.state.name == "CONFIRMED" or answers[-1][0] == 200:
            await call.hang_up()
        else:
            await call.cancel()
        return agreed.port

    assert loop.run(story()) == port
