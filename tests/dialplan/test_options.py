"""Letters of applications: how they are read, and what is wrong with them in a file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.config.conf import parse_conf
from arietta.config.features import read_features
from arietta.config.settings import Report
from arietta.dialplan.checking import problems_of, problems_of_features
from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.options import Option, Options
from arietta.dialplan.reader import read_dialplan

OPTIONS = Options(
    1,
    (
        Option("g", "goes on"),
        Option("S", "ends the call", "seconds"),
        Option("m", "plays music", "[class]"),
        Option("k", "parks", refused="there are no places to park"),
    ),
)


def test_letters_with_and_without_values() -> None:
    assert OPTIONS.read("Call", "gS(4)m") == {"g": "", "S": "4", "m": ""}
    assert OPTIONS.read("Call", "m(jazz) S(1)S(a(b)c)") == {"m": "jazz", "S": "a(b)c"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x", "Call: option x is not supported, supported are: g S(seconds) m[(class)]"),
        ("k", "Call: option k (parks) is not supported: there are no places to park"),
        ("S", "Call: option S needs a value in parentheses: S(seconds)"),
        ("g(1)", "Call: option g takes no value, '1' was given"),
        ("S(1", "Call: option S( is not closed"),
    ],
)
def test_letters_that_cannot_be_taken(text: str, problem: str) -> None:
    with pytest.raises(ApplicationError) as refused:
        OPTIONS.read("Call", text)
    assert str(refused.value) == problem


@given(st.text("gSmk()$ {}[]1,", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    list(OPTIONS.problems("Call", f"x,{text}"))
    try:
        OPTIONS.read("Call", text)
    except ApplicationError:
        pass


@pytest.mark.parametrize(
    ("step", "problems"),
    [
        ("Call(Test/a,gS(4))", []),
        ("Call(Test/a)", []),
        ("Call(Test/a,k)", ["Call: option k (parks) is not supported: there are no places to park"]),
        ("Call(Test/a,${OPTIONS}g)", []),
        ("Call(Test/a,S(${IF($[1 > 2]?3:4)})m(${CLASS}))", []),
        ("Call(Test/a,${OPTIONS}x)", ["Call: option x is not supported, supported are: g S(seconds) m[(class)]"]),
        ("Call(Test/${A},S(1)", ["Call: option S( is not closed"]),
    ],
)
def test_what_a_file_has(step: str, problems: list[str]) -> None:
    plan = read_dialplan(parse_conf(f"[default]\nexten => 1,1,NoOp()\nsame => n,{step}\n", "extensions.conf"))
    found = problems_of(plan, {"call": OPTIONS, "noop": None}, {"IF"})
    assert [problem.message for problem in found] == problems
    assert {problem.line for problem in found} <= {3}


def test_what_a_file_of_features_has() -> None:
    text = "[applicationmap]\ncall => #1,self,Call(x,gk)\ngone => #2,peer,Gone()\n"
    settings = read_features(parse_conf(text, "features.conf"), Report())
    found = problems_of_features(settings, {"call": OPTIONS})
    assert [(problem.line, problem.message.partition(":")[0]) for problem in found] == [(2, "call"), (3, "gone")]
    assert "option k (parks) is not supported" in found[0].message
    assert "application Gone is not there" in found[1].message
