"""TCP, TLS, WebSockets, IPv6 on the real network: softphones, OpenSSL and the websockets library at the other end."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from arietta.sip.auth import Credentials, DigestClient
from arietta.sip.message import Request, Response, parse
from arietta.testing import Phone
from certificates import Authority, make_authority, needs_openssl

from .conftest import needs
from .running import HOST, PASSWORD, RunningServer, assert_nothing_left, eventually, free_port
from .test_baresip import Baresip, hears_the_words

pytestmark = needs_openssl


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs the server's certificate."""
    return make_authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def tls_port(authority: Authority, folder: Path) -> int:
    """Where the server speaks TLS."""
    certificate, key = authority.sign("pbx", f"IP:{HOST}")
    port = free_port(socket.SOCK_STREAM)
    with (folder / "pjsip.conf").open("a") as file:
        file.write(
            f"\n[tls]\ntype=transport\nprotocol=tls\nbind={HOST}:{port}\n"
            f"cert_file={certificate}\npriv_key_file={key}\nca_list_file={authority.certificate}\nverify_server=yes\n"
        )
    return port


@pytest.fixture
def wss_port(authority: Authority, folder: Path) -> int:
    """Where the web server speaks TLS."""
    certificate, key = authority.sign("web", f"IP:{HOST}")
    port = free_port(socket.SOCK_STREAM)
    with (folder / "http.conf").open("a") as file:
        file.write(f"tlsenable=yes\ntlsbindaddr={HOST}:{port}\ntlscertfile={certificate}\ntlsprivatekey={key}\n")
    with (folder / "pjsip.conf").open("a") as file:
        file.write("\n[wss]\ntype=transport\nprotocol=wss\n")
    return port


@needs("baresip")
async def test_baresip_over_tls(authority: Authority, tls_port: int, server: RunningServer, tmp_path: Path) -> None:
    phone = Baresip(server, tmp_path / "baresip", at=f"{HOST}:{tls_port};transport=tls")
    with (phone.folder / "config").open("a") as config:
        config.write(f"sip_cafile {authority.certificate}\nsip_verify_server yes\n")
    await hears_the_words(server, phone)
    assert "SIP/2.0/TLS" in phone.told()


@needs("baresip")
async def test_baresip_over_tcp(server: RunningServer, tmp_path: Path) -> None:
    phone = Baresip(server, tmp_path / "baresip", at=f"{HOST}:{server.sip_port};transport=tcp")
    await hears_the_words(server, phone)
    assert "SIP/2.0/TCP" in phone.told()


async def test_garbage_on_every_port_loses_nobody(
    authority: Authority, tls_port: int, wss_port: int, server: RunningServer
) -> None:
    async with registered(authority, tls_port) as phone:
        for port in (tls_port, wss_port, server.sip_port, server.http_port):
            for garbage in (b"\0" * 5000, b"\x16\x03\x01\xff\xff" + b"x" * 20000, b"GET /ws HTTP/1.1\r\n\r\n" * 50):
                await send_garbage(port, garbage)
        await phone.options()
        await eventually(lambda: "what it speaks is not TLS" in server.log, "a word about it")
        assert server.get("/ari/asterisk/ping")[0] == 200


async def test_who_does_not_trust_the_server_is_named(tls_port: int, server: RunningServer, tmp_path: Path) -> None:
    stranger = make_authority(tmp_path, "stranger")
    with pytest.raises(AssertionError):
        async with registered(stranger, tls_port, within=2):
            pass
    await eventually(lambda: "it refused us: unknown ca" in server.log, "a word about it")


@asynccontextmanager
async def registered(authority: Authority, port: int, within: float = 10) -> AsyncIterator[Phone]:
    """A virtual phone on the real network, as 6001."""
    account = {"username": "6001", "password": PASSWORD, "transport": "tls", "server": (HOST, port)}
    async with await Phone.open(HOST, **account, tls=authority.client()) as phone:
        await phone.register(within=within)
        yield phone


