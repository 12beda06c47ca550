"""SRVQUERY, ENUMLOOKUP and the like: what steps find in a DNS of a few records."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.dialplan.errors import FunctionError
from arietta.server.dns_functions import dns_functions, rewritten
from arietta.sip.locating import Naptr, Question, Record, Srv

from .stage import Stage

ZONE: dict[Question, tuple[Record, ...]] = {
    Question("SRV", "_sip._udp.example.com"): (
        Srv(20, 0, 5060, "third.example.com"),
        Srv(10, 10, 5060, "second.example.com"),
        Srv(10, 90, 5060, "first.example.com"),
    ),
    Question("NAPTR", "4.3.2.1.0.4.4.e164.arpa"): (
        Naptr(100, 20, "u", "E2U+tel", "", "!^(.*)$!tel:\\1!"),
        Naptr(100, 10, "u", "E2U+sip", "", "!^\\+44(.*)$!sip:\\1@example.com!"),
        Naptr(100, 30, "u", "sip+E2U", "", "!^.*$!sip:info@example.com!"),
        Naptr(100, 40, "u", "E2U+sip", "", "!(!sip:broken@example.com!"),
        Naptr(100, 50, "u", "E2U+sip", "", "!^.*$!sip:\\7@example.com!"),
        Naptr(100, 60, "s", "SIP+D2U", "_sip._udp.example.com"),
    ),
    Question("NAPTR", "desk.private"): (Naptr(1, 1, "U", "E2U+SIP", "", "!^.*$!sip:desk@example.com!"),),
}


async def ask(question: Question) -> tuple[Record, ...]:
    return ZONE.get(question, ())


def found(text: str) -> str:
    """What a step makes of a text."""
    stage = Stage(f"[default]\nexten => s,1,Set(ID=${{SRVQUERY(_sip._udp.example.com)}})\nsame => n,Set(GOT={text})\n")
    for function in dns_functions(ask):
        stage.plan.functions.add(function)
    stage.run(stage.channel())
    return stage.variables("GOT")[-1]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${SRVRESULT(${ID},getnum)}", "3"),
        ("${SRVRESULT(${ID},1)} ${SRVRESULT(${ID},3)}", "first.example.com third.example.com"),
        ("${SRVRESULT(${ID},4)}", ""),
        ("${ENUMLOOKUP(+440 1234)}", "01234@example.com"),
        ("${ENUMLOOKUP(+4401234,sip,u)}", "sip:01234@example.com"),
        ("${ENUMLOOKUP(+4401234,sip,c)} ${ENUMLOOKUP(+4401234,ALL,c)}", "2 3"),
        ("${ENUMLOOKUP(+4401234,sip,,2)}", "info@example.com"),
        ("${ENUMLOOKUP(+4401234,tel,u)}", "tel:+4401234"),
        ("${ENUMLOOKUP(desk,sip,d,1,private)}", "desk@example.com"),
        ("${ENUMLOOKUP(+499)}", ""),
        ("${ENUMRESULT(${ENUMQUERY(+4401234)},getnum)} ${ENUMRESULT(0,2)}", "2 info@example.com"),
    ],
)
def test_what_is_found(text: str, value: str) -> None:
    assert found(text) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("${ENUMLOOKUP(desk)}", "number 'desk' has 0 digits, not 1..40"),
        ("${ENUMLOOKUP(+44,sip,i)}", "options 'i' are not supported, c, u and d are"),
        ("${SRVRESULT(7,1)}", "there is no query '7'"),
        ("${SRVRESULT(0,first)}", "number 'first' is not a whole number from 1"),
    ],
)
def test_what_cannot_be_is_nothing_and_a_warning(text: str, reason: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert found(text) == ""
    assert reason in caplog.text


def test_a_client_cannot_ask() -> None:
    stage = Stage("[default]\nexten => s,1,NoOp()\n")
    stage.loop.close()
    for function in dns_functions(ask):
        stage.plan.functions.add(function)
    with pytest.raises(FunctionError, match="takes its time"):
        stage.plan.functions.read(stage.plan, stage.channel(), "SRVQUERY", "_sip._udp.example.com")


@given(st.text(max_size=60), st.text("+0123456789", max_size=20))
def test_no_rule_of_a_stranger_does_more_than_name_an_address(rule: str, number: str) -> None:
    uri = rewritten(rule, number)
    assert uri.isascii()
    assert uri.isprintable()


@pytest.mark.parametrize(
    ("rule", "uri"),
    [
        ("!^.*$!sip:a@example.com!", "sip:a@example.com"),
        ("!^\\+4(.*)$!sip:\\1@example.com!", "sip:41@example.com"),
        ("!^.*$!sip:a@example.com\r\nEvil: yes!", ""),
        ("!^.*$!sip:a b@example.com!", ""),
        ("!^5!sip:a@example.com!", ""),
        ("!", ""),
        ("", ""),
    ],
)
def test_rules(rule: str, uri: str) -> None:
    assert rewritten(rule, "+441") == uri
