"""`allow=ulaw:30`: codecs with the length of their packets."""

from __future__ import annotations

from pathlib import Path

import pytest

from arietta.config.tree import read


def allowed(folder: Path, lines: str) -> tuple[tuple[str, ...], list[str]]:
    (folder / "pjsip.conf").write_text(f"[a]\ntype=endpoint\n{lines}\n")
    config, problems = read(folder, None)
    endpoint = config.pjsip.endpoints.get("a") if config is not None else None
    return (endpoint.allow if endpoint is not None else ()), [one.message for one in problems if "allow" in one.message]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("allow=ulaw:30,alaw", ("ulaw:30", "alaw")),
        ("allow=ulaw:30\nallow=ulaw", ("ulaw",)),
        ("allow=ulaw:30,alaw\ndisallow=ulaw", ("alaw",)),
        ("allow=alaw:60\nallow=all", ("alaw:60", "ulaw", "gsm", "g722", "opus", "slin", "slin16")),
        ("allow=gsm:40,opus:20", ("gsm:40", "opus:20")),
    ],
)
def test_the_length_stays_with_its_codec(tmp_path: Path, lines: str, expected: tuple[str, ...]) -> None:
    assert allowed(tmp_path, lines) == (expected, [])


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        ("ulaw:15", "10..120"),
        ("ulaw:130", "10..120"),
        ("gsm:30", "20..120"),
        ("ulaw:x", "10..120"),
        ("opus:40", "20 ms"),
    ],
)
def test_a_length_that_cannot_be_is_refused(tmp_path: Path, entry: str, wrong: str) -> None:
    _, problems = allowed(tmp_path, f"allow={entry}")
    assert any(entry in problem and wrong in problem for problem in problems), problems
