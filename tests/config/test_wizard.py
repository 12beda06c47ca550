"""Wizards are written out as the sections they stand for, and every mistake is reported at the wizard's own line."""

from __future__ import annotations

from pathlib import Path

import pytest

from arietta.config.check import check
from arietta.config.conf import parse_conf
from arietta.config.pjsip import PjsipSettings, read_pjsip
from arietta.config.settings import Report
from arietta.config.tree import load
from arietta.config.wizard import Wizards, read_wizards

HOME = {"HOME": "/home/ann"}

PHONE = """\
[phones](!)
type = wizard
accepts_auth = yes
accepts_registrations = yes
has_hint = yes
endpoint/context = default
endpoint/allow = ulaw

[desk](phones)
hint_exten = 6001
hint_application = Dial(${HINT})
inbound_auth/username = desk
inbound_auth/password = a-well-kept-secret
"""

TRUNK = """\
[itsp]
type = wizard
sends_auth = yes
sends_registrations = yes
remote_hosts = one.example.com:5070,two.example.com
transport = udp
outbound_auth/username = me
outbound_auth/password = a-well-kept-secret
endpoint/context = default
endpoint/allow = ulaw
aor/qualify_frequency = 15
registration/expiration = 600
"""


def expand(text: str) -> tuple[Wizards, PjsipSettings, list[str]]:
    report = Report()
    wizards = read_wizards(parse_conf(text, "pjsip_wizard.conf"), report)
    conf = parse_conf("[udp]\ntype=transport\nprotocol=udp\nbind=0.0.0.0\n", "pjsip.conf")
    pjsip = read_pjsip(type(conf)(conf.path, (*conf.sections, *wizards.objects)), report)
    return wizards, pjsip, [f"{problem.severity}: {problem}" for problem in report.problems]


def test_a_phone_is_an_endpoint_an_address_of_record_and_a_password() -> None:
    wizards, pjsip, problems = expand(PHONE)
    assert problems == []
    assert list(wizards.wizards) == list(pjsip.endpoints) == list(pjsip.aors) == ["desk"]
    endpoint = pjsip.endpoints["desk"]
    assert (endpoint.context, endpoint.allow, endpoint.auth, endpoint.aors, endpoint.outbound_auth) == (
        "default",
        ("ulaw",),
        ("desk-iauth",),
        ("desk",),
        (),
    )
    assert pjsip.aors["desk"].max_contacts == 1
    assert pjsip.auths["desk-iauth"].username == "desk"
    assert not pjsip.identifies and not pjsip.registrations


def test_a_trunk_has_a_contact_and_a_registration_for_each_host_and_is_known_by_their_addresses() -> None:
    _, pjsip, problems = expand(TRUNK)
    assert problems == []
    assert pjsip.aors["itsp"].contact == ("sip:one.example.com:5070", "sip:two.example.com")
    assert (pjsip.aors["itsp"].qualify_frequency, pjsip.aors["itsp"].max_contacts) == (15, 0)
    assert pjsip.endpoints["itsp"].transport == "udp"
    assert pjsip.endpoints["itsp"].outbound_auth == ("itsp-oauth",)
    assert pjsip.identifies["itsp-identify"].match == ("one.example.com", "two.example.com")
    assert pjsip.identifies["itsp-identify"].endpoint == "itsp"
    first, second = pjsip.registrations["itsp-reg-0"], pjsip.registrations["itsp-reg-1"]
    assert (first.server_uri, first.client_uri) == ("sip:one.example.com:5070", "sip:me@one.example.com:5070")
    assert (second.server_uri, second.client_uri) == ("sip:two.example.com", "sip:me@two.example.com")
    assert (first.transport, first.outbound_auth, first.expiration) == ("udp", ("itsp-oauth",), 600)


def test_patterns_say_what_is_made_of_a_host() -> None:
    patterns = (
        "server_uri_pattern = sip:${REMOTE_HOST}\\;transport=tcp\n"
        "client_uri_pattern = sip:${USERNAME}@example.org\n"
        "contact_pattern = sips:gate@${REMOTE_HOST}\n"
    )
    _, pjsip, problems = expand(TRUNK + patterns)
    assert problems == []
    assert pjsip.aors["itsp"].contact[1] == "sips:gate@two.example.com"
    registration = pjsip.registrations["itsp-reg-1"]
    assert registration.server_uri == "sip:two.example.com;transport=tcp"
    assert registration.client_uri == "sip:me@example.org"


def test_what_a_wizard_says_of_an_object_wins() -> None:
    _, pjsip, problems = expand(PHONE + "aor/max_contacts = 3\nendpoint/auth = other\n")
    assert problems == []
    assert pjsip.aors["desk"].max_contacts == 3
    assert pjsip.endpoints["desk"].auth == ("other",)


def test_a_proxy_and_a_line_are_those_of_all_objects() -> None:
    more = "outbound_proxy = sip:proxy.example.com\\;lr\nsends_line_with_registrations = yes\n"
    _, pjsip, problems = expand(TRUNK + more)
    assert problems == []
    proxy = "sip:proxy.example.com;lr"
    assert (pjsip.endpoints["itsp"].outbound_proxy, pjsip.aors["itsp"].outbound_proxy) == (proxy, proxy)
    registration = pjsip.registrations["itsp-reg-0"]
    assert (registration.outbound_proxy, registration.line_matching, registration.endpoint) == (proxy, True, "itsp")
    assert not pjsip.identifies


