"""`arietta doctor`: what it finds wrong, and what it says about it."""

from __future__ import annotations

import os
import socket
import ssl
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from arietta.cli import doctor, examining
from arietta.cli.certificates import validity, validity_of
from arietta.cli.command_line import arietta
from certificates import Authority, make_authority, needs_openssl

HTTP = "[general]\nenabled=no\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "conf"
    made.mkdir()
    (made / "http.conf").write_text(HTTP)
    (made / "asterisk.conf").write_text(
        f"[directories]\nastspooldir={tmp_path}/spool\nastdbdir={tmp_path}/db\nastrundir={tmp_path}/run\n"
        f"astlogdir={tmp_path}/log\nastetcdir={made}\n"
    )
    return made


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"))


def look(folder: Path, pjsip: str) -> Result:
    (folder / "pjsip.conf").write_text(pjsip)
    return CliRunner().invoke(arietta, ["doctor", "-C", str(folder / "asterisk.conf")])


def transport(
    port: int = 15061, more: str = "", name: str = "lan", protocol: str = "udp", host: str = "127.0.0.1"
) -> str:
    return f"[{name}]\ntype=transport\nprotocol={protocol}\nbind={host}:{port}\n{more}\n"


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.mark.skipif(sys.platform != "linux", reason="who has a port is read from /proc")
def test_who_has_a_port_is_named(folder: Path, taken: int) -> None:
    seen = look(folder, transport(taken))
    assert f"error    SIP udp port: 127.0.0.1:{taken} cannot be listened on: Address already in use, by " in seen.output
    assert f"(process {os.getpid()})" in seen.output
    assert "change bind of [lan] in pjsip.conf, or stop that" in seen.output
    assert seen.exit_code == 1


def test_an_address_that_is_not_here(folder: Path) -> None:
    seen = look(folder, transport(host="192.0.2.77"))
    assert "192.0.2.77:15061 cannot be listened on: Cannot assign requested address" in seen.output
    assert seen.exit_code == 1


@pytest.mark.parametrize(
    ("more", "state", "words"),
    [
        ("", "ok", "told as 127.0.0.1"),
        ("external_signaling_address=203.0.113.5\nexternal_media_address=203.0.113.5", "warning", "no local_net says"),
        (
            "external_signaling_address=203.0.113.5\nlocal_net=10.0.0.0/8",
            "warning",
            "external_media_address is missing",
        ),
        (
            "external_media_address=203.0.113.5\nlocal_net=10.0.0.0/8",
            "warning",
            "external_signaling_address is missing",
        ),
        (
            "external_signaling_address=127.0.0.1\nexternal_media_address=127.0.0.1\nlocal_net=10.0.0.0/8",
            "warning",
            "there is no NAT between",
        ),
        (
            "external_signaling_address=0.0.0.0\nexternal_media_address=203.0.113.5\nlocal_net=10.0.0.0/8",
            "error",
            "nobody can send to 0.0.0.0",
        ),
        (
            "external_signaling_address=10.1.1.1\nexternal_media_address=203.0.113.5\nlocal_net=10.0.0.0/8",
            "warning",
            "10.1.1.1 is in local_net itself",
        ),
        (
            "external_signaling_address=203.0.113.5\nexternal_media_address=203.0.113.5\nlocal_net=10.0.0.0/8",
            "ok",
            "told as 127.0.0.1 inside, 203.0.113.5 outside, audio at 203.0.113.5".replace("told as ", ""),
        ),
    ],
)
def test_addresses_behind_a_nat(folder: Path, more: str, state: str, words: str) -> None:
    (line,) = [line for line in look(folder, transport(more=more)).output.splitlines() if " address of [lan]: " in line]
    assert line.startswith(state) and words in line


def test_host_names_are_looked_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(name: str, port: object) -> list[object]:
        if name == "sip.example.org":
            return [object()]
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(examining.socket, "getaddrinfo", answer)
    seen = look(
        folder,
        transport()
        + "[trunk]\ntype=registration\nserver_uri=sip:sip.example.org\nclient_uri=sip:me@sip.example.org\n"
        + "[desk]\ntype=aor\ncontact=sip:desk@no.such.invalid:5070\ncontact=sip:10.0.0.9\n",
    ).output
    assert "ok       names: 1 of 2 host names are known" in seen
    assert (
        "warning  names: no.such.invalid (" in seen
        and "pjsip.conf line " in seen
        and "Name or service not known" in seen
    )


