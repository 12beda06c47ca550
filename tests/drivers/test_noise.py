"""The internet's noise at a whole server: floods, guessers, forgers, scanners, and the calls they must not disturb."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from arietta.server import Server
from arietta.sip.message import Request, parse
from arietta.testing import Phone, VirtualLoop, tone
from arietta.testing.plugin import Switch
from arietta.testing.waiting import Unexpected

from .running import FILES, PJSIP, SERVER

MALLORY = ("198.51.100.7", 5060)
SMALLEST = (
    "{method} sip:a SIP/2.0\r\nv:SIP/2.0/UDP a\r\nf:sip:{user}\r\nt:<sip:a>{to}\r\ni:{count}\r\n"
    "CSeq:1 {method}\r\n{more}\r\n"
)
"""A request as small as the grammar lets it be."""


class Wire:
    """Datagrams from any address into a server, and what it says to whom."""

    def __init__(self, server: Server) -> None:
        self.sip = server.sip
        self.said: list[tuple[str, bytes]] = []
        self.sip.observers.append(self._watch)
        self._count = 0

    def _watch(self, direction: str, data: bytes, peer: tuple[str, int], _: object) -> None:
        if direction == ">":
            self.said.append((peer[0], data))

    def put(self, data: bytes, source: tuple[str, int] = MALLORY) -> None:
        self.sip.transports.received(data, source, self.sip.transports.find(""))

    def send(
        self, method: str, source: tuple[str, int] = MALLORY, to: str = "", user: str = "a", more: str = ""
    ) -> int:
        """Send the smallest request of a method; its bytes."""
        self._count += 1
        data = SMALLEST.format(method=method, count=self._count, to=to, user=user, more=more).encode()
        self.put(data, source)
        return len(data)

    def answers(self, host: str = MALLORY[0]) -> list[bytes]:
        """What was said to a host since the last call."""
        found = [data for peer, data in self.said if peer == host]
        self.said.clear()
        return found


@pytest.fixture
def wire(switchboard: Server) -> Wire:
    return Wire(switchboard)


@pytest.fixture
def alice(registered: Callable[[str], Phone]) -> Phone:
    return registered("alice")


async def converse(phone: Phone) -> None:
    """Call the echo and hear oneself."""
    call = await phone.invite("1200")
    await call.answered()
    words = tone(440, 500)
    call.send_audio(words)
    await call.hears(words)
    await call.hang_up()


@pytest.mark.parametrize("method", ["INVITE", "REGISTER", "OPTIONS", "SUBSCRIBE", "BYE"])
async def test_a_flood_from_one_source_disturbs_no_call_of_another(alice: Phone, wire: Wire, method: str) -> None:
    async def flood() -> None:
        while True:
            for _ in range(100):
                wire.send(method)
            await asyncio.sleep(0.02)  # 5000 a second

    flooding = asyncio.create_task(flood())
    await converse(alice)
    flooding.cancel()
    counters, guard = wire.sip.agent.counters, wire.sip.guard
    assert counters["guard.limited"] > 1000
    assert len(wire.answers()) < 300
    assert len(wire.sip.agent.layer) < 20 and len(guard) == 2


async def test_a_flood_of_forged_sources_leaves_room_for_known_phones(alice: Phone, wire: Wire) -> None:
    for number in range(20_000):
        wire.send("REGISTER", (f"100.{number >> 16}.{number >> 8 & 255}.{number & 255}", 5060))
    assert wire.sip.agent.counters["guard.crowded"] > 18_000
    assert len(wire.sip.guard) <= 20_001 and len(wire.sip.agent.layer) < 20
    await converse(alice)


async def test_whoever_guesses_passwords_is_not_heard_for_a_while(
    alice: Phone, phone: Callable[..., Awaitable[Phone]], wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    mallory = await phone(MALLORY[0], 5060, username="alice", password="wrong", server=SERVER)
    for _ in range(10):
        with pytest.raises(Unexpected, match="401"):
            await mallory.register()
    assert [ban.source for ban in wire.sip.guard.bans(wire.sip.now())] == [MALLORY[0]]
    assert [r.getMessage() for r in caplog.records if "banned" in r.getMessage()] == [
        "SIP: 198.51.100.7 is banned for 600 s: 10 failed authentications"
    ]
    wire.answers()
    wire.send("REGISTER")
    wire.send("INVITE")
    assert wire.answers() == []
    await converse(alice)
    await asyncio.sleep(600)
    wire.send("REGISTER")
    assert len(wire.answers()) == 1


@pytest.mark.parametrize("nonce", ["invented", "that another was given"])
async def test_nobody_is_banned_for_what_was_sent_in_his_name(alice: Phone, wire: Wire, nonce: str) -> None:
    wire.send("REGISTER")
    given = wire.answers()[0].partition(b'nonce="')[2].partition(b'"')[0].decode()
    digest = f'Digest username="alice",realm="asterisk",nonce="{nonce if nonce == "invented" else given}"'
    for source in (alice.host, MALLORY[0]):
        for _ in range(50):
            more = f'Authorization: {digest},uri="sip:a",response="0"\r\n'
            wire.send("REGISTER", (source, 5060), user="alice", more=more)
    banned = [ban.source for ban in wire.sip.guard.bans(wire.sip.now())]
    assert banned == ([] if nonce == "invented" else [MALLORY[0]])
    await converse(alice)


async def test_a_scanner_hears_nothing(alice: Phone, wire: Wire) -> None:
    wire.send("OPTIONS", more="User-Agent: friendly-scanner\r\n")
    wire.send("OPTIONS", ("127.0.0.1", 5060), more="User-Agent: friendly-scanner\r\n")
    assert wire.said == []
    wire.send("OPTIONS")
    assert len(wire.answers()) == 1


async def test_a_bye_that_is_forged_ends_no_call(alice: Phone, wire: Wire) -> None:
    call = await alice.invite("1200")
    await call.answered()
    dialog = call.session.dialog
    assert dialog is not None
    bye = (
        "BYE sip:10.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK%d\r\n"
        "From: <sip:alice@10.0.0.1>;tag=%s\r\n"
        f"To: <sip:1200@10.0.0.1>;tag=%s\r\nCall-ID: {call.call_id}\r\nCSeq: 900 BYE\r\n\r\n"
    )
    for number, tags in enumerate((("guessed", dialog.remote_tag), (dialog.local_tag, "guessed"))):
        wire.put((bye % (number, *tags)).encode())
        [answer] = wire.answers()
        assert answer.startswith(b"SIP/2.0 481 ")
    words = tone(440, 500)
    call.send_audio(words)
    await call.hears(words)
    await call.hang_up()


async def test_an_ack_of_nothing_is_nothing(alice: Phone, wire: Wire) -> None:
    wire.send("ACK")
    wire.send("ACK", to=";tag=guessed")
    await asyncio.sleep(40)
    assert wire.answers() == []


async def test_credentials_that_were_overheard_are_stale(alice: Phone, wire: Wire) -> None:
    overheard = next(
        each.data for each in reversed(alice.seen) if each.was_sent and b"\r\nAuthorization: " in each.data
    )
    request = parse(overheard)
    assert isinstance(request, Request)
    request.set("Via", "SIP/2.0/UDP 198.51.100.7;branch=z9hG4bKreplayed")
    request.set("Contact", "<sip:mallory@198.51.100.7>")
    wire.put(bytes(request))
    [answer] = wire.answers()
    assert answer.startswith(b"SIP/2.0 401 ") and b"stale=true" in answer
    assert [contact.uri for contact in wire.sip.contacts.location.contacts(("alice",))] == [alice.uri]


@pytest.mark.parametrize(
    ("method", "to", "status"),
    [
        ("INVITE", "", 401),
        ("REGISTER", "", 401),
        ("MESSAGE", "", 401),
        ("OPTIONS", "", 200),
        ("SUBSCRIBE", "", 401),
        ("PUBLISH", "", 405),
        ("NONSENSE", "", 501),
        ("BYE", ";tag=a", 481),
        ("INVITE", ";tag=a", 481),
        ("CANCEL", "", 481),
    ],
)
async def test_strangers_cannot_have_others_flooded(wire: Wire, method: str, to: str, status: int) -> None:
    """The smallest request that is answered at all has one answer of less than four times its bytes."""
    cost = wire.send(method, to=to)
    await asyncio.sleep(40)  # the answer to an INVITE would be repeated for 32 s until an ACK came: RFC 3261 26.3.2.4
    [answer] = wire.answers()
    assert answer.startswith(f"SIP/2.0 {status} ".encode())
    assert len(answer) < 4 * cost
    assert len(wire.sip.agent.layer) == 0


async def test_the_files_say_who_is_heard_and_how_much(switch: Switch, loop: VirtualLoop) -> None:
    guard = "[guard]\ntype=guard\noptions_rate=1\ntrusted=192.0.2.0/24\n"
    acl = "[list]\ntype=acl\ndeny=0.0.0.0/0\npermit=192.0.2.0/24,198.51.100.0/24\n"
    async with switch({**FILES, "pjsip.conf": PJSIP + guard + acl}) as server:
        assert isinstance(server, Server)
        wire = Wire(server)
        for host, heard in (("203.0.113.1", 5), ("198.51.100.7", 5), ("192.0.2.7", 100), ("::ffff:192.0.2.8", 100)):
            for _ in range(100):
                wire.send("OPTIONS", (host, 5060))
            answers = wire.answers(host)
            assert len(answers) == heard
            assert all(answer.startswith(b"SIP/2.0 403 ") == (host == "203.0.113.1") for answer in answers)
