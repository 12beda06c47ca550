"""Whatever is done to a message, nothing but ProtocolError comes out, and an agent says nothing but SIP."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.sip.errors import ProtocolError
from arietta.sip.message import MAX_MESSAGE, Request, parse

from .fuzz.__main__ import run
from .fuzz.check import check_agent, check_dialog, check_parser, check_stream, read_everything
from .fuzz.mutation import PIECES, mutate, seeds
from .fuzz.server import run as run_server
from .grammar import Sample, Uri, requests

EDITS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 12), st.sampled_from(PIECES)), max_size=6)
SEEDS = seeds()
PLACES = ("uri", "line", "Via", "From", "To", "Contact", "CSeq", "Authorization", "X-Any", "name")
REPEATED = (
    "a", " ", "\t", ";", ",", "<", ">", '"', "\\", '\\"', "%", "%4", "%41", ":", "[", "=", "\r\n ", "\r\n", "\r",
    ";a=b", ',"', "<sip:a@b>,", "a:", "&", "?", "()", "@", "sip:", "\r\na:",
)  # fmt: skip
LONGEST_S = 0.5
"""What reading the longest message may cost; the same made of nothing special costs a hundredth."""


def same(uri: Uri, text: str, request: Request) -> bool:
    found = request.contacts[0].uri if text == "contact" else getattr(request, text)
    return (found.user, found.host, found.port, found.parameters) == (uri.user, uri.host, uri.port, uri.parameters)


@given(requests())
@settings(max_examples=60, deadline=None)
def test_what_the_grammar_allows_is_read_as_it_was_meant(sample: Sample):
    request = parse(sample.data)
    assert isinstance(request, Request)
    assert (request.method, request.body, request.call_id) == (sample.method, sample.body, sample.call_id)
    assert same(sample.uri, "uri", request)
    assert (request.from_.display, request.from_tag) == (sample.from_display, sample.from_tag)
    assert request.from_.uri_text == sample.from_uri.text
    assert (request.cseq.number, request.cseq.method) == (sample.cseq, sample.method)
    assert (request.via.branch, request.via.host, request.via.port) == (sample.branch, *sample.sent_by)
    assert [contact.uri_text for contact in request.contacts] == [uri.text for uri in sample.contacts]
    assert parse(bytes(request)).headers == request.headers


@given(requests(), EDITS)
@settings(max_examples=80, deadline=None)
def test_mutated_requests_of_the_grammar(sample: Sample, edits):
    data = mutate(sample.data, edits)
    check_parser(data)
    check_agent(data)


@given(st.sampled_from(SEEDS), EDITS)
@settings(max_examples=80, deadline=None)
def test_mutated_seeds(seed, edits):
    data = mutate(seed, edits)
    check_parser(data)
    check_stream(data)
    check_agent(data)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_bytes_at_random(data):
    check_parser(data)
    check_stream(data)
    check_agent(data)


@given(
    st.lists(st.tuples(st.sampled_from([b"INVITE", b"ACK", b"BYE", b"INFO", b"CANCEL", b"REFER"]), EDITS), max_size=6)
)
@settings(max_examples=60, deadline=None)
def test_a_session_under_mutated_requests(steps):
    check_dialog(steps)


def test_a_short_run_of_the_fuzzer_finds_nothing():
    run(30, seed=4475, inputs=3000)


def test_a_server_outlives_a_thousand_messages():
    run_server(30, seed=3, inputs=1000)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("piece", REPEATED)
def test_the_longest_messages_take_no_more_than_linear_time(place, piece):
    data = stuffed(place, piece)
    began = time.process_time()
    try:
        read_everything(parse(data))
    except ProtocolError:
        pass
    assert time.process_time() - began < LONGEST_S


def stuffed(place: str, piece: str) -> bytes:
    """A request with `piece` repeated until it is as long as a message may be."""
    many = piece * ((MAX_MESSAGE - 600) // len(piece))
    fields = {
        "Via": "SIP/2.0/UDP a;branch=z9hG4bK1",
        "From": "<sip:a@b>;tag=1",
        "To": "<sip:a@b>",
        "Contact": "<sip:a@b>",
        "Call-ID": "1",
        "CSeq": "1 OPTIONS",
        "Authorization": 'Digest realm="a",nonce="b"',
        "X-Any": "a",
    }
    if place in fields:
        fields[place] += many
    if place == "name":
        fields[many] = "a"
    uri, end = ("sip:a" + many, "") if place == "uri" else ("sip:a@b", many if place == "line" else "")
    head = f"OPTIONS {uri} SIP/2.0{end}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{head}\r\n".encode()
