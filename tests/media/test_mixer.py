"""Phones that hear each other: relayed, in pairs, mixed, holding."""

from __future__ import annotations

import itertools
from array import array

import pytest

from arietta.media.codecs import CODECS
from arietta.media.engine import (
    DigitBegan,
    DigitEnded,
    DigitOut,
    EngineSettings,
    MediaError,
    MixerMode,
    RecordEnd,
    Samples,
    Side,
)
from arietta.media.tones import parse_tones

from .virtual import World, loudness, tone

TONES = (400.0, 700.0, 1100.0)


@pytest.mark.parametrize("codecs", [("ulaw", "ulaw", "ulaw"), ("ulaw", "alaw", "slin16"), ("gsm", "ulaw", "alaw")])
def test_each_of_three_hears_the_other_two_and_not_itself(world: World, codecs: tuple[str, ...]) -> None:
    mixer = world.core.open_mixer()
    phones = [world.phone(codec) for codec in codecs]
    for phone in phones:
        phone.port.link(mixer)
    assert mixer.mode is MixerMode.MIX
    for phone, frequency in zip(phones, TONES, strict=True):
        phone.say(tone(frequency, 1200, rate=CODECS[phone.codec].rate))
    world.run(1200)
    for phone, own in zip(phones, TONES, strict=True):
        rate = CODECS[phone.codec].rate
        heard = phone.heard()[rate : 2 * rate]
        for frequency in TONES:
            strength = loudness(heard, frequency, rate=rate)
            if frequency == own:
                assert strength < 400
            else:
                assert 6000 < strength < 9500


def test_two_phones_of_one_codec_are_relayed_on_arrival_to_the_byte(world: World) -> None:
    mixer = world.core.open_mixer()
    one, other = world.phone(), world.phone()
    one.port.link(mixer)
    assert mixer.mode is MixerMode.PAIR
    other.port.link(mixer)
    assert mixer.mode is MixerMode.RELAY
    payloads = [bytes([n]) * 160 for n in range(20)]
    for n, payload in enumerate(payloads):
        world.at(20 * n, lambda payload=payload: one.send(payload))
    world.run(400)
    packets = other.collect()
    assert [packet.payload for packet in packets] == payloads
    assert packets[0].ssrc == other.port.ssrc
    assert packets[0].marker
    assert {(b.timestamp - a.timestamp) % 2**32 for a, b in itertools.pairwise(packets)} == {160}
    assert world.core.ticks == 0


def test_loss_and_disorder_pass_through_a_relay_as_they_are(world: World) -> None:
    one, other = world.phone(), world.phone()
    one.port.link(other.port)
    start = one.sequence
    for n in (0, 1, 3, 2, 5):
        one.sequence = (start + n) & 0xFFFF
        one.send(bytes([n]) * 160)
    packets = other.collect()
    first = packets[0].sequence
    assert [(packet.sequence - first) % 2**16 for packet in packets] == [0, 1, 3, 2, 5]


def test_playing_to_a_relayed_phone_silences_its_peer_for_it_and_falls_back(world: World) -> None:
    mixer = world.core.open_mixer()
    one, other = world.phone(), world.phone()
    one.port.link(mixer)
    other.port.link(mixer)
    one.say(tone(700, 2000))
    world.run(200)
    other.collect()
    player = other.port.play(Samples(tone(400, 2000)), on_end=lambda end: None)
    world.run(400)
    during = other.heard()
    assert loudness(during, 400) > 7000
    assert loudness(during, 700) < 200
    player.stop()
    world.run(400)
    after = other.heard()
    assert loudness(after[1600:], 700) > 7000
    sequences = [packet.sequence for packet in other.received]
    assert {(b - a) % 2**16 for a, b in itertools.pairwise(sequences)} == {1}


def test_the_mode_follows_who_is_there_and_who_listens(world: World, tmp_path: object) -> None:
    mixer = world.core.open_mixer()
    phones = [world.phone() for _ in range(3)]
    modes = []
    for phone in phones:
        phone.port.link(mixer)
        modes.append(mixer.mode)
    phones[2].port.link(None)
    modes.append(mixer.mode)
    snoop = world.core.open_snoop(phones[0].port, spy=Side.BOTH, whisper=Side.NONE, on_event=lambda e: None)
    modes.append(mixer.mode)
    snoop.close()
    modes.append(mixer.mode)
    phones[0].port.detect_talk(256)
    modes.append(mixer.mode)
    phones[0].port.detect_talk(None)
    phones[1].port.mute(incoming=True)
    modes.append(mixer.mode)
    phones[1].port.mute(incoming=False)
    announcer = mixer.port()
    modes.append(mixer.mode)
    announcer.play(Samples(tone(400, 100)), on_end=lambda end: None)
    modes.append(mixer.mode)
    world.run(300)
    modes.append(mixer.mode)
    phones[1].port.close()
    modes.append(mixer.mode)
    relay, pair, mix = MixerMode.RELAY, MixerMode.PAIR, MixerMode.MIX
    assert modes == [pair, relay, mix, relay, pair, relay, pair, pair, relay, mix, relay, pair]


