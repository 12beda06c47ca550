"""cel.conf and the files of its backends: the log of what happens to channels."""

from typing import Annotated, ClassVar

import msgspec

from arietta.config.conf import ConfFile
from arietta.config.kinds import Bool, Text, TextList
from arietta.config.record_files import RecordFile, RecordTable
from arietta.config.settings import Report, Settings, merged, read_settings

EVENTS = (
    "CHAN_START", "CHAN_END", "ANSWER", "HANGUP", "APP_START", "APP_END", "BRIDGE_ENTER", "BRIDGE_EXIT",
    "BLINDTRANSFER", "ATTENDEDTRANSFER", "PICKUP", "FORWARD", "LINKEDID_END", "USER_DEFINED",
)  # fmt: skip
"""What can be logged."""
NEVER = ("PARK_START", "PARK_END", "LOCAL_OPTIMIZE", "LOCAL_OPTIMIZE_BEGIN", "STREAM_BEGIN", "STREAM_END", "DTMF")
"""What Asterisk has besides; it never happens, or is never told here."""


class CelGeneral(Settings, frozen=True, kw_only=True, eq=False):
    """The log of channels as a whole."""

    TITLE: ClassVar[str] = "cel.conf [general]"

    enable: Annotated[bool, Bool("Whether anything is logged.")] = False
    events: Annotated[tuple[str, ...], TextList(f"Events that are logged: ALL, or some of {', '.join(EVENTS)}.")] = ()
    apps: Annotated[tuple[str, ...], TextList("Applications whose begin and end are logged.")] = ()
    dateformat: Annotated[
        str, Text("Format of times, as of strftime; seconds and microseconds since 1970 without one.")
    ] = ""

    wanted: frozenset[str] = frozenset()
    """The events, read."""


class CelManager(Settings, frozen=True, kw_only=True, eq=False):
    """The log as CEL events of the manager interface."""

    TITLE: ClassVar[str] = "cel.conf [manager]"

    enabled: Annotated[bool, Bool("Whether the log is told to the manager interface.")] = False
    show_user_defined: Annotated[bool, Bool("Whether EventName of a USER_DEFINED event is the name it was given.")] = (
        False
    )


class CelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """cel.conf and its backends."""

    general: CelGeneral = CelGeneral()
    manager: CelManager = CelManager()
    files: tuple[RecordFile, ...] = ()
    table: RecordTable | None = None

    @property
    def running(self) -> bool:
        """Whether there is anything to log, and anywhere."""
        general = self.general
        return general.enable and bool(general.wanted) and bool(self.manager.enabled or self.files or self.table)


def read_cel(file: ConfFile, report: Report) -> CelSettings:
    """The settings of cel.conf alone."""
    for section in file.active():
        if section.name.lower() == "radius":
            report.error(section, "[radius]: the log of channels is not written there, by this version")
        elif section.name.lower() not in ("general", "manager"):
            report.warn(section, f"[{section.name}] is not a section of cel.conf, it is ignored")
    general = read_settings(CelGeneral, merged(file.named("general"), report), report)
    wanted: set[str] = set()
    for name in (word.upper() for word in general.events):
        if name == "ALL":
            wanted.update(EVENTS)
        elif name in EVENTS:
            wanted.add(name)
        elif name in NEVER:
            report.warn(general.at("events"), f"events {name} has no effect in this version")
        else:
            report.error(general.at("events"), f"events {name} is none of ALL, {', '.join(EVENTS)}")
    if {"APP_START", "APP_END"} & wanted and not general.apps and "ALL" not in (w.upper() for w in general.events):
        report.warn(general.at("events"), "events APP_START and APP_END need applications in apps")
    return CelSettings(
        general=msgspec.structs.replace(general, wanted=frozenset(wanted)),
        manager=read_settings(CelManager, merged(file.named("manager"), report), report),
    )
