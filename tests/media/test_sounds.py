"""Names of sounds to files, numbers to names, tones to samples."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.media.say import language_for, say_characters, say_digits, say_number
from arietta.media.sounds import SoundEntry, SoundFormat, SoundLibrary, SoundNameRefused, package_sounds
from arietta.media.tones import ToneSegment, parse_tones, render, zone_tones

from .virtual import loudness


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "en/hello.ulaw",
        "en/hello.gsm",
        "en/hello.sln16",
        "en/digits/1.wav",
        "en_GB/hello.gsm",
        "fr/hello.alaw",
        "fr/only.gsm",
        "plain.wav",
        "custom/own.ulaw",
    ):
        path = tmp_path / "sounds" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (tmp_path / "sounds" / "en" / "core-sounds-en.txt").write_text("; comment: no\nhello: Hello there.\n")
    (tmp_path / "secret.wav").write_bytes(b"")
    return tmp_path / "sounds"


@pytest.mark.parametrize(
    ("name", "language", "codec", "found"),
    [
        ("hello", "en", "ulaw", "en/hello.ulaw"),
        ("hello", "en", "gsm", "en/hello.gsm"),
        ("hello", "en", "slin16", "en/hello.sln16"),
        ("hello", "en_GB", "ulaw", "en_GB/hello.gsm"),
        ("hello", "en_US", "ulaw", "en/hello.ulaw"),
        ("hello", "fr_CA", "ulaw", "fr/hello.alaw"),
        ("hello", "de", "ulaw", "en/hello.ulaw"),
        ("hello", "", "alaw", "en/hello.ulaw"),
        ("hello", "../fr", "ulaw", "en/hello.ulaw"),
        ("digits/1", "fr", "ulaw", "en/digits/1.wav"),
        ("plain", "fr", "ulaw", "plain.wav"),
        ("plain.wav", "fr", "ulaw", "plain.wav"),
        ("custom/own", "en", "ulaw", "custom/own.ulaw"),
        ("only", "en", "ulaw", None),
        ("", "en", "ulaw", None),
    ],
)
def test_the_nearest_file_is_found(folder: Path, name: str, language: str, codec: str, found: str | None) -> None:
    expected = str(folder / found) if found is not None else None
    assert SoundLibrary([str(folder)]).find(name, language, codec) == expected


def test_the_first_directory_wins(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine" / "en").mkdir(parents=True)
    (tmp_path / "mine" / "en" / "hello.gsm").write_bytes(b"")
    library = SoundLibrary([str(tmp_path / "mine"), str(folder)])
    assert library.find("hello", "en", "ulaw") == str(tmp_path / "mine" / "en" / "hello.gsm")


@pytest.mark.parametrize("name", ["../secret", "en/../../secret", "/etc/passwd", "/../x", "a\0b"])
def test_names_that_lead_out_are_refused(folder: Path, name: str) -> None:
    with pytest.raises(SoundNameRefused):
        SoundLibrary([str(folder)]).find(name)


def test_absolute_names_inside_or_when_allowed(folder: Path) -> None:
    assert SoundLibrary([str(folder)]).find(f"{folder}/en/hello") == f"{folder}/en/hello.ulaw"
    outside = str(folder.parent / "secret")
    assert SoundLibrary([str(folder)], allow_absolute=True).find(outside) == f"{outside}.wav"


def test_a_link_that_leads_out_does_not_make_an_absolute_name_inside(folder: Path) -> None:
    (folder / "way").symlink_to(folder.parent)
    with pytest.raises(SoundNameRefused):
        SoundLibrary([str(folder)]).find(f"{folder}/way/secret")


@given(st.text(max_size=20), st.text(max_size=8))
@settings(max_examples=80, deadline=None)
def test_any_name_is_found_or_not_or_refused(name: str, language: str) -> None:
    try:
        SoundLibrary([package_sounds()]).find(name, language)
    except SoundNameRefused:
        pass


def test_the_index_names_every_sound_once(folder: Path) -> None:
    library = SoundLibrary([str(folder)])
    index = library.index()
    assert [entry.id for entry in index] == ["custom/own", "digits/1", "hello", "only", "plain"]
    assert library.entry("hello") == SoundEntry(
        "hello",
        "Hello there.",
        (
            SoundFormat("en", "gsm"),
            SoundFormat("en", "sln16"),
            SoundFormat("en", "ulaw"),
            SoundFormat("en_GB", "gsm"),
            SoundFormat("fr", "alaw"),
        ),
    )
    assert [entry.id for entry in library.index(language="fr")] == ["hello", "only"]
    assert [entry.id for entry in library.index(format="wav")] == ["digits/1", "plain"]
    assert library.entry("none") is None


def test_the_package_brings_its_own_sounds() -> None:
    assert SoundLibrary([package_sounds()]).find("hello-world", "en") is not None


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0"),
        (7, "7"),
        (20, "20"),
        (42, "40 2"),
        (100, "1 hundred"),
        (815, "8 hundred 15"),
        (1_215, "1 thousand 2 hundred 15"),
        (2_000_001, "2 million 1"),
        (3_000_000_000, "3 billion"),
        (-5, "minus 5"),
    ],
)
def test_numbers_are_said(number: int, words: str) -> None:
    assert say_number(number) == [f"digits/{word}" for word in words.split()]


def test_a_number_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="1000000000000"):
        say_number(10**12)


@given(st.integers(-(10**12) + 1, 10**12 - 1), st.text(max_size=10))
@settings(max_examples=120, deadline=None)
def test_all_that_is_said_has_a_sound(number: int, text: str) -> None:
    library = SoundLibrary([package_sounds()])
    said = say_number(number) + say_digits(text) + say_characters(text)
    if "!" not in text:
        assert [name for name in said if library.find(name, "en") is None] == []


def test_digits_and_characters_are_said() -> None:
    assert say_digits("-10*#x") == [f"digits/{word}" for word in ("minus", "1", "0", "star", "pound")]
    assert say_characters("A1 @z") == ["letters/a", "digits/1", "letters/space", "letters/at", "letters/z"]


def test_a_language_without_grammar_says_so() -> None:
    assert language_for("en_GB") == ("en", None)
    used, sentence = language_for("pl")
    assert used == "en"
    assert "'pl'" in (sentence or "")


def test_cadences_are_read() -> None:
    assert parse_tones("!950/330,480+620/500,0/500,400*25").segments == (
        ToneSegment((950.0,), 0, 330, True),
        ToneSegment((480.0, 620.0), 0, 500),
        ToneSegment((), 0, 500),
        ToneSegment((400.0,), 25.0, 0),
    )
    assert parse_tones("M69/100").segments[0].frequencies == (440.0,)


@pytest.mark.parametrize(
    "text", ["", "abc", "350+440*20", "1/2/3", "1+2+3+4+5+6", "99999", "1..2", "400/999999", "M200"]
)
def test_a_broken_cadence_names_its_element(text: str) -> None:
    with pytest.raises(ValueError, match="tone"):
        parse_tones(text)


@given(st.text("0123456789+*!/,M.", max_size=12))
@settings(max_examples=150, deadline=None)
def test_any_text_is_a_cadence_or_an_error(text: str) -> None:
    try:
        tones = parse_tones(text)
    except ValueError:
        return
    if sum(segment.duration_ms for segment in tones.segments) < 3000:
        samples, repeat = render(tones, 8000)
        assert repeat is None or 0 <= repeat <= len(samples)


def test_what_is_once_is_not_in_the_repeat() -> None:
    samples, repeat = render(parse_tones("!950/300,400/200,0/100"), 8000)
    assert (len(samples), repeat) == (9600, 4800)
    assert loudness(samples[:4800], 950) > 4900
    assert render(parse_tones("!950/300,!0/100"), 8000)[1] is None


def test_a_modulated_tone_swings() -> None:
    samples, _ = render(parse_tones("400*20/1000"), 8000)
    assert loudness(samples, 400) > 4900
    assert loudness(samples, 380) > 2000
    assert loudness(samples, 420) > 2000


def test_zones_and_their_fallback() -> None:
    zones = {"us": {"busy": "480+620/500,0/500", "dial": "350+440"}, "de": {"busy": "425/480,0/480"}}
    assert zone_tones(zones, "busy", "de") == parse_tones("425/480,0/480")
    assert zone_tones(zones, "dial", "de") == parse_tones("350+440")
    assert zone_tones(zones, "1000/100", "de") == parse_tones("1000/100")
    assert zone_tones(zones, "nothing", "de") is None
