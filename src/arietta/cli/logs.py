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
from arietta.config.system import LogChannel, LoggerSettings

VERBOSE, DTMF, SECURITY = "arietta.verbose", "arietta.dtmf", "arietta.security"
_KINDS = {VERBOSE: "verbose", DTMF: "dtmf", SECURITY: "security"}
_COLOURS = {"notice": "33", "warning": "1;31", "error": "31", "debug": "36", "dtmf": "32", "security": "35"}
_ONLY_CONSOLE = (LogChannel("console", ("notice", "warning", "error", "verbose", "dtmf"), 100, False, "the defaults"),)

SYSLOG_PATH = "/dev/log"
_FACILITIES = {"kern": 0, "user": 1, "mail": 2, "daemon": 3, "auth": 4, "syslog": 5, "lpr": 6, "news": 7, "uucp": 8}
_FACILITIES |= {"cron": 9, "authpriv": 10, "ftp": 11} | {f"local{number}": 16 + number for number in range(8)}
_SEVERITIES = {"error": 3, "warning": 4, "security": 5, "notice": 5, "verbose": 6, "dtmf": 6, "debug": 7}

# What follows one of these words, or stands in one of these places, is never written to a log.
_SECRETS = re.compile(
    r"""(?ix)
    (?P<before>
        \b(?:api_key|password|password_digest|passwd|secret|oauth_secret|md5_cred|refresh_token)
            ["']? \s* (?:=>?|:) \s* ["']?
      | \bauthorization ["']? \W{1,6} (?:basic|bearer) \s+
      | \bresponse \s* = \s* "?(?=[0-9a-f]{32})
      | \b\w+://[^\s:@/]+:(?=[^\s@/]+@)
      | \bsips?:[^\s:@;>]+:(?=[^\s@;>]+@)
    )
    (?P<secret>(?<=["'])[^"']+ | [^\s&,;"'@]+)
    """
)
# Each place above has one of these in it; a line without any, such as most that tell of calls, is not searched.
_SIGNS = ("_key", "passw", "secret", "cred", "token", "authorization", "response", "://", "sip:", "sips:")
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
    return _SECRETS.sub(rf"\g<before>{MASK}", text)


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

    def __init__(self, date_format: str) -> None:
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
        self._colours = path is None and stream is not None and stream.isatty()
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
            return message
        line = self._text.line(record, kind, message.strip() if kind == "verbose" else message)
        return f"\x1b[{_COLOURS[kind]}m{line}\x1b[0m" if self._colours and kind in _COLOURS else line

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
        self._text = text

    def emit(self, record: logging.LogRecord) -> None:
        kind = kind_of(record)
        message = self._text.message(record)
        level = verbose_level_of(message) if kind == "verbose" else 0
        line = message if kind == "verbose" else self._text.line(record, kind, message)
        for follower in tuple(self.followers):
            follower(kind, level, line)


class Logs:
    """The log channels in force."""

    def __init__(
        self,
        settings: LoggerSettings,
        folder: Path,
        *,
        verbose_level: int = 3,
        debug_level: int = 0,
        stream: TextIO | None = None,
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._stream = stream if stream is not None else sys.stdout
        self._text = _Text(settings.general.dateformat)
        self._feed = _Feed(self._text)
        self._channels: list[_Channel | _Syslog] = []
        self._before = logging.getLogger().level
        self.debug_level = debug_level
        verbose.set_level(verbose_level)

    def start(self) -> None:
        """Open the channels; one that cannot be opened is told on the others."""
        root = logging.getLogger()
        if self._feed.followers:
            root.addHandler(self._feed)
        root.setLevel(logging.WARNING)
        self.set_debug(self.debug_level)
        failures = []
        for channel in self._settings.channels or _ONLY_CONSOLE:
            try:
                self._channels.append(self._make(channel))
            except OSError as failure:
                failures.append((channel, failure))
            else:
                root.addHandler(self._channels[-1])
        for channel, refusal in failures:
            reason = refusal.strerror or refusal
            logging.getLogger(__name__).warning("%s: log file %s: %s", channel.where, channel.name, reason)

    def stop(self) -> None:
        """Write what waits and close the channels."""
        root = logging.getLogger()
        for handler in (*self._channels, self._feed):
            root.removeHandler(handler)
            handler.close()
        self._channels.clear()
        root.setLevel(self._before)

    def configure(self, settings: LoggerSettings) -> None:
        """Use the channels of another logger.conf; followers stay."""
        followers = self._feed.followers
        self.stop()
        self._settings = settings
        self._text = _Text(settings.general.dateformat)
        self._feed = _Feed(self._text)
        self._feed.followers = followers
        self.start()

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
        logging.getLogger().addHandler(self._feed)  # once, however often it is added

        def unfollow() -> None:
            self._feed.followers.remove(follower)
            if not self._feed.followers:
                logging.getLogger().removeHandler(self._feed)

        return unfollow

    def channels(self) -> list[tuple[str, str, str]]:
        """The open channels: name or path, kind, levels."""
        found = []
        for channel in self._channels:
            kind = "Syslog" if isinstance(channel, _Syslog) else "Console" if channel.path is None else "File"
            found.append((str(channel.path or channel.settings.name), kind, ", ".join(channel.settings.levels)))
        return found

    def rotate(self) -> list[str]:
        """Set the log files aside as rotatestrategy says and begin new ones; returns the paths set aside."""
        aside = []
        for channel in self._channels:
            if isinstance(channel, _Syslog) or channel.path is None:
                continue
            channel.lines.flush()
            moved = set_aside(channel.path, self._settings.general.rotatestrategy)
            channel.reopen()
            if moved is not None:
                aside.append(str(moved))
        return aside

    def _make(self, settings: LogChannel) -> _Channel | _Syslog:
        if settings.name.lower() == "console":
            return _Channel(settings, self._text, None, self._stream)
        if settings.name.lower().startswith("syslog."):
            return _Syslog(settings, self._text)
        return _Channel(settings, self._text, self._folder / settings.name, None)


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
