"""The virtual network: datagrams, streams, faults by seed."""

from __future__ import annotations

import asyncio
import socket

import pytest

from arietta.testing.loop import VirtualLoop


class Receiver(asyncio.DatagramProtocol):
    """Keeps what comes."""

    def __init__(self) -> None:
        self.received: list[tuple[float, bytes, tuple]] = []
        self.errors: list[Exception] = []
        self.lost: list[Exception | None] = []

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data, addr) -> None:
        self.received.append((asyncio.get_running_loop().time(), data, addr))

    def error_received(self, exc) -> None:
        self.errors.append(exc)

    def connection_lost(self, exc) -> None:
        self.lost.append(exc)


@pytest.fixture
def loop():
    loop = VirtualLoop(seed=1)
    yield loop
    loop.close()


def bound(loop: VirtualLoop, host: str, port: int = 0, **options) -> Receiver:
    """A datagram socket."""
    _, protocol = loop.run(loop.create_datagram_endpoint(Receiver, local_addr=(host, port), **options))
    return protocol


def test_a_datagram_arrives_after_the_delay_of_its_link(loop):
    phone, server = bound(loop, "10.0.0.2", 5060), bound(loop, "0.0.0.0", 5060)
    loop.network.link("10.0.0.2", "10.0.0.1", delay=0.020)
    start = loop.time()
    phone.transport.sendto(b"INVITE", ("10.0.0.1", 5060))
    loop.advance(0.1)
    assert server.received == [(start + 0.020, b"INVITE", ("10.0.0.2", 5060))]
    server.transport.sendto(b"200", ("10.0.0.2", 5060))
    loop.advance(0.1)
    assert phone.received == [(start + 0.120, b"200", ("10.0.0.1", 5060))]
    assert [sent.data for sent in loop.network.record] == [b"INVITE", b"200"]


def test_ipv6_and_loopback_have_their_own_addresses(loop):
    one, two = bound(loop, "::1", 5060), bound(loop, "::", 5070)
    assert one.transport.get_extra_info("sockname") == ("::1", 5060, 0, 0)
    one.transport.sendto(b"six", ("::1", 5070))
    loop.advance(1)
    assert two.received[0][1:] == (b"six", ("::1", 5060, 0, 0))
    four = bound(loop, "127.0.0.1")
    host, port = four.transport.get_extra_info("sockname")
    assert host == "127.0.0.1" and port >= 49152
    four.transport.sendto(b"x", ("::1", 5060))
    assert isinstance(four.errors[0], OSError)


def test_an_address_is_taken_once_and_free_after_close(loop):
    first = bound(loop, "127.0.0.1", 5060)
    with pytest.raises(OSError, match="in use"):
        bound(loop, "127.0.0.1", 5060)
    with pytest.raises(OSError, match="in use"):
        bound(loop, "0.0.0.0", 5060)
    bound(loop, "10.0.0.9", 5060)
    first.transport.close()
    assert first.transport.is_closing()
    bound(loop, "0.0.0.0", 5060)
    assert first.lost == [None]


def test_a_connected_socket_hears_that_nobody_is_there_and_nobody_else(loop):
    _, phone = loop.run(loop.create_datagram_endpoint(Receiver, remote_addr=("10.0.0.7", 5060)))
    phone.transport.sendto(b"OPTIONS")
    loop.advance(1)
    assert isinstance(phone.errors[0], ConnectionRefusedError)
    assert phone.transport.get_extra_info("peername") == ("10.0.0.7", 5060)
    stranger = bound(loop, "10.0.0.8")
    stranger.transport.sendto(b"x", phone.transport.get_extra_info("sockname")[:2])
    loop.advance(1)
    assert phone.received == []


def fates(seed: int, noise: int = 0) -> list[tuple[str, float | None]]:
    """What becomes of 200 packets over a bad link, with traffic elsewhere."""
    loop = VirtualLoop(seed=seed)
    loop.network.link(loss=0.1, duplication=0.05, reordering=0.1, jitter=0.01)
    phone, server = bound(loop, "10.0.0.2", 4000), bound(loop, "10.0.0.1", 4000)
    other = bound(loop, "10.0.0.3", 4000)
    for number in range(200):
        phone.transport.sendto(b"%d" % number, ("10.0.0.1", 4000))
        for _ in range(noise):
            other.transport.sendto(b"noise", ("10.0.0.1", 4000))
        loop.advance(0.02)
    loop.advance(1)
    arrived = [data for _, data, source in server.received if source == ("10.0.0.2", 4000)]
    assert len(arrived) > 150
    assert arrived != sorted(arrived, key=int)
    sent = [one for one in loop.network.record if one.source == ("10.0.0.2", 4000)]
    loop.close()
    return [(one.fate, one.arrives) for one in sent]


