"""The built-in configuration of the demonstration: readable, loopback only, and playing only sounds that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from arietta.config.conf import ConfFile, read_conf

from .audio import DATA, sound_files

FILES = sorted((DATA / "demo").iterdir())


def conf(name: str) -> ConfFile:
    return read_conf(DATA / "demo" / name)


def steps(extension: str) -> list[str]:
    """What the dialplan does with an extension, in order."""
    (context,) = conf("extensions.conf").named("default")
    found: list[str] = []
    inside = False
    for option in context.options:
        if option.name == "exten":
            inside = option.value.split(",")[0] == extension
        if inside:
            found.append(option.value.split(",", 2 if option.name == "exten" else 1)[-1])
    return found


def test_all_files_are_there() -> None:
    names = {"http", "ari", "pjsip", "extensions", "rtp", "musiconhold"}
    assert {path.name for path in FILES} == {f"{name}.conf" for name in names}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_can_be_read_and_begins_with_what_it_is_for(path: Path) -> None:
    assert list(read_conf(path).active())
    assert path.read_text("ascii").startswith("; ")


def test_nothing_listens_beyond_this_machine() -> None:
    (http,) = conf("http.conf").named("general")
    (transport,) = conf("pjsip.conf").named("transport-udp")
    assert (http.get("bindaddr"), http.get("bindport")) == ("127.0.0.1", "8088")
    assert transport.get("bind") == "127.0.0.1:5060"


def test_the_tutorials_user_may_use_ari() -> None:
    (user,) = conf("ari.conf").named("asterisk")
    assert (user.get("type"), user.get("password"), user.get("read_only")) == ("user", "asterisk", "no")


def test_1000_enters_the_application_as_the_tutorials_write_it() -> None:
    assert steps("1000") == ["NoOp()", "Answer()", "Stasis(hello-world)", "Hangup()"]


def test_the_other_extensions_do_what_the_spoken_instructions_promise() -> None:
    assert "Echo()" in steps("1001")
    assert "Playback(demo-congrats)" in steps("1002")
    assert "MusicOnHold()" in steps("1003")


def test_every_sound_of_the_dialplan_exists() -> None:
    text = (DATA / "demo" / "extensions.conf").read_text()
    played = set(re.findall(r"Playback\(([^)]*)\)", text))
    assert played
    assert played <= set(sound_files())


def test_every_endpoint_is_known_by_its_password_or_its_address() -> None:
    sections = list(conf("pjsip.conf").active())
    kinds = {(section.name, section.get("type")) for section in sections}
    endpoints = [section for section in sections if section.get("type") == "endpoint"]
    assert {endpoint.name for endpoint in endpoints} == {"demo-phone", "1001", "1002"}
    for endpoint in endpoints:
        if endpoint.get("auth"):
            assert (endpoint.get("auth"), "auth") in kinds
            assert (endpoint.get("aors"), "aor") in kinds
        else:
            assert (endpoint.name, "identify") in kinds
