"""Offer and answer as an engineer tells them: who offers what, who hears what."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.sdp import (
    CODECS,
    Direction,
    Negotiated,
    OfferSettings,
    SessionDescription,
    UnknownCodec,
    answer_offer,
    make_offer,
    parse,
    payload_table,
    read_answer,
    sending,
)

OURS = OfferSettings("192.0.2.1", 10000, ("ulaw", "alaw", "gsm"), session_id=77, version=5)


def phone(name: str) -> SessionDescription:
    return parse((Path(__file__).parent / "phones" / f"{name}.sdp").read_bytes())


def answered(name: str, ours: OfferSettings = OURS) -> tuple[SessionDescription, Negotiated]:
    return answer_offer(phone(name), ours)


def test_our_offer_as_text() -> None:
    offer = make_offer(OfferSettings("192.0.2.1", 10000, ("ulaw", "slin16"), session_id=9))
    assert bytes(offer).decode().splitlines() == [
        "v=0",
        "o=- 9 1 IN IP4 192.0.2.1",
        "s=Arietta",
        "c=IN IP4 192.0.2.1",
        "t=0 0",
        "m=audio 10000 RTP/AVP 0 118 101 96",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:118 L16/16000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-16",
        "a=rtpmap:96 telephone-event/16000",
        "a=fmtp:96 0-16",
        "a=ptime:20",
        "a=sendrecv",
    ]


def test_a_desk_phone_calls() -> None:
    answer, agreed = answered("desk-phone")
    assert agreed == Negotiated(
        index=0,
        address="192.0.2.21",
        port=11780,
        rtcp_address="192.0.2.21",
        rtcp_port=11781,
        codec="alaw",
        payload_type=8,
        receive={8: "alaw", 0: "ulaw"},
        send={"alaw": 8, "ulaw": 0},
        send_events={101: 8000},
        event_payload_type=101,
        event_rate_hz=8000,
        receive_events={101: 8000},
        direction=Direction.SENDRECV,
    )
    assert answer.media[0].formats == ("8", "0", "101")
    assert answer.origin.session_id == 77


def test_another_codec_of_the_agreement_is_sent_with_the_peers_own_numbers() -> None:
    offer = parse(
        b"v=0\no=- 1 1 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\nm=audio 4000 RTP/AVP 0 118 101 102\n"
        b"a=rtpmap:118 L16/16000\na=rtpmap:101 telephone-event/8000\na=rtpmap:102 telephone-event/16000\n"
    )
    _, agreed = answer_offer(offer, OfferSettings("192.0.2.1", 10000, ("ulaw", "slin16")))
    assert (agreed.codec, agreed.payload_type, agreed.event_payload_type, agreed.event_rate_hz) == (
        "ulaw",
        0,
        101,
        8000,
    )
    other = sending(agreed, "slin16")
    assert (other.codec, other.payload_type, other.event_payload_type, other.event_rate_hz) == (
        "slin16",
        118,
        102,
        16000,
    )
    assert sending(other, "ulaw") == agreed


def test_our_order_may_win() -> None:
    ours = OfferSettings("192.0.2.1", 10000, ("ulaw", "alaw"), prefer_ours=True)
    assert answered("desk-phone", ours)[1].codec == "ulaw"


def test_g722_only_if_allowed() -> None:
    ours = OfferSettings("192.0.2.1", 10000, ("g722", "ulaw"))
    agreed = answered("desk-phone", ours)[1]
    assert (agreed.codec, agreed.payload_type, agreed.event_payload_type) == ("g722", 9, 101)


def test_opus_is_offered_as_its_rfc_has_it() -> None:
    offer = make_offer(OfferSettings("192.0.2.1", 10000, ("opus", "g722"), telephone_event=False, session_id=9))
    assert bytes(offer).decode().splitlines()[5:-2] == [
        "m=audio 10000 RTP/AVP 107 9",
        "a=rtpmap:107 opus/48000/2",  # RFC 7587 7: always two channels
        "a=fmtp:107 useinbandfec=1",
        "a=rtpmap:9 G722/8000",
    ]


def test_opus_answers_with_the_number_of_the_offer() -> None:
    ours = OfferSettings("192.0.2.1", 10000, ("opus", "g722"))
    offer = make_offer(OfferSettings("192.0.2.9", 4000, ("opus", "ulaw")))
    renumbered = parse(bytes(offer).replace(b":107 ", b":111 ").replace(b"AVP 107", b"AVP 111"))
    answer, agreed = answer_offer(renumbered, ours)
    assert (agreed.codec, agreed.payload_type, agreed.receive) == ("opus", 111, {111: "opus"})
    assert read_answer(renumbered, answer).codec == "opus"
    assert agreed.receive_events == {agreed.event_payload_type: 48000}


@pytest.mark.parametrize("channels", ["", "/1", "/3"])
def test_opus_of_another_number_of_channels_is_none(channels: str) -> None:
    offer = bytes(make_offer(OfferSettings("192.0.2.9", 4000, ("opus",)))).replace(
        b"/48000/2", f"/48000{channels}".encode()
    )
    _, agreed = answer_offer(parse(offer), OfferSettings("192.0.2.1", 10000, ("opus",)))
    assert agreed.refusal is not None


def test_every_codec_has_a_number_and_a_rate_of_its_own() -> None:
    everything = OfferSettings("192.0.2.1", 10000, tuple(CODECS))
    answer, agreed = answer_offer(make_offer(everything), everything)
    assert set(agreed.receive.values()) == set(CODECS)
    assert len(answer.media[0].formats) == len(set(answer.media[0].formats))


def test_the_event_has_the_clock_of_the_codec() -> None:
    wide = OfferSettings("192.0.2.1", 10000, ("slin16",))
    agreed = answered("softphone-video", wide)[1]
    assert (agreed.codec, agreed.payload_type, agreed.event_payload_type) == ("slin16", 97, 120)
    narrow = answered("softphone-video")[1]
    assert (narrow.codec, narrow.event_payload_type) == ("ulaw", 121)
    both = answered("softphone-video", OfferSettings("192.0.2.1", 10000, ("ulaw", "slin16")))[1]
    assert both.receive_events == {120: 16000, 121: 8000}


def test_video_is_refused_in_its_place_and_rtcp_goes_where_asked() -> None:
    answer, agreed = answered("softphone-video")
    assert [(media.kind, media.port) for media in answer.media] == [("audio", 10000), ("video", 0)]
    assert (agreed.rtcp_address, agreed.rtcp_port) == ("198.51.100.8", 4001)


def test_no_digits_as_events_where_none_are_offered_or_wanted() -> None:
    assert answered("terse-gateway")[1].event_payload_type is None
    quiet = OfferSettings("192.0.2.1", 10000, ("ulaw",), telephone_event=False)
    answer, agreed = answered("desk-phone", quiet)
    assert agreed.event_payload_type is None
    assert answer.media[0].formats == ("0",)


def test_hold_in_the_old_way() -> None:
    answer, agreed = answered("old-hold")
    assert agreed.held
    assert agreed.direction is Direction.RECVONLY
    assert answer.media[0].attribute("recvonly") == ""


@pytest.mark.parametrize(
    ("theirs", "ours", "held"),
    [
        ("sendrecv", Direction.SENDRECV, False),
        ("sendonly", Direction.RECVONLY, True),
        ("recvonly", Direction.SENDONLY, False),
        ("inactive", Direction.INACTIVE, True),
    ],
)
def test_direction_is_seen_from_our_side(theirs: str, ours: Direction, held: bool) -> None:
    offer = parse(f"c=IN IP4 192.0.2.9\nm=audio 4000 RTP/AVP 0\na={theirs}\n".encode())
    answer, agreed = answer_offer(offer, OURS)
    assert (agreed.direction, agreed.held) == (ours, held)
    assert answer.direction_of(answer.media[0]) is ours


def test_ipv6_and_a_phone_that_takes_short_packets() -> None:
    answer, agreed = answer_offer(phone("ipv6"), OfferSettings("2001:db8::1", 10000, ("alaw",)))
    assert (agreed.address, agreed.port, agreed.ptime_ms, agreed.maxptime_ms) == ("2001:db8::15", 40000, 10, 10)
    assert b"c=IN IP6 2001:db8::1\r\n" in bytes(answer)


def test_ten_sections_and_only_the_first_usable_one_is_taken() -> None:
    answer, agreed = answered("ten-sections")
    assert [media.port for media in answer.media] == [0, 0, 0, 0, 0, 0, 10000, 0, 0, 0]
    assert [media.kind for media in answer.media] == [media.kind for media in phone("ten-sections").media]
    assert (agreed.index, agreed.port, agreed.codec, agreed.ptime_ms) == (6, 6012, "gsm", 30)


@pytest.mark.parametrize(
    ("name", "allowed", "reason"),
    [
        ("without-media", ("ulaw",), "no audio in the offer"),
        ("fax-only", ("ulaw",), "no audio in the offer"),
        ("desk-phone", ("gsm",), "no common codec"),
        ("browser", ("ulaw",), "encrypted media, which media_encryption does not allow"),
    ],
)
def test_refusals(name: str, allowed: tuple[str, ...], reason: str) -> None:
    answer, agreed = answered(name, OfferSettings("192.0.2.1", 10000, allowed))
    assert agreed.refusal is not None
    assert (agreed.refusal.status, agreed.refusal.reason) == (488, reason)
    assert all(media.port == 0 for media in answer.media)


def test_audio_without_an_address_is_refused() -> None:
    agreed = answer_offer(parse(b"m=audio 4000 RTP/AVP 0"), OURS)[1]
    assert agreed.refusal is not None and agreed.refusal.reason == "no connection address"


def test_we_call_and_the_phone_answers() -> None:
    offer = make_offer(OURS)
    answer = parse(b"c=IN IP4 192.0.2.9\nm=audio 4000 RTP/AVP 8 100\na=rtpmap:100 telephone-event/8000\na=ptime:30\n")
    agreed = read_answer(offer, answer)
    assert (agreed.codec, agreed.payload_type, agreed.receive) == ("alaw", 8, {8: "alaw"})
    assert (agreed.event_payload_type, agreed.receive_events) == (100, {101: 8000, 100: 8000})
    assert agreed.ptime_ms == 30


def test_a_phone_that_answers_with_its_own_dynamic_number() -> None:
    offer = make_offer(OfferSettings("192.0.2.1", 10000, ("slin16",)))
    agreed = read_answer(offer, parse(b"c=IN IP4 192.0.2.9\nm=audio 4000 RTP/AVP 99\na=rtpmap:99 L16/16000\n"))
    assert agreed.payload_type == 99
    assert agreed.receive == {118: "slin16", 99: "slin16"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"v=0", "no audio in the answer"),
        (b"c=IN IP4 1.1.1.1\nm=audio 0 RTP/AVP 0", "audio refused in the answer"),
        (b"m=audio 4 RTP/AVP 0", "no connection address"),
        (b"c=IN IP4 1.1.1.1\nm=audio 4 RTP/AVP 18", "no common codec"),
    ],
)
def test_answers_without_audio(answer: bytes, reason: str) -> None:
    refusal = read_answer(make_offer(OURS), parse(answer)).refusal
    assert refusal is not None and refusal.reason == reason


def test_rtcp_mux_needs_both() -> None:
    offer = parse(b"c=IN IP4 192.0.2.9\nm=audio 4000 RTP/AVP 0\na=rtcp-mux\n")
    assert not answer_offer(offer, OURS)[1].rtcp_mux
    answer, agreed = answer_offer(offer, OfferSettings("192.0.2.1", 10000, ("ulaw",), rtcp_mux=True))
    assert agreed.rtcp_mux and agreed.rtcp_port == 4000
    assert answer.media[0].attribute("rtcp-mux") == ""


def test_an_unchanged_offer_keeps_its_version_and_a_changed_one_raises_it() -> None:
    first = make_offer(OURS)
    assert make_offer(OURS, first) is first
    held = make_offer(OfferSettings("192.0.2.1", 10000, ("ulaw", "alaw", "gsm"), direction=Direction.SENDONLY), first)
    assert (held.origin.session_id, held.origin.version) == (77, 6)


def test_numbers_given_by_the_peer_stay_in_our_next_offer() -> None:
    answer, _ = answered("softphone-video", OfferSettings("192.0.2.1", 10000, ("slin16", "ulaw")))
    offer = make_offer(OfferSettings("192.0.2.1", 10000, ("slin16", "ulaw")), answer)
    assert offer.media[0].formats[0] == "97"
    assert [media.port for media in offer.media] == [10000, 0]
    assert "120" in offer.media[0].formats


def test_a_codec_of_no_table_is_named() -> None:
    with pytest.raises(UnknownCodec, match="unknown codec 'g729'"):
        make_offer(OfferSettings("192.0.2.1", 10000, ("g729",)))


CODEC_LISTS = st.lists(st.sampled_from(sorted(CODECS)), min_size=1, unique=True).map(tuple)


@settings(max_examples=100)
@given(CODEC_LISTS, CODEC_LISTS, st.sampled_from(list(Direction)), st.booleans())
def test_both_sides_agree(caller: tuple[str, ...], callee: tuple[str, ...], direction: Direction, digits: bool) -> None:
    offer = make_offer(OfferSettings("192.0.2.1", 10000, caller, direction=direction))
    answer, there = answer_offer(parse(bytes(offer)), OfferSettings("192.0.2.2", 20000, callee, telephone_event=digits))
    here = read_answer(offer, parse(bytes(answer)))
    if not set(caller) & set(callee):
        assert here.refusal is not None and there.refusal is not None
        return
    assert here.codec == there.codec
    assert here.receive[there.payload_type] == there.codec
    assert there.receive[here.payload_type] == here.codec
    assert here.direction is there.direction.reversed()
    assert (here.event_payload_type is not None) == digits
    assert here.event_payload_type is None or here.event_payload_type in there.receive_events


@settings(max_examples=100)
@given(
    st.lists(
        st.sampled_from(
            bytes(phone("ten-sections")).decode().splitlines()
            + bytes(phone("softphone-video")).decode().splitlines()
            + bytes(phone("browser")).decode().splitlines()
        )
    )
)
def test_shuffled_phones_never_break_us(lines: list[str]) -> None:
    offer = parse("\n".join(["v=0", *lines]).encode())
    answer, agreed = answer_offer(offer, OURS)
    assert len(answer.media) == len(offer.media)
    assert (agreed.refusal is None) == any(media.port for media in answer.media)
    parse(bytes(answer))


def test_opus_with_digits_of_another_clock() -> None:
    wide = OfferSettings("192.0.2.1", 10000, ("opus", "ulaw"))
    head = b"v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/AVP 107 110 126\r\na=rtpmap:107 opus/48000/2\r\n"
    old = head + b"a=rtpmap:126 telephone-event/8000\r\n"
    browser = old + b"a=rtpmap:110 telephone-event/48000\r\n"
    for offer, number, rate in ((old, 126, 8000), (browser, 110, 48000)):
        answer, agreed = answer_offer(parse(offer), wide)
        assert (agreed.codec, agreed.event_payload_type, agreed.event_rate_hz) == ("opus", number, rate)
        assert read_answer(parse(offer), answer).event_rate_hz == rate


def test_our_offer_has_digits_for_every_clock_and_those_that_every_phone_has() -> None:
    offer = make_offer(OfferSettings("192.0.2.1", 10000, ("opus",)))
    assert payload_table(offer.media[0]).events == {101: 48000, 96: 8000}


def test_rtcp_only_on_the_port_of_rtp_is_refused_where_it_may_not_be_there() -> None:
    offer = parse(b"v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\na=rtcp-mux-only\r\n")
    assert answer_offer(offer, OURS)[1].refusal is not None
    assert answer_offer(offer, OfferSettings("192.0.2.1", 10000, ("ulaw",), rtcp_mux=True))[1].rtcp_mux


def test_a_bundle_is_taken_apart() -> None:
    offer = parse(
        b"v=0\r\nc=IN IP4 192.0.2.9\r\na=group:BUNDLE 0 1\r\nm=audio 4000 RTP/AVP 0\r\na=mid:0\r\n"
        b"m=video 0 RTP/AVP 96\r\na=bundle-only\r\na=mid:1\r\n"
    )
    answer, agreed = answer_offer(offer, OURS)
    assert agreed.refusal is None
    assert answer.attribute("group") is None
    assert [section.port for section in answer.media] == [10000, 0]