def test_addresses_with_colons_are_hosts() -> None:
    text = "[a]\ntype=wizard\nremote_hosts=[2001:db8::1]:5070,2001:db8::2,192.0.2.1:5062\n"
    _, pjsip, problems = expand(text + "endpoint/allow=ulaw\n")
    assert problems == []
    assert [str(match) for match in pjsip.identifies["a-identify"].match] == [
        "2001:db8::1/128",
        "2001:db8::2/128",
        "192.0.2.1/32",
    ]


def test_a_hint_and_its_step_are_lines_of_the_endpoints_context() -> None:
    wizards, _, _ = expand(PHONE)
    (context,) = wizards.contexts
    assert context.name == "default"
    assert [(option.name, option.value, option.line) for option in context.options] == [
        ("exten", "6001,hint,PJSIP/desk", 10),
        ("exten", "6001,1,Dial(${HINT})", 11),
    ]


def test_hint_context_says_where_the_hint_goes() -> None:
    wizards, _, _ = expand(PHONE + "hint_context = lamps\n")
    assert [context.name for context in wizards.contexts] == ["lamps"]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("sends_auth=yes", "error: {} line 3: sends_auth=yes of wizard [a] needs outbound_auth/username"),
        ("accepts_auth=yes", "error: {} line 3: accepts_auth=yes of wizard [a] needs inbound_auth/username"),
        (
            "sends_registrations=yes\noutbound_auth/username=me",
            "error: {} line 3: sends_registrations=yes of wizard [a] needs remote_hosts",
        ),
        (
            "remote_hosts=b\nsends_registrations=yes",
            "error: {} line 4: sends_registrations=yes of wizard [a] needs outbound_auth/username",
        ),
        ("has_hint=yes", "error: {} line 3: has_hint=yes of wizard [a] needs hint_exten"),
        ("has_phoneprov=yes", "error: {} line 3: has_phoneprov=yes is not supported by this version"),
        ("sends_auth=maybe", "error: {} line 3: sends_auth maybe is neither yes nor no"),
        (
            "phoneprov/MAC=001122aa4455",
            "error: {} line 3: phoneprov/MAC is not supported by this version: phones are not provisioned",
        ),
        (
            "endpont/context=default",
            "warning: {} line 3: endpont/context is not an option of endpoint, aor, inbound_auth, outbound_auth,"
            " identify, registration, it is ignored",
        ),
        (
            "color=blue",
            "warning: {} line 3: color is not an option of pjsip_wizard.conf type=wizard, it is ignored",
        ),
        (
            "registration/expiration=60",
            "warning: {} line 3: registration/expiration has no effect without sends_registrations=yes",
        ),
        ("endpoint/rel=1", "warning: {} line 3: rel is not an option of pjsip.conf type=endpoint, it is ignored"),
        ("aor/max_contacts=x", "error: {} line 3: max_contacts x is not a whole number in 0..2147483647"),
    ],
)
def test_mistakes_have_the_wizards_place(text: str, finding: str) -> None:
    _, _, problems = expand(f"[a]\ntype=wizard\n{text}\n")
    assert problems == [finding.format("pjsip_wizard.conf")]


def test_other_types_and_names_that_exist_are_told() -> None:
    _, _, problems = expand("[a]\ntype=endpoint\n[b]\ntype=wizard\n[b]\ntype=wizard\n")
    assert problems == [
        "warning: pjsip_wizard.conf line 2: [a]: type endpoint is not known, the section is ignored; known are wizard",
        "error: pjsip_wizard.conf line 5: [b] of this type exists already at pjsip_wizard.conf line 3",
    ]


def test_a_folder_is_read_with_its_wizards(tmp_path: Path) -> None:
    (tmp_path / "pjsip.conf").write_text("[udp]\ntype=transport\nprotocol=udp\nbind=127.0.0.1\n")
    (tmp_path / "pjsip_wizard.conf").write_text(PHONE + TRUNK)
    config = load(tmp_path, HOME)
    assert set(config.pjsip.endpoints) == {"desk", "itsp"}
    assert config.extensions.has_context("default"), "the hint's context is one"
    assert config.warnings == ()


def test_what_an_object_refers_to_is_checked_at_the_wizards_line(tmp_path: Path) -> None:
    (tmp_path / "pjsip_wizard.conf").write_text(PHONE + "transport = ghost\n")
    assert [str(problem) for problem in check(tmp_path, HOME) if problem.severity == "error"] == [
        "pjsip_wizard.conf line 14: transport ghost is not a section with type=transport"
    ]
    (tmp_path / "pjsip.conf").write_text("[desk]\ntype=endpoint\nallow=ulaw\n[ghost]\ntype=transport\nbind=127.0.0.1\n")
    assert [str(problem) for problem in check(tmp_path, HOME) if problem.severity == "error"] == [
        "pjsip_wizard.conf line 9: [desk] of this type exists already at pjsip.conf line 1"
    ]
