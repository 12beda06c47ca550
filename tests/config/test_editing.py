"""Changes to the text of .conf files: what is touched, what is not, and what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.config.conf import ConfigError, parse_conf
from arietta.config.editing import ConfText, EditError, save

WRITTEN = """; phones of the house
[general]
one = 1   ; the first
two => 2

[phone](!)
codec = alaw

[6001](phone)
secret = a\\;b
allow = alaw
allow = ulaw

[6002]
secret = c
"""

Change = Callable[[ConfText], None]


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        (lambda t: t.update("general", "one", "11", None), "one = 1   ; the first", "one = 11"),
        (lambda t: t.update("general", "two", "22", "2"), "two => 2", "two => 22"),
        (lambda t: t.update("6002", "secret", "d;e", None), "secret = c", "secret = d\\;e"),
        (lambda t: t.update("6001", "allow", "gsm", "ulaw"), "allow = ulaw", "allow = gsm"),
        (lambda t: t.delete("6001", "allow", "ulaw", None), "allow = ulaw\n", ""),
        (lambda t: t.delete("general", "", None, 1), "two => 2\n", ""),
        (lambda t: t.append("general", "three", ">3"), "two => 2\n", "two => 2\nthree => 3\n"),
        (lambda t: t.insert("general", "half", "0.5", 0), "one = 1", "half = 0.5\none = 1"),
        (lambda t: t.rename_section("phone", "handset"), "[phone](!)", "[handset](!)"),
        (lambda t: t.delete_section("6002"), "\n[6002]\nsecret = c\n", ""),
        (lambda t: t.new_section("6003", inherits="phone"), "secret = c\n", "secret = c\n\n[6003](phone)\n"),
    ],
)
def test_nothing_else_changes(change: Change, before: str, after: str) -> None:
    text = ConfText(WRITTEN)
    change(text)
    assert str(text) == WRITTEN.replace(before, after)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: t.update("none", "one", "1", None), "section [none] does not exist"),
        (lambda t: t.update("general", "one", "1", "5"), "section [general] has no one=5"),
        (lambda t: t.update("general", "#exec", "1", None), "section [general] has no #exec"),
        (lambda t: t.append("general", "#exec", "/bin/true"), "'#exec' cannot be the name of an option"),
        (lambda t: t.append("general", "[x", "1"), "'[x' cannot be the name of an option"),
        (lambda t: t.append("general", "a\nb", "1"), "cannot be the name of an option"),
        (lambda t: t.append("general", "a", "1\n#exec x"), "the value of a has an end of line in it"),
        (lambda t: t.new_section("a]\n[b"), "cannot be the name of a section"),
        (lambda t: t.new_section("6001"), "section [6001] is there already"),
        (lambda t: t.new_section("x", inherits="nobody"), "template [nobody] does not exist"),
        (lambda t: t.delete("general", "", None, 2), "section [general] has 2 options, there is none at 2"),
        (lambda t: t.insert("6001", "a", "b", 0), "section [6001] inherits options"),
        (lambda t: t.rename_section("6001", "a;b"), "cannot be the name of a section"),
    ],
)
def test_what_cannot_be_is_told(change: Change, reason: str) -> None:
    with pytest.raises(EditError) as told:
        change(ConfText(WRITTEN))
    assert reason in str(told.value)


@given(name=st.text(), value=st.text())
def test_a_value_adds_one_option_or_nothing(name: str, value: str) -> None:
    text = ConfText(WRITTEN)
    try:
        text.append("6002", name, value)
    except EditError:
        assert str(text) == WRITTEN
        return
    before, after = parse_conf(WRITTEN).sections, parse_conf(str(text)).sections
    assert [section.name for section in after] == [section.name for section in before]
    assert after[:-1] == before[:-1]
    (added,) = after[-1].options[1:]
    assert (added.name, added.value) == (name.strip(), value.removeprefix(">").strip())


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.conf"
    path.write_text(WRITTEN)
    path.chmod(0o600)
    with pytest.raises(ConfigError):
        save(path, "no section = 1\n", root=tmp_path)
    assert path.read_text() == WRITTEN
    save(path, "[general]\n", root=tmp_path)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("[general]\n", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_block_comments_are_left_to_people() -> None:
    with pytest.raises(EditError):
        ConfText("[a]\n;-- x = 1 --;\n")
