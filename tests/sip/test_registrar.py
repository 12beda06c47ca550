"""Bindings of an address-of-record (RFC 3261 10.3)."""

from __future__ import annotations

import pytest

from arietta.sip.message import Request
from arietta.sip.registrar import Binding, Rules, expire, register

MANY = Rules(max_contacts=5)


def request(cseq: int = 1, contact: str | None = "<sip:a@192.0.2.1>", call_id: str = "c", **fields: str) -> Request:
    message = Request("REGISTER", "sip:example.com", [
        ("Via", "SIP/2.0/UDP h;branch=z9hG4bK1"), ("From", "<sip:a@b>;tag=1"), ("To", "<sip:a@b>"),
        ("Call-ID", call_id), ("CSeq", f"{cseq} REGISTER"),
    ])  # fmt: skip
    if contact is not None:
        message.add("Contact", contact)
    for name, value in fields.items():
        message.add(name.replace("_", "-"), value)
    return message


def uris(bindings: tuple[Binding, ...]) -> list[str]:
    return [binding.uri_text for binding in bindings]


def test_register_refresh_query_remove():
    update = register((), request(Expires="600", User_Agent="phone"), MANY, 100.0, source=("192.0.2.1", 5062))
    [binding] = update.added
    assert (update.status, binding.expires_at, binding.source, binding.user_agent) == (
        200, 700.0, ("192.0.2.1", 5062), "phone",
    )  # fmt: skip
    assert update.headers == (("Contact", "<sip:a@192.0.2.1>;expires=600"),)
    refreshed = register(update.bindings, request(2, "<sip:a@192.0.2.1>;expires=900;q=0.5"), MANY, 200.0)
    assert refreshed.added == () and uris(refreshed.refreshed) == ["sip:a@192.0.2.1"]
    asked = register(refreshed.bindings, request(3, None), MANY, 300.0)
    assert asked.headers == (("Contact", "<sip:a@192.0.2.1>;expires=800;q=0.5"),)
    removed = register(asked.bindings, request(4, "<sip:a@192.0.2.1>;expires=0"), MANY, 300.0)
    assert removed.bindings == () and uris(removed.removed) == ["sip:a@192.0.2.1"]


def test_several_contacts_and_star():
    update = register((), request(contact='<sip:a@192.0.2.1>, "x" <sip:b@192.0.2.2>;expires=60'), MANY, 0.0)
    assert [binding.expires_at for binding in update.bindings] == [3600.0, 60.0]
    assert register(update.bindings, request(2, "*", Expires="5"), MANY, 1.0).status == 400
    assert register(update.bindings, request(2, "*, <sip:x@y>", Expires="0"), MANY, 1.0).status == 400
    assert register(update.bindings, request(1, "*", Expires="0"), MANY, 1.0).status == 500
    gone = register(update.bindings, request(2, "*", Expires="0"), MANY, 1.0)
    assert gone.bindings == () and len(gone.removed) == 2


def test_expiry_bounds():
    rules = Rules(minimum_expiration=60, maximum_expiration=7200, default_expiration=3600)
    brief = register((), request(Expires="59"), rules, 0.0)
    assert (brief.status, brief.headers, brief.bindings) == (423, (("Min-Expires", "60"),), ())
    assert register((), request(Expires="99999999999999"), rules, 0.0).bindings[0].expires_at == 7200.0
    assert register((), request(Expires="soon"), rules, 0.0).bindings[0].expires_at == 3600.0


def test_out_of_order_changes_nothing():
    bindings = register((), request(5), MANY, 0.0).bindings
    late = register(bindings, request(5, "<sip:a@192.0.2.1>;expires=0"), MANY, 1.0)
    assert late.status == 500 and late.bindings == bindings
    reboot = register(bindings, request(1, call_id="new"), MANY, 1.0)
    assert reboot.status == 200


def test_too_many_contacts():
    first = register((), request(), Rules(), 0.0).bindings
    refused = register(first, request(2, "<sip:b@192.0.2.2>"), Rules(), 1.0)
    assert refused.status == 403 and refused.bindings == first
    replaced = register(first, request(2, "<sip:b@192.0.2.2>"), Rules(remove_existing=True), 1.0)
    assert uris(replaced.bindings) == ["sip:b@192.0.2.2"] and uris(replaced.removed) == ["sip:a@192.0.2.1"]


def test_who_cannot_be_reached_makes_room_first():
    two = register((), request(contact="<sip:a@h>;expires=600, <sip:b@h>;expires=90"), MANY, 0.0).bindings
    third = request(2, "<sip:c@h>")

    def after(unavailable: str, **rules: bool) -> list[str]:
        return uris(register(two, third, Rules(max_contacts=2, **rules), 1.0, unavailable={unavailable}).bindings)

    assert after("sip:a@h", remove_unavailable=True) == ["sip:b@h", "sip:c@h"]
    assert after("sip:a@h", remove_unavailable=True, remove_existing=True) == ["sip:b@h", "sip:c@h"]
    assert after("", remove_unavailable=True, remove_existing=True) == ["sip:a@h", "sip:c@h"]
    assert after("sip:a@h", remove_existing=True) == ["sip:a@h", "sip:c@h"]
    assert after("", remove_unavailable=True) == ["sip:a@h", "sip:b@h"]
    assert after("sip:a@h") == ["sip:a@h", "sip:b@h"]


def test_bindings_end():
    bindings = register((), request(contact="<sip:a@h>;expires=60, <sip:b@h>;expires=90"), MANY, 0.0).bindings
    alive, ended = expire(bindings, 60.0)
    assert (uris(alive), uris(ended)) == (["sip:b@h"], ["sip:a@h"])
    assert expire(bindings, 10.0) == (bindings, ())
    assert uris(register(bindings, request(2, None), MANY, 70.0).removed) == ["sip:a@h"]


def test_path_is_kept_and_repeated_where_it_is_supported():
    path = "<sip:edge;lr>, <sip:p2;lr>"
    rules = Rules(support_path=True)
    update = register((), request(Path=path), rules, 0.0)
    assert update.bindings[0].path == ("<sip:edge;lr>", "<sip:p2;lr>")
    assert update.headers[1:] == (("Path", "<sip:edge;lr>"), ("Path", "<sip:p2;lr>"))
    without = register((), request(Path=path), MANY, 0.0)
    assert without.bindings[0].path == () and len(without.headers) == 1
    moved = register(update.bindings, request(2), rules, 1.0)  # RFC 3327 5.3: the newest REGISTER says the way
    assert moved.bindings[0].path == ()


@pytest.mark.parametrize("path", ["<sip:edge>", "sip:edge;lr", "<tel:1>", "<sip:", ",".join(["<sip:edge;lr>"] * 11)])
def test_path_that_cannot_be_a_route_is_refused(path: str):
    update = register((), request(Path=path), Rules(support_path=True), 0.0)
    assert 400 <= update.status < 500 and update.bindings == ()


def test_malformed_contact():
    assert register((), request(contact="<sip:a@"), MANY, 0.0).status == 400
    assert register((), request(contact="<http://x>"), MANY, 0.0).status == 416
