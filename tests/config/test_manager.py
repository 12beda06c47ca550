"""manager.conf, acl.conf and the filters of events: what is read, and what is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.config.conf import ConfigError
from arietta.config.event_filter import passes, read_filter
from arietta.config.manager import EVERYTHING
from arietta.config.safety import unsafe_listeners
from arietta.config.tree import Config, load

EVENT = ("Newchannel", (("Channel", "PJSIP/6001-1"), ("Context", "default")))
TEXT = "Event: Newchannel\r\nChannel: PJSIP/6001-1\r\nContext: default\r\n"


def config(folder: Path, manager: str, **files: str) -> Config:
    (folder / "manager.conf").write_text(manager)
    for name, text in files.items():
        (folder / f"{name}.conf").write_text(text)
    return load(folder)


def test_a_file_as_people_write_it(tmp_path: Path) -> None:
    read = config(
        tmp_path,
        """
[general]
enabled = yes
webenabled = no
port = 5040
bindaddr = 127.0.0.1
channelvars = CDR(accountcode),FOO
[limits](!)
deny = 0.0.0.0/0.0.0.0
permit = 127.0.0.1/255.255.255.255
writetimeout = 5000
[admin](limits)
secret = s3cr3t-words
read = all
write = system,call,originate
setvar = PBX=1
acl = office
eventfilter = !Channel: Local/
eventfilter(action(exclude),name(Newexten)) =
allowmultiplelogin = no
""",
        acl="[office]\npermit=10.0.0.0/8\n",
    )
    general, admin = read.manager.general, read.manager.users["admin"]
    assert (general.enabled, general.port, general.channelvars) == (True, 5040, ("CDR(accountcode)", "FOO"))
    assert (admin.reads, admin.writes) == (EVERYTHING, {"system", "call", "originate"})
    assert [(one.excludes, one.name, one.expression) for one in admin.filters] == [
        (True, "", "Channel: Local/"),
        (True, "newexten", ""),
    ]
    assert (len(admin.access), admin.setvar, admin.allowmultiplelogin) == (2, (("PBX", "1"),), False)
    assert not [warning for warning in read.warnings if warning.file == "manager.conf"]


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ("read=all", "manager.conf line 3: user [admin] has no secret"),
        ("secret=s3cr3t-words\nacl=nowhere", "acl nowhere of user [admin] is not a section of acl.conf"),
        ("secret=s3cr3t-words\neventfilter=(", "line 5: eventfilter: '(' is not a regular expression"),
        ("secret=s3cr3t-words\neventfilter=(a)(?=b)", "invalid perl operator"),
        ("secret=s3cr3t-words\neventfilter(action(maybe))=x", "action(maybe) is neither include nor exclude"),
        ("secret=s3cr3t-words\neventfilter(method(like))=x", "method(like) is none of"),
        ("secret=s3cr3t-words\neventfilter(color(red))=x", "'color(red)' is none of"),
        ("secret=s3cr3t-words\neventfilter(method(exact))=", "method(exact) needs an expression"),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path: Path, user: str, words: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        config(tmp_path, f"[general]\nenabled=yes\n[admin]\n{user}\n")
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("general", "secret", "refused"),
    [
        ("", "amp111", True),
        ("", "n0body-kn0ws", False),
        ("", "secret", True),
        ("bindaddr=127.0.0.1", "secret", False),
        ("bindaddr=192.0.2.1", "admin", True),
        ("bindaddr=127.0.0.1\nwebenabled=yes", "secret", True),
    ],
)
def test_no_known_secret_beyond_loopback(tmp_path: Path, general: str, secret: str, refused: bool) -> None:
    read = config(
        tmp_path,
        f"[general]\nenabled=yes\n{general}\n[admin]\nsecret={secret}\n",
        http="[general]\nenabled=yes\nbindaddr=0.0.0.0\n",
    )
    found = unsafe_listeners(read)
    assert bool(found) is refused
    assert not any(f" {secret}:" in str(problem) for problem in found)


@pytest.mark.parametrize(
    ("lines", "passed"),
    [
        ([], True),
        ([(None, "Event: Newchannel")], True),
        ([(None, "Event: Hangup")], False),
        ([(None, "Event: Hangup"), (None, "^Channel: PJSIP")], True),
        ([(None, "!Channel: PJSIP/")], False),
        ([(None, "Event: Newchannel"), (None, "!Context: default")], False),
        ([("name(Newchannel)", "")], True),
        ([("action(exclude),name(newchannel)", "")], False),
        ([("name(Newchannel),header(Channel),method(starts_with)", "PJSIP/")], True),
        ([("header(Channel),method(ends_with)", "PJSIP/")], False),
        ([("header(Context),method(exact)", "default")], True),
        ([("header(Context),method(contains)", "fau")], True),
        ([("action(exclude),header(Context),method(regex)", "^def.*t$")], False),
    ],
)
def test_filters(lines: list[tuple[str | None, str]], passed: bool) -> None:
    filters = tuple(read_filter(criteria, expression) for criteria, expression in lines)
    assert passes(filters, *EVENT, TEXT) is passed


@given(st.none() | st.text(max_size=60), st.text(max_size=60))
def test_a_filter_is_read_or_refused_in_words(criteria: str | None, expression: str) -> None:
    try:
        read = read_filter(criteria, expression)
    except ValueError as problem:
        assert str(problem)
    else:
        passes((read,), *EVENT, TEXT)
