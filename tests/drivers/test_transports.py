"""SIP over TCP, TLS and WebSockets, through NATs and IPv6: ladders on the virtual network."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from arietta.drivers.sip import transports
from arietta.server import Server
from arietta.sip.message import parse
from arietta.testing import Network, Phone, VirtualLoop
from arietta.testing.call import Call
from arietta.testing.plugin import Switch
from arietta.testing.waiting import Unexpected
from certificates import Authority, make_authority, needs_openssl

from .running import EXTENSIONS, FILES, PASSWORD, phone_sections

HOME, HOME6 = "10.0.0.1", "fd00::1"
PUBLIC, NETWORK = "192.0.2.1", "10.0.0.0/24"
AT = {"udp": 5060, "tcp": 5060, "tls": 5061, "ws": 8088}

OpenPhone = Callable[..., Awaitable[Phone]]
Start = Callable[..., Server]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs the server's certificate."""
    return make_authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def certificate(authority: Authority) -> tuple[Path, Path]:
    """The server's, with its key."""
    return authority.sign("pbx", f"IP:{HOME}", "DNS:pbx.example.com")


@pytest.fixture
def start(loop: VirtualLoop, switch: Switch, caplog: pytest.LogCaptureFixture) -> Iterator[Start]:
    """A function that starts a server with these transports; nothing of its calls may be left after the story."""
    stack = AsyncExitStack()
    started: list[Server] = []

    def begin(transports: str, more: str = "", **files: str) -> Server:
        phones = "".join(phone_sections(name, number) for name, number in (("alice", "6001"), ("bob", "6002")))
        extensions = EXTENSIONS + "exten => 1102,1,Dial(PJSIP/trunk,20)\n same => n,Hangup()\n"
        whole = {**FILES, "pjsip.conf": transports + phones + more, "extensions.conf": extensions}
        whole["http.conf"] = f"[general]\nenabled=yes\nbindaddr={HOME}\nbindport=8088\n"
        whole["ari.conf"] = f"[general]\nenabled=yes\n[asterisk]\ntype=user\npassword={PASSWORD}\n"
        running = loop.run(stack.enter_async_context(switch({**whole, **files})))
        assert isinstance(running, Server)
        started.append(running)
        return running

    yield begin
    loop.advance(70)
    for running in started:
        assert [channel.name for channel in running.channels] == []
    loop.run(stack.aclose())
    assert not [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


def transport(protocol: str, *options: str, host: str = HOME) -> str:
    """The section of one."""
    shown = f"[{host}]" if ":" in host else host
    lines = "".join(f"{option}\n" for option in options)
    return f"[{protocol}]\ntype=transport\nprotocol={protocol}\nbind={shown}:{AT[protocol]}\n{lines}"


def secured(certificate: tuple[Path, Path], *options: str, host: str = HOME) -> str:
    """A section with TLS."""
    return transport("tls", f"cert_file={certificate[0]}", f"priv_key_file={certificate[1]}", *options, host=host)


def registered(loop: VirtualLoop, phone: OpenPhone, name: str, host: str, protocol: str, **more: object) -> Phone:
    """A phone that has registered."""
    server = (HOME6 if ":" in host else HOME, AT[protocol])
    opened = loop.run(phone(host, username=name, password=PASSWORD, transport=protocol, server=server, **more))
    loop.run(opened.register())
    return opened


def connect(loop: VirtualLoop, caller: Phone, callee: Phone, number: str = "1100") -> tuple[Call, Call]:
    """The two legs of a call that was answered."""

    async def story() -> tuple[Call, Call]:
        leg = await caller.invite(number)
        ringing = await callee.ringing()
        ringing.answer()
        await leg.answered()
        return leg, ringing

    return loop.run(story())


def end(loop: VirtualLoop, leg: Call, other: Call) -> None:
    """The caller hangs up, and the other side hears of it."""
    loop.run(leg.hang_up())
    loop.run(other.ended())


class Stranger(asyncio.Protocol):
    """A connection that says what it is told to, and nothing else."""

    closed = False
    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True


def stranger(loop: VirtualLoop, port: int, data: bytes = b"", host: str = "10.0.0.66") -> Stranger:
    """One that has said this, if it was let in."""
    said = Stranger()
    try:
        carrier, _ = loop.run(loop.create_connection(lambda: said, HOME, port, local_addr=(host, 0)))
    except ConnectionResetError:
        said.closed = True
    else:
        carrier.write(data)
    return said


def warnings(caplog: pytest.LogCaptureFixture) -> str:
    """What was said of trouble."""
    return "\n".join(record.getMessage() for record in caplog.records if record.levelname == "WARNING")


# ------------------------------------------------------------------------------------------------ TLS


@needs_openssl
def test_phones_register_and_call_over_tls(
    loop: VirtualLoop, start: Start, phone: OpenPhone, authority: Authority, certificate: tuple[Path, Path]
) -> None:
    start(secured(certificate))
    alice = registered(loop, phone, "alice", "10.0.0.2", "tls", tls=authority.client())
    bob = registered(loop, phone, "bob", "10.0.0.3", "tls", tls=authority.client())

    leg, ringing = connect(loop, alice, bob)

    invite = ringing.request
    assert invite.headers["Via"][0].startswith(f"SIP/2.0/TLS {HOME}:5061;")
    assert invite.headers["Contact"] == [f"<sip:{HOME}:5061;transport=tls>"]
    end(loop, leg, ringing)


@needs_openssl
def test_a_secure_address_gets_a_secure_contact(
    loop: VirtualLoop, start: Start, phone: OpenPhone, authority: Authority, certificate: tuple[Path, Path]
) -> None:
    start(secured(certificate))
    alice = registered(loop, phone, "alice", "10.0.0.2", "tls", tls=authority.client())
    call = loop.run(alice.invite(f"sips:1200@{HOME}"))
    loop.run(call.answered())
    assert call.session.dialog is not None
    assert call.session.dialog.remote_target == f"sips:{HOME}:5061"
    loop.run(call.hang_up())


@needs_openssl
def test_a_client_without_the_right_certificate_is_refused_and_named(
    loop: VirtualLoop,
    start: Start,
    phone: OpenPhone,
    authority: Authority,
    certificate: tuple[Path, Path],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    start(secured(certificate, "require_client_cert=yes", f"ca_list_file={authority.certificate}"))
    strange = make_authority(tmp_path, "stranger").sign("mallory")
    ours = authority.sign("alice")
    server = (HOME, 5061)

    for host, chain, why in (
        ("10.0.0.7", (), "it showed no certificate"),
        ("10.0.0.8", strange, "its certificate is not accepted: unable to get local issuer certificate"),
    ):
        account = {"username": "alice", "password": PASSWORD, "transport": "tls", "server": server}
        intruder = loop.run(phone(host, **account, tls=authority.client(*chain)))
        with pytest.raises(Unexpected):
            loop.run(intruder.register(within=5))
        assert f"TLS connection with {host}:" in warnings(caplog)
        assert why in warnings(caplog)
    registered(loop, phone, "alice", "10.0.0.2", "tls", tls=authority.client(*ours))


@needs_openssl
@pytest.mark.parametrize(
    ("names", "options", "answers"),
    [
        (("IP:10.0.0.9",), (), True),
        (("DNS:trunk.example.com",), ("trunk.example.com",), True),
        (("URI:sip:example.com", "DNS:trunk.example.com"), ("trunk.example.com",), False),  # RFC 5922 7.1
        (("DNS:other.example.com",), ("trunk.example.com",), False),
        (("DNS:*.example.com",), ("trunk.example.com",), False),
        (("DNS:*.example.com",), ("trunk.example.com", "allow_wildcard_certs=yes"), True),
    ],
)
def test_a_trunk_is_verified(
    loop: VirtualLoop,
    network: Network,
    start: Start,
    phone: OpenPhone,
    authority: Authority,
    certificate: tuple[Path, Path],
    caplog: pytest.LogCaptureFixture,
    names: tuple[str, ...],
    options: tuple[str, ...],
    answers: bool,
) -> None:
    host, more = (options[0], options[1:]) if options else ("10.0.0.9", ())
    network.names[host] = "10.0.0.9"
    trust = ("verify_server=yes", f"ca_list_file={authority.certificate}")
    trunk = (
        f"[trunk]\ntype=endpoint\ncontext=default\nallow=ulaw\naors=trunk\n[trunk]\ntype=aor\ncontact=sips:100@{host}\n"
    )
    start(secured(certificate, *trust, *more) + transport("udp"), trunk)
    far = loop.run(
        phone("10.0.0.9", 5061, username="100", transport="tls", tls=authority.server(*authority.sign("t", *names)))
    )
    alice = registered(loop, phone, "alice", "10.0.0.2", "udp")

    if not answers:
        leg = loop.run(alice.invite("1102"))
        loop.run(leg.ended())
        assert f"no TLS connection to 10.0.0.9:5061: its certificate is not for {host}" in warnings(caplog)
        return
    leg, ringing = connect(loop, alice, far, "1102")
    assert ringing.request.headers["Contact"] == [f"<sips:{HOME}:5061>"]
    end(loop, leg, ringing)


@needs_openssl
def test_a_reload_takes_new_certificates_and_drops_no_connection(
    loop: VirtualLoop, start: Start, phone: OpenPhone, authority: Authority, tmp_path: Path
) -> None:
    one, two = authority.sign("one", f"IP:{HOME}"), make_authority(tmp_path, "two")
    file, key = tmp_path / "tls.pem", tmp_path / "tls.key"
    file.write_bytes(one[0].read_bytes()), key.write_bytes(one[1].read_bytes())
    server = start(secured((file, key)))
    alice = registered(loop, phone, "alice", "10.0.0.2", "tls", tls=authority.client())
    bob = registered(loop, phone, "bob", "10.0.0.3", "tls", tls=authority.client())

    for path, new in zip((file, key), two.sign("new", f"IP:{HOME}"), strict=True):
        path.write_bytes(new.read_bytes())
    assert not [note for note in server.reload(("res_pjsip.so",)).notes if "transport" in note]

    registered(loop, phone, "alice", "10.0.0.4", "tls", tls=two.client())
    alice = registered(loop, phone, "alice", "10.0.0.5", "tls", tls=two.client())
    leg, ringing = connect(loop, alice, bob)  # bob is on the connection that was there before
    end(loop, leg, ringing)


@needs_openssl
def test_a_broken_certificate_leaves_the_old_one_in_use(
    loop: VirtualLoop,
    start: Start,
    phone: OpenPhone,
    authority: Authority,
    certificate: tuple[Path, Path],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    file = tmp_path / "tls.pem"
    file.write_bytes(certificate[0].read_bytes())
    server = start(secured((file, certificate[1])))
    file.write_text("nothing\n")
    notes = server.reload(("res_pjsip.so",)).notes
    assert f"transport [tls]: TLS cannot be set up with {file}: " in "\n".join(notes)
    registered(loop, phone, "alice", "10.0.0.2", "tls", tls=authority.client())
    caplog.clear()  # the error that was logged is what was wanted


@needs_openssl
def test_two_servers_are_trunks_of_each_other(
    loop: VirtualLoop, network: Network, start: Start, phone: OpenPhone, authority: Authority
) -> None:
    there = "10.0.0.9"
    network.names["there.example.com"] = there
    trust = ("verify_server=yes", f"ca_list_file={authority.certificate}")
    dials = EXTENSIONS + "exten => 1103,1,Dial(PJSIP/1200@trunk,20)\n same => n,Hangup()\n"
    login = f"[login]\ntype=auth\nauth_type=userpass\nusername=site\npassword={PASSWORD}\n"
    trunk = "[trunk]\ntype=endpoint\ncontext=default\nallow=ulaw\naors=trunk\n"
    far = start(
        transport("udp", host=there) + secured(authority.sign("far", "DNS:there.example.com"), host=there),
        trunk
        + "auth=login\n[trunk]\ntype=aor\nmax_contacts=1\n"
        + login
        + "[site]\ntype=identify\nendpoint=trunk\nmatch=10.0.0.1\n",
        **{"http.conf": f"[general]\nenabled=yes\nbindaddr={there}\nbindport=8088\n", "extensions.conf": dials},
    )
    start(
        transport("udp") + secured(authority.sign("near", f"IP:{HOME}"), *trust),
        trunk
        + "outbound_auth=login\n[trunk]\ntype=aor\ncontact=sips:there.example.com\n"
        + login
        + f"[there]\ntype=identify\nendpoint=trunk\nmatch={there}\n"
        + "[registered]\ntype=registration\nserver_uri=sips:there.example.com\n"
        + "client_uri=sips:trunk@there.example.com\noutbound_auth=login\nmax_random_initial_delay=0\n",
        **{"extensions.conf": dials},
    )
    loop.advance(5)
    assert far.sip.device_state("trunk") == "NOT_INUSE"

    for name, host, server in (("alice", "10.0.0.2", HOME), ("bob", "10.0.0.3", there)):
        caller = loop.run(phone(host, 5060, username=name, password=PASSWORD, server=(server, 5060)))
        loop.run(caller.register())
        leg = loop.run(caller.invite("1103"))
        loop.run(leg.answered())
        loop.run(leg.hang_up())
    between = [one for one in network.record if {one.source[0], one.destination[0]} == {HOME, there}]
    assert not [one for one in between if b"SIP/2.0" in one.data]  # all of it was encrypted
    assert len({one.source for one in between if one.protocol == "tcp" and one.source[0] == HOME}) == 1


# ------------------------------------------------------------------------------------------- WebSockets


def test_phones_register_and_call_over_websockets(loop: VirtualLoop, start: Start, phone: OpenPhone) -> None:
    start(transport("ws"))
    alice = registered(loop, phone, "alice", "10.0.0.2", "ws")
    bob = loop.run(phone("10.0.0.3", username="bob", password=PASSWORD, transport="ws", server=(HOME, AT["ws"])))
    loop.run(bob.register(contact="<sip:bob@df7jal23ls0d.invalid;transport=ws>"))  # RFC 7118 appendix B.1

    leg, ringing = connect(loop, alice, bob)

    invite = ringing.request
    assert invite.uri_text == "sip:bob@df7jal23ls0d.invalid;transport=ws"
    assert invite.headers["Via"][0].startswith(f"SIP/2.0/WS {HOME}:8088;")
    assert invite.headers["Contact"] == [f"<sip:{HOME}:8088;transport=ws>"]
    loop.run(ringing.hang_up())
    loop.run(leg.ended())


def test_a_contact_ends_with_its_socket(loop: VirtualLoop, start: Start, phone: OpenPhone) -> None:
    server = start(transport("ws"))
    alice = registered(loop, phone, "alice", "10.0.0.2", "ws")
    assert server.sip.device_state("alice") == "NOT_INUSE"
    alice.lose_connections()
    loop.advance(1)
    assert server.sip.device_state("alice") == "UNAVAILABLE"


def test_sockets_in_the_clear_are_for_this_machine_where_wss_alone_is_wanted(
    loop: VirtualLoop, start: Start, phone: OpenPhone, caplog: pytest.LogCaptureFixture
) -> None:
    start("[wss]\ntype=transport\nprotocol=wss\n")
    server = (HOME, AT["ws"])
    outside = loop.run(phone("10.0.0.2", username="alice", password=PASSWORD, transport="ws", server=server))
    with pytest.raises(Unexpected):
        loop.run(outside.register(within=5))
    assert "is refused: no transport has protocol=ws" in warnings(caplog)
    behind = loop.run(phone("127.0.0.1", username="alice", password=PASSWORD, transport="ws", server=server))
    loop.run(behind.register())


# ------------------------------------------------------------------------------------------- connections


def test_a_connection_is_kept_alive_and_pings_are_answered(loop: VirtualLoop, start: Start, phone: OpenPhone) -> None:
    start("[global]\ntype=global\nkeep_alive_interval=30\n" + transport("tcp"))
    alice = registered(loop, phone, "alice", "10.0.0.2", "tcp")
    network = loop.network
    alice.write(b"\r\n\r\n")
    loop.advance(1)
    assert [s.data for s in network.record if s.source[0] == HOME][-1] == b"\r\n"
    loop.advance(35)
    said = [s.data for s in network.record if s.protocol == "tcp"]
    assert said[-2:] == [b"\r\n\r\n", b"\r\n"]


def test_a_phones_nat_is_kept_open_by_stun_and_a_stranger_hears_nothing(
    loop: VirtualLoop, network: Network, start: Start, phone: OpenPhone
) -> None:
    start(transport("udp"))
    alice = registered(loop, phone, "alice", "10.0.0.2", "udp")
    stranger = loop.run(phone("10.0.0.7", server=(HOME, 5060)))
    network.record.clear()
    for one in (alice, stranger):
        one.send_raw(b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12))
    loop.advance(1)
    assert [(sent.destination[0], sent.data[:2]) for sent in network.record if sent.source[0] == HOME] == [
        ("10.0.0.2", b"\1\1")
    ]


@pytest.mark.parametrize(
    ("data", "within", "why"),
    [
        (b"", 70, ""),
        (b"INVITE sip:1000@10.0.0.1 SIP/2.0\r\nX: ", 40, "a message was not whole after 30 s"),
        (b"GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n", 2, "is no first line of SIP"),
        (b"\x16\x03\x01" * 30000, 2, "no SIP message begins with"),
    ],
)
def test_strangers_do_not_stay(
    loop: VirtualLoop, start: Start, caplog: pytest.LogCaptureFixture, data: bytes, within: float, why: str
) -> None:
    start(transport("tcp"))
    one = stranger(loop, 5060, data)
    loop.advance(within)
    assert one.closed
    assert why in warnings(caplog)


@needs_openssl
def test_half_a_handshake_does_not_stay(
    loop: VirtualLoop, start: Start, certificate: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    start(secured(certificate))
    for data, why in (
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", "no TLS handshake within 10 s"),
        (b"OPTIONS sip:10.0.0.1 SIP/2.0\r\n\r\n", "what it speaks is not TLS"),
    ):
        one = stranger(loop, 5061, data)
        loop.advance(16)
        assert one.closed
        assert why in warnings(caplog)


def test_one_host_that_may_does_not_take_every_connection(
    loop: VirtualLoop,
    start: Start,
    phone: OpenPhone,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transports, "MAX_KEPT_OF_HOST", 1)
    start(transport("tcp"))
    alice = registered(loop, phone, "alice", "10.0.0.2", "tcp")
    one = stranger(loop, 5060, host="10.0.0.2")
    loop.advance(1)
    assert one.closed
    assert "it has 1 already" in warnings(caplog)
    loop.run(alice.register())


def test_one_host_does_not_take_every_connection(
    loop: VirtualLoop, start: Start, phone: OpenPhone, caplog: pytest.LogCaptureFixture
) -> None:
    start(transport("tcp"))
    alice = registered(loop, phone, "alice", "10.0.0.2", "tcp")
    flood = [stranger(loop, 5060) for _ in range(105)]
    assert "100 were opened this second" in warnings(caplog)
    loop.advance(2)
    flood += [stranger(loop, 5060) for _ in range(99)]
    loop.advance(2)
    flood += [stranger(loop, 5060) for _ in range(99)]
    assert "200 are open that nobody has registered through" in warnings(caplog)
    assert sum(not one.closed for one in flood) == 200
    loop.run(alice.options())


def test_who_reads_nothing_is_let_go(
    loop: VirtualLoop, start: Start, phone: OpenPhone, caplog: pytest.LogCaptureFixture
) -> None:
    server = start(transport("tcp"))
    alice = registered(loop, phone, "alice", "10.0.0.2", "tcp")
    one = stranger(loop, 5060)
    one.transport.pause_reading()
    ask = (
        "OPTIONS sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 10.0.0.66;branch=z9hG4bK{}\r\nFrom: <sip:a@a>;tag=1\r\n"
        "To: <sip:a@a>\r\nCall-ID: {}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
    server.sip.guard.prove("10.0.0.66", loop.time())  # else most would be dropped unread
    for number in range(4000):
        one.transport.write(ask.format(number, number).encode())
        if number % 100 == 0:
            loop.advance(0.1)
    loop.advance(10)
    assert one.closed
    assert "it reads nothing" in warnings(caplog)
    loop.run(alice.options())


def test_a_phone_that_registered_over_a_lost_connection_is_called_at_its_own_address(
    loop: VirtualLoop, start: Start, phone: OpenPhone
) -> None:
    start(transport("tcp"))
    alice = registered(loop, phone, "alice", "10.0.0.2", "tcp")
    bob = registered(loop, phone, "bob", "10.0.0.3", "tcp")
    bob.lose_connections()
    loop.advance(1)
    leg, ringing = connect(loop, alice, bob)
    end(loop, leg, ringing)


# ------------------------------------------------------------------------------------------- NAT, IPv6


def test_outside_of_local_net_we_are_called_by_our_public_names(
    loop: VirtualLoop, start: Start, phone: OpenPhone
) -> None:
    outside = (
        f"external_signaling_address={PUBLIC}",
        "external_signaling_port=15060",
        "external_media_address=192.0.2.2",
    )
    start(transport("udp", *outside, f"local_net={NETWORK}"))
    alice = registered(loop, phone, "alice", "10.0.0.2", "udp")
    bob = registered(loop, phone, "bob", "198.51.100.7", "udp")

    leg, ringing = connect(loop, alice, bob)

    invite = ringing.request
    assert invite.headers["Via"][0].startswith(f"SIP/2.0/UDP {PUBLIC}:15060;")
    assert invite.headers["Contact"] == [f"<sip:{PUBLIC}:15060>"]
    assert b"c=IN IP4 192.0.2.2\r\n" in invite.body
    answer = parse(next(seen.data for seen in alice.seen if b"INVITE" in seen.data and b" 200 OK" in seen.data[:20]))
    assert answer.headers["Contact"] == [f"<sip:{HOME}:5060>"]
    assert f"c=IN IP4 {HOME}\r\n".encode() in answer.body
    end(loop, leg, ringing)


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_phones_call_over_ipv6(loop: VirtualLoop, start: Start, phone: OpenPhone, protocol: str) -> None:
    start(transport(protocol, host=HOME6))
    alice = registered(loop, phone, "alice", "fd00::2", protocol)
    bob = registered(loop, phone, "bob", "fd00::3", protocol)
    leg, ringing = connect(loop, alice, bob)
    assert ringing.request.headers["Via"][0].startswith(f"SIP/2.0/{protocol.upper()} [{HOME6}]:5060;")
    assert f"c=IN IP6 {HOME6}\r\n".encode() in ringing.request.body
    end(loop, leg, ringing)


# ------------------------------------------------------------------------------------------- large requests

LARGE = "x" * 1400
SWITCHES = "[system]\ntype=system\ndisable_tcp_switch=no\n"


@pytest.mark.parametrize(
    ("system", "listens", "text", "ways"),
    [
        (SWITCHES, "tcp", LARGE, ["SIP/2.0/TCP"]),
        (SWITCHES, "tcp", "short", ["SIP/2.0/UDP"]),
        (SWITCHES, "", LARGE, ["SIP/2.0/UDP"]),  # RFC 3261 18.1.1: refused by TCP, so UDP has to do
        ("", "tcp", LARGE, ["SIP/2.0/UDP"]),  # as in Asterisk, it has to be asked for
    ],
)
def test_a_large_request_goes_over_tcp(
    loop: VirtualLoop, start: Start, phone: OpenPhone, system: str, listens: str, text: str, ways: list[str]
) -> None:
    server = start(transport("udp") + transport("tcp") + system)
    bob = registered(loop, phone, "bob", "10.0.0.3", "udp", port=5062)
    phones = [bob]
    if listens:
        phones.append(loop.run(phone("10.0.0.3", 5062, username="bob", transport="tcp")))
    loop.call_soon(server.sip.send_message, "bob", "alice", text, {})
    loop.advance(1)
    came = [seen.data for one in phones for seen in one.seen if seen.data.startswith(b"MESSAGE")]
    assert [parse(data).headers["Via"][0].partition(" ")[0] for data in came] == ways
    loop.advance(40)
    assert not server.sip.agent.layer._switched


def test_who_is_banned_gets_no_connection(
    loop: VirtualLoop, start: Start, phone: OpenPhone, caplog: pytest.LogCaptureFixture
) -> None:
    server = start(transport("tcp") + "[guard]\ntype=guard\nauth_failures=3\nban_time=60\n")
    guesser = loop.run(phone("10.0.0.66", transport="tcp", username="alice", password="wrong", server=(HOME, 5060)))
    for _ in range(3):
        with pytest.raises(Unexpected):
            loop.run(guesser.register(within=2))
    assert server.sip.guard.bans(loop.time())
    assert stranger(loop, 5060).closed
    assert "it is banned" in warnings(caplog)
    loop.advance(70)
    assert not stranger(loop, 5060).closed


# ------------------------------------------------------------------------------------------------ bound anew


def test_a_transport_that_may_is_bound_anew_by_a_reload(start: Start, loop: VirtualLoop, phone: OpenPhone):
    server = start(transport("udp", "allow_reload=yes") + transport("tcp"))
    path = server.config.directory / "pjsip.conf"
    original = path.read_text()

    async def reload(text: str) -> tuple[str, ...]:
        path.write_text(text)
        notes = tuple(server.reload().notes)
        await asyncio.sleep(0.1)
        return notes

    def answers(port: int) -> bool:
        asking = loop.run(phone("10.0.0.9", 0))
        try:
            loop.run(asking.options(f"sip:{HOME}:{port}", within=2))
        except Unexpected:
            return False
        finally:
            loop.run(asking.close())
        return True

    moved = original.replace(f"bind={HOME}:5060\nallow_reload", f"bind={HOME}:5070\nallow_reload")
    assert loop.run(reload(moved)) == () and answers(5070) and not answers(5060)
    bob = loop.run(phone("10.0.0.3", username="bob", password=PASSWORD, server=(HOME, 5070)))
    loop.run(bob.register())
    more = f"[new]\ntype=transport\nprotocol=udp\nbind={HOME}:5071\nallow_reload=yes\n"
    assert loop.run(reload(more + moved)) == () and answers(5071) and answers(5070)
    assert loop.run(reload(moved)) == () and not answers(5071)
    [note] = loop.run(reload(moved.replace(f"protocol=tcp\nbind={HOME}:5060", f"protocol=tcp\nbind={HOME}:5090")))
    assert "transport [tcp] has changed, which needs a restart" in note


def test_a_transport_that_cannot_be_bound_stays_where_it_was(
    start: Start, loop: VirtualLoop, phone: OpenPhone, caplog: pytest.LogCaptureFixture
):
    server = start(transport("udp", "allow_reload=yes"))
    taken = loop.run(phone(HOME, 5080))
    path = server.config.directory / "pjsip.conf"
    path.write_text(path.read_text().replace(f"bind={HOME}:5060", f"bind={HOME}:5080"))

    async def reload() -> None:
        server.reload()
        await asyncio.sleep(0.1)

    loop.run(reload())
    assert f"transport [udp] cannot bind {HOME}:5080" in caplog.text and taken.port == 5080
    caplog.clear()
    registered(loop, phone, "alice", "10.0.0.2", "udp")