def test_faults_follow_the_seed_and_nothing_else():
    first = fates(5)
    assert {fate for fate, _ in first} == {"sent", "lost", "duplicated", "reordered"}
    assert fates(5) == first
    assert fates(5, noise=2) == first
    assert fates(6) != first


def test_jitter_delays_without_overtaking(loop):
    loop.network.link(jitter=0.1)
    phone, server = bound(loop, "10.0.0.2", 1), bound(loop, "10.0.0.1", 1)
    for number in range(100):
        phone.transport.sendto(bytes([number]), ("10.0.0.1", 1))
        loop.advance(0.02)
    loop.advance(1)
    assert [data[0] for _, data, _ in server.received] == list(range(100))
    gaps = [later[0] - earlier[0] for earlier, later in zip(server.received, server.received[1:], strict=False)]
    assert max(gaps) > 0.04


def test_a_cut_link_passes_nothing_until_it_is_healed(loop):
    phone, server = bound(loop, "10.0.0.2", 1), bound(loop, "10.0.0.1", 1)
    loop.network.cut("10.0.0.2", "10.0.0.1")
    phone.transport.sendto(b"lost", ("10.0.0.1", 1))
    loop.advance(1)
    loop.network.heal("10.0.0.2", "10.0.0.1")
    phone.transport.sendto(b"there", ("10.0.0.1", 1))
    loop.advance(1)
    assert [data for _, data, _ in server.received] == [b"there"]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send everything back, then close."""
    while data := await reader.read(1000):
        writer.write(data.upper())
        await writer.drain()
    writer.write(b"END")
    writer.close()


def test_a_stream_answers_and_closes_by_halves(loop):
    async def story() -> bytes:
        server = await asyncio.start_server(echo, "127.0.0.1", 8088)
        assert server.sockets[0].getsockname() == ("127.0.0.1", 8088)
        reader, writer = await asyncio.open_connection("localhost", 8088)
        assert writer.get_extra_info("peername") == ("127.0.0.1", 8088)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"HELLO"
        writer.write(b" there")
        writer.write_eof()
        rest = await reader.read()
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()
        return rest

    assert loop.run(story()) == b" THEREEND"


def test_a_megabyte_passes_a_lossy_link_whole_and_in_order(loop):
    loop.network.link(loss=0.2, jitter=0.005, delay=0.01)
    data = bytes(range(256)) * 4096

    async def story() -> bytes:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(data)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "0.0.0.0", 8088)
        reader, writer = await asyncio.open_connection("10.0.0.1", 8088, local_addr=("10.0.0.5", 0))
        assert writer.get_extra_info("sockname")[0] == "10.0.0.5"
        got = await reader.read()
        writer.close()
        server.close()
        return got

    assert loop.run(story()) == data


class Flow(asyncio.Protocol):
    """Notes what a transport tells."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.size = 0

    def connection_made(self, transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.size += len(data)

    def eof_received(self) -> None:
        self.told.append("eof")

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append(type(exc).__name__)


def connect(loop: VirtualLoop) -> tuple[Flow, Flow]:
    """A client and a server's end of one connection."""
    accepted: list[Flow] = []

    def factory() -> Flow:
        accepted.append(Flow())
        return accepted[-1]

    loop.run(loop.create_server(factory, "127.0.0.1", 8088))
    _, client = loop.run(loop.create_connection(Flow, "127.0.0.1", 8088))
    return client, accepted[0]


def test_a_reader_that_stops_makes_the_writer_pause(loop):
    client, server = connect(loop)
    client.transport.pause_reading()
    server.transport.write(bytes(64 * 1024))
    loop.advance(1)
    assert (client.size, server.told, server.transport.get_write_buffer_size()) == (0, [], 0)
    server.transport.write(bytes(200_000))
    loop.advance(60)
    assert server.told == ["pause"]
    assert server.transport.get_write_buffer_size() == 200_000
    client.transport.resume_reading()
    loop.advance(1)
    assert server.told == ["pause", "resume"]
    assert client.size == 264 * 1000 + 1536


def test_close_sends_what_was_written_and_abort_resets(loop):
    client, server = connect(loop)
    server.transport.write(b"last words")
    server.transport.close()
    server.transport.write(b"ignored")
    loop.advance(1)
    assert (client.size, client.told, server.told) == (10, ["eof", "NoneType"], ["NoneType"])
    client, server = connect_again(loop)
    client.transport.abort()
    loop.advance(1)
    assert (client.told, server.told) == (["NoneType"], ["ConnectionResetError"])


def connect_again(loop: VirtualLoop) -> tuple[Flow, Flow]:
    """One more connection, to a listener of its own."""
    accepted: list[Flow] = []

    def factory() -> Flow:
        accepted.append(Flow())
        return accepted[-1]

    server = loop.run(loop.create_server(factory, "127.0.0.1", 0))
    port = server.sockets[0].getsockname()[1]
    _, client = loop.run(loop.create_connection(Flow, "127.0.0.1", port))
    return client, accepted[0]


def test_writing_to_one_who_is_gone_is_a_reset(loop):
    client, server = connect(loop)
    server.eof_received = lambda: True
    client.transport.close()
    server.transport.write(b"x" * 100)
    loop.advance(1)
    assert server.told == ["ConnectionResetError"]


def test_nobody_listens_and_nobody_answers(loop):
    with pytest.raises(ConnectionRefusedError):
        loop.run(loop.create_connection(Flow, "127.0.0.1", 1))
    loop.network.cut("10.0.0.5")
    start = loop.time()
    with pytest.raises(TimeoutError):
        loop.run(loop.create_connection(Flow, "10.0.0.5", 1))
    assert loop.time() == start + 127


def test_a_cut_stream_goes_on_when_healed_and_fails_when_not(loop):
    client, server = connect(loop)
    loop.network.cut("127.0.0.1", "127.0.0.1")
    client.transport.write(b"held")
    loop.advance(100)
    assert server.size == 0
    loop.network.heal("127.0.0.1", "127.0.0.1")
    loop.advance(1)
    assert server.size == 4
    loop.network.cut("127.0.0.1", "127.0.0.1")
    client.transport.write(b"never")
    loop.advance(1000)
    assert client.told == ["TimeoutError"]


def test_a_failing_protocol_loses_its_connection_only(loop, caplog):
    client, server = connect(loop)
    server.data_received = lambda data: 1 // 0
    client.transport.write(b"x")
    loop.advance(1)
    assert server.told == ["ZeroDivisionError"]
    assert client.told == ["ConnectionResetError"]
    assert len(loop.failures) == 1


def test_unix_sockets_are_names(loop):
    async def story() -> bytes:
        server = await asyncio.start_unix_server(echo, "/run/arietta.ctl")
        reader, writer = await asyncio.open_unix_connection("/run/arietta.ctl")
        writer.write(b"core show channels")
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        server.close()
        with pytest.raises(FileNotFoundError):
            await asyncio.open_unix_connection("/run/arietta.ctl")
        return answer

    assert loop.run(story()) == b"CORE SHOW CHANNELSEND"


def test_what_is_not_carried_is_refused_by_name(loop):
    with pytest.raises(ValueError, match="ssl"):
        loop.run(loop.create_connection(Flow, "127.0.0.1", 1, ssl=True))
    with pytest.raises(ValueError, match="sock"):
        loop.run(loop.create_datagram_endpoint(Receiver, sock=object()))
    with pytest.raises(socket.gaierror, match=r"example\.org"):
        loop.run(loop.create_connection(Flow, "example.org", 1))
    loop.network.names["example.org"] = "10.0.0.4"
    assert loop.run(loop.getaddrinfo("example.org", 5060, type=socket.SOCK_DGRAM))[0][4] == ("10.0.0.4", 5060)


def test_a_server_that_makes_no_protocol_resets(loop, caplog):
    def factory():
        raise ValueError("no protocol today")

    loop.run(loop.create_server(factory, "127.0.0.1", 8088))
    with pytest.raises(ConnectionResetError):
        loop.run(loop.create_connection(Flow, "127.0.0.1", 8088))
    assert str(loop.failures[0]["exception"]) == "no protocol today"


def test_reading_may_be_paused_from_the_beginning(loop):
    class Paused(Flow):
        def connection_made(self, transport) -> None:
            super().connection_made(transport)
            transport.pause_reading()

    accepted: list[Paused] = []

    def factory() -> Paused:
        accepted.append(Paused())
        return accepted[0]

    loop.run(loop.create_server(factory, "127.0.0.1", 8088))
    _, client = loop.run(loop.create_connection(Flow, "127.0.0.1", 8088))
    client.transport.write(b"early")
    loop.advance(1)
    assert accepted[0].size == 0
    accepted[0].transport.resume_reading()
    loop.advance(1)
    assert accepted[0].size == 5
