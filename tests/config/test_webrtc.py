"""webrtc=yes, and the configuration that the documentation shows for browsers."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from arietta.config.check import check
from arietta.config.endpoint import Endpoint
from arietta.config.tree import load

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
BLOCK = re.compile(r"^```ini\n; (\w+\.conf)\n(.*?)^```", re.MULTILINE | re.DOTALL)
IMPLIED = (
    *("rtcp_mux", "use_avpf", "ice_support", "bundle", "media_use_received_transport", "media_encryption"),
    *("dtls_verify", "dtls_setup", "dtls_auto_generate_cert"),
)


def endpoint(folder: Path, options: str) -> dict[str, object]:
    """The values of these fields for an endpoint with these options."""
    (folder / "pjsip.conf").write_text(f"[a]\ntype=endpoint\nallow=ulaw\n{options}")
    found = load(folder).pjsip.endpoints["a"]
    return {field: getattr(found, field) for field in IMPLIED}


def test_what_it_stands_for(tmp_path: Path) -> None:
    assert endpoint(tmp_path, "webrtc=yes\n") == {
        "rtcp_mux": True,
        "use_avpf": True,
        "ice_support": True,
        "bundle": True,
        "media_use_received_transport": True,
        "media_encryption": "dtls",
        "dtls_verify": "fingerprint",
        "dtls_setup": "actpass",
        "dtls_auto_generate_cert": True,
    }


def test_what_is_written_counts(tmp_path: Path) -> None:
    (tmp_path / "own.pem").write_text("")
    found = endpoint(tmp_path, "webrtc=yes\nuse_avpf=no\ndtls_setup=passive\ndtls_cert_file=own.pem\n")
    assert (found["use_avpf"], found["dtls_setup"], found["dtls_auto_generate_cert"]) == (False, "passive", False)


def test_others_are_left_as_they_are(tmp_path: Path) -> None:
    assert endpoint(tmp_path, "webrtc=no\n") == {
        field: value for field, value in msgspec.structs.asdict(Endpoint()).items() if field in IMPLIED
    }
    assert endpoint(tmp_path, "bundle=yes\n")["rtcp_mux"] is True


def test_the_files_that_the_documentation_shows(tmp_path: Path) -> None:
    shown = dict(BLOCK.findall(PAGE.read_text()))
    assert set(shown) == {"http.conf", "pjsip.conf"}
    (tmp_path / "keys").mkdir()
    for name in ("pbx.example.com.pem", "pbx.example.com.key"):
        (tmp_path / "keys" / name).write_text("")
    for name, text in shown.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "ari.conf").write_text("[general]\nenabled=no\n")
    (tmp_path / "extensions.conf").write_text("[default]\nexten => 1000,1,Hangup()\n")
    assert [str(problem) for problem in check(tmp_path)] == []
