"""cdr.conf and the files of its backends: the records of calls."""

from typing import Annotated, ClassVar

import msgspec

from arietta.config.conf import ConfFile
from arietta.config.kinds import Bool, Integer, Seconds
from arietta.config.record_files import RecordFile, RecordTable
from arietta.config.settings import Report, Settings, merged, read_settings

FOREIGN = (
    "cdr_adaptive_odbc.conf", "cdr_beanstalkd.conf", "cdr_mysql.conf", "cdr_odbc.conf", "cdr_pgsql.conf",
    "cdr_syslog.conf", "cdr_tds.conf", "cel_beanstalkd.conf", "cel_odbc.conf", "cel_pgsql.conf", "cel_tds.conf",
)  # fmt: skip
"""Files of backends that this server does not have."""


class CdrGeneral(Settings, frozen=True, kw_only=True, eq=False):
    """The records of calls as a whole."""

    TITLE: ClassVar[str] = "cdr.conf [general]"

    enable: Annotated[bool, Bool("Whether there are records of calls, where cdr.conf exists.")] = True
    unanswered: Annotated[bool, Bool("Whether calls are recorded that nobody answered and nobody was called by.")] = (
        False
    )
    congestion: Annotated[bool, Bool("Whether CONGESTION is told from FAILED.")] = False
    canceldispositionenabled: Annotated[
        bool, Bool("Whether a call that its caller cancelled is CANCEL, rather than NO ANSWER.")
    ] = False
    endbeforehexten: Annotated[bool, Bool("Whether records end before the extension h is executed.")] = True
    initiatedseconds: Annotated[bool, Bool("Whether a second of talk that has begun counts as a whole one.")] = False
    channeldefaultenabled: Annotated[bool, Bool("Whether channels have records without CDR_PROP(disable)=0.")] = True
    batch: Annotated[bool, Bool("Whether records are written several at once.")] = False
    size: Annotated[int, Integer("Records that make a batch.", 1, 1000)] = 100
    time: Annotated[int, Seconds("Longest wait for a batch.", 1, 86400)] = 300
    safeshutdown: Annotated[bool, Bool("Whether the stop waits until every record is written.")] = True
    scheduleronly: Annotated[bool, Bool("Which thread writes batches.")] = False
    debug: Annotated[bool, Bool("Whether the log tells every change of a record.")] = False
    ignorestatechanges: Annotated[
        bool, Bool("Whether bridges change no records: one lasts as long as its channel.")
    ] = False
    ignoredialchanges: Annotated[
        bool, Bool("Whether dialling changes no records: one is kept for all destinations.")
    ] = False


class CdrCsv(Settings, frozen=True, kw_only=True, eq=False):
    """The file cdr-csv/Master.csv below astlogdir, which is written where this section exists."""

    TITLE: ClassVar[str] = "cdr.conf [csv]"

    usegmtime: Annotated[bool, Bool("Whether times are UTC, rather than local.")] = False
    loguniqueid: Annotated[bool, Bool("Whether the id of the channel is a column.")] = False
    loguserfield: Annotated[bool, Bool("Whether the user field is a column.")] = False
    accountlogs: Annotated[bool, Bool("Whether each account has a file of its own besides.")] = True
    newcdrcolumns: Annotated[bool, Bool("Whether peeraccount, linkedid and sequence are columns.")] = False


class CdrManager(Settings, frozen=True, kw_only=True, eq=False):
    """Records as Cdr events of the manager interface."""

    TITLE: ClassVar[str] = "cdr_manager.conf [general]"

    enabled: Annotated[bool, Bool("Whether records are told to the manager interface.")] = False

    mappings: tuple[tuple[str, str], ...] = ()
    """Further headers: a field of the record, and how its header is called."""


class CdrSettings(msgspec.Struct, frozen=True, kw_only=True):
    """cdr.conf and its backends."""

    general: CdrGeneral = CdrGeneral()
    csv: CdrCsv | None = None
    files: tuple[RecordFile, ...] = ()
    table: RecordTable | None = None
    manager: CdrManager = CdrManager()

    @property
    def running(self) -> bool:
        """Whether records are made: where cdr.conf or one of its backends says so."""
        written = self.csv is not None or self.files or self.table is not None or self.manager.enabled
        return self.general.enable and bool(self.general.file or written)


def read_cdr(file: ConfFile, report: Report) -> CdrSettings:
    """The settings of cdr.conf alone."""
    for section in file.active():
        if section.name.lower() in ("radius", "sqlite"):
            report.error(section, f"[{section.name}]: records are not written there, by this version")
        elif section.name.lower() not in ("general", "csv", "custom"):
            report.warn(section, f"[{section.name}] is not a section of cdr.conf, it is ignored")
    csv = file.named("csv")
    return CdrSettings(
        general=read_settings(CdrGeneral, merged(file.named("general"), report), report),
        csv=read_settings(CdrCsv, merged(csv, report), report) if csv else None,
    )


def read_cdr_manager(file: ConfFile, report: Report) -> CdrManager:
    """The settings of cdr_manager.conf."""
    general = read_settings(CdrManager, merged(file.named("general"), report), report)
    mappings = []
    for section in file.named("mappings"):
        for option in section.options:
            if not option.value.replace("-", "").isalnum() or not option.value.isascii():
                report.error(option, f"{option.name} => {option.value}: a header has letters, digits and -")
            else:
                mappings.append((option.name, option.value))
    return msgspec.structs.replace(general, mappings=tuple(mappings))


def refuse_foreign(file: ConfFile, report: Report) -> None:
    """Refuse a file that wants records written where this server cannot write them."""
    for section in file.active():
        if section.options:
            report.error(section, f"{section.file}: this backend of records is not supported by this version")
