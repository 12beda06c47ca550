"""Ladders as text."""

from __future__ import annotations

import io

from rich.console import Console

from arietta.testing.ladder import Ladder
from arietta.testing.loop import VirtualLoop
from arietta.testing.phone import Phone


def hello_world(ladder: Ladder) -> Ladder:
    """A call into an application."""
    ladder.sip(10.0, "10.0.0.2:5060", "10.0.0.1:5060", "INVITE sip:1000@10.0.0.1 SIP/2.0")
    ladder.sip(10.001, "10.0.0.1:5060", "10.0.0.2:5060", "SIP/2.0 200 OK", "INVITE")
    ladder.event(10.002, "arietta", "app", "StasisStart")
    ladder.rest(10.003, "app", "arietta", "POST /channels/1/play")
    ladder.rest(10.004, "arietta", "app", "201 Created")
    for number in range(50):
        ladder.rtp(10.005 + number / 50, "arietta", "phone", "RTP ulaw")
    ladder.note(11.5, "the caller hangs up")
    ladder.sip(11.6, "phone", "arietta", "BYE sip:1000@10.0.0.1 SIP/2.0")
    ladder.sip(11.7, "arietta", "phone", "SIP/2.0 200 OK", "BYE")
    return ladder


PARTIES = {"phone": "10.0.0.2", "arietta": ["10.0.0.1", "10.0.0.1:5060"], "app": ()}


def test_a_ladder_reads_like_one():
    lines = hello_world(Ladder(PARTIES, width=21)).render().splitlines()
    assert lines[0].split() == ["phone", "arietta", "app"]
    assert lines[1] == "   0.000            │─── INVITE 1000 ───▶│                    │"
    assert lines[2] == "   0.001            │◀───── 200 OK ──────│                    │"
    assert lines[3] == "   0.002            │                    │─── StasisStart ───▶│"
    assert lines[4] == "   0.003            │                    │◀─ POST /channel… ──│"
    assert lines[6] == "   0.005            │◀── RTP ulaw ×50 ───│                    │"
    assert lines[7] == "   1.500  -- the caller hangs up         │                    │"
    assert lines[9] == "   1.700            │◀── 200 OK (BYE) ───│                    │"
    assert len(lines) == 10


def test_a_stream_that_pauses_gets_a_new_row():
    ladder = Ladder(["a", "b"])
    for time in (0.0, 0.02, 5.0):
        ladder.rtp(time, "a", "b")
    assert [row.text for row in ladder.rows] == ["RTP ×2", "RTP"]


def test_colour_is_there_when_wanted_only():
    ladder = hello_world(Ladder(PARTIES))
    assert "\x1b[" not in ladder.render()
    coloured = ladder.render(colour=True)
    assert "\x1b[1;32m" in coloured  # 200 OK, bold green
    assert "INVITE 1000" in coloured


def test_live_rows_are_printed_as_they_happen():
    out = io.StringIO()
    ladder = Ladder(["phone", "arietta"], live=Console(file=out, width=80))
    ladder.sip(1.0, "phone", "arietta", "OPTIONS sip:arietta SIP/2.0")
    printed = out.getvalue()
    assert printed.splitlines()[0].split() == ["phone", "arietta"]
    assert "OPTIONS" in printed
    ladder.sip(2.0, "10.0.0.9:5060", "arietta", "SIP/2.0 486 Busy Here", "INVITE")
    assert "10.0.0.9:5060" in out.getvalue().splitlines()[2]
    assert "486 Busy Here" in out.getvalue()


def test_terminals_without_unicode_get_ascii():
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    ladder = Ladder(["a", "b"], live=out)
    ladder.sip(0, "a", "b", "BYE sip:b SIP/2.0")
    out.flush()
    assert b"BYE" in out.buffer.getvalue() and b"->|" in out.buffer.getvalue()
    assert ladder.render(ascii_only=True).isascii()


def test_control_characters_of_a_peer_do_not_reach_the_terminal():
    ladder = Ladder(["a", "b"])
    ladder.sip(0, "a", "b", "SIP/2.0 200 \x1b[2J")
    assert "\x1b" not in ladder.render()


def test_a_ladder_watches_the_network():
    loop = VirtualLoop(seed=2)
    loop.network.link(loss=0.3)
    ladder = Ladder({"alice": "10.0.0.2", "bob": "10.0.0.3"})
    ladder.watch(loop.network)

    async def story() -> None:
        bob = await Phone.open("10.0.0.3", 5060)
        alice = await Phone.open("10.0.0.2", 5060, server=("10.0.0.3", 5060))
        calling = await alice.invite("1000")
        (await bob.ringing()).answer()
        await calling.answered()
        await calling.hang_up()

    loop.run(story())
    loop.close()
    text = ladder.render()
    assert "INVITE 1000" in text and "200 OK (BYE)" in text and "RTP" in text and "lost" in text
    assert text.splitlines()[0].split() == ["alice", "bob"]


def test_a_phone_draws_itself_live_beside_others_on_its_host():
    loop, out = VirtualLoop(), io.StringIO()
    ladder = Ladder(["bob", "alice"], live=Console(file=out, width=80))

    async def story() -> None:
        bob = await Phone.open("127.0.0.1", 5060, name="bob")
        alice = await Phone.open("127.0.0.1", 5070, name="alice", server=("127.0.0.1", 5060))
        ladder.add_party("bob", "127.0.0.1:5060")
        alice.draw_on(ladder)
        calling = await alice.invite("1000")
        (await bob.ringing()).answer()
        await calling.answered()
        await calling.send_tone(440, 1000)
        await calling.hang_up()

    loop.run(story())
    loop.close()
    lines = [line[12:].strip(" │─◀▶") for line in out.getvalue().splitlines()]
    assert lines[0].split() == ["bob", "alice"]
    assert lines[1:5] == ["INVITE 1000", "100 Trying", "200 OK", "ACK"]
    assert sorted(lines[5:7]) == ["RTP ulaw", "RTP ulaw"]
    assert lines[7:] == ["BYE", "200 OK (BYE)"]
