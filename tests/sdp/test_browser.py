"""Browsers call and are called: DTLS, ICE and bundles in offers and answers."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.sdp import (
    Direction,
    DtlsSide,
    Fingerprint,
    IceSide,
    Negotiated,
    OfferSettings,
    SessionDescription,
    answer_offer,
    fresh_ice,
    make_offer,
    parse,
    read_answer,
    reflexive_candidate,
)
from arietta.sdp.dtls import DtlsError, parse_fingerprint

CERTIFICATE = Fingerprint("sha-256", bytes(range(32)))
ICE = IceSide("ours", "o" * 24, is_lite=True)
OURS = OfferSettings(
    "192.0.2.1",
    10000,
    ("opus", "ulaw"),
    session_id=77,
    rtcp_mux=True,
    dtls=DtlsSide((CERTIFICATE,)),
    ice=ICE,
    avpf=True,
    bundle=True,
)
BROWSER = (Path(__file__).parent / "phones" / "browser-with-video.sdp").read_text()
OPTIMISTIC = msgspec.structs.replace(OURS, crypto_optional=True, avpf=False)
PLAIN = OfferSettings("192.0.2.9", 4000, ("ulaw",))


def offer(*changes: tuple[str, str]) -> SessionDescription:
    text = BROWSER
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parse(text.encode())


def agreed(description: SessionDescription, ours: OfferSettings = OURS) -> Negotiated:
    result = answer_offer(description, ours)[1]
    assert result.refusal is None
    return result


def refusal(description: SessionDescription, ours: OfferSettings = OURS) -> str:
    answer, result = answer_offer(description, ours)
    assert result.refusal is not None
    assert all(section.port == 0 for section in answer.media)
    return result.refusal.reason


def test_a_browser_calls() -> None:
    answer, result = answer_offer(offer(), OURS)
    assert bytes(answer).decode().splitlines() == [
        "v=0",
        "o=- 77 1 IN IP4 192.0.2.1",
        "s=Arietta",
        "c=IN IP4 192.0.2.1",
        "t=0 0",
        "a=ice-lite",
        "a=group:BUNDLE 0",
        "m=audio 10000 UDP/TLS/RTP/SAVPF 111 0 110 126",
        "a=rtpmap:111 opus/48000/2",
        "a=fmtp:111 useinbandfec=1",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:110 telephone-event/48000",
        "a=fmtp:110 0-16",
        "a=rtpmap:126 telephone-event/8000",
        "a=fmtp:126 0-16",
        "a=ptime:20",
        "a=ice-ufrag:ours",
        f"a=ice-pwd:{'o' * 24}",
        "a=candidate:1 1 udp 2130706431 192.0.2.1 10000 typ host",
        "a=end-of-candidates",
        f"a=fingerprint:sha-256 {bytes(range(32)).hex(':').upper()}",
        "a=setup:active",
        "a=mid:0",
        "a=msid:-77 audio",
        "a=rtcp-mux",
        "a=sendrecv",
        "m=video 0 UDP/TLS/RTP/SAVPF 96 97",
    ]
    assert (result.codec, result.payload_type, result.event_payload_type) == ("opus", 111, 110)
    assert (result.rtcp_mux, result.direction, result.held) == (True, Direction.SENDRECV, False)
    assert result.dtls is not None and result.dtls.is_client
    assert [one.digest[:2].hex() for one in result.dtls.fingerprints] == ["d2fa"]
    assert result.ice is not None
    assert (result.ice.ufrag, result.ice.password, result.ice.is_lite) == ("EsAw", "P2uYro0UCOQ4zxjKXaWCBui1", False)
    assert [(one.address, one.port) for one in result.ice.candidates] == [("192.0.2.7", 49203)]


def test_a_browser_answers() -> None:
    ours = make_offer(OURS)
    lines = bytes(ours).decode().splitlines()
    assert {"a=ice-lite", "a=group:BUNDLE 0", "a=mid:0", "a=setup:actpass", "a=rtcp-mux"} <= set(lines)
    assert "m=audio 10000 UDP/TLS/RTP/SAVPF 107 0 101 96" in lines
    answer = offer(("actpass", "active"), ("a=group:BUNDLE 0 1", "a=group:BUNDLE 0"), (" 111 63 9", " 107 9"))
    result = read_answer(ours, msgspec.structs.replace(answer, media=answer.media[:1]))
    assert result.refusal is None
    assert result.dtls is not None and not result.dtls.is_client
    assert result.ice is not None and result.ice.ufrag == "EsAw"


def test_candidates_that_trickle_later_are_no_hold() -> None:
    early = offer(("192.0.2.7\na=rtcp", "0.0.0.0\na=rtcp"), ("49203 UDP", "9 UDP"), ("a=candidate", "a=later"))
    result = agreed(early)
    assert (result.held, result.direction) == (False, Direction.SENDRECV)
    assert result.ice is not None and result.ice.candidates == ()
    ours = make_offer(OURS)
    answered = msgspec.structs.replace(early, media=early.media[:1])
    assert not read_answer(ours, answered).held


def test_attributes_of_the_session_count_too() -> None:
    ufrag, password = "a=ice-ufrag:EsAw\n", "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\n"
    print_ = next(line for line in BROWSER.splitlines(keepends=True) if line.startswith("a=fingerprint"))
    moved = offer((ufrag, ""), (password, ""), (print_, ""), ("t=0 0\n", f"t=0 0\n{ufrag}{password}{print_}"))
    assert agreed(moved) == agreed(offer())


def test_audio_on_the_transport_of_the_video_before_it() -> None:
    """The offer is bundle-only: its first section says where packets go, and is refused nevertheless."""
    head, audio, video = (part if n == 0 else f"m={part}" for n, part in enumerate(BROWSER.split("m=")))
    transport = [
        line for line in audio.splitlines() if line.startswith(("a=candidate", "a=ice", "a=finger", "a=setup"))
    ]
    for line in transport:
        audio = audio.replace(f"{line}\n", "")
    audio = audio.replace("audio 49203", "audio 0").replace("a=mid:0\n", "a=mid:0\na=bundle-only\n")
    video = video.replace("video 0", "video 49203").replace("a=bundle-only\n", "\n".join(transport) + "\n")
    video = video.replace("IP4 0.0.0.0", "IP4 192.0.2.7")
    bundled = parse((head.replace("BUNDLE 0 1", "BUNDLE 1 0") + video + audio).encode())
    answer, result = answer_offer(bundled, OURS)
    assert (result.index, result.port, result.address) == (1, 49203, "192.0.2.7")
    assert (result.ice, result.dtls) == (agreed(offer()).ice, agreed(offer()).dtls)
    assert [section.port for section in answer.media] == [0, 10000]
    assert answer.attribute("group") == "BUNDLE 0"
    alone = parse((head.replace("a=group:BUNDLE 0 1\n", "") + video + audio).encode())
    assert refusal(alone) == "no audio in the offer"


@pytest.mark.parametrize(
    ("theirs", "wish", "ours"),
    [
        ("actpass", "actpass", "active"),
        ("actpass", "passive", "passive"),
        ("active", "actpass", "passive"),
        ("active", "active", "passive"),
        ("passive", "passive", "active"),
    ],
)
def test_who_begins(theirs: str, wish: str, ours: str) -> None:
    settings = msgspec.structs.replace(OURS, dtls=DtlsSide((CERTIFICATE,), wish))
    answer, result = answer_offer(offer(("setup:actpass", f"setup:{theirs}")), settings)
    assert answer.media[0].attribute("setup") == ours
    assert result.dtls is not None and result.dtls.is_client == (ours == "active")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("setup:actpass", "setup:holdconn"), "a=setup:holdconn, which leaves nobody to begin"),
        (("setup:actpass", "setup:both"), "a=setup 'both' is none of active, passive, actpass, holdconn"),
        (("D2:FA:", ""), "a=fingerprint of sha-256 has 30 bytes instead of 32"),
        (("D2:FA:", "D2:FX:"), "has no hexadecimal digits"),
        (("sha-256", "md5"), "no a=fingerprint of a hash that is known"),
        (("fingerprint", "handprint"), "no a=fingerprint for the encryption of media by DTLS"),
        (("a=rtcp-mux\n", ""), "a=rtcp-mux is needed"),
        (("ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1", "ice-pwd:short"), "a=ice-pwd is not 22 to 256"),
        (("a=ice-ufrag:EsAw\n", ""), "a=ice-ufrag 'missing' is not 4 to 256"),
        (("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP"), "use_avpf wants one with feedback"),
    ],
)
def test_refusals_say_what_is_wrong(change: tuple[str, str], reason: str) -> None:
    assert reason in refusal(offer(change))


def test_ice_may_be_left_out_by_either_side() -> None:
    without = offer(("a=ice-", "a=no-ice-"))
    answer, result = answer_offer(without, OURS)
    assert result.ice is None and result.address == "192.0.2.7"
    assert answer.attribute("ice-lite") is None and answer.media[0].attribute("candidate") is None
    settings = msgspec.structs.replace(OURS, ice=None)
    answer, result = answer_offer(offer(), settings)
    assert result.ice is None and answer.media[0].attribute("ice-ufrag") is None


def test_without_bundle_the_tag_is_repeated_alone() -> None:
    answer, _ = answer_offer(offer(), msgspec.structs.replace(OURS, bundle=False))
    assert answer.attribute("group") is None and answer.media[0].attribute("mid") == "0"


def test_the_best_fingerprint_counts() -> None:
    weak = "a=fingerprint:sha-1 " + bytes(20).hex(":") + "\na=fingerprint:sha-256"
    result = agreed(offer(("a=fingerprint:sha-256", weak)))
    assert result.dtls is not None
    assert [one.name for one in result.dtls.fingerprints] == ["sha-256"]


def test_optimistic_encryption_takes_and_offers_both() -> None:
    assert agreed(offer(), OPTIMISTIC).dtls is not None
    assert agreed(make_offer(PLAIN), OPTIMISTIC).dtls is None
    ours = make_offer(OPTIMISTIC)
    assert ours.media[0].protocol == "RTP/AVP" and ours.media[0].attribute("fingerprint") is not None
    assert read_answer(ours, answer_offer(ours, PLAIN)[0]).dtls is None
    answer = answer_offer(ours, msgspec.structs.replace(OPTIMISTIC, address="192.0.2.9"))[0]
    assert read_answer(ours, answer).dtls is not None


def test_a_plain_answer_to_a_demand_is_refused() -> None:
    ours = make_offer(OURS)
    plain = answer_offer(make_offer(PLAIN), PLAIN)[0]
    result = read_answer(ours, plain)
    assert result.refusal is not None and "without a=fingerprint" in result.refusal.reason
    assert "media_encryption" in refusal(ours, PLAIN)


@pytest.mark.parametrize(("avpf", "force_avp", "protocol"), [
    (True, False, "UDP/TLS/RTP/SAVPF"),
    (False, False, "UDP/TLS/RTP/SAVP"),
    (True, True, "RTP/SAVPF"),
    (False, True, "RTP/SAVP"),
])  # fmt: skip
def test_the_profile_of_our_offer(avpf: bool, force_avp: bool, protocol: str) -> None:
    offered = make_offer(msgspec.structs.replace(OURS, avpf=avpf, force_avp=force_avp))
    assert offered.media[0].protocol == protocol
    assert agreed(offered).dtls is not None if avpf else "use_avpf" in refusal(offered)


def test_a_second_description_stays_as_it_is_and_ice_that_restarts_raises_it() -> None:
    first, _ = answer_offer(offer(), OURS)
    again, _ = answer_offer(offer(), OURS, first)
    assert again is first
    restarted, _ = answer_offer(offer(), msgspec.structs.replace(OURS, ice=fresh_ice()), first)
    assert restarted.origin.version == first.origin.version + 1
    offered = make_offer(OURS, first)
    assert offered.media[0].attribute("mid") == "0" and offered.media[0].attribute("setup") == "actpass"
    assert offered.media[0].protocol == "UDP/TLS/RTP/SAVPF"


def test_fresh_credentials_are_long_enough() -> None:
    one, other = fresh_ice(), fresh_ice()
    assert one != other and len(one.ufrag) == 8 and len(one.password) == 24
    assert one.password not in repr(one)


@given(st.lists(st.sampled_from(BROWSER.splitlines()), max_size=60))
def test_shuffled_browsers_never_break_us(lines: list[str]) -> None:
    offered = parse("\n".join(["v=0", *lines]).encode())
    answer, result = answer_offer(offered, OURS)
    assert len(answer.media) == len(offered.media)
    assert (result.refusal is None) == any(media.port for media in answer.media)
    parse(bytes(answer))


@given(st.text(max_size=120))
def test_any_fingerprint(text: str) -> None:
    try:
        found = parse_fingerprint(f"sha-256 {text}")
    except DtlsError:
        return
    assert found is not None and len(found.digest) == 32


WITH_TWO_PORTS = OfferSettings(
    "192.0.2.9",
    4000,
    ("ulaw",),
    ice=IceSide("ours", "o" * 24, True, (reflexive_candidate("198.51.100.9", "192.0.2.9", 4000),)),
)
FOUR = [
    "1 1 udp 2130706431 192.0.2.9 4000 typ host",
    "2 1 udp 1694498815 198.51.100.9 4000 typ srflx raddr 192.0.2.9 rport 4000",
    "1 2 udp 2130706430 192.0.2.9 4001 typ host",
    "2 2 udp 1694498814 198.51.100.9 4001 typ srflx raddr 192.0.2.9 rport 4001",
]


def test_reports_with_a_port_of_their_own_are_a_component_of_their_own() -> None:
    ours = make_offer(WITH_TWO_PORTS)
    assert ours.media[0].attributes("candidate") == FOUR
    theirs = make_offer(msgspec.structs.replace(WITH_TWO_PORTS, address="192.0.2.7", ice=IceSide("them", "t" * 24)))
    answer, agreed = answer_offer(theirs, WITH_TWO_PORTS)
    assert answer.media[0].attributes("candidate") == FOUR
    assert agreed.ice is not None and not agreed.rtcp_mux
    assert (agreed.rtcp_address, agreed.rtcp_port) == ("192.0.2.7", 4001)
    assert [(one.address, one.port) for one in agreed.ice.candidates] == [("192.0.2.7", 4000)]
    read = read_answer(ours, theirs)
    assert read.ice is not None and read.ice.ufrag == "them"


def test_reports_on_the_port_of_media_are_none() -> None:
    settings = msgspec.structs.replace(WITH_TWO_PORTS, rtcp_mux=True)
    assert make_offer(settings).media[0].attributes("candidate") == FOUR[:2]
    answer, _ = answer_offer(make_offer(settings), settings)
    assert answer.media[0].attributes("candidate") == FOUR[:2]
    answer, _ = answer_offer(make_offer(WITH_TWO_PORTS), settings)
    assert answer.media[0].attributes("candidate") == FOUR
