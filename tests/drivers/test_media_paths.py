"""Which endpoints have a media path, and the certificates they have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from arietta.config.endpoint import Endpoint
from arietta.config.kinds import AccessRule
from arietta.drivers.sip.media_path import Certificates, LegPath
from arietta.drivers.sip.paths import MediaPaths, PathRules
from arietta.media.engine import Address, MediaError, PacketHandler
from arietta.sdp import Negotiated, fresh_ice
from arietta.testing import VirtualLoop
from certificates import Authority, make_authority, needs_openssl
from webrtc.peer import check

PLAIN = Endpoint(name="plain")
ICE = Endpoint(name="ice", ice_support=True, rtcp_mux=True)
DTLS = Endpoint(name="dtls", media_encryption="dtls", rtcp_mux=True, dtls_auto_generate_cert=True)


def paths(loop: Any, *, missing: str | None = None, **rules: Any) -> MediaPaths:
    return MediaPaths(SimpleNamespace(srtp_missing=missing), loop, Path(), PathRules(**rules))  # type: ignore[arg-type]


class Port:
    """A port that keeps what it is asked to send."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Address]] = []
        self.controls: list[bool] = []
        """Whether each went from the port of RTCP."""
        self.hear: PacketHandler | None = None

    def take_packets(self, on_packet: PacketHandler | None) -> None:
        self.hear = on_packet

    def send_packet(self, data: bytes, target: Address, *, control: bool = False) -> None:
        self.sent.append((data, target))
        self.controls.append(control)


def test_who_needs_more_than_an_address(loop: VirtualLoop) -> None:
    made = paths(loop)
    assert [made.are_needed_by(one) for one in (PLAIN, ICE, DTLS)] == [False, True, True]
    assert made.open(PLAIN, Port(), changed=print, failed=print) is None  # type: ignore[arg-type]


def test_what_rtp_conf_forbids(loop: VirtualLoop) -> None:
    assert not paths(loop, has_ice=False).are_needed_by(ICE)
    outside = paths(loop, candidates=((), (AccessRule(False, ip_network("10.0.0.0/8")),)))
    assert [outside.uses_ice(ICE, host) for host in ("", "10.0.0.1", "192.0.2.1")] == [True, False, True]


def test_without_ciphers_there_is_no_dtls(loop: VirtualLoop) -> None:
    assert not paths(loop, missing="no ciphers").are_needed_by(DTLS)


def test_one_certificate_is_made_for_all_and_kept(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path)
    first = certificates.of(DTLS)
    other = certificates.of(Endpoint(name="o", media_encryption="dtls", dtls_auto_generate_cert=True, srtp_tag_32=True))
    assert first is not None and other is not None and first is not other
    assert first is certificates.of(DTLS)
    certificates.reload()
    again = certificates.of(DTLS)
    assert again is not None
    assert {one.fingerprint("sha-256") for one in (first, other, again)} == {first.fingerprint("sha-256")}
    assert certificates.of(PLAIN) is None


@needs_openssl
def test_certificates_from_files_are_read_again_by_a_reload(tmp_path: Path) -> None:
    authority = make_authority(tmp_path)
    endpoint = with_files(authority, "one")
    certificates = Certificates(tmp_path)
    first = certificates.of(endpoint)
    for kind in ("pem", "key"):
        (tmp_path / f"other.{kind}").unlink(missing_ok=True)
    authority.sign("other")
    for kind in ("pem", "key"):
        (tmp_path / f"other.{kind}").replace(tmp_path / f"one.{kind}")
    assert certificates.of(endpoint) is first
    certificates.reload()
    again = certificates.of(endpoint)
    assert first is not None and again is not None
    assert first.fingerprint("sha-256") != again.fingerprint("sha-256")