async def send_garbage(port: int, data: bytes) -> None:
    """Open a connection, say it, and see that the other end does not wait for more."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(data)
        async with asyncio.timeout(1):
            await reader.read()
    except (ConnectionError, TimeoutError):
        pass
    finally:
        writer.close()


# --------------------------------------------------------------------------------------- WebSockets


async def test_a_browsers_socket_registers_and_is_called(
    authority: Authority, wss_port: int, server: RunningServer
) -> None:
    trust = authority.client()
    async with connect(f"wss://{HOST}:{wss_port}/ws", ssl=trust, subprotocols=[Subprotocol("sip")]) as socket:
        browser = Browser(socket)
        assert (await browser.register()).status == 200
        async with server.ari() as app:
            await app.connect("hello-world")
            wanted = {"endpoint": "PJSIP/6001", "app": "hello-world", "timeout": "10"}
            channel = (await app.post("/channels", **wanted)).json
            invite = await browser.next()
            assert isinstance(invite, Request)
            assert invite.uri_text == Browser.CONTACT
            assert invite.headers["Via"][0].startswith("SIP/2.0/WSS ")
            await socket.send(bytes(invite.create_response(486, to_tag="browser")))
            await app.event("ChannelDestroyed", channel_id=channel["id"])
            await assert_nothing_left(server, app)


async def test_a_reload_takes_new_certificates(
    authority: Authority, wss_port: int, tls_port: int, server: RunningServer, tmp_path: Path
) -> None:
    async def reach(trusted: Authority) -> None:
        web = connect(f"wss://{HOST}:{wss_port}/ws", ssl=trusted.client(), subprotocols=[Subprotocol("sip")])
        async with web, registered(trusted, tls_port):
            pass

    await reach(authority)
    other = make_authority(tmp_path, "other")
    for name in ("web", "pbx"):
        for new, file in zip(other.sign(name, f"IP:{HOST}"), ("pem", "key"), strict=True):
            (authority.folder / f"{name}.{file}").write_bytes(new.read_bytes())
    server.console("core reload")
    await reach(other)
    assert "needs a restart" not in server.log


@pytest.mark.parametrize("subprotocols", [None, [Subprotocol("xmpp")]])
async def test_the_socket_is_for_sip(
    authority: Authority, wss_port: int, server: RunningServer, subprotocols: list[Subprotocol] | None
) -> None:
    with pytest.raises(Exception, match="HTTP 400"):
        async with connect(f"wss://{HOST}:{wss_port}/ws", ssl=authority.client(), subprotocols=subprotocols):
            pass


class Browser:
    """As much of a phone in a browser as registers, one frame a message (RFC 7118)."""

    CONTACT = "sip:6001@df7jal23ls0d.invalid;transport=ws"

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def next(self) -> Request | Response:
        """The next message but a provisional response."""
        async with asyncio.timeout(10):
            while True:
                data = await self.socket.recv()
                message = parse(data.encode() if isinstance(data, str) else data)
                if not (isinstance(message, Response) and message.status < 200):
                    return message

    async def register(self) -> Response:
        """Register, with the password when it is asked for."""
        request = Request(
            "REGISTER",
            f"sip:{HOST}",
            {
                "Via": ["SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK1"],
                "From": [f"<sip:6001@{HOST}>;tag=browser"],
                "To": [f"<sip:6001@{HOST}>"],
                "Call-ID": ["browser"],
                "CSeq": ["1 REGISTER"],
                "Max-Forwards": ["70"],
                "Contact": [f'<{self.CONTACT}>;reg-id=1;+sip.instance="<urn:uuid:1>"'],
                "Supported": ["path, outbound"],
                "Expires": ["600"],
            },
        )
        await self.socket.send(bytes(request))
        challenge = await self.next()
        assert isinstance(challenge, Response)
        answers = DigestClient(Credentials("6001", PASSWORD)).answer(request, challenge)
        assert answers is not None
        for name, value in answers:
            request.add(name, value)
        request.set("CSeq", "2 REGISTER")
        request.set("Via", "SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK2")
        await self.socket.send(bytes(request).decode())
        response = await self.next()
        assert isinstance(response, Response)
        return response


# --------------------------------------------------------------------------------------- certificates, IPv6


async def test_openssl_is_content_with_what_it_sees(authority: Authority, tls_port: int, server: RunningServer) -> None:
    client = ("openssl", "s_client", "-connect", f"{HOST}:{tls_port}", "-CAfile", str(authority.certificate))
    told = await run(*client, "-verify_return_error", "-verify_ip", HOST, "-tls1_2")
    assert "Verify return code: 0 (ok)" in told, told
    told = await run(*client, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
    assert "alert protocol version" in told, told


async def run(*command: str) -> str:
    """What a program without input prints."""
    pipe, out = subprocess.DEVNULL, subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=out, stderr=subprocess.STDOUT)
    async with asyncio.timeout(20):
        output, _ = await process.communicate()
    return output.decode(errors="replace")


async def test_a_server_that_is_not_known_is_not_called(
    authority: Authority, tls_port: int, server: RunningServer, tmp_path: Path
) -> None:
    impostor = make_authority(tmp_path, "impostor")
    chain = impostor.sign("trunk", f"IP:{HOST}")
    async with await Phone.open(HOST, transport="tls", tls=impostor.server(*chain)) as trunk, server.ari() as app:
        await app.connect("hello-world")
        target = f"PJSIP/trunk/sip:100@{HOST}:{trunk.port};transport=tls"
        channel = (await app.post("/channels", endpoint=target, app="hello-world", timeout="10")).json
        await app.event("ChannelDestroyed", channel_id=channel["id"])
        assert not trunk.seen
    assert f"no TLS connection to {HOST}:{trunk.port}: its certificate is not accepted" in server.log


@pytest.fixture
def both_families(folder: Path) -> int:
    """Every address of both families, on one port."""
    if not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists():
        pytest.skip("this machine has no IPv6")
    port = free_port(socket.SOCK_DGRAM, socket.SOCK_STREAM)
    text = (folder / "pjsip.conf").read_text()
    for protocol in ("udp", "tcp"):
        for family, bind in (("4", "0.0.0.0"), ("6", "[::]")):
            text += f"\n[{protocol}{family}]\ntype=transport\nprotocol={protocol}\nbind={bind}:{port}\n"
    (folder / "pjsip.conf").write_text(text)
    return port


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_all_addresses_of_both_families_share_a_port(
    both_families: int, server: RunningServer, host: str, transport: str
) -> None:
    account = {"username": "6001", "password": PASSWORD, "transport": transport, "server": (host, both_families)}
    async with await Phone.open(host, **account) as phone:
        await phone.register()
        call = await phone.invite("1200")
        await call.answered()
        await call.hang_up()
