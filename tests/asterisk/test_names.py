"""The lists of Asterisk's names, and the reasons why something of them is not here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from arietta.asterisk import absent
from arietta.asterisk.absent import NOT_YET, why_absent
from arietta.asterisk.names import KINDS, OF_WORDS, names, nearest, options

DATA = Path(__file__).parents[2] / "src" / "arietta" / "data" / "asterisk"
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("kind", "least", "some"),
    [
        ("applications", 180, ("Dial", "Queue", "Zapateller")),
        ("functions", 190, ("ABS", "PJSIP_HEADER", "VOLUME")),
        ("agi", 47, ("get data", "stream file")),
        ("actions", 150, ("AbsoluteTimeout", "WaitEvent")),
        ("events", 180, ("AOC-D", "Newchannel", "Wink")),
        ("commands", 500, ("core show channels", "sip show peers")),
        ("files", 100, ("queues.conf", "pjsip.conf")),
    ],
)
def test_the_lists_are_whole(kind: str, least: int, some: tuple[str, ...]) -> None:
    assert len(names(kind)) >= least
    for name in some:
        assert names(kind)[name.lower()].text == name


@pytest.mark.parametrize("file", sorted(DATA.glob("*.txt")), ids=lambda file: file.stem)
def test_a_list_says_what_it_is_and_nothing_twice(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    assert re.fullmatch(r"# .* of Asterisk 20 to 22.*\.", lines[0]) or "Asterisk 20 to 22" in lines[0]
    groups = [line for line in lines if line.startswith("[")]
    assert len(set(groups)) == len(groups)
    if file.stem != "options":
        assert len(names(file.stem)) == sum(
            1 if file.stem in OF_WORDS else len(line.split()) for line in lines[1:] if not line.startswith("[")
        )


def test_options_are_by_section() -> None:
    assert "bindport" in options()["http.conf [general]"]
    assert "rtp_symmetric" in options()["pjsip.conf type=endpoint"]
    for section, texts in options().items():
        assert texts, section
        assert len(set(texts)) == len(texts), section
        assert section.partition(" ")[0] in names("files"), section


def test_a_reason_is_that_of_the_name_or_of_its_module() -> None:
    assert why_absent("applications", "voicemailmain").endswith("see examples/voicemail_review.py")
    assert why_absent("applications", "VMSayName").endswith(
        "examples/voicemail_record.py and examples/voicemail_review.py"
    )
    assert why_absent("functions", "AST_CONFIG") == NOT_YET
    assert why_absent("commands", "sip show peers") == why_absent("actions", "SIPpeers")
    assert why_absent("applications", "Frobnicate") == ""


def test_reasons_are_given_to_names_that_are_known() -> None:
    modules = {name.module for kind in KINDS for name in names(kind).values()}
    assert set(absent.MODULES) <= modules
    for kind, reasons in absent.REASONS.items():
        assert {name.lower() for name in reasons} <= set(names(kind)), kind
    assert set(absent.SECTIONS) <= set(options())


def test_the_examples_that_are_named_are_there() -> None:
    reasons = [*absent.MODULES.values(), *(reason for texts in absent.REASONS.values() for reason in texts.values())]
    found = {name for reason in reasons for name in re.findall(r"examples/([\w.]+)", reason)}
    assert "call_queue.py" in found
    assert all((EXAMPLES / name).is_file() for name in found)


@pytest.mark.parametrize(("written", "meant"), [("Playbak", "Playback"), ("gotoiff", "GotoIf"), ("Frobnicate", "")])
def test_the_nearest_name_is_what_was_meant(written: str, meant: str) -> None:
    assert nearest(written, names("applications")) == meant
    assert nearest("bindprot", ("enabled", "bindport")) == "bindport"
