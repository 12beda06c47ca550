"""How long packets become of what both sides would like."""

from __future__ import annotations

import msgspec
import pytest

from arietta.sdp import OfferSettings, PacketTime, answer_offer, make_offer, parse, read_answer

OURS = OfferSettings("192.0.2.1", 10000, ("ulaw", "alaw"))
HEAD = "v=0\no=- 1 1 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\nm=audio 4000 RTP/AVP 8\n"
WISHES = PacketTime({"alaw": 30}, follows_peer=False)


@pytest.mark.parametrize(
    ("wishes", "says", "expected"),
    [
        (PacketTime(), "", 20),
        (PacketTime(), "a=ptime:40\n", 40),
        (PacketTime(), "a=ptime:5\n", 10),
        (PacketTime(), "a=ptime:200\n", 120),
        (PacketTime(), "a=ptime:40\na=maxptime:30\n", 30),
        (PacketTime(), "a=ptime:soon\na=maxptime:0\n", 20),
        (WISHES, "", 30),
        (WISHES, "a=ptime:40\n", 30),
        (WISHES, "a=maxptime:20\n", 20),
        (PacketTime({"alaw": 30}), "a=ptime:40\n", 40),
        (PacketTime({"ulaw": 60}, follows_peer=False), "a=ptime:40\n", 20),
    ],
)
def test_the_length_of_packets(wishes: PacketTime, says: str, expected: int) -> None:
    settings = msgspec.structs.replace(OURS, packet_time=wishes)
    theirs = parse((HEAD + says).encode())
    answer, agreed = answer_offer(theirs, settings)
    assert agreed.ptime_ms == expected
    assert answer.media[0].attribute("ptime") == str(wishes.ours("alaw"))
    assert read_answer(make_offer(settings), theirs, wishes).ptime_ms == expected
