"""What must not bring the server down: bad requests by the thousand, signals, a death, a broken reload."""

from __future__ import annotations

import asyncio
import base64
import signal
import time

from arietta.testing import AriClient, Call, Phone

from .conftest import needs
from .running import DRAIN_S, HOST, PASSWORD, RunningServer, Sipp, assert_nothing_left, eventually

BAD_BODIES = (b"{", b'{"a":', b'"text"', b"\xff\xfe", b'{"variables": [1}', b"nul", b"[" * 2000, b'{"a":1}}')
REQUESTS = 10_000
AT_ONCE = 100


async def test_ten_thousand_requests_with_bad_json(server: RunningServer) -> None:
    async with server.ari() as app:
        await app.connect("hello-world")
        before = server.resident_kib()
        reader, writer = await asyncio.open_connection(HOST, server.http_port)
        credentials = base64.b64encode(b"asterisk:asterisk").decode()
        head = (
            "POST /ari/channels?endpoint=Local/1200@default&app=hello-world HTTP/1.1\r\n"
            f"Host: {HOST}\r\nAuthorization: Basic {credentials}\r\nContent-Type: application/json\r\nContent-Length: "
        ).encode()
        bodies = [head + str(len(body)).encode() + b"\r\n\r\n" + body for body in BAD_BODIES]
        for first in range(0, REQUESTS, AT_ONCE):
            writer.write(b"".join(bodies[number % len(bodies)] for number in range(first, first + AT_ONCE)))
            for _ in range(AT_ONCE):
                answer = await reader.readuntil(b"\r\n\r\n")
                assert answer.startswith(b"HTTP/1.1 400 "), answer
                (length,) = (line for line in answer.split(b"\r\n") if line.lower().startswith(b"content-length:"))
                assert (await reader.readexactly(int(length.split(b":")[1]))).startswith(b'{"message":')
        writer.close()
        await writer.wait_closed()
        assert server.resident_kib() - before < 20_000
        await serves_a_call(server, app)
        await assert_nothing_left(server, app)


async def test_a_socket_that_stops_reading_does_not_fill_the_memory(server: RunningServer) -> None:
    async with server.ari() as app, server.ari() as stuck, await Phone.open(HOST, server=server.sip) as phone:
        await app.connect("hello-world")
        socket = await stuck.connect("watcher", subscribe_all=True)
        socket.stop_reading()
        call, channel = await dial(phone, app)
        before = server.resident_kib()
        body = {"variable": "LOUD", "value": "x" * 30_000}
        for _ in range(1500):  # 45 MB of events
            await app.post(f"/channels/{channel}/variable", body=body, expect=204)
        for _ in range(1500):
            await app.event("ChannelVarset", variable="LOUD")
        assert server.resident_kib() - before < 40_000

        async def is_gone() -> bool:
            return (await app.request("GET", "/applications/watcher")).status == 404

        await eventually(is_gone, "the socket that does not read is dropped")
        await call.hang_up()
        await app.event("StasisEnd")
        socket.drop()
        await assert_nothing_left(server, app)


async def test_clients_that_die_between_request_and_response(server: RunningServer) -> None:
    async with server.ari() as app:
        await app.connect("hello-world")
        for path in ("/channels", "/asterisk/info", "/bridges", "/sounds") * 25:
            _, writer = await asyncio.open_connection(HOST, server.http_port)
            writer.write(f"GET /ari{path} HTTP/1.1\r\nHost: x\r\nAuthorization: {app.authorization}\r\n\r\n".encode())
            writer.transport.abort()
        await serves_a_call(server, app)
        await assert_nothing_left(server, app)


async def test_a_reload_of_a_broken_file_in_a_call(server: RunningServer) -> None:
    async with server.ari() as app, await Phone.open(HOST, server=server.sip) as phone:
        await app.connect("hello-world")
        call, channel = await dial(phone, app)
        plan = server.folder / "extensions.conf"
        good = plan.read_text()
        plan.write_text(good.replace("exten => 1000", "exten => 2000") + "exten => 1,one,NoOp()\n")
        refused = server.console("module reload", expect=1)
        assert f"extensions.conf line {good.count(chr(10)) + 1}: " in refused
        server.signal(signal.SIGHUP)
        await eventually(lambda: "the one in force stays" in server.log, "the answer to SIGHUP")
        assert (await app.get(f"/channels/{channel}")).json["state"] == "Up"
        other, _ = await dial(phone, app)  # 1000 is still there
        await other.hang_up()

        plan.write_text(good.replace("exten => 1000", "exten => 2000"))
        server.console("module reload pbx_config.so")
        assert (await (await phone.invite("1000")).ended()).status == 404
        assert call.end is None
        await call.hang_up()
        await assert_nothing_left(server, app)


@needs("sipp")
async def test_sigterm_with_fifty_calls_up(server: RunningServer) -> None:
    async with server.ari() as app:
        await app.connect("hello-world")
        async with Sipp(server, "ended_by_server.xml", "-m", "50", "-l", "50", "-r", "100") as phones:
            for _ in range(50):
                await app.event("StasisStart")
            begun = time.monotonic()
            server.signal(signal.SIGTERM)
            await phones.succeeded()  # each of them has its BYE
            assert await asyncio.to_thread(server.wait) == 0
            assert time.monotonic() - begun < DRAIN_S + 5


async def test_a_second_signal_ends_the_calls_at_once(server: RunningServer) -> None:
    async with server.ari() as app, await Phone.open(HOST, server=server.sip) as phone:
        await app.connect("hello-world")
        call, _ = await dial(phone, app)
        begun = time.monotonic()
        server.signal(signal.SIGTERM)
        await eventually(lambda: "the server stops" in server.log, "the answer to SIGTERM")
        server.signal(signal.SIGTERM)
        await call.expect("BYE")
        assert await asyncio.to_thread(server.wait) == 0
        assert time.monotonic() - begun < DRAIN_S


async def test_kill_nine_then_start_again(server: RunningServer) -> None:
    async with (
        server.ari() as app,
        await Phone.open(HOST, server=server.sip, username="6001", password=PASSWORD) as phone,
    ):
        await phone.register()
        await app.connect("hello-world")
        await dial(phone, app)
        identity = (await app.get("/asterisk/info")).json["system"]["entity_id"]
        server.signal(signal.SIGKILL)
        assert await asyncio.to_thread(server.wait) == -signal.SIGKILL
    await asyncio.to_thread(server.start)
    async with server.ari() as app:
        assert (await app.get("/channels")).json == []
        assert (await app.get("/asterisk/info")).json["system"]["entity_id"] == identity
        await app.connect("hello-world")
        await serves_a_call(server, app)
        assert "0 active channels" in server.console("core show channels")
        await assert_nothing_left(server, app)


async def dial(phone: Phone, app: AriClient) -> tuple[Call, str]:
    """A call that is in the application, and its channel's id."""
    call = await phone.invite("1000")
    await call.answered()
    return call, (await app.event("StasisStart", channel_protocol_id=call.call_id))["channel"]["id"]


async def serves_a_call(server: RunningServer, app: AriClient) -> None:
    """One more phone has its call."""
    async with await Phone.open(HOST, server=server.sip, name="honest") as phone:
        call, channel = await dial(phone, app)
        await app.delete(f"/channels/{channel}", expect=204)
        await call.expect("BYE")
