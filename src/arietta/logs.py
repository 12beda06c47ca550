"""Where log lines go: the console, files and consoles that follow, as logger.conf says, without secrets.

The levels are those of logger.conf. Python's INFO is a notice; the logger `arietta.verbose` tells of calls, and
`arietta.dtmf` and `arietta.security` have a level of their own.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import msgspec

from arietta import verbose
from arietta.config.conf import ConfFile, Option, Section
from arietta.config.settings import Report
from arietta.config.system import LOG_LEVELS, LogChannel, LoggerSettings, read_logger
from arietta.errors import BadRequest, Conflict, NotFound

VERBOSE, DTMF, SECURITY = "arietta.verbose", "arietta.dtmf", "arietta.security"
_KINDS = {VERBOSE: "verbose", DTMF: "dtmf", SECURITY: "security"}
_COLOURS = {"notice": "33", "warning": "1;31", "error": "31", "debug": "36", "dtmf": "32", "security": "35"}
_ONLY_CONSOLE = (LogChannel("console", ("notice", "warning", "error", "verbose", "dtmf"), 100, False, "the defaults"),)

ORIGIN = "the REST interface"
SYSLOG_PATH = "/dev/log"
_FACILITIES = {"kern": 0, "user": 1, "mail": 2, "daemon": 3, "auth": 4, "syslog": 5, "lpr": 6, "news": 7, "uucp": 8}
_FACILITIES |= {"cron": 9, "authpriv": 10, "ftp": 11} | {f"local{number}": 16 + number for number in range(8)}
_SEVERITIES = {"error": 3, "warning": 4, "security": 5, "notice": 5, "verbose": 6, "dtmf": 6, "debug": 7}

# What follows one of these words, or stands in one of these places, is never written to a log.
_SECRETS = r"""(?ix)
    (?P<before>
        \b(?:api_key|password|password_digest|passwd|secret|oauth_secret|md5_cred|refresh_token)
            ["']? \s* (?:=>?|:) \s* ["']?
      | \bauthorization ["']? \W{1,6} (?:basic|bearer) \s+
      | \bresponse \s* = \s* "?(?=[0-9a-f]{32})
      | \b\w+://[^\s:@/]{1,200}:(?=[^\s@/]{1,200}@)
      | \binline:(?=[0-9a-z+/])
      | \bsips?:[^\s:@;>]{1,200}:(?=[^\s@;>]{1,200}@)
    )
    (?P<secret>(?<=["'])[^"']+ | [^\s&,;"'@]+)
"""
# Each place above has one of these in it; a line without any, such as most that tell of calls, is not searched.
_SIGNS = ("_key", "passw", "secret", "cred", "token", "authorization", "response", "://", "sip:", "sips:", "inline:")
MASK = "***"
_LEAD_OF_2, _LEAD_OF_3, _LEAD_OF_4 = (verbose.INDENTATION[level] for level in (2, 3, 4))

Follower = Callable[[str, int, str], None]
"""Gets the kind of a line (a level of logger.conf), its verbose level (0 for other kinds), and the line."""


def mask(text: str) -> str:
    """The text with every secret in it replaced by asterisks: keys, passwords, credentials of requests and URIs."""
    lowered = text.lower()
    for sign in _SIGNS:
        if sign in lowered:
            break
    else:
        return text
    return re.sub(_SECRETS, rf"\g<before>{MASK}", text)


def kind_of(record: logging.LogRecord) -> str:
    """The level of logger.conf that a record has."""
    kind = _KINDS.get(record.name)
    if kind is not None:
        return kind
    if record.levelno >= logging.ERROR:
        return "error"
    if record.levelno >= logging.WARNING:
        return "warning"
    return "notice" if record.levelno >= logging.INFO else "debug"


def verbose_level_of(line: str) -> int:
    """The level a verbose line was told at, which its indentation shows; 1 without indentation."""
    if line.startswith(_LEAD_OF_3):
        return 3
    if line.startswith(_LEAD_OF_2):
        return 2
    return 4 if line.startswith(_LEAD_OF_4) else 1


class _Text:
    """Makes the text of records: the message with its traceback, masked."""

    def __init__(self, date_format: str, *, times: bool = False) -> None:
        """`times`: what is told of calls on the console has its time, as everything else has."""
        self.times = times
        self._formatter = logging.Formatter("%(message)s")
        self._date_format = date_format
        self._second = -1
        self._date = ""

    def message(self, record: logging.LogRecord) -> str:
        if record.exc_info or record.exc_text or record.stack_info:
            return mask(self._formatter.format(record))
        return mask(record.getMessage())

    def line(self, record: logging.LogRecord, kind: str, message: str) -> str:
        """`[Nov 22 12:00:00] NOTICE[1234]: arietta.sip: text`; verbose lines do without the name."""
        name = "" if kind == "verbose" else f" {record.name}:"
        return f"[{self.date(record.created)}] {kind.upper()}[{os.getpid()}]:{name} {message}"

    def date(self, created: float) -> str:
        second = int(created)
        if second != self._second:
            self._second = second
            self._date = time.strftime(self._date_format.replace("%3q", "%%3q"), time.localtime(second))
        return self._date.replace("%3q", f"{int(created * 1000) % 1000:03d}") if "%3q" in self._date else self._date


class Lines:
    """A stream that takes whole lines: those of one turn of the event loop leave in one write."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._waiting: list[str] = []

    def write(self, line: str) -> None:
        """Take one line, without its end."""
        if not self._waiting:
            try:
                asyncio.get_running_loop().call_soon(self.flush)
            except RuntimeError:
                self._waiting.append(line)
                self.flush()
                return
        self._waiting.append(line)

    def flush(self) -> None:
        """Write what waits; a reader that is gone (a closed pipe, a full disk) loses it, the server goes on."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        waiting.append("")
        try:
            self.stream.write("\n".join(waiting))
            self.stream.flush()
        except (OSError, ValueError):
            return


class _Channel(logging.Handler):
    """One destination of logger.conf."""

    def __init__(self, settings: LogChannel, text: _Text, path: Path | None, stream: TextIO | None) -> None:
        super().__init__()
        self.settings = settings
        self.path = path
        self._levels = frozenset(settings.levels)
        self._text = text
        self._colours = path is None and stream is not None and stream.isatty() and not os.environ.get("NO_COLOR")
        self.lines = Lines(stream if stream is not None else self._open())

    def _open(self) -> TextIO:
        assert self.path is not None
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")

    def emit(self, record: logging.LogRecord) -> None:
        kind = kind_of(record)
        if kind not in self._levels:
            return
        message = self._text.message(record)
        if kind == "verbose" and verbose_level_of(message) > self.settings.verbose_level:
            return
        self.lines.write(self._line(record, kind, message))

    def _line(self, record: logging.LogRecord, kind: str, message: str) -> str:
        if self.settings.json:
            entry = {
                "time": self._text.date(record.created),
                "level": kind.upper(),
                "pid": os.getpid(),
                "logger": record.name,
                "message": message.strip() if kind == "verbose" else message,
            }
            return msgspec.json.encode(entry).decode()
        if self.path is None and kind == "verbose":
            return f"[{self._text.date(record.created)}] {message}" if self._text.times else message
        line = self._text.line(record, kind, message.strip() if kind == "verbose" else message)
        return f"\x1b[{_COLOURS[kind]}m{line}\x1b[0m" if self._colours and kind in _COLOURS else line

    def show(self, level: str, shown: bool) -> None:
        """Show lines of a level, or do not."""
        self._levels = self._levels | {level} if shown else self._levels - {level}

    def reopen(self) -> None:
        """Close the file and open it by its name again."""
        if self.path is not None:
            self.lines.flush()
            self.lines.stream.close()
            self.lines = Lines(self._open())

    def close(self) -> None:
        self.lines.flush()
        if self.path is not None:
            self.lines.stream.close()
        super().close()


class _Syslog(logging.Handler):
    """One `syslog.FACILITY` destination of logger.conf: datagrams to the system's log (RFC 3164 4.1)."""

    path: Path | None = None

    def __init__(self, settings: LogChannel, text: _Text) -> None:
        super().__init__()
        self.settings = settings
        self._levels = frozenset(settings.levels)
        self._text = text
        facility = settings.name.lower().removeprefix("syslog.")
        if facility not in _FACILITIES:
            raise OSError(0, f"facility {facility} is none of {', '.join(_FACILITIES)}")
        self._facility = _FACILITIES[facility] << 3
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        try:
            self._socket.connect(SYSLOG_PATH)
        except OSError:
            self._socket.close()
            raise

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record; a system log that does not keep up, or went away, loses it."""
        kind = kind_of(record)
        if kind not in self._levels:
            return
        message = self._text.message(record)
        if kind == "verbose" and verbose_level_of(message) > self.settings.verbose_level:
            return
        line = f"<{self._facility | _SEVERITIES[kind]}>arietta[{os.getpid()}]: {kind.upper()}: {message.strip()}"
        try:
            self._socket.send(line.encode("utf-8", "backslashreplace")[:8192])
        except OSError:
            return

    def close(self) -> None:
        self._socket.close()
        super().close()


class _Feed(logging.Handler):
    """Hands lines to the consoles that follow."""

    def __init__(self, text: _Text) -> None:
        super().__init__()
        self.followers: list[Follower] = []
        self.hidden: frozenset[str] = frozenset()
        """Levels whose lines they do not get."""
        self._text = text

    def emit(self, record: logging.LogRecord) -> None:
        kind = kind_of(record)
        if kind in self.hidden:
            return
        message = self._text.message(record)
        level = verbose_level_of(message) if kind == "verbose" else 0
        line = message if kind == "verbose" else self._text.line(record, kind, message)
        for follower in tuple(self.followers):
            follower(kind, level, line)


class LogFiles:
    """The open log channels: those of logger.conf, and files that were added at run time."""

    def __init__(
        self, settings: LoggerSettings, folder: Path, *, stream: TextIO | None = None, times: bool = False
    ) -> None:
        """Files are opened below `folder`, the console is `stream`, whose every line has its `times` if wanted."""
        self._settings = settings
        self._folder = folder
        self._stream = stream if stream is not None else sys.stdout
        self._text = _Text(settings.general.dateformat, times=times)
        self._channels: list[_Channel | _Syslog] = []
        self._added: list[LogChannel] = []

    def stop(self) -> None:
        """Write what waits and close the channels."""
        for handler in self._channels:
            logging.getLogger().removeHandler(handler)
            handler.close()
        self._channels.clear()

    def open_channels(self) -> list[tuple[str, str, tuple[str, ...]]]:
        """The open channels: name or path, kind, levels in the order of their weight."""
        found = []
        for channel in self._channels:
            kind = "Syslog" if isinstance(channel, _Syslog) else "Console" if channel.path is None else "File"
            levels = tuple(level for level in LOG_LEVELS if level in channel.settings.levels)
            found.append((str(channel.path or channel.settings.name), kind, levels))
        return found

    def add_file(self, name: str, configuration: str) -> None:
        """Open a log file whose levels are written as in logger.conf; it stays when that is read again.

        BadRequest for unknown levels or none; Conflict if it exists, lies outside of the folder or cannot be opened.
        """
        settings = _read_channel(name, configuration)
        path = self._path_of(name)
        if any(channel.path == path for channel in self._channels):
            raise Conflict(f"log channel {name!r} exists")
        try:
            self._open(settings)
        except OSError as refusal:
            raise Conflict(f"log file {name!r} cannot be opened: {refusal.strerror or refusal}") from refusal
        self._added.append(settings)

    def remove_file(self, name: str) -> None:
        """Close a log file, which stays where it is; NotFound if there is none of that name or path."""
        channel = self._file(name)
        logging.getLogger().removeHandler(channel)
        channel.close()
        self._channels.remove(channel)
        if channel.settings in self._added:
            self._added.remove(channel.settings)

    def rotate_file(self, name: str) -> None:
        """Set one log file aside and begin a new one; NotFound if there is none of that name or path."""
        self._rotate(self._file(name))

    def rotate(self) -> list[str]:
        """Set the log files aside as rotatestrategy says and begin new ones; returns the paths set aside."""
        files = [channel for channel in self._channels if isinstance(channel, _Channel) and channel.path is not None]
        moved = [self._rotate(channel) for channel in files]
        return [str(path) for path in moved if path is not None]

    def _rotate(self, channel: _Channel) -> Path | None:
        assert channel.path is not None
        channel.lines.flush()
        moved = set_aside(channel.path, self._settings.general.rotatestrategy)
        channel.reopen()
        return moved

    def _file(self, name: str) -> _Channel:
        for channel in self._channels:
            if not isinstance(channel, _Channel) or channel.path is None:
                continue
            if name in (channel.settings.name, str(channel.path)):
                return channel
        raise NotFound(f"log channel {name!r} does not exist")

    def _path_of(self, name: str) -> Path:
        """Where a file that is added lies; Conflict unless that is inside the folder."""
        if not name.isprintable() or name.lower() == "console" or name.lower().startswith("syslog."):
            raise Conflict(f"log channel {name!r} cannot be added: only files can")
        path = self._folder / name
        if path == self._folder or ".." in path.parts or not path.resolve().is_relative_to(self._folder.resolve()):
            raise Conflict(f"log file {name!r} is outside of the folder of log files")
        return path

    def _open(self, settings: LogChannel) -> None:
        if settings.name.lower() == "console":
            channel: _Channel | _Syslog = _Channel(settings, self._text, None, self._stream)
        elif settings.name.lower().startswith("syslog."):
            channel = _Syslog(settings, self._text)
        else:
            channel = _Channel(settings, self._text, self._folder / settings.name, None)
        self._channels.append(channel)
        logging.getLogger().addHandler(channel)


class Logs(LogFiles):
    """The logs of a whole process: its channels, its levels, and the consoles that follow."""

    def __init__(
        self,
        settings: LoggerSettings,
        folder: Path,
        *,
        verbose_level: int = 3,
        debug_level: int = 0,
        stream: TextIO | None = None,
        times: bool = False,
    ) -> None:
        super().__init__(settings, folder, stream=stream, times=times)
        self._feed = _Feed(self._text)
        self._before = logging.getLogger().level
        self.debug_level = debug_level
        verbose.set_level(verbose_level)

    def start(self) -> None:
        """Open the channels; one that cannot be opened is told on the others."""
        root = logging.getLogger()
        root.addHandler(self._feed)
        root.setLevel(logging.WARNING)
        self.set_debug(self.debug_level)
        failures = []
        configured = self._settings.channels or _ONLY_CONSOLE
        self._added = [added for added in self._added if added.name not in {channel.name for channel in configured}]
        for channel in (*configured, *self._added):
            try:
                self._open(channel)
            except OSError as failure:
                failures.append((channel, failure))
        for channel, refusal in failures:
            reason = refusal.strerror or refusal
            logging.getLogger(__name__).warning("%s: log file %s: %s", channel.where, channel.name, reason)

    def stop(self) -> None:
        """Write what waits and close the channels."""
        root = logging.getLogger()
        super().stop()
        root.removeHandler(self._feed)
        self._feed.close()
        root.setLevel(self._before)
        logging.getLogger("arietta").setLevel(logging.NOTSET)

    def configure(self, settings: LoggerSettings) -> None:
        """Use the channels of another logger.conf; followers and files added at run time stay."""
        followers, hidden = self._feed.followers, self._feed.hidden
        self.stop()
        self._settings = settings
        self._text = _Text(settings.general.dateformat, times=self._text.times)
        self._feed = _Feed(self._text)
        self._feed.followers, self._feed.hidden = followers, hidden
        self.start()

    def show_on_consoles(self, level: str, shown: bool) -> None:
        """Show lines of a level on the console and to those that follow, or do not; files have them all the same."""
        for channel in self._channels:
            if isinstance(channel, _Channel) and channel.path is None:
                channel.show(level, shown)
        self._feed.hidden = self._feed.hidden - {level} if shown else self._feed.hidden | {level}

    def set_verbose(self, level: int) -> None:
        """Tell calls up to a level."""
        verbose.set_level(level)

    def set_debug(self, level: int) -> None:
        """Tell the inside (any level above 0), or not."""
        self.debug_level = level
        logging.getLogger("arietta").setLevel(logging.DEBUG if level else logging.INFO)

    def follow(self, follower: Follower) -> Callable[[], None]:
        """Hand every line to `follower` until the returned call."""
        self._feed.followers.append(follower)
        return lambda: self._feed.followers.remove(follower)

    def channels(self) -> list[tuple[str, str, str]]:
        """The open channels as a table: name or path, kind, levels."""
        return [(name, kind, ", ".join(levels)) for name, kind, levels in self.open_channels()]


def _read_channel(name: str, configuration: str) -> LogChannel:
    """The channel that a line of logger.conf would make; BadRequest with what is wrong with its levels."""
    report = Report()
    line = Option(name, configuration.strip(), ORIGIN, 0)
    (channel,) = read_logger(ConfFile(ORIGIN, (Section("logfiles", (line,), ORIGIN, 0),)), report).channels
    problems = [problem.message for problem in report.problems if problem.severity == "error"]
    if problems or not channel.levels:
        raise BadRequest("; ".join(problems) or f"{configuration!r} names no level, known are {', '.join(LOG_LEVELS)}")
    return channel


def set_aside(path: Path, strategy: str) -> Path | None:
    """Rename a log file and return its new path.

    `sequential` counts up, `rotate` makes .0 the newest, `timestamp` adds the second, `none` leaves it.
    """
    if strategy == "none" or not path.exists():
        return None
    if strategy == "timestamp":
        target = path.with_name(f"{path.name}.{int(time.time())}")
    else:
        suffixes = (old.name[len(path.name) + 1 :] for old in path.parent.glob(f"{path.name}.*"))
        taken = sorted(int(suffix) for suffix in suffixes if suffix.isdecimal())
        target = path.with_name(f"{path.name}.{taken[-1] + 1 if taken and strategy != 'rotate' else 0}")
        if strategy == "rotate":
            for number in reversed(taken):
                path.with_name(f"{path.name}.{number}").rename(path.with_name(f"{path.name}.{number + 1}"))
    path.rename(target)
    return target