def test_a_codec_that_was_not_the_agreed_first_one_ends_the_relay(world: World) -> None:
    mixer = world.core.open_mixer()
    one = world.phone(receive={0: "ulaw", 8: "alaw"})
    other = world.phone()
    one.port.link(mixer)
    other.port.link(mixer)
    payload = CODECS["alaw"].encoder()(tone(500, 20))
    for n in range(30):
        world.at(20 * n, lambda: one.send(payload, number=8))
    world.run(700)
    assert mixer.mode is MixerMode.PAIR
    assert loudness(other.heard()[3200:], 500) > 7000


def test_a_loud_mix_saturates_and_does_not_wrap(world: World) -> None:
    mixer = world.core.open_mixer()
    phones = [world.phone() for _ in range(6)]
    for phone in phones:
        phone.port.link(mixer)
    for phone in phones[1:]:
        phone.say(tone(250, 600, level=30000))
    world.run(600)
    heard = array("h", phones[0].heard()[3200:6400])
    reference = array("h", tone(250, 200, level=30000))
    strongest = max(range(32), key=lambda n: sum(a * b for a, b in zip(heard[n:320], reference, strict=False)))
    wrong = sum(1 for a, b in zip(heard[strongest:], reference, strict=False) if abs(b) > 6000 and (a > 0) != (b > 0))
    assert wrong == 0
    assert max(heard) > 32000


def test_only_the_loudest_are_mixed_where_that_is_set(each_engine: str) -> None:
    world = World(EngineSettings(mix_loudest=2))
    mixer = world.core.open_mixer()
    phones = [world.phone() for _ in range(5)]
    for phone in phones:
        phone.port.link(mixer)
    spoken = ((phones[1], 400, 9000), (phones[2], 700, 2000), (phones[3], 1100, 6000))
    for phone, frequency, level in spoken:
        phone.say(tone(frequency, 600, level=level))
    world.run(600)
    for phone in phones:
        heard = phone.heard()[1600:6400]
        for speaker, frequency, level in spoken:
            strength = loudness(heard, frequency)
            if phone is speaker or level == 2000:
                assert strength < 300
            else:
                assert abs(strength - level) < level / 8
    world.core.close()


def test_who_was_heard_stays_heard_until_another_is_twice_as_loud(each_engine: str) -> None:
    world = World(EngineSettings(mix_loudest=1))
    mixer = world.core.open_mixer()
    phones = [world.phone() for _ in range(4)]
    for phone in phones:
        phone.port.link(mixer)
    phones[1].say(tone(400, 2000, level=5000))
    phones[2].say(tone(700, 800, level=2000))
    phones[2].say(tone(700, 1200, level=6000), after_ms=800)  # 1.44 times the energy
    phones[3].say(tone(1100, 400, level=8000), after_ms=1600)  # 2.56 times
    world.run(1600)
    before = phones[0].heard()
    world.run(300)
    after = phones[0].heard()[1600:]
    assert loudness(before[6400:], 400) > 4500
    assert loudness(before[6400:], 700) < 300
    assert loudness(after, 1100) > 7000
    assert loudness(after, 400) < 300
    world.core.close()


def test_silent_members_share_one_encoding(world: World) -> None:
    mixer = world.core.open_mixer()
    phones = [world.phone() for _ in range(5)]
    for phone in phones:
        phone.port.link(mixer)
    for phone in phones[:2]:
        phone.say(tone(500, 400))
    world.run(400)
    heard = [[packet.payload for packet in phone.collect()] for phone in phones]
    assert heard[2] == heard[3] == heard[4]
    assert any(a is b for a, b in zip(heard[2], heard[2], strict=True))
    assert len(heard[2]) >= 17


def test_nobody_talks_and_nothing_is_sent(world: World) -> None:
    mixer = world.core.open_mixer()
    phones = [world.phone() for _ in range(3)]
    for phone in phones:
        phone.port.link(mixer)
    world.run(1000)
    assert [phone.collect() for phone in phones] == [[], [], []]
    assert world.core.ticks == 0


def test_a_muted_member_hears_and_is_not_heard(world: World) -> None:
    mixer = world.core.open_mixer()
    one, other, third = world.phone(), world.phone(), world.phone()
    one.port.link(mixer, muted=True)
    other.port.link(mixer)
    third.port.link(mixer)
    one.say(tone(400, 600))
    other.say(tone(700, 600))
    world.run(600)
    heard = third.heard()[3200:]
    assert loudness(heard, 400) < 200 < 6000 < loudness(heard, 700)
    assert loudness(one.heard()[3200:], 700) > 6000