@needs_openssl
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda folder: (folder / "one.pem").unlink(), "No such file"),
        (lambda folder: (folder / "one.pem").write_text("nonsense"), "PEM"),
        (lambda folder: (folder / "authority.key").replace(folder / "one.key"), "mismatch"),
        (lambda folder: (folder / "authority.pem").write_text("nonsense"), "cannot be"),
    ],
    ids=["missing", "nonsense", "another key", "no authority"],
)
def test_files_that_cannot_be_used_are_told_with_the_endpoint(
    tmp_path: Path, loop: VirtualLoop, caplog: pytest.LogCaptureFixture, spoil: Callable[[Path], object], reason: str
) -> None:
    endpoint = with_files(make_authority(tmp_path), "one")
    spoil(tmp_path)
    with pytest.raises(MediaError, match=f"DTLS of endpoint files cannot be: .*{reason}|{reason}"):
        Certificates(tmp_path).of(endpoint)
    made = MediaPaths(SimpleNamespace(srtp_missing=None), loop, tmp_path)  # type: ignore[arg-type]
    made.prepare([PLAIN, endpoint])
    assert "DTLS of endpoint files cannot be" in caplog.text


def with_files(authority: Authority, name: str) -> Endpoint:
    authority.sign(name)
    return Endpoint(
        name="files",
        media_encryption="dtls",
        dtls_cert_file=f"{name}.pem",
        dtls_private_key=f"{name}.key",
        dtls_verify="yes",
        dtls_ca_file="authority.pem",
    )


async def test_a_closed_path_tells_nothing(loop: VirtualLoop) -> None:
    port, told, ours, theirs = Port(), [], fresh_ice(), fresh_ice()
    theirs = type(theirs)(theirs.ufrag, theirs.password)
    path = LegPath(port, None, loop, mtu=1200, changed=lambda: told.append("changed"), failed=told.append)  # type: ignore[arg-type]
    path.agree(Negotiated(address="192.0.2.9", port=9, ice=theirs), ours, is_symmetric=False)
    assert path.target is None and port.hear is not None
    port.hear(check(theirs, ours), ("192.0.2.7", 4000), False)
    assert told == ["changed"] and path.target == ("192.0.2.7", 4000)
    path.close()
    port.hear(check(theirs, ours), ("192.0.2.8", 4000), False)
    await asyncio.sleep(100)
    assert told == ["changed"] and len(port.sent) == 1


async def test_a_path_that_leads_nowhere_says_so_once(loop: VirtualLoop) -> None:
    told: list[str] = []
    path = LegPath(Port(), None, loop, mtu=1200, changed=lambda: None, failed=told.append)  # type: ignore[arg-type]
    ours, theirs = fresh_ice(), fresh_ice()
    theirs = type(theirs)(theirs.ufrag, theirs.password)
    path.agree(Negotiated(address="192.0.2.9", port=9, ice=theirs), ours, is_symmetric=False)
    await asyncio.sleep(100)
    assert told == ["no ICE check has nominated a pair within 30 s"]


async def test_reports_with_a_port_of_their_own_have_a_way_of_their_own(loop: VirtualLoop) -> None:
    port, told, ours, theirs = Port(), [], fresh_ice(), fresh_ice()
    theirs = type(theirs)(theirs.ufrag, theirs.password)
    path = LegPath(port, None, loop, mtu=1200, changed=lambda: told.append("changed"), failed=told.append)  # type: ignore[arg-type]
    path.agree(Negotiated(address="192.0.2.9", port=9, ice=theirs), ours, is_symmetric=False)
    assert port.hear is not None
    port.hear(check(theirs, ours), ("192.0.2.7", 4001), True)
    assert (path.target, path.rtcp_target, told) == (None, ("192.0.2.7", 4001), ["changed"])
    port.hear(check(theirs, ours), ("192.0.2.7", 4000), False)
    assert (path.target, path.rtcp_target) == (("192.0.2.7", 4000), ("192.0.2.7", 4001))
    assert port.controls == [True, False]
    port.hear(check(theirs, ours), ("192.0.2.7", 4001), True)
    assert told == ["changed", "changed"]
    path.close()
