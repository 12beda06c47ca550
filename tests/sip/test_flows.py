"""Registrations of flows (RFC 5626 6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.sip.flows import Flow, flow_of
from arietta.sip.message import Request
from arietta.sip.registrar import Rules, Update, register
from arietta.sip.uri import NameAddr

RULES = Rules(max_contacts=5, support_path=True)
INSTANCE = "<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>"


def contact(host: str = "192.0.2.1", reg_id: str = "1", more: str = "", instance: str = INSTANCE) -> str:
    return f'<sip:a@{host};transport=tcp;ob>;reg-id={reg_id};+sip.instance="{instance}"{more}'


def request(contact: str, *, cseq: int = 1, vias: int = 1, call_id: str = "c", **fields: str) -> Request:
    message = Request("REGISTER", "sip:example.com", [
        ("From", "<sip:a@b>;tag=1"), ("To", "<sip:a@b>"), ("Call-ID", call_id), ("CSeq", f"{cseq} REGISTER"),
        ("Contact", contact), *((name.replace("_", "-"), value) for name, value in fields.items()),
    ])  # fmt: skip
    for number in range(vias):
        message.add("Via", f"SIP/2.0/TCP h{number};branch=z9hG4bK{number}")
    return message


def registered(update: Update) -> list[tuple[str, int]]:
    return [(b.uri_text.partition("@")[2].partition(";")[0], b.flow.reg_id if b.flow else 0) for b in update.bindings]


def test_a_flow_is_the_instance_and_its_number_whatever_its_address_is():
    first = register((), request(contact(), Supported="path, outbound"), RULES, 0.0)
    assert ("Require", "outbound") in first.headers and "reg-id=1" in first.headers[0][1]
    moved = register(first.bindings, request(contact("192.0.2.9"), call_id="d"), RULES, 1.0)
    assert registered(moved) == [("192.0.2.9", 1)] and len(moved.refreshed) == 1
    assert ("Require", "outbound") not in moved.headers  # nobody said that he knows of it
    second = register(moved.bindings, request(contact("192.0.2.9", "2"), call_id="e"), RULES, 2.0)
    assert registered(second) == [("192.0.2.9", 1), ("192.0.2.9", 2)] and len({b.key for b in second.bindings}) == 2
    gone = register(second.bindings, request(contact("192.0.2.77", "1", ";expires=0"), call_id="f"), RULES, 3.0)
    assert registered(gone) == [("192.0.2.9", 2)]


def test_flows_and_other_contacts_live_side_by_side():
    plain = register((), request("<sip:a@192.0.2.1;transport=tcp;ob>"), RULES, 0.0)
    both = register(plain.bindings, request(contact("192.0.2.2"), call_id="d"), RULES, 0.0)
    assert registered(both) == [("192.0.2.1", 0), ("192.0.2.2", 1)]
    upgraded = register(plain.bindings, request(contact(), call_id="d"), RULES, 0.0)
    assert registered(upgraded) == [("192.0.2.1", 1)]  # the same phone, which has learnt of flows


@pytest.mark.parametrize("wrong", ["0", "-1", "x", "", "2147483648", "99999999999999999999", "１"])
def test_a_number_that_is_none_leaves_an_ordinary_contact(wrong: str):
    assert registered(register((), request(contact(reg_id=wrong)), RULES, 0.0)) == [("192.0.2.1", 0)]


def test_without_instance_the_number_says_nothing():
    assert registered(register((), request("<sip:a@192.0.2.1>;reg-id=1"), RULES, 0.0)) == [("192.0.2.1", 0)]


@pytest.mark.parametrize(
    ("path", "status", "flow"),
    [
        ("<sip:token@edge.example;lr;ob>", 200, 1),
        ("<sip:inner.example;lr>, <sip:token@edge.example;lr;ob>", 200, 1),
        ("<sip:edge.example;lr>", 439, 0),
        ("", 439, 0),
    ],
)
def test_the_first_proxy_has_to_keep_flows(path: str, status: int, flow: int):
    fields = {"Path": path} if path else {}
    knowing = register((), request(contact(), vias=2, Supported="outbound, path", **fields), RULES, 0.0)
    assert knowing.status == status and registered(knowing) == ([("192.0.2.1", 1)] if flow else [])
    silent = register((), request(contact(), vias=2, **fields), RULES, 0.0)
    assert (silent.status, registered(silent)) == (200, [("192.0.2.1", flow)])


def test_one_flow_is_registered_at_a_time():
    two = register((), request(f"{contact()}, {contact('192.0.2.2', '2')}"), RULES, 0.0)
    assert (two.status, two.bindings) == (400, ())
    first = register((), request(contact()), RULES, 0.0)
    swapped = register(
        first.bindings, request(f"{contact(more=';expires=0')}, {contact('192.0.2.2', '2')}", call_id="d"), RULES, 0.0
    )
    assert registered(swapped) == [("192.0.2.2", 2)]


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_parameters(instance: str, number: str):
    found = flow_of(NameAddr("", "sip:a@b", (("+sip.instance", instance), ("reg-id", number))))
    assert found is None or (isinstance(found, Flow) and 0 < found.reg_id < 2**31)