def test_in_a_holding_mixer_all_hear_the_music_and_none_is_heard(world: World) -> None:
    mixer = world.core.open_mixer(holding=True)
    one, other, announcer = world.phone(), world.phone(), world.phone()
    one.port.link(mixer)
    other.port.link(mixer)
    announcer.port.link(mixer, announcer=True)
    assert mixer.mode is MixerMode.HOLDING
    one.say(tone(700, 500))
    world.run(500)
    assert other.collect() == []
    mixer.generate(parse_tones("400"))
    world.run(400)
    assert loudness(one.heard(), 400) > 4500
    assert loudness(other.heard(), 400) > 4500
    announcer.say(tone(1000, 500))
    world.run(500)
    assert loudness(one.heard()[3200:6400], 1000) > 7000


def test_an_announcement_is_heard_by_all_over_what_they_say(world: World) -> None:
    mixer = world.core.open_mixer()
    one, other = world.phone(), world.phone()
    one.port.link(mixer)
    other.port.link(mixer)
    announcer = mixer.port()
    announcer.play(Samples(tone(400, 800)), on_end=lambda end: None)
    one.say(tone(700, 800))
    world.run(700)
    heard = other.heard()[3200:]
    assert loudness(heard, 400) > 6500
    assert loudness(heard, 700) > 6500
    assert loudness(one.heard()[3200:], 700) < 400
    announcer.close()


def test_a_mixers_own_port_records_the_mix(world: World, tmp_path: object) -> None:
    mixer = world.core.open_mixer()
    one, other = world.phone(), world.phone()
    one.port.link(mixer)
    other.port.link(mixer)
    ends: list[RecordEnd] = []
    recorder = mixer.port().record(f"{tmp_path}/mix", "sln", on_end=ends.append)
    one.say(tone(400, 800))
    other.say(tone(700, 800))
    world.run(1000)
    recorder.stop()
    world.run(0)
    with open(f"{tmp_path}/mix.sln", "rb") as file:
        heard = file.read()
    assert ends[0].duration_ms == 1000 == len(heard) // 16
    assert loudness(heard[4800:12000], 400) > 6500
    assert loudness(heard[4800:12000], 700) > 6500


def test_digits_go_to_the_others(world: World) -> None:
    mixer = world.core.open_mixer()
    here, there = world.core.open_pipe(lambda e: None, lambda e: None)
    phone = world.phone()
    deaf = world.phone()
    for port in (phone.port, here, deaf.port):
        port.link(mixer)
    there.send_digits([DigitOut("4", 120)])
    world.run(500)
    events = [packet for packet in phone.collect() if packet.payload_type == 101]
    assert {packet.payload[0] for packet in events} == {4}
    assert len({packet.timestamp for packet in events}) == 1
    assert sum(packet.payload[1] > 127 for packet in events) == 3
    assert events[-1].payload[2:] == (960).to_bytes(2, "big")
    here.pass_digits(False)
    there.send_digits([DigitOut("5", 120)])
    world.run(500)
    assert phone.collect() == []


def test_leaving_a_pair_of_linked_ports_leaves_both_alone(world: World) -> None:
    one, other = world.phone(), world.phone()
    one.port.link(other.port)
    assert world.core.stats().mixers == 1
    one.port.link(None)
    assert world.core.stats().mixers == 0
    one.send(b"x" * 160)
    world.run(200)
    assert other.collect() == []


def test_what_was_said_before_is_not_heard_after_a_new_link(world: World) -> None:
    one, third = world.phone(), world.phone("alaw")
    one.port.link(third.port)
    for n in range(20):
        one.send(bytes([n]) * 160)
    one.port.link(None)
    world.run(5000)
    one.port.link(third.port)
    world.run(200)
    assert third.collect() == []


def test_a_closed_mixer_takes_no_members(world: World) -> None:
    mixer = world.core.open_mixer()
    phone = world.phone()
    phone.port.link(mixer)
    mixer.close()
    with pytest.raises(MediaError, match="closed"):
        phone.port.link(mixer)


def test_events_of_digits_reach_the_owner_too(world: World) -> None:
    heard: list[object] = []
    here, there = world.core.open_pipe(heard.append, lambda e: None)
    there.send_digits([DigitOut("1", 60), DigitOut("x"), DigitOut("#", 80, 0)])
    world.run(600)
    assert heard == [DigitBegan("1"), DigitEnded("1", 60), DigitBegan("#"), DigitEnded("#", 80)]
    here.close()
