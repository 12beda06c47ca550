"""What an endpoint's options of media make of a call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from arietta.config.endpoint import Endpoint
from arietta.config.tree import load
from arietta.drivers.sip.offers import SHORT_TAGS, suites_of, warning_of
from arietta.sdp import SRTP_SUITES, Refusal
from arietta.testing import AriClient, Call, Phone, tone

from .running import FILES


@pytest.fixture
def endpoint(tmp_path: Path) -> Callable[[str], Endpoint]:
    """A function that gives an endpoint with options."""

    def read(options: str) -> Endpoint:
        (tmp_path / "pjsip.conf").write_text(f"[a]\ntype=endpoint\nallow=ulaw\n{options}\n")
        return load(tmp_path).pjsip.endpoints["a"]

    return read


def test_suites_of_an_endpoint(endpoint: Callable[[str], Endpoint]) -> None:
    assert suites_of(endpoint("")) == ()
    assert suites_of(endpoint("media_encryption=sdes")) == tuple(SRTP_SUITES)
    short = suites_of(endpoint("media_encryption=sdes\nsrtp_tag_32=yes"))
    assert short[0] == SHORT_TAGS
    assert sorted(short) == sorted(SRTP_SUITES)


@pytest.mark.parametrize("reason", ['a "b" \\ c', "é\x00\n", "x" * 1000])
def test_a_warning_is_one_header_whatever_the_reason(reason: str) -> None:
    ((name, value),) = warning_of(Refusal(488, reason))
    assert name == "Warning"
    assert value.startswith('399 arietta "')
    assert value.endswith('"')
    assert len(value) < 300
    assert value.isascii()
    assert value.isprintable()


@pytest.fixture
def alice(registered: Callable[[str], Phone]) -> Phone:
    """A phone."""
    return registered("alice")


def description(call: Call, direction: str = "sendrecv", address: str = "10.0.0.2") -> bytes:
    """What alice says of her media."""
    return (
        f"v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
        f"m=audio {call.voice.address[1]} RTP/AVP 0\r\na={direction}\r\n"
    ).encode()


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
@pytest.mark.parametrize(
    ("direction", "address"), [("sendonly", "10.0.0.2"), ("inactive", "10.0.0.2"), ("", "0.0.0.0")]
)
async def test_a_hold_is_told_however_it_comes(
    alice: Phone, app: AriClient, method: str, direction: str, address: str
) -> None:
    """RFC 3264 8.4, and RFC 2543 B.5 with its address 0.0.0.0."""
    call = await alice.invite("1000")
    await app.event("StasisStart")
    await call.answered()
    for body, event in (
        (description(call, direction, address), "ChannelHold"),
        (description(call), "ChannelUnhold"),
    ):
        if method == "INVITE":
            await call.reinvite(body)
        else:
            await call.send_request("UPDATE", body, "application/sdp")
        await app.event(event)
    await call.hang_up()


SUPPRESSING = FILES | {
    "pjsip.conf": FILES["pjsip.conf"].replace("type=endpoint", "type=endpoint\nsuppress_moh_on_sendonly=yes")
}


@pytest.mark.parametrize("files", [SUPPRESSING], ids=["suppress_moh_on_sendonly"])
@pytest.mark.parametrize(("direction", "told"), [("sendonly", False), ("inactive", True)])
async def test_who_only_sends_may_be_no_hold(alice: Phone, app: AriClient, direction: str, told: bool) -> None:
    call = await alice.invite("1000")
    await app.event("StasisStart")
    await call.answered()
    await call.reinvite(description(call, direction))
    await (app.event if told else app.no_event)("ChannelHold")
    await call.hang_up()


async def test_a_change_that_cannot_be_leaves_the_call_as_it_is(alice: Phone, app: AriClient) -> None:
    call = await alice.invite("1200")
    await call.answered()
    await call.reinvite(description(call).replace(b"RTP/AVP 0", b"RTP/SAVP 0"), expect=488)
    beep = tone(800, 400)
    await call.send_audio(beep)
    await call.hears(beep)
    await call.hang_up()


async def test_a_way_is_kept_open(alice: Phone, app: AriClient) -> None:
    call = await alice.invite("1000")
    await app.event("StasisStart")
    await call.answered()
    await asyncio.sleep(31)
    assert call.voice.counters["unknown"] == 3  # comfort noise every ten seconds
    await call.hang_up()
