"""Well-known passwords are for loopback only."""

from pathlib import Path

import pytest

from arietta.config.safety import is_loopback, unsafe_listeners, weakness
from arietta.config.tree import load


def configuration(folder: Path, host: str, password: str) -> Path:
    (folder / "http.conf").write_text(f"[general]\nenabled=yes\nbindaddr={host}\n")
    (folder / "ari.conf").write_text(f"[ann]\ntype=user\npassword={password}\n")
    (folder / "pjsip.conf").write_text(
        f"[t]\ntype=transport\nbind={f'[{host}]' if ':' in host else host}\n[ann]\ntype=endpoint\nauth=ann\n"
        f"[ann]\ntype=auth\nusername=ann\npassword={password}\n"
    )
    return folder


@pytest.mark.parametrize("password", ["asterisk", "ann", "ANN", "password", "secret", "changeme", "1234", "kurz"])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "pbx.example.com"])
def test_a_weak_password_is_refused_beyond_loopback(tmp_path: Path, host: str, password: str) -> None:
    ari, sip = unsafe_listeners(load(configuration(tmp_path, host, password)))
    assert str(ari).startswith("ari.conf line 3: password of ARI user ann ")
    assert str(sip).startswith("pjsip.conf line 10: password of SIP auth ann ")
    assert str(ari).endswith(f": HTTP on {host} can be reached from other machines")
    assert ari.severity == sip.severity == "error"


@pytest.mark.parametrize(
    ("host", "password"), [("127.0.0.1", "asterisk"), ("::1", "ann"), ("0.0.0.0", "tr4mp0line"), ("localhost", "1234")]
)
def test_loopback_or_a_good_password_is_fine(tmp_path: Path, host: str, password: str) -> None:
    assert unsafe_listeners(load(configuration(tmp_path, host, password))) == []


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("", "is empty"),
        ("auth_password=tr4mp0line\n", "is empty"),  # without a user name nobody is asked for it
        ("auth_username=prometheus\nauth_password=prometheus\n", "is the user name"),
        ("auth_username=prometheus\nauth_password=tr4mp0line\n", None),
    ],
)
def test_metrics_need_a_good_password_beyond_loopback(tmp_path: Path, lines: str, reason: str | None) -> None:
    configuration(tmp_path, "0.0.0.0", "tr4mp0line")
    (tmp_path / "prometheus.conf").write_text(f"[general]\nenabled=yes\n{lines}")
    found = [str(problem) for problem in unsafe_listeners(load(tmp_path))]
    if reason is None:
        assert found == []
    else:
        (problem,) = found
        assert f"auth_password of the metrics {reason}: HTTP on 0.0.0.0 can be reached from other machines" in problem
    configuration(tmp_path, "127.0.0.1", "tr4mp0line")
    assert unsafe_listeners(load(tmp_path)) == []


def test_a_tls_address_counts_too(tmp_path: Path) -> None:
    configuration(tmp_path, "127.0.0.1", "asterisk")
    (tmp_path / "cert.pem").write_text("")
    (tmp_path / "http.conf").write_text(
        "[general]\nenabled=yes\nbindaddr=127.0.0.1\ntlsenable=yes\ntlsbindaddr=[::]:8089\ntlscertfile=cert.pem\n"
    )
    (problem,) = unsafe_listeners(load(tmp_path))
    assert str(problem) == (
        "ari.conf line 3: password of ARI user ann is one that everybody knows:"
        " HTTP on :: can be reached from other machines"
    )


def test_what_is_weak_and_what_is_loopback() -> None:
    assert weakness("ann", "") == "is empty"
    assert weakness("ann", "abc") == "has 3 characters, at least 6 are needed"
    assert weakness("ann", "quite-a-long-one") == ""
    assert [is_loopback(host) for host in ("127.9.9.9", "::1", "LOCALHOST", "0.0.0.0", "localhost.example.com")] == [
        True,
        True,
        True,
        False,
        False,
    ]
