"""Morsecode(): which letters sound how, and for how long."""

import pytest

from arietta.dialplan.applications.morse import CODE, morse
from arietta.media.tones import parse_tones

from .stage import Stage, leg_of


def played(step: str, **variables: str) -> tuple[list[str], float]:
    """What the caller was made to hear, and the seconds it took."""
    stage = Stage(f"[default]\nexten => s,1,{step}\n same => n,Hangup()\n")
    channel = stage.channel()
    for name, value in variables.items():
        channel.set_variable(name, value)
    ended: list[float] = []
    channel.on_end.append(lambda _: ended.append(stage.loop.time()))
    stage.run(channel)
    tones = [said.partition(" ")[2] for said in leg_of(channel).said if said.startswith("tones")]
    return tones, round(ended[0], 3)


def test_words_and_letters_are_apart() -> None:
    assert morse("a e") == [[(1, 1), (3, 7)], [(1, 7)]]
    assert morse("ET") == [[(1, 3)], [(3, 7)]]
    assert morse(" \u00fc ") == []
    # ITU-R M.1677-1: PARIS is fifty dots long, the pause between words included.
    assert sum(on + off for letter in morse("Paris") for on, off in letter) == 50


def test_every_code_is_one_letter_alone() -> None:
    assert len(set(CODE.values())) == len(CODE)
    assert all(set(code) <= {".", "-"} for code in CODE.values())


def test_a_text_sounds_letter_by_letter() -> None:
    tones, seconds = played("Morsecode(et)")
    assert tones == ["!800/80,!0/240,0", "!800/240,!0/560,0", "None"]
    assert seconds == pytest.approx((4 + 10) * 0.08)
    assert [segment.duration_ms for segment in parse_tones(tones[0]).segments] == [80, 240, 0]


def test_variables_set_speed_and_pitch_within_limits() -> None:
    tones, seconds = played("Morsecode(e)", MORSEDITLEN="50", MORSETONE="600", MORSESPACETONE="100")
    assert tones == ["!600/50,!100/350,100", "None"]
    assert seconds == pytest.approx(0.4)
    tones, _ = played("Morsecode(e)", MORSEDITLEN="1", MORSETONE="99999")
    assert tones == ["!4000/10,!0/70,0", "None"]


def test_a_hangup_ends_the_tone() -> None:
    stage = Stage("[default]\nexten => s,1,Morsecode(paris)\n")
    channel = stage.channel()
    stage.later(1.0, channel.request_hangup)
    said = stage.run(channel)
    assert said[-2:] == ["tones None", "hangup 16"]


@pytest.mark.parametrize(
    ("step", "variables"), [("Morsecode(e)", {"MORSETYPE": "AMERICAN"}), (f"Morsecode({'e' * 501})", {})]
)
def test_what_cannot_be_sent_ends_the_call(
    step: str, variables: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    tones, _ = played(step, **variables)
    assert tones == []
    assert "Morsecode(): " in caplog.text


def test_an_empty_text_is_silent_and_goes_on() -> None:
    assert played("Morsecode()") == (["None"], 0.0)
