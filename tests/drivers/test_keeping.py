"""Registered contacts over a restart of the server, which takes no time here but for what the story says."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from arietta.config.pjsip import Aor
from arietta.drivers.sip.keeping import FAMILY, ContactKeeper
from arietta.drivers.sip.location import Location
from arietta.server import Server
from arietta.sip.message import Request
from arietta.sip.transactions import Transport
from arietta.store import Store
from arietta.testing import Phone, VirtualLoop
from arietta.testing.switch import start

from .running import FILES, PASSWORD, SERVER, phone_sections

TCP = "[tcp]\ntype=transport\nprotocol=tcp\nbind=10.0.0.1:5060\n"
UDP = Transport("UDP", "10.0.0.1", 5060, "udp")

MakePhone = Callable[..., Awaitable[Phone]]


class Switchboard:
    """A server that can be started anew with what it has kept."""

    def __init__(self, loop: VirtualLoop, folder: Path) -> None:
        self.loop, self.folder = loop, folder
        for name, text in (FILES | {"pjsip.conf": FILES["pjsip.conf"] + TCP}).items():
            (folder / name).write_text(text)
        self.server: Server = loop.run(start(folder))

    def restart(self, pjsip: str | None = None, away_s: float = 0.0) -> None:
        """Stop, and start after a while."""
        self.loop.run(self.server.stop())
        self.loop.advance(away_s)
        if pjsip is not None:
            (self.folder / "pjsip.conf").write_text(pjsip)
        self.server = self.loop.run(start(self.folder))

    def contacts(self, aor: str) -> list[str]:
        """The URIs of an address of record."""
        return list(self.server.sip.contacts.location.aors[aor].contacts)


@pytest.fixture
def board(loop: VirtualLoop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Switchboard]:
    """A server with alice and bob; the time of day goes with the loop."""
    monkeypatch.setattr(ContactKeeper.__init__, "__kwdefaults__", {"wall": lambda: 1.7e9 + loop.time()})
    made = Switchboard(loop, tmp_path)
    yield made
    loop.advance(70)
    loop.run(made.server.stop())


def registered(loop: VirtualLoop, phone: MakePhone, name: str, host: str, **options: str) -> Phone:
    one = loop.run(phone(host, 5060, username=name, password=PASSWORD, server=SERVER, **options))
    loop.run(one.register())
    return one


def test_a_phone_registered_before_the_restart_gets_a_call_after_it(board: Switchboard, loop, phone):
    bob = registered(loop, phone, "bob", "10.0.0.3")
    board.restart()
    alice = registered(loop, phone, "alice", "10.0.0.2")

    async def story() -> None:
        call = await alice.invite("1100")
        incoming = await bob.ringing()
        incoming.answer()
        await call.answered()
        await call.hang_up()

    loop.run(story())


def test_a_refresh_after_the_restart_is_a_refresh(board: Switchboard, loop, phone):
    bob = registered(loop, phone, "bob", "10.0.0.3")
    board.restart()
    before = board.contacts("bob")
    loop.run(bob.register())
    assert board.contacts("bob") == before == [bob.uri]


def test_a_contact_that_ended_meanwhile_is_gone(board: Switchboard, loop, phone):
    registered(loop, phone, "bob", "10.0.0.3")
    board.restart(away_s=3700)
    assert board.contacts("bob") == []
    loop.advance(2)
    assert list(board.server.store.items(FAMILY)) == []


def test_a_contact_ends_when_it_would_have_without_the_restart(board: Switchboard, loop, phone):
    registered(loop, phone, "bob", "10.0.0.3")
    loop.advance(1000)
    board.restart()
    loop.advance(2599)
    assert board.contacts("bob")
    loop.advance(2)
    assert not board.contacts("bob")


def test_a_contact_behind_a_connection_ends_with_the_process(board: Switchboard, loop, phone):
    bob = loop.run(phone("10.0.0.3", username="bob", password=PASSWORD, server=SERVER, transport="tcp"))
    loop.run(bob.register(contact="<sip:bob@df7jal23ls0d.invalid;transport=tcp>"))
    assert board.contacts("bob")
    board.restart()
    assert not board.contacts("bob")


def test_a_contact_that_listens_elsewhere_outlives_its_connection(board: Switchboard, loop, phone):
    bob = loop.run(phone("10.0.0.3", 5060, username="bob", password=PASSWORD, server=SERVER, transport="tcp"))
    contact = "sip:bob@10.0.0.33:5070;transport=tcp"
    loop.run(bob.register(contact=f"<{contact}>"))
    board.restart()
    [kept] = board.server.sip.contacts.location.aors["bob"].contacts.values()
    assert (kept.uri, kept.source, kept.transport.protocol) == (contact, None, "TCP")


def test_what_the_configuration_has_no_place_for_is_forgotten(board: Switchboard, loop, phone):
    registered(loop, phone, "bob", "10.0.0.3")
    registered(loop, phone, "alice", "10.0.0.2")
    lines = FILES["pjsip.conf"].partition("\n[alice]")[0] + phone_sections("alice", "6001")
    board.restart(lines)
    loop.advance(2)
    assert [aor for aor, _ in board.server.store.items(FAMILY)] == ["alice"]


def test_a_phone_that_left_stays_away(board: Switchboard, loop, phone):
    bob = registered(loop, phone, "bob", "10.0.0.3")
    loop.advance(2)
    loop.run(bob.unregister())
    board.restart()
    assert board.contacts("bob") == []


@pytest.mark.parametrize(
    "record", [7, [{"uri": "sip:bob@10.0.0.3"}], [{"uri": "bob", "ends_at": 9e9, "call_id": "", "cseq": 1}]]
)
def test_a_record_that_nobody_can_read_is_left_out(board: Switchboard, loop, phone, record):
    board.server.store.put(FAMILY, "bob", record)
    board.restart()
    assert board.contacts("bob") == []


# ------------------------------------------------------------------------------------------------------- the keeper


def register(location: Location, aor: str, cseq: int, now: float) -> None:
    host = ("10.0.0.3", 5060)
    request = Request("REGISTER", "sip:h", [
        ("Via", "SIP/2.0/UDP h;branch=z9hG4bK1"), ("From", "<sip:a@b>;tag=1"), ("To", "<sip:a@b>"), ("Call-ID", "c"),
        ("CSeq", f"{cseq} REGISTER"), ("Contact", f"<sip:{aor}@10.0.0.3>;q=0.5;+x=1"), ("User-Agent", "phone"),
    ])  # fmt: skip
    assert location.register(aor, request, now, host, UDP).update.status == 200


async def test_many_changes_are_one_write(loop: VirtualLoop):
    location, writes = Location(), []
    location.configure({name: Aor(name=name, max_contacts=1) for name in ("a", "b")})
    store = Store(None)
    store.write = lambda family, records: writes.append(records)
    keeper = ContactKeeper(location, store, loop, wall=lambda: 1000.0 + loop.time())
    for cseq in range(1, 50):
        register(location, "a", cseq, loop.time())
        keeper.change(("a", "b"))
    assert writes == []
    await asyncio.sleep(2)
    [records] = writes
    [kept] = records["a"]
    assert records["b"] is None
    assert (kept.cseq, kept.q, kept.parameters, kept.user_agent) == (49, 0.5, (("+x", "1"),), "phone")
    store.close()


async def test_what_could_not_be_written_is_written_later(loop: VirtualLoop, caplog):
    location, store = Location(), Store(None)
    location.configure({"a": Aor(name="a", max_contacts=1)})
    write, failures = store.write, [sqlite3.OperationalError("disk full"), sqlite3.OperationalError("disk full")]

    def failing(family, records):
        if failures:
            raise failures.pop()
        write(family, records)

    store.write = failing
    keeper = ContactKeeper(location, store, loop)
    register(location, "a", 1, loop.time())
    keeper.change(("a",))
    await asyncio.sleep(5)
    assert [aor for aor, _ in store.items(FAMILY)] == ["a"]
    assert [record.getMessage() for record in caplog.records] == [
        "registered contacts cannot be kept, which is tried again: disk full"
    ]
    store.close()
