"""A day in a small firm that has moved from Asterisk with its configuration: its calls, and what is left of them."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from panoramisk import fast_agi

from arietta.testing import AriClient
from certificates import make_authority, needs_openssl

from .conftest import needs
from .office.ledger import COLUMNS, calls_of, custom_calls_of, log_of, stored_calls_of, table_of_calls, table_of_log
from .office.phones import BARESIP, NUMBERS, Baresip, Sipp
from .office.scenario import (
    answers,
    calls,
    calls_and_gives_up,
    calls_in_vain,
    hangs_up,
    is_called,
    is_cancelled,
    is_hung_up,
    is_shown,
    refuses,
    registers,
    talks,
    transfers_to,
)
from .office.secretary import Secretary, secretary
from .office.switches import HERE, OFFICE, PROVIDER, Switch
from .running import eventually, run_arietta

pytestmark = [needs("sipp"), needs("baresip"), needs_openssl, pytest.mark.timeout(150)]

TEST_WITHIN_S = 110
TALK_MS = 1100
MAIN_NUMBER = "49301234500"


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Switch]:
    """The switch of the telephone company, started."""
    switch = Switch(tmp_path / "provider", "provider", PROVIDER)
    try:
        switch.start()
        yield switch
    finally:
        switch.kill()


@pytest.fixture
def office(provider: Switch, tmp_path: Path) -> Iterator[Switch]:
    """The switch of the firm, started."""
    switch = Switch(tmp_path / "office", "etc", OFFICE)
    keys = switch.path("/etc/asterisk/keys")
    keys.mkdir()
    certificate, key = make_authority(tmp_path).sign("office", f"IP:{OFFICE}")
    certificate.rename(keys / "office.crt")
    key.rename(keys / "office.key")
    try:
        switch.start()
        yield switch
    finally:
        switch.kill()


class Firm:
    """Everybody of the story."""

    def __init__(self, office: Switch, provider: Switch, folder: Path, boss: Secretary, watcher: AriClient) -> None:
        self.office = office
        self.provider = provider
        self.folder = folder
        self.secretary = boss
        self.watcher = watcher

    def phone(self, number: int, *pieces: str, port: int = 5060) -> Sipp:
        """A phone that does this."""
        return Sipp(self.folder, number, *pieces, port=port)

    async def happens(self, *phones: Sipp, customer: str = "", number: str = MAIN_NUMBER) -> None:
        """Let phones do their parts, the later ones when the former are ready, and a customer; all must go well."""
        async with AsyncExitStack() as stack:
            for phone in phones:
                await stack.enter_async_context(phone)
            if customer:
                await self.calls_in(customer, number)
            for phone in phones:
                await phone.done()
        await self.quiet()

    async def calls_in(self, customer: str, number: str = MAIN_NUMBER) -> None:
        """Let a customer call the firm."""
        call = f"channel originate Local/{number}@to-office/n extension {customer}@customer"
        await asyncio.to_thread(self.provider.rx, call)

    async def channel(self, name: str) -> str:
        """Wait for a channel whose name begins so, and is up; gives the whole name."""
        found: list[str] = []

        async def look() -> bool:
            for channel in (await self.watcher.get("/channels")).json:
                if channel["name"].startswith(name) and channel["state"] == "Up":
                    found.append(channel["name"])
            return bool(found)

        await eventually(look, f"{name} up")
        return found[0]

    async def quiet(self) -> None:
        """Wait until nobody talks any more."""

        async def nobody() -> bool:
            return not (await self.watcher.get("/channels")).json

        await eventually(nobody, "an end of all calls")


# ---------------------------------------------------------------------------------------------------- the calls


async def everybody_registers(firm: Firm, baresip: Baresip) -> None:
    async def one(number: int) -> None:
        async with firm.phone(number, registers()) as phone:
            await phone.done()

    async with asyncio.TaskGroup() as group:
        for number in NUMBERS:
            if number != BARESIP:
                group.create_task(one(number))
    await eventually(lambda: f"to AOR '{BARESIP}'" in firm.office.log, "a registration of baresip")
    await eventually(lambda: "Registered 'provider-reg-0'" in firm.office.log, "a registration with the provider")


async def two_phones_talk(firm: Firm) -> None:
    await firm.happens(
        firm.phone(102, is_called(), answers(), is_hung_up()),
        firm.phone(101, calls("102"), talks(TALK_MS), hangs_up()),
    )


async def a_phone_over_tcp_calls_one_over_tls_and_srtp(firm: Firm) -> None:
    await firm.happens(firm.phone(117, registers(), calls("120"), talks(TALK_MS), hangs_up()))


async def a_customer_wants_sales_and_clara_is_too_slow(firm: Firm) -> None:
    await firm.happens(
        firm.phone(103, is_called(), is_cancelled()),
        firm.phone(104, is_called(), answers(300), talks(TALK_MS), hangs_up()),
        firm.phone(105, is_called(), is_cancelled()),
        customer="wants-sales",
    )


async def a_customer_wants_jonas_who_talks_already(firm: Firm) -> None:
    await firm.happens(firm.phone(110, is_called(), refuses("486 Busy Here")), customer="wants-desk-110")


async def anna_calls_out(firm: Firm) -> None:
    await firm.happens(firm.phone(101, calls("0030555100"), talks(TALK_MS), hangs_up()))


async def anna_calls_a_number_that_is_busy(firm: Firm) -> None:
    await firm.happens(firm.phone(101, calls_in_vain("0030555200", 486)))


async def anna_sends_bernd_to_clara(firm: Firm) -> None:
    transfers = transfers_to(f"<sip:103@{OFFICE}>", (100, 180, 200))
    await firm.happens(
        firm.phone(103, is_called(), answers(), talks(TALK_MS), hangs_up()),
        firm.phone(102, is_called(), answers(), is_shown("103"), is_hung_up()),
        firm.phone(101, calls("102"), talks(TALK_MS), transfers, hangs_up()),
    )


async def anna_brings_bernd_and_clara_together(firm: Firm) -> None:
    async with AsyncExitStack() as stack:
        clara = await stack.enter_async_context(firm.phone(103, is_called(), answers(), is_shown("102"), is_hung_up()))
        asks = await stack.enter_async_context(firm.phone(101, calls("103"), is_hung_up(), port=5062))
        goal = f"<sip:103@{OFFICE}?Replaces={quote(await asks.dialog(), safe='')}>"
        bernd = firm.phone(102, is_called(), answers(), is_shown("103"), talks(TALK_MS), hangs_up())
        anna = firm.phone(101, calls("102"), talks(TALK_MS), transfers_to(goal), hangs_up())
        await firm.happens(bernd, anna)
        await asks.done()
        await clara.done()


async def georg_picks_up_what_rings_at_bernds(firm: Firm) -> None:
    bernd = firm.phone(102, is_called(), is_cancelled())
    anna = firm.phone(101, calls("102"), talks(TALK_MS), hangs_up())
    async with bernd, anna:
        await bernd.rings()
        await firm.happens(firm.phone(107, calls("*8"), is_shown("101"), is_hung_up()))
        await anna.done()
        await bernd.done()


async def karla_does_not_answer(firm: Firm) -> None:
    await firm.happens(
        firm.phone(111, is_called(), is_cancelled()),
        firm.phone(101, calls("111"), talks(TALK_MS), hangs_up()),
    )


async def anna_gives_up(firm: Firm) -> None:
    await firm.happens(firm.phone(112, is_called(), is_cancelled()), firm.phone(101, calls_and_gives_up("112", 500)))


async def a_customer_waits_for_support(firm: Firm) -> None:
    await firm.happens(firm.phone(106, is_called(), answers(500), talks(TALK_MS), hangs_up()), customer="wants-support")


async def programs_of_agi_answer(firm: Firm) -> None:
    await firm.happens(firm.phone(101, calls("803"), is_hung_up()))
    await firm.happens(firm.phone(101, calls("804"), is_hung_up()))


async def the_secretary_connects_bernd_with_clara(firm: Firm) -> None:
    bernd = firm.phone(102, is_called(), answers(), is_shown("103"), is_hung_up())
    clara = firm.phone(103, is_called(), answers(), talks(TALK_MS), hangs_up())
    async with bernd, clara:
        await firm.secretary.asks(
            "Originate",
            Channel="Local/102@internal",
            Context="internal",
            Exten="103",
            Priority="1",
            CallerID='"Front desk" <100>',
            Account="frontdesk",
            Async="true",
        )
        await bernd.done()
        await clara.done()
    await firm.quiet()


async def the_secretary_lets_anna_hear_music(firm: Firm) -> None:
    bernd = firm.phone(102, is_called(), answers(), is_hung_up())
    anna = firm.phone(101, calls("102"), talks(2 * TALK_MS), hangs_up())
    async with bernd, anna:
        channel = await firm.channel("PJSIP/101-")
        await firm.channel("PJSIP/102-")
        await firm.secretary.asks("Redirect", Channel=channel, Context="internal", Exten="805", Priority="1")
        await bernd.done()
        await anna.done()
    await firm.quiet()


async def the_switch_is_looked_at_and_reloaded_while_two_talk(firm: Firm) -> None:
    bernd = firm.phone(102, is_called(), answers(), is_hung_up())
    anna = firm.phone(101, calls("102"), talks(3 * TALK_MS), hangs_up())
    async with bernd, anna:
        names = [await firm.channel(f"PJSIP/{number}-") for number in (101, 102)]
        shown = await asyncio.to_thread(firm.office.rx, "core show channels concise")
        assert {line.partition("!")[0] for line in shown.splitlines()} == set(names)
        endpoints = await asyncio.to_thread(firm.office.rx, "pjsip show endpoints")
        assert all(f" {number}" in endpoints for number in (*NUMBERS, "provider"))
        assert "'801' =>" in await asyncio.to_thread(firm.office.rx, "dialplan show groups")
        await asyncio.to_thread(firm.office.rx, "core reload")
        await anna.done()
        await bernd.done()
    await firm.quiet()


async def a_customer_calls_at_night(firm: Firm) -> None:
    await firm.happens(firm.phone(109, calls("*28"), is_hung_up()))
    await firm.calls_in("leaves-a-message")
    await firm.channel("PJSIP/provider-")
    await firm.quiet()


# ------------------------------------------------------------------------------------------------- the whole day

DAY = (
    two_phones_talk,
    a_phone_over_tcp_calls_one_over_tls_and_srtp,
    a_customer_wants_sales_and_clara_is_too_slow,
    a_customer_wants_jonas_who_talks_already,
    anna_calls_out,
    anna_calls_a_number_that_is_busy,
    anna_sends_bernd_to_clara,
    anna_brings_bernd_and_clara_together,
    georg_picks_up_what_rings_at_bernds,
    karla_does_not_answer,
    anna_gives_up,
    a_customer_waits_for_support,
    programs_of_agi_answer,
    the_secretary_connects_bernd_with_clara,
    the_secretary_lets_anna_hear_music,
    the_switch_is_looked_at_and_reloaded_while_two_talk,
    a_customer_calls_at_night,
)


async def test_a_day_in_the_office(office: Switch, provider: Switch, tmp_path: Path) -> None:
    checked = await asyncio.to_thread(run_arietta, "check", "-C", office.source)
    assert (checked.returncode, checked.stdout.splitlines()[:-1]) == (0, []), checked.stdout
    folder = tmp_path / "phones"
    folder.mkdir()
    async with AsyncExitStack() as stack:
        boss = await stack.enter_async_context(secretary())
        watcher = await stack.enter_async_context(AriClient(OFFICE, 8088, "watcher", "watcher-secret-4711"))
        await watcher.connect("watcher", subscribe_all=True)
        await stack.enter_async_context(support_queue(office))
        await stack.enter_async_context(customers_register())
        baresip = await stack.enter_async_context(Baresip(tmp_path, tmp_path / "authority.pem"))
        firm = Firm(office, provider, folder, boss, watcher)
        await everybody_registers(firm, baresip)
        for story in DAY:
            await story(firm)
        await baresip.quits()
        assert (await watcher.get("/bridges")).json == []
        await eventually(lambda: office.udp_ports() == {5060}, "an end of all RTP ports")
        assert "0 calls to go" in await asyncio.to_thread(office.rx, "core stop gracefully")
        await asyncio.to_thread(office.ends)
    nothing_was_amiss(office)
    every_beginning_had_its_end(boss, watcher)
    the_records_are_right(office)
    they_are_told_to_the_secretary(office, boss)


@asynccontextmanager
async def support_queue(office: Switch) -> AsyncIterator[None]:
    """The program of the queue, as long as it is needed; it may not fail."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, str(HERE / "support_queue.py"), f"http://{OFFICE}:8088/"),
        *("queue", "queue-secret-4711", "PJSIP/106"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        await eventually(lambda: "Creating Stasis app 'queue'" in office.log, "the program of the queue")
        yield
    finally:
        if program.returncode is None:
            program.terminate()
        said, _ = await program.communicate()
        assert b"failed" not in said and b"Traceback" not in said, said.decode()


@asynccontextmanager
async def customers_register() -> AsyncIterator[None]:
    """A FastAGI server, made with panoramisk, that knows every customer."""

    async def customer(request: fast_agi.Request) -> None:
        await request.send_command('SET VARIABLE CUSTOMER "Adler & Sons"')

    programs = fast_agi.Application(loop=asyncio.get_running_loop())
    programs.add_route("customer", customer)
    async with await asyncio.start_server(programs.handler, OFFICE, 4573):
        yield


# ------------------------------------------------------------------------------------------------- what is left


def nothing_was_amiss(office: Switch) -> None:
    """No warning in the log; what callers said is there; programs told the dialplan what they know."""
    amiss = [line for line in office.log.splitlines() if re.search("WARNING|ERROR|Traceback", line)]
    assert amiss == []
    for mailbox in ("110/busy-0", "111/unavailable-0", "office/closed-0"):
        assert office.path(f"/var/lib/asterisk/sounds/mailbox/{mailbox}.wav").stat().st_size > 4000
    assert 'SayDigits("PJSIP/101-0000001e", "01")' in office.log
    assert "customer is Adler & Sons" in office.log


def every_beginning_had_its_end(boss: Secretary, watcher: AriClient) -> None:
    """Whatever began in the events of either client has ended there, and once."""
    for begin, end, *headers in (
        ("Newchannel", "Hangup", "Uniqueid"),
        ("BridgeCreate", "BridgeDestroy", "BridgeUniqueid"),
        ("BridgeEnter", "BridgeLeave", "BridgeUniqueid", "Uniqueid"),
        ("DialBegin", "DialEnd", "Uniqueid"),  # of who calls: a call that is picked up ends with another channel
        ("MusicOnHoldStart", "MusicOnHoldStop", "Uniqueid"),
    ):
        begun, ended = (
            Counter(tuple(event.get(name) for name in headers) for event in boss.of(kind)) for kind in (begin, end)
        )
        assert begun == ended and begun, f"{begin} and {end}"
    for begin, end, *fields in (
        ("ChannelCreated", "ChannelDestroyed", "channel"),
        ("BridgeCreated", "BridgeDestroyed", "bridge"),
        ("ChannelEnteredBridge", "ChannelLeftBridge", "bridge", "channel"),
    ):
        begun, ended = (
            Counter(tuple(event[name]["id"] for name in fields) for event in watcher.events if event["type"] == kind)
            for kind in (begin, end)
        )
        assert begun == ended and begun, f"{begin} and {end}"


def the_records_are_right(office: Switch) -> None:
    """The same in every file, as the day went; times fit each other."""
    records = calls_of(office)
    assert table_of_calls(records) == (HERE / "expected" / "calls.txt").read_text()
    assert table_of_log(log_of(office)) == (HERE / "expected" / "log.txt").read_text()
    for record in records:
        times = [datetime.fromisoformat(record[name] or record["end"]) for name in ("start", "answer", "end")]
        assert times == sorted(times), record
        talked = (times[2] - times[1]).total_seconds()
        assert abs(int(record["billsec"]) - talked) <= 1 or record["disposition"] != "ANSWERED", record
        assert int(record["billsec"]) <= int(record["duration"]) < 20, record
        assert record["disposition"] == "ANSWERED" or record["billsec"] == "0", record
    for others in (custom_calls_of(office), stored_calls_of(office)):
        common = [name for name in others[0] if name in COLUMNS]
        assert sorted([str(record[name]) for name in common] for record in others) == sorted(
            [record[name] for name in common] for record in records
        )
    kept = {(record["group"], record["mailbox"]) for record in custom_calls_of(office)}
    assert kept == {("", ""), ("sales", ""), ("", "110"), ("", "111"), ("", "office")}


def they_are_told_to_the_secretary(office: Switch, boss: Secretary) -> None:
    """Cdr and CEL events of the manager interface say what the files say."""
    told = Counter((event["Channel"], event["DestinationChannel"], event["LinkedID"]) for event in boss.of("Cdr"))
    assert told == Counter((one["channel"], one["dstchannel"], one["linkedid"]) for one in calls_of(office))
    logged = [(event["EventName"], event["Channel"]) for event in boss.of("CEL")]
    assert logged == [(entry["event"], entry["channel"]) for entry in log_of(office)]
    lasting = {entry["linkedid"] for entry in log_of(office)}
    assert Counter(entry["linkedid"] for entry in log_of(office) if entry["event"] == "LINKEDID_END") == Counter(
        lasting
    )
