"""features.conf: keys, sounds and times, applications behind keys, and groups of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.config.conf import parse_conf
from arietta.config.features import ApplicationFeature, FeatureSettings, read_features
from arietta.config.settings import Report


def read(text: str) -> tuple[FeatureSettings, list[str]]:
    report = Report()
    settings = read_features(parse_conf(text, "features.conf"), report)
    return settings, [f"{problem.line} {problem.severity}: {problem.message}" for problem in report.problems]


def test_without_the_file() -> None:
    settings, problems = read("")
    assert (settings.map.blindxfer, settings.map.disconnect, settings.map.atxfer) == ("#", "*", "")
    assert (settings.general.featuredigittimeout, settings.general.pickupexten) == (1000, "*8")
    assert not problems


def test_keys_and_times() -> None:
    settings, problems = read(
        "[general]\nfeaturedigittimeout = 500\npickupexten =\n"
        "[featuremap]\nblindxfer => ##\natxfer => *2\ndisconnect =>\n"
    )
    assert (settings.general.featuredigittimeout, settings.general.pickupexten) == (500, "")
    assert (settings.map.blindxfer, settings.map.atxfer, settings.map.disconnect) == ("##", "*2", "")
    assert not problems


@pytest.mark.parametrize(
    ("value", "feature"),
    [
        ("#1,self,Playback(a,b)", ApplicationFeature("x", "#1", False, "Playback", "a,b")),
        ("#1,peer,Playback(a),jazz", ApplicationFeature("x", "#1", True, "Playback", "a", "jazz")),
        ("#1,peer,Playback,a", ApplicationFeature("x", "#1", True, "Playback", "a")),
        ('#1,self,Set,"A=1,B",jazz', ApplicationFeature("x", "#1", False, "Set", "A=1,B", "jazz")),
        ("#1,self,Hangup", ApplicationFeature("x", "#1", False, "Hangup")),
        ("a1 , self , Gosub(s,1(${A}))", ApplicationFeature("x", "A1", False, "Gosub", "s,1(${A})")),
    ],
)
def test_an_application_behind_keys(value: str, feature: ApplicationFeature) -> None:
    settings, problems = read(f"[applicationmap]\nx => {value}\n")
    assert settings.applications == {"x": feature}
    assert not problems


def test_groups_have_keys_of_their_own() -> None:
    settings, problems = read("[applicationmap]\na => #1,self,NoOp\nb => #2,self,NoOp\n[both]\na => #9\nb =>\n")
    assert [feature.keys for feature in settings.named("both")] == ["#9", "#2"]
    assert [feature.keys for feature in settings.named("a")] == ["#1"]
    assert settings.named("nobody") == ()
    assert not problems


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[featuremap]\natxfer=x1\n", "2 error: atxfer x1 is not up to 11 of the keys 0-9 * # A-D"),
        ("[featuremap]\nparkcall=#72\n", "2 warning: parkcall has no effect in this version"),
        ("[general]\nfeaturedigittimeout=0\n", "2 error: featuredigittimeout 0 is outside 1..60000"),
        ("[applicationmap]\nx=,self,NoOp\n", "2 error: x: '' is not 1 to 11 of the keys 0-9 * # A-D"),
        ("[applicationmap]\nx=1,me,NoOp\n", "2 error: x: 'me' is neither self nor peer"),
        ("[applicationmap]\nx=1,self\n", "2 error: x names no application"),
        (
            "[applicationmap]\nx=1,self/both,NoOp\n",
            "2 warning: x: /both has no effect: who has it in DYNAMIC_FEATURES may use it",
        ),
        ("[some]\nx=1\n", "2 error: [some] x is no feature of [applicationmap]"),
    ],
)
def test_what_is_wrong(text: str, problem: str) -> None:
    _, problems = read(text)
    assert [one.replace(" milliseconds", "") for one in problems] == [problem]


@given(st.text("0123*#,/selfpr()\"' ;Ax$", max_size=40))
def test_any_application_is_read_or_refused(value: str) -> None:
    settings, problems = read(f"[applicationmap]\nx = {value}\n")
    assert settings.applications or problems
