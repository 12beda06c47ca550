"""Dialogs as values (RFC 3261 12)."""

from __future__ import annotations

import pytest

from arietta.sip.dialogs import create_uac_dialog, create_uas_dialog, literal_address
from arietta.sip.errors import ProtocolError
from arietta.sip.message import Request
from arietta.sip.uri import parse_uri


def invite(**changes: str) -> Request:
    fields = {
        "Via": "SIP/2.0/UDP h;branch=z9hG4bK1",
        "From": "<sip:a@x>;tag=a1",
        "To": "<sip:b@y>",
        "Call-ID": "c",
        "CSeq": "10 INVITE",
        "Contact": "<sip:a@192.0.2.1:5070>",
        "Record-Route": "<sip:p1;lr>, <sip:p2;lr>",
    } | changes
    return Request("INVITE", "sip:b@y", [(name, value) for name, value in fields.items() if value])


def test_both_ends_of_one_dialog():
    request = invite()
    uas = create_uas_dialog(request, "b1")
    response = request.create_response(200, to_tag="b1", headers=[("Contact", "<sip:b@192.0.2.2>")])
    uac = create_uac_dialog(request, response)
    assert (uas.local_tag, uas.remote_tag) == (uac.remote_tag, uac.local_tag) == ("b1", "a1")
    assert uas.route_set == ("<sip:p1;lr>", "<sip:p2;lr>") and uac.route_set == uas.route_set[::-1]
    assert (uas.remote_target, uac.remote_target) == ("sip:a@192.0.2.1:5070", "sip:b@192.0.2.2")
    bye = uac.create_request("BYE")
    uas.take_request(bye)
    assert (bye.cseq.number, uas.remote_cseq) == (11, 11)
    assert bye.values("Route") == ["<sip:p2;lr>", "<sip:p1;lr>"]
    assert str(uac.next_hop()) == "sip:p2;lr"
    assert uac.create_ack(10).cseq.number == 10


def test_strict_router():
    dialog = create_uas_dialog(invite(**{"Record-Route": "<sip:old>, <sip:p2;lr>"}), "b1")
    request = dialog.create_request("BYE")
    assert request.uri_text == "sip:old"
    assert request.values("Route") == ["<sip:p2;lr>", "<sip:a@192.0.2.1:5070>"]


@pytest.mark.parametrize(
    ("change", "status"),
    [({"Contact": ""}, 400), ({"Contact": "<mailto:x@y>"}, 416), ({"Contact": "sip:"}, 400),
     ({"Record-Route": "<sip:p"}, 400)],
)  # fmt: skip
def test_requests_that_make_no_dialog(change, status):
    with pytest.raises(ProtocolError) as caught:
        create_uas_dialog(invite(**change), "b1")
    assert caught.value.status == status


@pytest.mark.parametrize("cseq", ["9 OPTIONS", "10 OPTIONS"])
def test_out_of_order(cseq):
    dialog = create_uas_dialog(invite(), "b1")
    request = invite(CSeq=cseq)
    request.method = "OPTIONS"
    with pytest.raises(ProtocolError) as caught:
        dialog.take_request(request)
    assert caught.value.status == 500 and caught.value.headers[0][0] == "Retry-After"


def test_target_refresh():
    dialog = create_uas_dialog(invite(), "b1")
    dialog.refresh_target(invite(Contact="<sip:a@192.0.2.99>"))
    assert dialog.remote_target == "sip:a@192.0.2.99"
    dialog.refresh_target(invite(Contact=""))
    assert dialog.remote_target == "sip:a@192.0.2.99"


@pytest.mark.parametrize(
    ("uri", "address"),
    [
        ("sip:a@192.0.2.1", ("192.0.2.1", 5060)),
        ("sips:a@192.0.2.1", ("192.0.2.1", 5061)),
        ("sip:a@x;maddr=192.0.2.3;transport=tls", ("192.0.2.3", 5061)),
        ("sip:a@[2001:db8::1]:5070", ("2001:db8::1", 5070)),
        ("sip:a@example.com", None),
    ],
)
def test_literal_addresses(uri, address):
    assert literal_address(parse_uri(uri)) == address


@pytest.mark.parametrize("contact", ["<sip:a@192.0.2.1", "<nothing>", "<http://a>", '"'])
@pytest.mark.parametrize("method", ["INVITE", "UPDATE", "REFER", "NOTIFY"])
def test_a_target_that_cannot_be_reached_is_refused_before_it_is_kept(contact, method):
    dialog = create_uas_dialog(invite(), "b1")
    request = invite(CSeq=f"11 {method}", To="<sip:b@y>;tag=b1", Contact=contact)
    request.method = method
    with pytest.raises(ProtocolError):
        dialog.take_request(request)
    with pytest.raises(ProtocolError):
        dialog.refresh_target(request)
    assert dialog.remote_target == "sip:a@192.0.2.1:5070"
    bye = invite(CSeq="12 BYE", To="<sip:b@y>;tag=b1", Contact=contact)
    bye.method = "BYE"
    dialog.take_request(bye)
