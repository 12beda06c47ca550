"""extensions.conf: what is read, and what is refused with its file and line."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.config.conf import ConfigError, parse_conf
from arietta.dialplan.matcher import Dialplan
from arietta.dialplan.reader import read_dialplan


def plan(text: str) -> Dialplan:
    return read_dialplan(parse_conf(text, "extensions.conf"))


def steps(text: str, exten: str = "s") -> list[str]:
    entry = next(plan("[c]\n" + text).matching("c", exten))
    return [
        f"{step.priority}{step.label and f'({step.label})'} {step.application}({step.written})"
        for step in entry.steps.values()
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "exten => s,1,NoOp()\nsame => n,Answer()\nsame => n(here),Hangup(17)",
            ["1 NoOp()", "2 Answer()", "3(here) Hangup(17)"],
        ),
        ("exten => s,1,NoOp\nexten => s,n,Wait,2", ["1 NoOp()", "2 Wait(2)"]),
        (
            "exten => s,5,NoOp()\nsame => n+10,NoOp(a)\nsame => s+2(x),NoOp(b)",
            ["5 NoOp()", "16 NoOp(a)", "18(x) NoOp(b)"],
        ),
        ("exten => s,1(a),Set(X=(1,2))\nsame => n(b)+4,Goto(s,1)", ["1(a) Set(X=(1,2))", "6(b) Goto(s,1)"]),
        ("exten = s,1,Verbose(2, a \\; b)", ["1 Verbose(2, a ; b)"]),
        ("exten => s,1,Dial(PJSIP/a&PJSIP/b,20,m(jazz)g)", ["1 Dial(PJSIP/a&PJSIP/b,20,m(jazz)g)"]),
        ("exten => s,1,NoOp(${IF($[1=1]?a:b)})", ["1 NoOp(${IF($[1=1]?a:b)})"]),
    ],
)
def test_steps(text: str, expected: list[str]) -> None:
    assert steps(text) == expected


def test_globals_may_use_earlier_ones_and_name_extensions() -> None:
    read = plan("[globals]\nA=10\nB=${A}0\n[c]\nexten => ${B},1,NoOp()\n")
    assert read.globals == {"A": "10", "B": "100"}
    assert read.exists("c", "100")


def test_general_settings() -> None:
    read = plan("[general]\nstatic=no\nwriteprotect=yes\nautofallthrough=no\nclearglobalvars=yes\n")
    general = read.general
    assert (general.static, general.writeprotect, general.autofallthrough, general.clearglobalvars) == (
        False,
        True,
        False,
        True,
    )


def test_sections_of_one_name_are_one_context() -> None:
    read = plan("[c]\nexten => 1,1,NoOp()\n[d]\n[c]\nexten => 2,1,NoOp()\n")
    assert read.exists("c", "1") and read.exists("c", "2")


def test_hints_includes_and_ignored_numbers() -> None:
    read = plan("[c]\ninclude => d\nignorepat => 9\nignorepat => _8X\n[d]\nexten => 100,hint,PJSIP/100&PJSIP/101\n")
    assert read.hint("c", "100") == "PJSIP/100&PJSIP/101"
    assert read.hint("c", "101") is None
    assert read.ignores("c", "9") and read.ignores("c", "85") and not read.ignores("c", "7")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("exten => s", "exten => s has no priority"),
        ("exten => s,1", "priority 1 of s has no application"),
        ("exten => ,1,NoOp()", "has no extension"),
        ("exten => s,x,NoOp()", "priority 'x' is not a number, n, s or hint"),
        ("exten => s,0,NoOp()", "priority 0 is outside 1..1000000000"),
        ("exten => s,n,NoOp()", "there is no priority before it"),
        ("exten => s,1(a,NoOp()", "( without )"),
        ("exten => s,1+x,NoOp()", "x after + is not a number"),
        ("exten => s,1,(x)", "is not the name of an application"),
        ("exten => s,1,No Op()", "'No Op' is not the name of an application"),
        ("exten => _[1,1,NoOp()", "has no priority"),
        ("exten => _X.1,1,NoOp()", ". is not at the end"),
        ("exten => _[9-1],1,NoOp()", "range 9-1 is backwards"),
        ("exten => _,1,NoOp()", "pattern _ is empty"),
        ("same => n,NoOp()", "same => has no exten => before it"),
        ("switch => IAX2/x", "switch => IAX2/x is not supported"),
        ("include => d,25:00,*,*,*", "time of day '25:00' is not HH:MM"),
        ("include =>", "include => names no context"),
        ("exten => " + "9" * 80 + ",1,NoOp()", "80 characters, more than 79"),
        ("exten => s,1,NoOp(" + "${" * 40 + "X" + "}" * 40 + ")", "nested deeper than 30"),
    ],
)
def test_a_bad_line_refuses_the_file_with_its_place(line: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plan(f"[c]\n\n{line}\n")
    assert [(problem.file, problem.line) for problem in caught.value.problems] == [("extensions.conf", 3)]
    assert message in caught.value.problems[0].message


def test_every_bad_line_is_reported() -> None:
    with pytest.raises(ConfigError) as caught:
        plan("[c]\nexten => s\nexten => s,1,NoOp()\nswitch => x\n")
    assert [problem.line for problem in caught.value.problems] == [2, 4]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[c]\nexten => s,1,NoOp(a)\nexten => s,1,NoOp(b)\n",
            "priority 1 is there already, from extensions.conf line 2",
        ),
        ("[c]\nexten => s,1,NoOp(a\n", "no closing parenthesis"),
        ("[c]\nexten => s,1,NoOp(a) b\n", "'b' after NoOp() is ignored"),
        ("[c]\nexten => s,1,NoOp(${a)\n", "has no closing }"),
        ("[c]\ninclude => nowhere\n", "includes [nowhere], which does not exist"),
        ("[c]\nfoo = bar\n", "option foo is unknown"),
    ],
)
def test_odd_lines_are_warnings(text: str, message: str) -> None:
    warnings = plan(text).warnings
    assert len(warnings) == 1
    assert message in warnings[0].message


def test_the_first_of_two_equal_priorities_counts() -> None:
    read = plan("[c]\nexten => s,1,NoOp(a)\nexten => s,1,NoOp(b)\n")
    step = read.find("c", "s", 1)
    assert step is not None and step.arguments == "a"
    assert step.where == "extensions.conf line 2"


WORDS = st.sampled_from(
    [
        "exten",
        "same",
        "include",
        " => ",
        "s",
        "_X",
        "[1-",
        "]",
        ",",
        "1",
        "n",
        "n+",
        "(",
        ")",
        "hint",
        "NoOp",
        "${",
        "}",
        "/",
        "$[",
    ]
)


@settings(max_examples=200)
@given(st.lists(st.lists(WORDS, max_size=10).map("".join), max_size=4))
def test_any_lines_are_read_or_refused(lines: list[str]) -> None:
    try:
        read = plan("[c]\n" + "\n".join(lines))
    except ConfigError as refusal:
        assert refusal.problems
    else:
        assert isinstance(read, Dialplan)
