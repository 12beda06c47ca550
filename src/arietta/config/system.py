"""asterisk.conf, modules.conf, logger.conf and sorcery.conf: the process itself."""

from pathlib import Path
from typing import Annotated, ClassVar

import msgspec

from arietta.config import support
from arietta.config.conf import ConfFile
from arietta.config.kinds import Bool, FilePath, Integer, Real, Text, TextList
from arietta.config.settings import Report, Settings, declared, merged, read_settings


class DirectoryOptions(Settings, frozen=True, kw_only=True, eq=False):
    """Folders of a server that is started with an asterisk.conf."""

    TITLE: ClassVar[str] = "asterisk.conf [directories]"

    astetcdir: Annotated[str, FilePath("Configuration files.")] = "/etc/asterisk"
    astmoddir: Annotated[str, FilePath("Modules; nothing is loaded from there.")] = "/usr/lib/asterisk/modules"
    astvarlibdir: Annotated[str, FilePath("Variable data.")] = "/var/lib/asterisk"
    astdbdir: Annotated[str, FilePath("Database.")] = "/var/lib/asterisk"
    astkeydir: Annotated[str, FilePath("Keys.")] = "/var/lib/asterisk"
    astdatadir: Annotated[str, FilePath("Fixed data: sounds, moh, static-http.")] = "/var/lib/asterisk"
    astagidir: Annotated[str, FilePath("AGI programs.")] = "/var/lib/asterisk/agi-bin"
    astspooldir: Annotated[str, FilePath("Recordings.")] = "/var/spool/asterisk"
    astrundir: Annotated[str, FilePath("Control socket and process id.")] = "/var/run/asterisk"
    astlogdir: Annotated[str, FilePath("Log files.")] = "/var/log/asterisk"
    astsbindir: Annotated[str, FilePath("Programs; none are run.")] = "/usr/sbin"
    astcachedir: Annotated[str, FilePath("Files that can be made again.")] = "/var/cache/asterisk"


class AsteriskOptions(Settings, frozen=True, kw_only=True, eq=False):
    """The process."""

    TITLE: ClassVar[str] = "asterisk.conf [options]"

    verbose: Annotated[int, Integer("How much of calls is told on the console.", 0, 100)] = 0
    debug: Annotated[int, Integer("How much of the inside is told.", 0, 100)] = 0
    nocolor: Annotated[bool, Bool("Whether the console is without colours.")] = False
    systemname: Annotated[str, Text("Name of this server, a prefix of channel ids.")] = ""
    entityid: Annotated[
        str, Text("Id of this server, such as 00:11:22:33:44:55; made from the network card if empty.")
    ] = ""
    defaultlanguage: Annotated[str, Text("Language of channels that have none.")] = "en"
    documentation_language: Annotated[str, Text("Language of the documentation.")] = "en_US"
    execincludes: Annotated[bool, Bool("Whether #exec lines run their command.")] = False
    live_dangerously: Annotated[bool, Bool("Whether dangerous functions may be used from outside of the dialplan.")] = (
        False
    )
    runuser: Annotated[str, Text("User to run as.")] = ""
    rungroup: Annotated[str, Text("Group to run as.")] = ""
    maxcalls: Annotated[int, Integer("Most calls at a time; 0 for no limit.")] = 0
    maxload: Annotated[float, Real("Load above which calls are refused; 0 for no limit.", 0.0, 10000.0, "load")] = 0.0
    minmemfree: Annotated[int, Integer("Free memory in megabytes below which calls are refused; 0 for no limit.")] = 0
    maxfiles: Annotated[int, Integer("Most open files; 0 for the system's limit.")] = 0
    alwaysfork: Annotated[bool, Bool("Whether the process goes to the background.")] = False
    nofork: Annotated[bool, Bool("Whether the process stays in the foreground.")] = False
    quiet: Annotated[bool, Bool("Whether the console is quiet.")] = False
    timestamp: Annotated[bool, Bool("Whether console lines have a time.")] = False
    console: Annotated[bool, Bool("Whether the process has a console.")] = False
    highpriority: Annotated[bool, Bool("Whether the process runs with high priority.")] = False
    initcrypto: Annotated[bool, Bool("Whether passphrases are asked for at start.")] = False
    dumpcore: Annotated[bool, Bool("Whether a crash leaves a core file.")] = False
    languageprefix: Annotated[bool, Bool("Whether the language is the first part of a sound's path.")] = True
    cache_record_files: Annotated[bool, Bool("Whether recordings are made elsewhere first.")] = False
    record_cache_dir: Annotated[str, FilePath("Where they are made.")] = "/tmp"
    transmit_silence: Annotated[bool, Bool("Whether silence is sent while a channel is recorded.")] = False
    transcode_via_sln: Annotated[bool, Bool("Whether codecs are converted by way of linear samples.")] = True
    internal_timing: Annotated[bool, Bool("Whether sounds are timed by the server.")] = True
    mindtmfduration: Annotated[int, Integer("Shortest digit in milliseconds.", 0, 10000)] = 80
    cache_media_frames: Annotated[bool, Bool("Whether media frames are kept for use again.")] = True
    lightbackground: Annotated[bool, Bool("Whether the terminal is light.")] = False
    forceblackbackground: Annotated[bool, Bool("Whether the terminal is made black.")] = False
    dontwarn: Annotated[bool, Bool("Whether some warnings are left out.")] = False
    hideconnect: Annotated[bool, Bool("Whether console connections are not told.")] = False
    hide_messaging_ami_events: Annotated[bool, Bool("Whether text messages are no AMI events.")] = False
    lockconfdir: Annotated[bool, Bool("Whether the configuration folder is locked while it is written.")] = False
    stdexten: Annotated[str, Text("How standard extensions are called.")] = "gosub"
    phreaknet: Annotated[bool, Bool("Whether experiments are enabled.")] = False


