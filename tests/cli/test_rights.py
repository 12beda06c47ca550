"""As whom a server runs: users, groups, priority, core files, of switches and of asterisk.conf."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable

import pytest

from arietta.cli import rights
from arietta.cli.rights import Rights, RightsError, take
from arietta.config.system import AsteriskOptions

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def in_a_child(what: Callable[[], str]) -> str:
    """What a function says in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            said = what()
        except BaseException as failure:
            said = repr(failure)
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as stream:
        said = stream.read().decode()
    os.waitpid(child, 0)
    return said


def test_switches_come_before_the_file() -> None:
    options = AsteriskOptions(runuser="asterisk", rungroup="voice", highpriority=True, dumpcore=True)
    assert Rights().otherwise(options) == Rights("asterisk", "voice", real_time=True, core_file=True)
    assert Rights("nobody", "").otherwise(options) == Rights("nobody", "voice", real_time=True, core_file=True)
    assert Rights().otherwise(AsteriskOptions()) == Rights()


def test_who_does_not_exist_is_named() -> None:
    with pytest.raises(RightsError, match=r"runuser nosuchname \(-U\): there is no such user"):
        take(Rights(user="nosuchname"))
    with pytest.raises(RightsError, match=r"rungroup nosuchname \(-G\): there is no such group"):
        take(Rights(group="nosuchname"))


@as_root
def test_root_becomes_a_user_for_good() -> None:
    def become() -> str:
        take(Rights(user="nobody"))
        try:
            os.setuid(0)
        except PermissionError:
            return f"{os.getuid()} {os.getgid()} {0 in os.getgroups()}"
        return "root again"

    import pwd

    nobody = pwd.getpwnam("nobody")
    assert in_a_child(become) == f"{nobody.pw_uid} {nobody.pw_gid} False"


@as_root
def test_a_user_that_is_no_root_stays_who_it_is() -> None:
    def become() -> str:
        take(Rights(user="nobody"))
        take(Rights(user="nobody"))  # as after a restart
        try:
            take(Rights(user="root"))
        except RightsError as refusal:
            return str(refusal)
        return "root again"

    assert in_a_child(become).startswith("runuser root: it cannot be changed to: ")


def test_core_files_are_as_large_as_may_be() -> None:
    def leave() -> str:
        take(Rights(core_file=True))
        soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
        return str(soft == hard)

    assert in_a_child(leave) == "True"


def test_real_time_priority_is_taken_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    now = [os.SCHED_OTHER]

    def schedule(_pid: int, policy: int, _param: object) -> None:
        asked.append(policy)
        now[0] = policy

    monkeypatch.setattr(rights.os, "sched_getscheduler", lambda _: now[0])
    monkeypatch.setattr(rights.os, "sched_setscheduler", schedule)
    take(Rights(real_time=True))
    take(Rights(real_time=True))
    assert asked == [os.SCHED_RR]


def test_priority_that_is_not_given_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(rights.os, "sched_getscheduler", lambda _: os.SCHED_OTHER)
    monkeypatch.setattr(rights.os, "sched_setscheduler", refuse)
    with pytest.raises(RightsError, match=r"highpriority \(-p\): real-time priority is not given"):
        take(Rights(real_time=True))
