"""Who calls: what endpoints are believed, and what they are told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.channels.callerid import PRESENTATIONS
from arietta.channels.driver import Party
from arietta.config.endpoint import Endpoint
from arietta.config.kinds import CallerId
from arietta.drivers.sip.identity import caller_of, identity_headers, marked_as_phone
from arietta.server import Server
from arietta.sip.message import Request, parse
from arietta.sip.uri import parse_uri
from arietta.testing import Phone, VirtualLoop
from arietta.testing.plugin import Switch

from .running import FILES, PASSWORD, SERVER

PAI = ("P-Asserted-Identity", '"Ann" <sip:+4930123@carrier>')
RPID = ("Remote-Party-ID", '"Rita" <sip:700@carrier>;party=calling;privacy=off;screen=yes')
PRIVACY = ("Privacy", "id")
TRUSTED = Endpoint(trust_id_inbound=True)


def invite(*headers: tuple[str, str], from_: str = '"Fred" <sip:555@h>;tag=1') -> Request:
    return Request("INVITE", "sip:1@h", [
        ("Via", "SIP/2.0/UDP h;branch=z9hG4bK1"), ("From", from_), ("To", "<sip:1@h>"), ("Call-ID", "c"),
        ("CSeq", "1 INVITE"), *headers,
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("uri", "marked"),
    [
        ("sip:+4930123@h;transport=tcp", "sip:+4930123@h;transport=tcp;user=phone"),
        ("sip:110@h", "sip:110@h;user=phone"),
        ("sip:110@h;user=ip", "sip:110@h;user=ip"),
        ("sip:bob@h", "sip:bob@h"),
        ("sip:h", "sip:h"),
    ],
)
def test_a_number_is_marked_as_that_of_a_phone(uri: str, marked: str):
    assert str(marked_as_phone(parse_uri(uri))) == marked


# -------------------------------------------------------------------------------------------------------- inbound


@pytest.mark.parametrize(
    ("headers", "caller"),
    [
        ((PAI,), Party("Ann", "+4930123")),
        ((PAI, RPID), Party("Ann", "+4930123")),
        ((PAI, PRIVACY), Party("Ann", "+4930123", 32)),
        ((PAI, ("Privacy", "header; ID;critical")), Party("Ann", "+4930123", 32)),
        ((PAI, ("Privacy", "none")), Party("Ann", "+4930123")),
        ((("P-Asserted-Identity", "<tel:+4930123>"),), Party("", "+4930123")),
        ((("P-Asserted-Identity", "<sip:gateway>, <tel:+4930123>"),), Party("", "+4930123")),
        ((RPID,), Party("Rita", "700", 1)),
        ((("Remote-Party-ID", "<sip:700@h>;privacy=FULL"),), Party("", "700", 32)),
        ((("Remote-Party-ID", "<sip:800@h>;party=called, <sip:700@h>;screen=yes;privacy=full"),), Party("", "700", 33)),
        ((("P-Asserted-Identity", "<sip:"), RPID), Party("Rita", "700", 1)),
        ((), Party("Fred", "555")),
        ((PRIVACY,), Party("Fred", "555", 32)),
    ],
)
def test_identities_of_an_endpoint_that_is_trusted(headers: tuple[tuple[str, str], ...], caller: Party):
    assert caller_of(invite(*headers), TRUSTED) == caller


def test_without_trust_the_configured_caller_id_or_from_counts():
    configured = Endpoint(callerid=CallerId("Desk", "200"), callerid_privacy="prohib_passed_screen")
    assert caller_of(invite(PAI, RPID), Endpoint()) == Party("Fred", "555")
    assert caller_of(invite(PAI, RPID), configured) == Party("Desk", "200", 33)
    both = Endpoint(callerid=CallerId("Desk", "200"), trust_id_inbound=True)
    assert caller_of(invite(PAI), both) == Party("Ann", "+4930123")
    assert caller_of(invite(), both) == Party("Desk", "200")


def test_an_anonymous_from_is_not_to_be_shown():
    anonymous = invite(from_='"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1')
    assert caller_of(anonymous, Endpoint()).presentation == 32


def test_every_presentation_has_its_number():
    endpoints = [Endpoint(callerid=CallerId("", "1"), callerid_privacy=word) for word in PRESENTATIONS]
    assert [caller_of(invite(), one).presentation for one in endpoints] == [0, 1, 2, 3, 32, 33, 34, 35, 67]


@given(
    st.text(st.characters(exclude_characters="\r\n")),
    st.sampled_from(["P-Asserted-Identity", "Remote-Party-ID", "Privacy"]),
)
def test_any_text_names_somebody_or_nobody(text: str, name: str):
    request = invite((name, text))
    caller = caller_of(request, TRUSTED)
    from_, headers = identity_headers(caller, Endpoint(send_pai=True, send_rpid=True), "h")
    call = parse(bytes(invite(*headers, from_=from_ + ";tag=2")))
    assert call.from_.uri.host in ("h", "anonymous.invalid")


# -------------------------------------------------------------------------------------------------------- outbound

SHOWN, HIDDEN = Party('A "B"', "200"), Party("Ann", "200", 35)
ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>'


@pytest.mark.parametrize(
    ("caller", "options", "from_", "headers"),
    [
        (SHOWN, {}, r'"A \"B\"" <sip:200@h>', ()),
        (SHOWN, {"send_pai": True}, r'"A \"B\"" <sip:200@h>', (("P-Asserted-Identity", r'"A \"B\"" <sip:200@h>'),)),
        (
            Party("", "200", 1),
            {"send_rpid": True},
            "<sip:200@h>",
            (("Remote-Party-ID", "<sip:200@h>;party=calling;privacy=off;screen=yes"),),
        ),
        (HIDDEN, {"send_pai": True, "send_rpid": True}, ANONYMOUS, ()),
        (
            HIDDEN,
            {"send_pai": True, "send_rpid": True, "trust_id_outbound": True},
            ANONYMOUS,
            (
                ("P-Asserted-Identity", '"Ann" <sip:200@h>'),
                ("Privacy", "id"),
                ("Remote-Party-ID", '"Ann" <sip:200@h>;party=calling;privacy=full;screen=yes'),
            ),
        ),
        (HIDDEN, {"from_user": "account"}, '"Anonymous" <sip:account@h>', ()),
        (Party("", "200", 67), {"send_pai": True}, ANONYMOUS, ()),
        (Party(), {"send_pai": True}, ANONYMOUS, ()),
    ],
)
def test_what_an_endpoint_is_told(caller, options, from_, headers):
    assert identity_headers(caller, Endpoint(**options), "h") == (from_, headers)


# ------------------------------------------------------------------------------------------------------ whole calls

PJSIP = FILES["pjsip.conf"].replace("aors=alice\n", "aors=alice\ntrust_id_inbound=yes\n").replace(
    "aors=bob\n", "aors=bob\nsend_pai=yes\n"
).replace("aors=carol\n", "aors=carol\nsend_pai=yes\nsend_rpid=yes\ntrust_id_outbound=yes\n")  # fmt: skip


@pytest.fixture
def server(loop: VirtualLoop, switch: Switch) -> Iterator[Server]:
    """A server that believes alice, and tells bob and carol who calls."""
    stack = AsyncExitStack()
    yield loop.run(stack.enter_async_context(switch(FILES | {"pjsip.conf": PJSIP})))
    loop.run(stack.aclose())


@pytest.mark.parametrize(
    ("exten", "callee", "host", "asserted"),
    [("1100", "bob", "10.0.0.3", []), ("1101", "carol", "10.0.0.4", ['"Ann" <sip:+4930123@10.0.0.1>'])],
)
async def test_a_private_caller_is_named_to_whom_it_may_be(
    server: Server,
    phone: Callable[..., Awaitable[Phone]],
    exten: str,
    callee: str,
    host: str,
    asserted: list[str],
    loop,
):
    alice = await phone("10.0.0.2", 5060, username="alice", password=PASSWORD, server=SERVER)
    other = await phone(host, 5060, username=callee, password=PASSWORD, server=SERVER)
    await other.register()
    call = await alice.invite(exten, headers=(PAI, PRIVACY, ("Diversion", "<sip:300@h>;reason=no-answer")))
    request = parse((await other.sees("INVITE")).data)
    assert request.headers["From"][0].startswith(ANONYMOUS)
    assert request.values("P-Asserted-Identity") == asserted
    assert request.values("Diversion") == ["<sip:300@10.0.0.1>;reason=no-answer"]
    [shown] = [channel for channel in server.channels if channel.name.startswith("PJSIP/alice")]
    assert (shown.caller, shown.redirecting_number) == (Party("Ann", "+4930123", 32), "300")
    (await other.ringing()).answer()
    await call.answered()
    await call.hang_up()