class AsteriskSettings(Settings, frozen=True, kw_only=True, eq=False):
    """asterisk.conf whole."""

    options: AsteriskOptions = AsteriskOptions()
    directories: DirectoryOptions = DirectoryOptions()


class Directories(msgspec.Struct, frozen=True):
    """The folders the server uses, all absolute; those it writes to are made by whoever writes first."""

    etc: Path
    var_lib: Path
    db: Path
    key: Path
    data: Path
    spool: Path
    run: Path
    log: Path
    cache: Path
    agi: Path
    modules: Path
    sbin: Path

    @property
    def sounds(self) -> Path:
        return self.data / "sounds"

    @property
    def recordings(self) -> Path:
        return self.spool / "recording"


class ModulesSettings(Settings, frozen=True, kw_only=True, eq=False):
    """modules.conf: parts of Asterisk to load; here they decide only what is listed as running."""

    TITLE: ClassVar[str] = "modules.conf [modules]"

    autoload: Annotated[bool, Bool("Whether all modules are loaded that noload does not name.")] = False
    load: Annotated[tuple[str, ...], TextList("Modules to load.", each_line_adds=True)] = ()
    noload: Annotated[tuple[str, ...], TextList("Modules not to load.", each_line_adds=True)] = ()
    preload: Annotated[tuple[str, ...], TextList("Modules to load first.", each_line_adds=True)] = ()
    require: Annotated[
        tuple[str, ...], TextList("Modules without which the server must not start.", each_line_adds=True)
    ] = ()
    preload_require: Annotated[
        tuple[str, ...],
        TextList(
            "Modules to load first, without which the server must not start.",
            each_line_adds=True,
            names=("preload-require",),
        ),
    ] = ()


class LoggerGeneral(Settings, frozen=True, kw_only=True, eq=False):
    """Logging as a whole."""

    TITLE: ClassVar[str] = "logger.conf [general]"

    dateformat: Annotated[str, Text("Time of log lines as strftime(3) writes it.")] = "%b %e %T"
    use_callids: Annotated[bool, Bool("Whether lines carry the id of their call.")] = True
    appendhostname: Annotated[bool, Bool("Whether names of log files end in the host name.")] = False
    queue_log: Annotated[bool, Bool("Whether queues are logged.")] = True
    queue_log_to_file: Annotated[bool, Bool("Whether that log is a file also.")] = False
    queue_log_name: Annotated[str, Text("Name of that file.")] = "queue_log"
    queue_log_realtime_use_gmt: Annotated[bool, Bool("Whether its times are GMT.")] = False
    rotatestrategy: Annotated[str, Text("How old log files are named.")] = "sequential"
    exec_after_rotate: Annotated[str, Text("Command run after a rotation.")] = ""
    logger_queue_limit: Annotated[int, Integer("Most lines waiting to be written.", 1)] = 1000


class LogChannel(msgspec.Struct, frozen=True):
    """One destination of log lines: console, syslog.FACILITY or a file, with its levels and format."""

    name: str
    levels: tuple[str, ...]
    verbose_level: int
    json: bool
    where: str


class LoggerSettings(Settings, frozen=True, kw_only=True, eq=False):
    """logger.conf whole."""

    general: LoggerGeneral = LoggerGeneral()
    channels: tuple[LogChannel, ...] = ()


LOG_LEVELS = ("debug", "trace", "notice", "warning", "error", "verbose", "dtmf", "fax", "security")


