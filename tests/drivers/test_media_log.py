"""What the console shows of the packets and reports of calls, and whose."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import pytest

from arietta.drivers.sip.media_log import MAX_A_SECOND, MediaLog
from arietta.errors import BadRequest
from arietta.server import Server
from arietta.testing import AriClient, Call, Phone, tone


@pytest.fixture
def alice(registered: Callable[[str], Phone]) -> Phone:
    return registered("alice")


@pytest.fixture
def log(switchboard: Server) -> MediaLog:
    return switchboard.sip.media_log


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[str]]]:
    """A function that gives what was shown since the last time."""
    with caplog.at_level(logging.INFO, logger="arietta.verbose"):

        def shown() -> list[str]:
            found = [record.getMessage() for record in caplog.records if record.name == "arietta.verbose"]
            caplog.clear()
            return [line for line in found if "RTP packet" in line or "RTCP" in line]

        yield shown


async def talk(call: Call) -> None:
    await call.send_audio(tone(800, 200))


async def test_packets_are_shown_while_they_are_asked_for(
    alice: Phone, app: AriClient, log: MediaLog, lines: Callable[[], list[str]]
) -> None:
    call = await alice.invite("1200")
    await call.answered()
    await talk(call)
    assert lines() == []
    assert log.ask("rtp debug", ["on"]) == "Packets of RTP of all peers are shown."
    await talk(call)
    shown = lines()
    phone = ":".join(map(str, call.voice.address))
    assert any(line.startswith(f"Got  RTP packet from    {phone} (type 00, seq ") for line in shown)
    assert any(line.startswith(f"Sent RTP packet to      {phone} (type 00, seq ") for line in shown)
    assert shown[0].endswith(", len 000160)")
    for asked, others in ((["ip", "10.0.0.2"], False), (["ip", phone], False), (["ip", "192.0.2.9"], True)):
        log.ask("rtp debug", asked)
        await talk(call)
        assert (lines() == []) is others
    log.ask("rtp debug", ["off"])
    await talk(call)
    assert lines() == []
    await call.hang_up()


async def test_a_call_that_begins_later_is_shown_too(
    alice: Phone, app: AriClient, log: MediaLog, lines: Callable[[], list[str]]
) -> None:
    log.ask("rtp debug", ["on"])
    call = await alice.invite("1200")
    await call.answered()
    await talk(call)
    assert len(lines()) >= 10
    await call.hang_up()


async def test_reports_are_shown_and_what_they_count(
    alice: Phone, app: AriClient, log: MediaLog, lines: Callable[[], list[str]]
) -> None:
    call = await alice.invite("1200")
    await call.answered()
    assert log.ask("rtcp debug", ["on"]) == "Reports of RTCP of all peers are shown."
    assert log.ask("rtcp stats", ["on"]) == "Statistics of RTCP are shown."
    await call.send_audio(tone(800, 5500))
    report, statistics = lines()[:2]
    assert report.startswith("Sent RTCP SR to   10.0.0.2:")
    assert "It has sent:" in report
    assert "Fraction lost: 0/256, lost altogether: 0" in report
    assert statistics.startswith("PJSIP/alice-")
    assert "lost 0 (0.0 %)" in statistics
    log.ask("rtcp debug", ["ip", "192.0.2.9"])
    log.ask("rtcp stats", ["off"])
    await call.send_audio(tone(800, 5500))
    assert lines() == []
    log.ask("rtcp debug", ["off"])
    await call.hang_up()


async def test_too_much_is_left_out_and_counted(
    alice: Phone,
    app: AriClient,
    log: MediaLog,
    lines: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [1000.0]
    monkeypatch.setattr("arietta.drivers.sip.media_log.time.time", lambda: now[0])
    log.ask("rtp debug", ["on"])
    call = await alice.invite("1200")
    await call.answered()
    await call.send_audio(tone(800, 6000))
    assert len(lines()) == MAX_A_SECOND
    now[0] += 1
    await talk(call)
    assert any("lines of RTP were not shown" in record.getMessage() for record in caplog.records)
    await call.hang_up()


@pytest.mark.parametrize(
    ("what", "words", "wrong"),
    [
        ("rtp debug", ["maybe"], "'maybe' is none of"),
        ("rtp debug", ["ip"], "'ip' is none of"),
        ("rtp debug", ["ip", "phone"], "'phone' is no address"),
        ("rtcp debug", ["ip", "192.0.2.1:99999"], "'99999'"),
        ("rtcp debug", ["ip", "[2001:db8::1]:0"], "'0'"),
        ("rtcp stats", ["ip", "192.0.2.1"], "neither on nor off"),
    ],
)
def test_words_that_mean_nothing_are_refused(log: MediaLog, what: str, words: list[str], wrong: str) -> None:
    with pytest.raises(BadRequest, match=wrong):
        log.ask(what, words)


def test_one_of_ipv6_is_named_with_and_without_its_port(log: MediaLog) -> None:
    assert log.ask("rtp debug", ["ip", "2001:db8::1"]) == "Packets of RTP of 2001:db8::1 are shown."
    assert log.ask("rtp debug", ["ip", "[2001:db8::1]:4000"]) == "Packets of RTP of 2001:db8::1:4000 are shown."
    assert log.ask("rtp debug", ["off"]) == "Packets of RTP are not shown."
