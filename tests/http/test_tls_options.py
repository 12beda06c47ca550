"""What http.conf says of TLS."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from arietta.config.conf import ConfigError, read_conf
from arietta.config.http import HttpSettings, read_http
from arietta.config.settings import Report
from arietta.server.tls import restrict


def settings(tmp_path: Path, *lines: str) -> HttpSettings:
    path = tmp_path / "http.conf"
    path.write_text("[general]\n" + "\n".join(lines) + "\n")
    report = Report()
    found = read_http(read_conf(path), report)
    assert not report.problems
    return found


def context() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made


def test_versions_ciphers_and_whose_order_counts(tmp_path: Path):
    plain = restrict(context(), settings(tmp_path, "tlsdisablev1=yes", "tlsdisablev11=yes"))
    assert plain.minimum_version is ssl.TLSVersion.TLSv1_2 and plain.options & ssl.OP_CIPHER_SERVER_PREFERENCE
    lines = ("tlsdisablev12=yes", "tlsservercipherorder=no", "tlscipher=ECDHE-ECDSA-AES256-GCM-SHA384")
    strict = restrict(context(), settings(tmp_path, *lines))
    assert strict.minimum_version is ssl.TLSVersion.TLSv1_3
    assert not strict.options & ssl.OP_CIPHER_SERVER_PREFERENCE
    old = [cipher["name"] for cipher in strict.get_ciphers() if cipher["protocol"] != "TLSv1.3"]
    assert old == ["ECDHE-ECDSA-AES256-GCM-SHA384"]


def test_ciphers_that_nobody_knows_are_refused_where_they_stand(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"http.conf line 2: tlscipher NONSENSE is none of OpenSSL's ciphers"):
        restrict(context(), settings(tmp_path, "tlscipher=NONSENSE"))