class SorceryMapping(msgspec.Struct, frozen=True):
    """Where objects of one type are kept: a wizard with its arguments."""

    object_type: str
    wizard: str
    arguments: str
    cache: bool
    where: str


class SorcerySettings(Settings, frozen=True, kw_only=True, eq=False):
    """sorcery.conf whole: the stores of object types, by module, in their order."""

    modules: dict[str, tuple[SorceryMapping, ...]] = msgspec.field(default_factory=dict)

    def wizards(self, object_type: str, module: str = "res_pjsip") -> tuple[SorceryMapping, ...]:
        """The stores of an object type, none when sorcery.conf does not name it."""
        return tuple(found for found in self.modules.get(module, ()) if found.object_type == object_type)


def read_asterisk(file: ConfFile, report: Report) -> AsteriskSettings:
    """The settings of asterisk.conf; `[directories](!)` is a template and so sets nothing."""
    for section in file.active():
        name = section.name.lower()
        if name == "files":
            report.warn(section, "[files] has no effect in this version: the control socket opens for its owner only")
        elif name not in ("directories", "options"):
            report.warn(section, f"[{section.name}] is not a section of asterisk.conf, it is ignored")
    directories = read_settings(DirectoryOptions, merged(file.named("directories"), report), report)
    for entry in declared(DirectoryOptions):
        option = directories.set_at.get(entry.field)
        if option is not None and not option.value.startswith("/") and entry.field != "astetcdir":
            report.error(option, f"{option.name} {option.value or 'without value'} is not an absolute path")
    return AsteriskSettings(
        name="asterisk.conf",
        file=file.path,
        options=read_settings(AsteriskOptions, merged(file.named("options"), report), report),
        directories=directories,
    )


def read_modules(file: ConfFile, report: Report) -> ModulesSettings:
    """The settings of modules.conf."""
    for section in file.active():
        if section.name.lower() not in ("modules", "global"):
            report.warn(section, f"[{section.name}] is not a section of modules.conf, it is ignored")
    return read_settings(ModulesSettings, merged(file.named("modules"), report), report)


def read_logger(file: ConfFile, report: Report) -> LoggerSettings:
    """The settings of logger.conf."""
    channels: list[LogChannel] = []
    for section in file.active():
        if section.name.lower() not in ("general", "logfiles"):
            report.warn(section, f"[{section.name}] is not a section of logger.conf, it is ignored")
    for section in file.named("logfiles"):
        for option in section.options:
            text = option.value
            json = text.lower().startswith("[json]")
            if text.startswith("["):
                text = text.partition("]")[2]
            levels: list[str] = []
            verbose_level = 100
            for word in filter(None, map(str.strip, text.lower().split(","))):
                level, bracket, number = word.partition("(")
                if level == "*":
                    levels.extend(LOG_LEVELS)
                elif level not in LOG_LEVELS:
                    report.error(option, f"{option.name}: level {word} is none of {', '.join(LOG_LEVELS)} or *")
                elif bracket and not (level == "verbose" and number[:-1].isdecimal() and number[-1] == ")"):
                    report.error(option, f"{option.name}: {word} is not a level, only verbose(NUMBER) has a number")
                else:
                    levels.append(level)
                    if bracket:
                        verbose_level = int(number[:-1][:6])
            channels.append(LogChannel(option.name, tuple(dict.fromkeys(levels)), verbose_level, json, option.where))
    general = read_settings(LoggerGeneral, merged(file.named("general"), report), report)
    return LoggerSettings(name="logger.conf", file=file.path, general=general, channels=tuple(channels))


def read_sorcery(file: ConfFile, report: Report) -> SorcerySettings:
    """The stores of sorcery.conf."""
    modules: dict[str, tuple[SorceryMapping, ...]] = {}
    for section in file.active():
        mappings: list[SorceryMapping] = list(modules.get(section.name, ()))
        for option in section.options:
            object_type, slash, suffix = option.name.partition("/")
            wizard, _, arguments = option.value.partition(",")
            wizard = wizard.strip().lower()
            if slash and suffix.strip().lower() not in ("cache", ""):
                report.error(option, f"{option.name}: /{suffix} is not /cache")
            if wizard not in support.SORCERY_WIZARDS and wizard != "memory_cache":
                report.error(
                    option,
                    f"{option.name}: wizard {wizard or 'without name'} is not supported by this version,"
                    f" supported are {', '.join(support.SORCERY_WIZARDS)}",
                )
            mappings.append(SorceryMapping(object_type.strip(), wizard, arguments.strip(), bool(slash), option.where))
        modules[section.name] = tuple(mappings)
    return SorcerySettings(name="sorcery.conf", file=file.path, modules=modules)
