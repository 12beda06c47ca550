"""Functions on what is outside of the server: files, programs, other servers, the environment."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arietta.dialplan.arguments import is_yes, split_arguments, whole_number
from arietta.dialplan.errors import FunctionError
from arietta.dialplan.functions import Danger, Function
from arietta.dialplan.ports import WebFailed, WebOptions
from arietta.dialplan.programs import ProgramFailed, run_in_shell

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

READABLE_ENVIRONMENT = frozenset(("HOME", "HOSTNAME", "LANG", "LOGNAME", "PWD", "TZ", "USER"))
"""The environment variables that ENV() shows to everybody; the others may hold secrets."""
MAX_FILE_BYTES = 65536
"""What FILE() reads or writes at once."""
MAX_COUNTED_BYTES = 64 << 20
CURLOPT = "CURLOPT"
MAX_HEADERS = 50

_NUMBERS = {"conntimeout": "connect_seconds", "httptimeout": "seconds", "maxredirs": "max_redirects"}
_TEXTS = {"useragent": "User-Agent", "referer": "Referer", "cookie": "Cookie"}


def _path(name: str, text: str) -> Path:
    text = text.strip()
    if not text or "\0" in text:
        raise FunctionError(name, f"{text!r} is not the name of a file")
    return Path(text)


def _read_env(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    name = arguments.strip()
    if name not in READABLE_ENVIRONMENT and not plan.live_dangerously:
        readable = ", ".join(sorted(READABLE_ENVIRONMENT))
        raise FunctionError("ENV", f"{name!r} cannot be read; {readable} can, all with live_dangerously")
    return os.environ.get(name, "")


def _write_env(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    name = arguments.strip()
    if not plan.live_dangerously:
        raise FunctionError("ENV", f"{name!r} can be set with live_dangerously only")
    if not name or "=" in name or "\0" in name or "\0" in value:
        raise FunctionError("ENV", f"{name!r} is not the name of a variable, or its value has a NUL")
    if value:
        os.environ[name] = value
    else:
        os.environ.pop(name, None)


# ---------------------------------------------------------------------------------------------------------- files


def _bounded_part(content: str, offset_text: str, length_text: str) -> str:
    offset = whole_number(offset_text)
    start = max(0, len(content) + offset) if offset < 0 else offset
    if not length_text.strip():
        return content[start:]
    length = whole_number(length_text)
    return content[start : len(content) + length] if length < 0 else content[start : start + length]


def _file_text(name: str, path: Path, limit: int) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as failure:
        raise FunctionError(name, f"{path} cannot be read: {failure.strerror}") from failure
    if len(data) > limit:
        raise FunctionError(name, f"{path} is longer than {limit} bytes")
    return data.decode("utf-8", "replace")


def _read_file(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    name, offset, length, options, *_ = [*split_arguments(arguments), *[""] * 4]
    if set(options) - {"l"}:
        raise FunctionError("FILE", f"options {options!r} are not supported for reading, only l is")
    text = _file_text("FILE", _path("FILE", name), MAX_FILE_BYTES)
    if "l" not in options:
        return _bounded_part(text, offset, length)
    lines = text.splitlines(keepends=True)
    first = whole_number(offset)
    first = max(0, len(lines) + first) if first < 0 else first
    last = (
        len(lines)
        if not length
        else first + whole_number(length)
        if whole_number(length) >= 0
        else whole_number(length)
    )
    return "".join(lines[first:last])


def _write_file(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    name, offset, length, options, form, *_ = [*split_arguments(arguments), *[""] * 5]
    if set(options) - set("lad"):
        raise FunctionError("FILE", f"options {options!r} are not supported, l, a and d are")
    ending = {"": "\n", "u": "\n", "d": "\r\n", "m": "\r"}.get(form)
    if ending is None:
        raise FunctionError("FILE", f"format {form!r} is none of u, d, m")
    path = _path("FILE", name)
    by_lines = "l" in options
    addition = value + (ending if by_lines and "d" not in options else "")
    if len(addition.encode()) > MAX_FILE_BYTES:
        raise FunctionError("FILE", f"more than {MAX_FILE_BYTES} bytes cannot be written at once")
    try:
        if "a" in options:
            with path.open("a", encoding="utf-8", newline="") as file:
                file.write(addition)
            return
        if not offset and not length:
            path.write_text(addition, encoding="utf-8", newline="")
            return
        former = _file_text("FILE", path, MAX_FILE_BYTES) if path.exists() else ""
        pieces = former.splitlines(keepends=True) if by_lines else list(former)
        first = whole_number(offset)
        first = max(0, len(pieces) + first) if first < 0 else first
        count = len(pieces) if not length else whole_number(length)
        last = len(pieces) + count if count < 0 else first + count
        path.write_text("".join([*pieces[:first], addition, *pieces[max(first, last) :]]), encoding="utf-8", newline="")
    except OSError as failure:
        raise FunctionError("FILE", f"{path} cannot be written: {failure.strerror}") from failure


def _file_count_line(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    name, form, *_ = [*split_arguments(arguments), "", ""]
    text = _file_text("FILE_COUNT_LINE", _path("FILE_COUNT_LINE", name), MAX_COUNTED_BYTES)
    ending = {"u": "\n", "d": "\r\n", "m": "\r"}.get(form or _format_of(text))
    if ending is None:
        raise FunctionError("FILE_COUNT_LINE", f"format {form!r} is none of u, d, m")
    return str(text.count(ending))


def _format_of(text: str) -> str:
    for form, ending in (("d", "\r\n"), ("u", "\n"), ("m", "\r")):
        if ending in text:
            return form
    return "u"


def _file_format(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    text = _file_text("FILE_FORMAT", _path("FILE_FORMAT", arguments), MAX_COUNTED_BYTES)
    return _format_of(text) if "\n" in text or "\r" in text else "x"


def _stat(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    flag, _, name = arguments.partition(",")
    try:
        found = _path("STAT", name).stat()
    except OSError:
        return "0" if flag in ("d", "e", "f") else ""
    answers: dict[str, Any] = {
        "d": int(stat.S_ISDIR(found.st_mode)),
        "e": 1,
        "f": int(stat.S_ISREG(found.st_mode)),
        "m": format(found.st_mode & 0o7777, "o"),
        "s": found.st_size,
        "A": int(found.st_atime),
        "C": int(found.st_ctime),
        "M": int(found.st_mtime),
    }
    if flag not in answers:
        raise FunctionError("STAT", f"{flag!r} is none of {', '.join(answers)}")
    return str(answers[flag])


def _basename(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return os.path.basename(arguments.strip().rstrip("/"))


def _dirname(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return os.path.dirname(arguments.strip()) or "."


# ------------------------------------------------------------------------------------------------------- programs


async def _shell(plan: Interpreter, channel: Channel, arguments: str) -> str:
    if not plan.live_dangerously:
        raise FunctionError("SHELL", "runs programs, which asterisk.conf allows with live_dangerously only")
    try:
        _, output = await run_in_shell(arguments)
    except ProgramFailed as failure:
        raise FunctionError("SHELL", str(failure)) from failure
    return output


# -------------------------------------------------------------------------------------------------- other servers


def _web_options(plan: Interpreter, channel: Channel | None) -> dict[str, Any]:
    """What CURLOPT said, for the channel or else for all."""
    kept: dict[str, Any] = plan.web_options if channel is None else channel.functions.setdefault(CURLOPT, {})
    return kept


def _write_curlopt(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    key = arguments.strip().lower()
    options = _web_options(plan, channel)
    if key in _NUMBERS:
        number = whole_number(value, -1)
        if number < 0:
            raise FunctionError(CURLOPT, f"{key} {value!r} is not a whole number from 0")
        options[_NUMBERS[key]] = number
    elif key in _TEXTS or key == "httpheader":
        name, text = (_TEXTS[key], value) if key in _TEXTS else map(str.strip, (value + ":").split(":", 1))
        if not name or not (name + text).isprintable():
            raise FunctionError(CURLOPT, f"{value[:60]!r} is not a header")
        headers = options.setdefault("headers", {})
        headers[name] = text.rstrip(":") if key == "httpheader" else text
        if len(headers) > MAX_HEADERS:
            raise FunctionError(CURLOPT, f"more than {MAX_HEADERS} headers")
    elif key in ("followlocation", "ssl_verifypeer"):
        options["follow" if key == "followlocation" else "verify"] = is_yes(value)
    elif key == "userpwd":
        options["credentials"] = value
    elif key == "failurecodes":
        options["failures"] = tuple(whole_number(code) for code in split_arguments(value))
    else:
        known = ", ".join(sorted((*_NUMBERS, *_TEXTS, "failurecodes", "followlocation", "httpheader", "ssl_verifypeer",
                                  "userpwd")))  # fmt: skip
        raise FunctionError(CURLOPT, f"{key!r} is not supported; these are: {known}")


async def _curl(plan: Interpreter, channel: Channel, arguments: str) -> str:
    parts = split_arguments(arguments, 2)
    if not parts or not parts[0]:
        raise FunctionError("CURL", "names no URL")
    body = parts[1].encode() if len(parts) > 1 else None
    options = WebOptions(**{**plan.web_options, **channel.functions.get(CURLOPT, {})})
    try:
        answer = await plan.web(parts[0], body, options)
    except WebFailed as failure:
        raise FunctionError("CURL", str(failure)) from failure
    return answer.decode("utf-8", "replace").rstrip("\r\n")


OUTSIDE = Danger(reading=True, writing=True)

FUNCTIONS = (
    Function("BASENAME", "BASENAME(path)", "The last part of a path.", _basename),
    Function(
        "CURL",
        "CURL(url[,data])",
        "What an http or https server answers to GET, or to POST of the data. It is empty if the server cannot be "
        "reached; 64 KiB at most.",
        wait=_curl,
    ),
    Function(
        CURLOPT,
        "CURLOPT(option)",
        "How CURL asks: `conntimeout`, `cookie`, `failurecodes`, `followlocation`, `httpheader`, `httptimeout`, "
        "`maxredirs`, `referer`, `ssl_verifypeer`, `useragent`, `userpwd`.",
        write=_write_curlopt,
        lacks="without proxies, FTP, `dnstimeout`, `header`, `hashcompat` and `ssl_verifyhost`",
    ),
    Function("DIRNAME", "DIRNAME(path)", "A path without its last part.", _dirname),
    Function(
        "ENV",
        "ENV(name)",
        "An environment variable of the server; only harmless ones can be read, and none set, without "
        "`live_dangerously`.",
        _read_env,
        _write_env,
        danger=Danger(writing=True),
    ),
    Function(
        "FILE",
        "FILE(name[,offset[,length[,options[,format]]]])",
        "A part of a file: characters, or lines with option `l`; written it replaces that part, or is appended with "
        "option `a`. 64 KiB at most.",
        _read_file,
        _write_file,
        danger=OUTSIDE,
    ),
    Function(
        "FILE_COUNT_LINE",
        "FILE_COUNT_LINE(name[,format])",
        "How many lines a file has; the format is `u`, `d` or `m`.",
        _file_count_line,
        danger=OUTSIDE,
    ),
    Function(
        "FILE_FORMAT",
        "FILE_FORMAT(name)",
        "How the lines of a file end: `u` LF, `d` CR LF, `m` CR, `x` not at all.",
        _file_format,
        danger=OUTSIDE,
    ),
    Function(
        "SHELL",
        "SHELL(command)",
        "What a command of the system's shell writes; with `live_dangerously` in asterisk.conf only.",
        wait=_shell,
        danger=OUTSIDE,
    ),
    Function(
        "STAT",
        "STAT(flag,name)",
        "About a file: `e` is it there, `d` is it a folder, `f` a file, `s` its size, `m` its mode, `A` `C` `M` times.",
        _stat,
        danger=OUTSIDE,
    ),
)
