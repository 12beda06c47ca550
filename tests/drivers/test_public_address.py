"""A STUN server tells how the server is seen, and ICE names it; a NAT that does not keep ports is found out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from arietta.server import Server
from arietta.stun import BINDING_SUCCESS, parse_stun, write_stun, xor_mapped_address
from arietta.testing import AriClient, Phone, VirtualLoop

from .running import FILES, PJSIP, phone_sections

SEEN = "198.51.100.9"


class Stun(asyncio.DatagramProtocol):
    """A STUN server behind a NAT."""

    def __init__(self) -> None:
        self.port_shift = 0
        self.asked = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.DatagramTransport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.asked += 1
        transaction = parse_stun(data).transaction
        told = xor_mapped_address((SEEN, addr[1] + self.port_shift), transaction)
        self.transport.sendto(write_stun(BINDING_SUCCESS, transaction, (told,)), addr)


@pytest.fixture
def stun(loop: VirtualLoop) -> Iterator[Stun]:
    transport, server = loop.run(loop.create_datagram_endpoint(Stun, local_addr=("10.0.0.99", 3478)))
    yield server
    transport.close()


@pytest.fixture
def files(stun: Stun) -> dict[str, str]:
    return {
        **FILES,
        "rtp.conf": FILES["rtp.conf"] + "stunaddr=10.0.0.99\nstun_deny=10.9.0.0/16\n",
        "pjsip.conf": PJSIP.replace(
            phone_sections("bob", "6002"), phone_sections("bob", "6002", "ice_support=yes\nrtcp_mux=yes")
        ).replace(
            phone_sections("carol", "6003"),
            phone_sections("carol", "6003", "ice_support=yes\nrtcp_mux=yes\nmedia_address=10.9.0.1"),
        ),
    }


@pytest.fixture
def phones(registered: Callable[[str], Phone]) -> dict[str, Phone]:
    return {name: registered(name) for name in ("alice", "bob", "carol")}


async def candidates(phones: dict[str, Phone], name: str, exten: str) -> list[str]:
    """Those that a phone is offered."""
    waits = await phones["alice"].invite(exten)
    rings = await phones[name].ringing()
    rings.reject()
    await waits.ended()
    lines = rings.request.body.decode().split("\r\n")
    return [line.removeprefix("a=candidate:") for line in lines if line.startswith("a=candidate:")]


async def test_how_we_are_seen_is_offered_besides(phones: dict[str, Phone], app: AriClient, stun: Stun) -> None:
    host, reflexive = await candidates(phones, "bob", "1100")
    port = host.split()[5]
    assert host.split()[4:] == ["10.0.0.1", port, "typ", "host"]
    assert reflexive.split()[4:] == [SEEN, port, "typ", "srflx", "raddr", "10.0.0.1", "rport", port]
    assert int(reflexive.split()[3]) < int(host.split()[3])
    assert reflexive.split()[0] != host.split()[0]
    assert stun.asked == 1


async def test_an_address_that_stun_is_not_used_from_is_offered_alone(phones: dict[str, Phone], app: AriClient) -> None:
    assert len(await candidates(phones, "carol", "1101")) == 1


async def test_a_nat_that_does_not_keep_ports_is_found_out(
    phones: dict[str, Phone], app: AriClient, stun: Stun, caplog: pytest.LogCaptureFixture
) -> None:
    stun.port_shift = 7
    await asyncio.sleep(70)
    assert len(await candidates(phones, "bob", "1100")) == 1
    assert any("does not keep ports" in record.getMessage() for record in caplog.records)


async def test_a_server_that_falls_silent_is_believed_no_more(
    phones: dict[str, Phone], app: AriClient, stun: Stun, switchboard: Server
) -> None:
    stun.transport.close()
    await asyncio.sleep(120)
    assert len(await candidates(phones, "bob", "1100")) == 1
