"""TLS without a socket: handshakes, what ends them, whose certificate it is."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arietta.sip.tls import TlsStream, certificate_is_for, explain
from certificates import Authority, make_authority, needs_openssl


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(authority: Authority) -> ssl.SSLContext:
    return authority.server(*authority.sign("server", "DNS:pbx.example.com"))


def connect(client: TlsStream, server: TlsStream) -> tuple[bytes, bytes]:
    """Carry bytes both ways until there are none; gives what each has read."""
    heard = {client: b"", server: b""}
    if not client.established:
        client.begin()
    while any(moved := [(to, data) for by, to in ((client, server), (server, client)) if (data := by.outputs())]):
        for to, data in moved:
            heard[to] += to.receive(data)
    return heard[client], heard[server]


@needs_openssl
def test_what_is_written_is_read(authority: Authority, server: ssl.SSLContext) -> None:
    here = TlsStream(authority.client(), server_side=False, server_name="pbx.example.com")
    there = TlsStream(server, server_side=True)
    connect(here, there)
    assert here.established and there.established
    assert certificate_is_for(here.certificate, "pbx.example.com")
    here.write(b"OPTIONS")
    there.write(b"200" * 30000)
    assert connect(here, there) == (b"200" * 30000, b"OPTIONS")
    here.close()
    connect(here, there)
    assert there.ended


@needs_openssl
def test_the_name_asked_for_is_seen_by_the_server(authority: Authority) -> None:
    asked = []
    context = authority.server(*authority.sign("sni", "DNS:pbx.example.com"))
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    for name in ("pbx.example.com", "192.0.2.1"):  # RFC 6066 3: an address is not told
        connect(
            TlsStream(authority.client(), server_side=False, server_name=name), TlsStream(context, server_side=True)
        )
    assert asked == ["pbx.example.com", None]


@needs_openssl
def test_whose_refusal_it_was(authority: Authority, server: ssl.SSLContext, tmp_path) -> None:
    here = TlsStream(make_authority(tmp_path, "stranger").client(), server_side=False)
    there = TlsStream(server, server_side=True)
    with pytest.raises(ssl.SSLError) as refused:
        connect(here, there)
    assert explain(refused.value) == "its certificate is not accepted: unable to get local issuer certificate"
    with pytest.raises(ssl.SSLError) as heard:
        there.receive(here.outputs())
    assert explain(heard.value) == "it refused us: unknown ca"


@needs_openssl
@given(st.binary(min_size=1, max_size=2000), st.integers(1, 500), st.booleans())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_end_the_connection_or_wait(
    authority: Authority, server: ssl.SSLContext, data: bytes, size: int, established: bool
) -> None:
    there = TlsStream(server, server_side=True)
    if established:
        connect(TlsStream(authority.client(), server_side=False), there)
    try:
        for position in range(0, len(data), size):
            assert there.receive(data[position : position + size]) == b""
            assert len(there.outputs()) < 100
    except ssl.SSLError as problem:
        assert explain(problem)


NAMES = {
    "address": (("IP Address", "192.0.2.1"), ("IP Address", "2001:DB8:0:0:0:0:0:1\n")),
    "domain": (("DNS", "pbx.example.com"),),
    "uri": (("URI", "sip:example.com"), ("DNS", "pbx.example.com")),
    "wild": (("DNS", "*.example.com"),),
}


@pytest.mark.parametrize(
    ("names", "host", "is_for"),
    [
        ("address", "192.0.2.1", True),
        ("address", "2001:db8::1", True),
        ("address", "192.0.2.2", False),
        ("domain", "PBX.example.com.", True),
        ("domain", "example.com", False),
        ("domain", "192.0.2.1", False),
        ("uri", "example.com", True),
        ("uri", "pbx.example.com", False),
        ("wild", "pbx.example.com", True),
        ("wild", "example.com", False),
        ("wild", "a.pbx.example.com", False),
    ],
)
def test_names(names: str, host: str, is_for: bool) -> None:
    assert certificate_is_for({"subjectAltName": NAMES[names]}, host, wildcards=True) is is_for


def test_the_common_name_counts_where_there_is_no_other() -> None:
    subject = ((("commonName", "pbx.example.com"),),)
    assert certificate_is_for({"subject": subject}, "pbx.example.com")
    assert not certificate_is_for({"subject": subject, "subjectAltName": NAMES["uri"]}, "pbx.example.com")
    assert not certificate_is_for({}, "pbx.example.com")
