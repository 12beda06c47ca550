"""The guard alone: what is admitted, who is banned, how little is kept."""

from __future__ import annotations

import pytest

from arietta.sip import guard as module
from arietta.sip.guard import BURST_S, PROVEN_S, Guard, Rules, source_of

STRANGER, OTHER = "198.51.100.7", "203.0.113.9"
INVITE, REGISTER, OPTIONS = (f"{method} sip:a SIP/2.0\r\nTo: <sip:a>\r\n\r\n".encode() for method in
                             ("INVITE", "REGISTER", "OPTIONS"))  # fmt: skip
BYE = b"BYE sip:a SIP/2.0\r\nTo: <sip:a>;tag=1\r\n\r\n"
RULES = Rules(invite_rate=2, register_rate=2, options_rate=2, other_rate=2, scanners=("friendly-scanner", "sipvicious"))
BURST = int(2 * BURST_S)


def flood(guard: Guard, data: bytes, count: int, now: float, host: str = STRANGER) -> int:
    """How many of so many messages are admitted."""
    return sum(guard.admits(data, host, now) for _ in range(count))


@pytest.mark.parametrize("data", [INVITE, REGISTER, OPTIONS, BYE, b"SIP/2.0 200 OK\r\n\r\n", b"\0\1\2"])
def test_a_stranger_has_a_burst_and_a_rate(data):
    guard = Guard(RULES)
    assert flood(guard, data, 1000, 0.0) == BURST
    assert flood(guard, data, 1000, 3.0) == 6
    assert flood(guard, data, 1000, 1000.0) == BURST


def test_each_source_and_each_kind_of_message_has_its_own():
    guard = Guard(RULES)
    flood(guard, INVITE, 1000, 0.0)
    assert guard.admits(REGISTER, STRANGER, 0.0) and guard.admits(INVITE, OTHER, 0.0)
    assert guard.counters["guard.limited"] == 1000 - BURST


def test_all_strangers_together_have_one_more():
    guard = Guard(Rules(strangers_rate=100))
    assert sum(guard.admits(INVITE, f"198.51.{n // 250}.{n % 250}", 0.0) for n in range(1000)) == 100
    assert guard.counters["guard.crowded"] == 900


def test_a_proven_source_has_no_limits_for_an_hour():
    guard = Guard(RULES)
    guard.prove(STRANGER, 0.0)
    assert flood(guard, INVITE, 1000, PROVEN_S - 1) == 1000
    assert flood(guard, INVITE, 1000, PROVEN_S + 1) == BURST


def test_trusted_hosts_have_none_at_all():
    guard = Guard(RULES, trusts=STRANGER.__eq__)
    for _ in range(100):
        guard.fail(STRANGER, 0.0, is_genuine=True, what="REGISTER")
    assert flood(guard, INVITE, 1000, 0.0) == 1000


def test_ten_failures_are_a_ban_that_ends():
    guard = Guard(RULES)
    for _ in range(9):
        guard.fail(STRANGER, 0.0, is_genuine=True, what="REGISTER")
    assert guard.admits(REGISTER, STRANGER, 0.0) and not guard.bans(0.0)
    guard.fail(STRANGER, 1.0, is_genuine=True, what="REGISTER")
    assert [ban.source for ban in guard.bans(1.0)] == [STRANGER]
    assert not guard.admits(REGISTER, STRANGER, 600.0) and guard.admits(REGISTER, OTHER, 600.0)
    assert guard.admits(BYE, STRANGER, 600.0)  # a call that was going on may end
    assert guard.admits(REGISTER, STRANGER, 602.0) and not guard.bans(602.0)


@pytest.mark.parametrize("how", ["forged", "success between", "far apart", "by hand"])
def test_what_is_no_ban(how):
    guard = Guard(RULES)
    for number in range(15):
        guard.fail(STRANGER, number * (601.0 if how == "far apart" else 0.1), is_genuine=how != "forged", what="INVITE")
        if how == "success between" and number == 8:
            guard.prove(STRANGER, 1.0)
    if how == "by hand":
        assert guard.unban(STRANGER) and not guard.unban(STRANGER)
    assert not guard.bans(2.0)


@pytest.mark.parametrize(
    ("line", "admitted"),
    [
        (b"User-Agent: friendly-scanner", False),
        (b"USER-AGENT : xFRIENDLY-SCANNER/1", False),
        (b'From: "sipvicious"<sip:100@1.1.1.1>', False),
        (b"From: <sip:sipvicious@example.com>", True),
        (b"Subject: friendly-scanner", True),
        (b"User-Agent: Snom", True),
    ],
)
def test_scanners_give_themselves_away(line, admitted):
    data = OPTIONS.replace(b"\r\nTo", b"\r\n" + line + b"\r\nTo")
    assert Guard(RULES).admits(data, STRANGER, 0.0) == admitted
    assert Guard(RULES, trusts=STRANGER.__eq__).admits(data, STRANGER, 0.0) == admitted


def test_one_line_for_each_source_and_minute():
    guard = Guard(RULES)
    for second in range(180):
        flood(guard, INVITE, 50, float(second))
    assert len(guard.notes()) == 3 and guard.notes() == []


def test_many_sources_have_few_lines():
    guard = Guard(RULES)
    for number in range(5000):
        flood(guard, INVITE, BURST + 1, number / 100, f"10.{number // 250}.{number % 250}.1")
    assert len(guard.notes()) == module.MAX_NOTES
    flood(guard, INVITE, 1000, 100.0)
    assert guard.notes()[0] == f"{5000 - module.MAX_NOTES} more sources made noise"


def test_strangers_are_reported_as_asterisk_does():
    guard = Guard(RULES)
    for _ in range(4):
        guard.see_stranger(STRANGER, 0.0, "INVITE")
    assert guard.notes() == []
    guard.see_stranger(STRANGER, 4.0, "INVITE")
    assert guard.notes() == [f"INVITE from {STRANGER}: no endpoint after 5 tries"]


def test_tables_stay_small(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MAX_SOURCES", 100)
    monkeypatch.setattr(module, "MAX_BANS", 50)
    guard = Guard(RULES)
    for number in range(1000):
        host = f"10.{number // 250}.{number % 250}.1"
        guard.admits(INVITE, host, number)
        if number % 2:
            guard.prove(host, number)
        for _ in range(10):
            guard.fail(host, number, is_genuine=True, what="INVITE")
    assert len(guard) <= 250 and len(guard.bans(999.0)) == 50
    assert guard.counters["guard.forgotten"] > 0


def test_a_source_is_what_one_customer_has():
    assert source_of("192.0.2.1") == "192.0.2.1" == source_of("::ffff:192.0.2.1")
    assert source_of("2001:db8:1:2:3:4:5:6") == source_of("2001:db8:1:2::9") != source_of("2001:db8:1:3::9")
    assert source_of("fe80::1%eth0") == "fe80::/64" and source_of("nonsense:") == "nonsense:"


def test_switched_off_it_admits_everything():
    assert flood(Guard(Rules(enabled=False)), INVITE, 1000, 0.0) == 1000