@needs_openssl
def test_certificates_and_their_dates(folder: Path, tmp_path: Path, authority: Authority) -> None:
    certificate, key = authority.sign("pbx", "DNS:pbx.example.com")
    first, last = validity(certificate)
    assert first <= datetime.now(UTC) < last <= datetime.now(UTC) + timedelta(days=2)
    key.chmod(0o600)
    tls = transport(more=f"cert_file={certificate}\npriv_key_file={key}", protocol="tls")
    assert f"warning  certificate of [lan]: valid until {last:%Y-%m-%d}, 1 days" in look(folder, tls).output
    key.chmod(0o644)
    assert f"everybody on this machine can read the key {key}" in look(folder, tls).output
    _, other = authority.sign("other", "DNS:pbx.example.com")
    seen = look(folder, tls.replace(str(key), str(other)))
    assert "and its key cannot be used" in seen.output and seen.exit_code == 1


@needs_openssl
@pytest.mark.parametrize(
    ("first", "last", "words"),
    [(-9, -1, "was valid until"), (1, 9, "is valid from"), (-9, 90, "ok       certificate of [lan]: valid until")],
)
def test_a_certificate_out_of_its_time(
    folder: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch, first: int, last: int, words: str
) -> None:
    certificate, key = authority.sign("pbx", "DNS:pbx.example.com")
    key.chmod(0o600)
    now = datetime.now(UTC)
    monkeypatch.setattr(examining, "validity", lambda path: (now + timedelta(first), now + timedelta(last)))
    seen = look(folder, transport(more=f"cert_file={certificate}\npriv_key_file={key}", protocol="tls"))
    assert words in seen.output


def test_a_file_that_is_no_certificate(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_text("hello")
    seen = look(folder, transport(more=f"cert_file={tmp_path}/a.pem", protocol="tls")).output
    assert "there is no certificate in PEM in it" in seen
    seen = look(folder, transport(more=f"cert_file={tmp_path}/b.pem", protocol="tls")).output
    assert f"{tmp_path}/b.pem cannot be read: No such file or directory" in seen


@needs_openssl
def test_dates_are_read_or_refused_whatever_the_bytes(authority: Authority) -> None:
    certificate, _ = authority.sign("pbx")
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    for length in range(len(der)):
        with pytest.raises(ValueError):
            validity_of(der[:length])

    @given(st.integers(0, 200), st.binary(max_size=8))
    def spoil(at: int, piece: bytes) -> None:
        try:
            validity_of(der[:at] + piece + der[at + len(piece) :])
        except ValueError:
            pass

    spoil()


def test_codecs_that_the_configuration_wants(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from arietta.media.codecs import opus

    phones = transport() + "[desk]\ntype=endpoint\nallow=opus,ulaw\nmedia_encryption=sdes\n"
    assert "Opus: libopus is" in look(folder, phones).output
    monkeypatch.setattr(opus, "available", lambda: False)
    monkeypatch.setenv("ARIETTA_PURE_PYTHON", "1")
    seen = look(folder, phones)
    assert "warning  Opus: libopus is missing, which desk may want" in seen.output
    assert "error    SRTP: calls of desk cannot be encrypted: ARIETTA_PURE_PYTHON is set" in seen.output
    assert seen.exit_code == 1


def test_folders_that_cannot_be_written(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("")
    seen = look(folder, transport())
    assert f"error    recordings: {tmp_path}/spool is in the way of {tmp_path}/spool: it is no folder" in seen.output
    assert f"MB free in {tmp_path}" in seen.output


@pytest.mark.parametrize(("answer", "words"), [(True, "ok       time: kept right"), (False, "warning  time: nothing")])
def test_the_clock_is_kept_right_or_not(monkeypatch: pytest.MonkeyPatch, answer: bool, words: str) -> None:
    monkeypatch.setattr(doctor, "is_synchronized", lambda: answer)
    assert words in CliRunner().invoke(arietta, ["doctor"]).output


def test_memory_and_buffers_that_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = {"memory.max": 300_000_000, "memory.current": 290_000_000, "rmem_max": 65536}
    monkeypatch.setattr(doctor, "_number", lambda path: numbers[path.rpartition("/")[2]])
    monkeypatch.setattr(doctor, "_kilobytes", lambda path, name: 8_000_000)
    seen = CliRunner().invoke(arietta, ["doctor"]).output
    assert "warning  memory: 10 MB are free within the limit of this container" in seen
    assert "warning  socket buffers: up to 64 KiB" in seen and "sysctl -w net.core.rmem_max" in seen
