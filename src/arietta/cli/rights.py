"""As whom a server runs, and with what: user, group, real-time priority, core files."""

from __future__ import annotations

import grp
import os
import pwd
import resource

import msgspec

from arietta.config.system import AsteriskOptions
from arietta.errors import AriettaError

REAL_TIME_PRIORITY = 10


class RightsError(AriettaError):
    """Rights that cannot be had; the text names what asks for them."""


class Rights(msgspec.Struct, frozen=True):
    """What is asked for; an empty user or group is the present one."""

    user: str = ""
    group: str = ""
    real_time: bool = False
    core_file: bool = False

    def otherwise(self, options: AsteriskOptions) -> Rights:
        """With what asterisk.conf says where nothing is asked for."""
        return Rights(
            self.user or options.runuser,
            self.group or options.rungroup,
            self.real_time or options.highpriority,
            self.core_file or options.dumpcore,
        )


def take(rights: Rights) -> None:
    """Have limits, priority, group and user, in the order in which each may still be changed; raises RightsError.

    It comes before files are written and sockets opened: as with Asterisk they are those of the user.
    """
    user, group = _user(rights.user), _group(rights.group)
    if rights.core_file:
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    if rights.real_time:
        _hurry()
    _become(rights, user, group)


def _user(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name) if name else None
    except KeyError:
        raise RightsError(f"runuser {name} (-U): there is no such user") from None


def _group(name: str) -> int | None:
    try:
        return grp.getgrnam(name).gr_gid if name else None
    except KeyError:
        raise RightsError(f"rungroup {name} (-G): there is no such group") from None


def _hurry() -> None:
    """Real-time priority, which a server that restarts has already."""
    if os.sched_getscheduler(0) == os.SCHED_RR:
        return
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(REAL_TIME_PRIORITY))
    except OSError as failure:
        raise RightsError(f"highpriority (-p): real-time priority is not given: {failure.strerror}") from None


def _become(rights: Rights, user: pwd.struct_passwd | None, group: int | None) -> None:
    is_root = os.geteuid() == 0
    if user is not None and group is None and is_root:
        group = user.pw_gid
    try:
        if user is not None and is_root:
            os.initgroups(user.pw_name, user.pw_gid if group is None else group)
        elif group is not None and is_root:
            os.setgroups([group])
        if group is not None and group != os.getegid():
            os.setgid(group)
        if user is not None and user.pw_uid != os.geteuid():
            os.setuid(user.pw_uid)
    except OSError as failure:
        asked = (("runuser", rights.user), ("rungroup", rights.group))
        who = ", ".join(f"{option} {name}" for option, name in asked if name)
        raise RightsError(f"{who}: it cannot be changed to: {failure.strerror}") from None
