"""The .conf language, feature by feature, on files of data/language."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.config.conf import ConfFile, ConfigError, Option, parse_conf, read_conf

LANGUAGE = Path(__file__).parent / "data" / "language"


def language(name: str) -> ConfFile:
    return read_conf(LANGUAGE / name, root=LANGUAGE)


def pairs(options: tuple[Option, ...]) -> list[tuple[str, str]]:
    return [(option.name, option.value) for option in options]


def refusals(text: str, **how: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_conf(text, "x.conf", **how)  # type: ignore[arg-type]
    return [str(problem) for problem in caught.value.problems]


def test_sections_keep_order_values_and_repeated_names() -> None:
    general, endpoint, auth = language("sections.conf").sections
    assert pairs(general.options) == [
        ("name", "value"),
        ("spaced", "two words"),
        ("object", "made, of, parts"),
        ("empty", ""),
        ("url", "http://example.com/?a=b"),
    ]
    assert [option.arrow for option in general.options] == [False, False, True, False, False]
    assert (endpoint.name, endpoint.get("TYPE")) == ("6001", "endpoint")
    assert (auth.name, auth.get("type"), auth.where) == ("6001", "auth", "sections.conf line 10")
    assert general.options[1].where == "sections.conf line 3"


def test_comments_of_every_form_vanish() -> None:
    (general,) = language("comments.conf").sections
    assert pairs(general.options) == [
        ("first", "1"),
        ("semicolon", "a;b;c"),
        ("second", "2"),
        ("third", "3"),
        ("fourth", "4"),
        ("fifth", "ab"),
    ]
    assert general.options[4].line == 11, "block comments do not shift line numbers"


def test_templates_additions_and_inheritance() -> None:
    conf = language("templates.conf")
    assert [section.name for section in conf.active()] == ["alice", "bob", "twice", "twice", "copy"]
    alice, bob, auth, aor, copy = conf.active()
    assert pairs(alice.options) == [
        ("type", "endpoint"),
        ("context", "default"),
        ("allow", "ulaw"),
        ("callerid", "Alice"),
        ("mailbox", "1"),
    ]
    assert bob.get("context") == "own"
    assert [value for name, value in pairs(bob.options) if name == "context"] == ["default", "noisy", "own"]
    assert alice.options[1].where == "templates.conf line 3", "an inherited option keeps its own line"
    assert pairs(auth.options) == [("type", "auth")]
    assert pairs(aor.options) == [("type", "aor"), ("max_contacts", "2")]
    assert pairs(copy.options) == pairs(alice.options), "a section that is no template can be inherited too"


def test_append_grows_a_list_without_touching_the_template() -> None:
    conf = language("append.conf")
    base, more, base2 = conf.sections
    assert pairs(more.options) == [("allow", "ulaw,alaw,gsm"), ("fresh", "new")]
    assert pairs(base.options) == pairs(base2.options) == [("allow", "ulaw")]


def test_includes_with_globs_relative_to_the_including_file() -> None:
    conf = language("includes.conf")
    assert [section.name for section in conf.sections] == ["first", "opened-in-one", "two", "three"]
    first, opened, _, three = conf.sections
    assert pairs(first.options) == [("before", "1"), ("from_one", "yes")]
    assert pairs(opened.options) == [("x", "1"), ("after", "2")], "the section of the included file goes on"
    assert three.where == "conf.d/three-more.inc line 1"
    assert conf.files == (
        "includes.conf",
        "conf.d/one.conf",
        "conf.d/two.conf",
        "conf.d/twothree.conf",
        "conf.d/three-more.inc",
    )


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("[a\n", "x.conf line 1: section [a has no closing ]"),
        ("[]\n", "x.conf line 1: section [] has no name"),
        ("[a]b\n", "x.conf line 1: section [a] is followed by b, only (!), (+) or (TEMPLATE,...) may follow"),
        ("[a]\nnonsense\n", "x.conf line 2: nonsense is neither a [section] nor NAME = VALUE"),
        ("[a]\n = 3\n", "x.conf line 2: = 3 has no name before the ="),
        ("a = 1\n", "x.conf line 1: a stands before the first [section]"),
        ("[a](b)\n", "x.conf line 1: section [a] inherits from [b], which does not exist yet"),
        ("[a](+)\n", "x.conf line 1: section [a](+) adds to [a], which does not exist yet"),
        ("[a]\n;-- never\nclosed\n", "x.conf line 2: block comment ;-- is not closed by --;"),
        ("[a]\nb = c\0d\n", "x.conf line 2: contains a NUL character, which is no text"),
        ("#include nowhere.conf\n", "x.conf line 1: #include nowhere.conf does not exist"),
        ("#include\n", "x.conf line 1: #include names nothing"),
        (
            "#define A 1\n",
            "x.conf line 1: #define is not a directive, known are #include, #tryinclude and #exec",
        ),
        (
            "#exec date\n",
            "x.conf line 1: #exec date is refused, asterisk.conf [options] execincludes=yes permits it",
        ),
    ],
)
def test_what_is_refused_names_the_place(text: str, refusal: str) -> None:
    assert refusals(text) == [refusal]


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    assert len(refusals("x\n[a]\ny\n[b](none)\n")) == 3


def test_a_file_that_includes_itself_is_refused_with_the_chain(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text("[a]\n#include b.conf\n")
    (tmp_path / "b.conf").write_text("#include a.conf\n")
    with pytest.raises(ConfigError) as caught:
        read_conf(tmp_path / "a.conf", root=tmp_path)
    assert str(caught.value) == "b.conf line 1: includes itself: a.conf -> b.conf -> a.conf"


def test_the_depth_of_includes_is_bounded(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number}.conf").write_text(f"#include {number + 1}.conf\n")
    with pytest.raises(ConfigError) as caught:
        read_conf(tmp_path / "0.conf", root=tmp_path)
    assert str(caught.value) == "10.conf line 1: includes are nested deeper than 10: 11.conf"


def test_the_number_of_included_files_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "leaf.conf").write_text("")
    (tmp_path / "a.conf").write_text("#include leaf.conf\n" * 1001)
    with pytest.raises(ConfigError) as caught:
        read_conf(tmp_path / "a.conf", root=tmp_path)
    assert str(caught.value.problems[0]).startswith("a.conf line 1000: more than 1000 files are included")


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_bytes(b"[a]\nname = \xff\n")
    with pytest.raises(ConfigError, match=r"^a.conf line 2: byte 0xff is not UTF-8 text$"):
        read_conf(tmp_path / "a.conf", root=tmp_path)


def test_a_folder_or_nothing_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.conf").mkdir()
    with pytest.raises(ConfigError, match=r"^a.conf: is not a file$"):
        read_conf(tmp_path / "a.conf", root=tmp_path)
    with pytest.raises(ConfigError, match=r"^b.conf: does not exist$"):
        read_conf(tmp_path / "b.conf", root=tmp_path)


def test_exec_runs_only_when_it_is_permitted(tmp_path: Path) -> None:
    text = "[a]\n#exec \"printf 'b = %s\\n' made\"\n"
    (section,) = parse_conf(text, "x.conf", root=tmp_path, exec_includes=True).sections
    assert pairs(section.options) == [("b", "made")]
    assert refusals("[a]\n#exec exit 3\n", root=tmp_path, exec_includes=True) == [
        "x.conf line 2: #exec exit 3 ended with status 3"
    ]


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=20)
NAMES = WORDS.map(lambda text: text.strip(" []()=;#+<>\\\t").strip()).filter(
    lambda text: text and not any(sign in text for sign in "[]=;\\") and text[0] != "#" and text[-1] != "+"
)
VALUES = WORDS.map(str.strip).filter(lambda text: not text.startswith(">") and "\\" not in text)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(NAMES, st.lists(st.tuples(NAMES, VALUES, st.booleans()), max_size=5)), max_size=5))
def test_what_is_written_is_read_back(sections: list[tuple[str, list[tuple[str, str, bool]]]]) -> None:
    lines = []
    for name, options in sections:
        lines.append(f"[{name}]")
        for option, value, arrow in options:
            lines.append(f"{option} {'=>' if arrow else '='} {value}".replace(";", "\\;"))
    read = parse_conf("\n".join(lines)).sections
    assert [
        (section.name, [(option.name, option.value, option.arrow) for option in section.options]) for section in read
    ] == sections


PIECES = st.sampled_from(
    (
        *(
            "[a]",
            "[a](!)",
            "[b](a)",
            "[a](+)",
            "[",
            "]",
            "(",
            "x=1",
            "x+=2",
            "x=>3",
            "=",
            ";",
            ";--",
            "--;",
            "\\;",
            "#",
        ),
        *("\n", "#include x", "#tryinclude *", "#include [", "#exec", "\0", "\t", " ", "\ufeff", "ä"),
    )
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.lists(PIECES, max_size=30).map("".join), st.text(max_size=200)))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_conf(text, "x.conf", root=LANGUAGE / "conf.d")
    except ConfigError as refusal:
        assert refusal.problems
        assert all(problem.file and problem.severity == "error" for problem in refusal.problems)
