"""Media that is to be encrypted where the engine has no ciphers."""

from __future__ import annotations

from pathlib import Path

import pytest

from arietta.config.encryption import unencryptable
from arietta.config.tree import load
from arietta.media.choosing import why_no_srtp

ENDPOINT = "[phone]\ntype=endpoint\nallow=ulaw\nmedia_encryption={}\n"


@pytest.mark.parametrize(
    ("options", "finding"),
    [
        ("sdes", "error: pjsip.conf line 4: media_encryption=sdes of endpoint [phone] cannot be: no ciphers"),
        (
            "sdes\nmedia_encryption_optimistic=yes",
            "warning: pjsip.conf line 4: media_encryption=sdes of endpoint [phone] cannot be: no ciphers;"
            " its calls are not encrypted",
        ),
        (
            "dtls\nwebrtc=yes",
            "error: pjsip.conf line 4: media_encryption=dtls of endpoint [phone] cannot be: no ciphers",
        ),
        ("no", None),
    ],
)
def test_what_cannot_be_encrypted_is_said(tmp_path: Path, options: str, finding: str | None) -> None:
    (tmp_path / "pjsip.conf").write_text(ENDPOINT.format(options))
    config = load(tmp_path)
    found = [f"{problem.severity}: {problem}" for problem in unencryptable(config, "no ciphers")]
    assert found == ([finding] if finding is not None else [])
    assert unencryptable(config, None) == []


def test_the_engine_in_python_has_no_ciphers() -> None:
    assert why_no_srtp("reference") == "the media engine in Python has no ciphers"
