"""The language of Asterisk's .conf files, read into frozen sections and options.

One file is lines of `[section]`, `name = value`, `name => value`, `name += value`, comments and directives.
Everything read keeps the file and line it came from, so that whoever finds a mistake later can name the place.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

MAX_INCLUDE_DEPTH = 10
MAX_FILES = 1000
MAX_FILE_BYTES = 16 * 1024 * 1024
MAX_PROBLEMS = 200
EXEC_TIMEOUT_SECONDS = 10.0

Severity = Literal["error", "warning"]


class Problem(msgspec.Struct, frozen=True):
    """One thing wrong with a configuration: `line` counts from 1, 0 stands for the file as a whole."""

    file: str
    line: int
    severity: Severity
    message: str

    def __str__(self) -> str:
        return f"{place(self.file, self.line)}: {self.message}"


class ConfigError(Exception):
    """A configuration that cannot be used, with every reason found."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class Option(msgspec.Struct, frozen=True):
    """One `name = value` line; `arrow` tells that it was written with `=>`."""

    name: str
    value: str
    file: str
    line: int
    arrow: bool = False

    @property
    def where(self) -> str:
        return place(self.file, self.line)


class Section(msgspec.Struct, frozen=True):
    """One `[name]` with its options in order, inherited ones first; `template` marks a `(!)` section."""

    name: str
    options: tuple[Option, ...]
    file: str
    line: int
    template: bool = False

    @property
    def where(self) -> str:
        return place(self.file, self.line)

    def get(self, name: str, default: str = "") -> str:
        """The last value of an option, names compared without case."""
        name = name.lower()
        for option in reversed(self.options):
            if option.name.lower() == name:
                return option.value
        return default


class ConfFile(msgspec.Struct, frozen=True):
    """One configuration file with everything it includes; `files` names each file that was read."""

    path: str
    sections: tuple[Section, ...]
    files: tuple[str, ...] = ()

    def active(self) -> Iterator[Section]:
        """The sections that are not templates, in order."""
        return (section for section in self.sections if not section.template)

    def named(self, name: str) -> tuple[Section, ...]:
        """The active sections of one name, compared without case."""
        name = name.lower()
        return tuple(section for section in self.active() if section.name.lower() == name)


def place(file: str, line: int) -> str:
    """The words a message uses for a place: `http.conf line 7`."""
    return f"{file} line {line}" if line else file


def read_conf(path: Path, *, root: Path | None = None, exec_includes: bool = False) -> ConfFile:
    """Read a .conf file and what it includes, or raise ConfigError with every problem found.

    Names in messages are relative to `root`, the configuration folder, which relative includes are also looked up in.
    `exec_includes` permits `#exec`, which runs a shell command and reads its output.
    """
    reader = _Reader(root if root is not None else path.parent, exec_includes)
    reader.read_file(path, path.name if root is None else reader.display(path), 0)
    return reader.finish(reader.display(path))


def parse_conf(text: str, name: str = "text", *, root: Path | None = None, exec_includes: bool = False) -> ConfFile:
    """Read .conf text that is not in a file; relative includes are looked up in `root`."""
    reader = _Reader(root if root is not None else Path(), exec_includes)
    reader.read_text(text, name, None)
    return reader.finish(name)


class _OpenSection:
    """A section while it is being read."""

    __slots__ = ("file", "line", "name", "options", "template")

    def __init__(self, name: str, file: str, line: int) -> None:
        self.name = name
        self.options: list[Option] = []
        self.file = file
        self.line = line
        self.template = False


class _Reader:
    """The state of reading one configuration file with its includes."""

    def __init__(self, root: Path, exec_includes: bool) -> None:
        self.root = os.path.abspath(root)
        self.exec_includes = exec_includes
        self.sections: list[_OpenSection] = []
        self.by_name: dict[str, list[_OpenSection]] = {}
        self.current: _OpenSection | None = None
        self.problems: list[Problem] = []
        self.stack: list[str] = []
        self.files: list[str] = []

    def finish(self, path: str) -> ConfFile:
        if self.problems:
            raise ConfigError(tuple(self.problems))
        return ConfFile(
            path,
            tuple(
                Section(opened.name, tuple(opened.options), opened.file, opened.line, opened.template)
                for opened in self.sections
            ),
            tuple(self.files),
        )

    def display(self, path: str | Path) -> str:
        """The name of a file in messages: relative to the configuration folder if it lies inside."""
        absolute = os.path.abspath(path)
        inside = self.root.rstrip(os.sep) + os.sep
        return absolute[len(inside) :] if absolute.startswith(inside) else absolute

    def error(self, file: str, line: int, message: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(file, line, "error", message))

    # --- files -----------------------------------------------------------------------------------

    def read_file(self, path: str | Path, from_file: str, from_line: int) -> None:
        """Read one file; what prevents that is reported at the place that asked for it."""
        real = os.path.realpath(path)
        shown = self.display(path)
        if real in self.stack:
            chain = " -> ".join(self.display(entry) for entry in [*self.stack[self.stack.index(real) :], real])
            self.error(from_file, from_line, f"includes itself: {chain}")
            return
        if len(self.stack) > MAX_INCLUDE_DEPTH:
            self.error(from_file, from_line, f"includes are nested deeper than {MAX_INCLUDE_DEPTH}: {shown}")
            return
        if len(self.files) >= MAX_FILES:
            self.error(from_file, from_line, f"more than {MAX_FILES} files are included, {shown} is one too many")
            return
        try:
            if not os.path.isfile(real):
                reason = "is not a file" if os.path.exists(real) else "does not exist"
                self.error(from_file, from_line, f"{shown} {reason}" if from_line else reason)
                return
            if os.path.getsize(real) > MAX_FILE_BYTES:
                self.error(from_file, from_line, f"{shown} is larger than {MAX_FILE_BYTES} bytes")
                return
            with open(real, "rb") as stream:
                data = stream.read(MAX_FILE_BYTES)
        except OSError as failure:
            self.error(from_file, from_line, f"{shown} cannot be read: {failure.strerror or failure}")
            return
        self.files.append(shown)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as failure:
            line = data.count(b"\n", 0, failure.start) + 1
            self.error(shown, line, f"byte 0x{data[failure.start]:02x} is not UTF-8 text")
            return
        self.stack.append(real)
        try:
            self.read_text(text, shown, os.path.dirname(os.path.abspath(path)))
        finally:
            self.stack.pop()

    def read_text(self, text: str, file: str, folder: str | None) -> None:
        if "\0" in text:
            self.error(file, text.count("\n", 0, text.index("\0")) + 1, "contains a NUL character, which is no text")
            return
        comment_depth = 0
        comment_line = 0
        for number, raw in enumerate(text.split("\n"), 1):
            if comment_depth or ";" in raw:
                before = comment_depth
                raw, comment_depth = _visible(raw, comment_depth)
                if comment_depth and not before:
                    comment_line = number
            line = raw.strip()
            if not line:
                continue
            first = line[0]
            if first == "[":
                self.open_section(line, file, number)
            elif first == "#":
                self.directive(line, file, number, folder)
            else:
                self.option(line, file, number)
        if comment_depth:
            self.error(file, comment_line, "block comment ;-- is not closed by --;")

    # --- lines -----------------------------------------------------------------------------------

    def open_section(self, line: str, file: str, number: int) -> None:
        name, bracket, rest = line[1:].partition("]")
        name = name.strip()
        rest = rest.strip()
        self.current = opened = _OpenSection(name, file, number)
        if not bracket:
            self.error(file, number, f"section {line} has no closing ]")
            return
        if not name:
            self.error(file, number, "section [] has no name")
            return
        if rest and (rest[0] != "(" or rest[-1] != ")"):
            self.error(
                file, number, f"section [{name}] is followed by {rest}, only (!), (+) or (TEMPLATE,...) may follow"
            )
            return
        addition = False
        for word in rest[1:-1].split(",") if rest else ():
            word = word.strip()
            if word == "!":
                opened.template = True
            elif word[:1] == "+":
                addition = True
                found = self.find_addition(name, word[1:], file, number)
                if found is None:
                    self.error(file, number, f"section [{name}](+) adds to [{name}], which does not exist yet")
                else:
                    self.current = opened = found
            elif word:
                bases = self.by_name.get(word)
                if bases is None:
                    self.error(file, number, f"section [{name}] inherits from [{word}], which does not exist yet")
                else:
                    opened.options.extend(bases[-1].options)
        if not addition:
            self.sections.append(opened)
            self.by_name.setdefault(name, []).append(opened)

    def find_addition(self, name: str, criteria: str, file: str, number: int) -> _OpenSection | None:
        """The section that `[name](+)` or `[name](+type=auth&...)` continues: the first that fits."""
        wanted = []
        for criterion in criteria.split("&") if criteria else ():
            option, equals, value = criterion.partition("=")
            if not equals:
                self.error(file, number, f"section [{name}](+{criteria}): {criterion} is not OPTION=VALUE")
            wanted.append((option.strip().lower(), value.strip()))
        for candidate in self.by_name.get(name, ()):
            present = {(option.name.lower(), option.value) for option in candidate.options}
            if all(pair in present for pair in wanted):
                return candidate
        return None

    def option(self, line: str, file: str, number: int) -> None:
        name, equals, value = line.partition("=")
        if not equals:
            self.error(file, number, f"{_shortened(line)} is neither a [section] nor NAME = VALUE")
            return
        append = name.endswith("+")
        arrow = value.startswith(">")
        name = (name[:-1] if append else name).strip()
        value = (value[1:] if arrow else value).strip()
        if not name:
            self.error(file, number, f"{_shortened(line)} has no name before the =")
            return
        if self.current is None:
            self.error(file, number, f"{name} stands before the first [section]")
            return
        options = self.current.options
        if append:
            for index in range(len(options) - 1, -1, -1):
                if options[index].name == name:
                    joined = _joined(options[index].value, value)
                    options[index] = Option(name, joined, file, number, arrow)
                    return
        options.append(Option(name, value, file, number, arrow))

    # --- directives ------------------------------------------------------------------------------

    def directive(self, line: str, file: str, number: int, folder: str | None) -> None:
        word, _, argument = line.partition(" ") if "\t" not in line else line.replace("\t", " ", 1).partition(" ")
        word = word.lower()
        argument = _unquoted(argument.strip())
        if word not in ("#include", "#tryinclude", "#exec"):
            self.error(file, number, f"{word} is not a directive, known are #include, #tryinclude and #exec")
        elif not argument:
            self.error(file, number, f"{word} names nothing")
        elif word == "#exec":
            self.execute(argument, file, number)
        else:
            self.include(argument, file, number, folder, required=word == "#include")

    def include(self, pattern: str, file: str, number: int, folder: str | None, required: bool) -> None:
        bases = list(dict.fromkeys((folder, self.root) if folder is not None else (self.root,)))
        if any(sign in pattern for sign in "*?["):
            import glob

            for base in bases:
                found = sorted(glob.glob(os.path.join(glob.escape(base), pattern)))
                if found:
                    for path in found:
                        self.read_file(path, file, number)
                    return
            return
        for base in bases:
            path = os.path.join(base, pattern)
            if os.path.exists(path):
                self.read_file(path, file, number)
                return
        if required:
            self.error(file, number, f"#include {pattern} does not exist")

    def execute(self, command: str, file: str, number: int) -> None:
        if not self.exec_includes:
            self.error(file, number, f"#exec {command} is refused, asterisk.conf [options] execincludes=yes permits it")
            return
        if len(self.stack) > MAX_INCLUDE_DEPTH or len(self.files) >= MAX_FILES:
            self.error(file, number, f"#exec {_shortened(command)} is nested too deep or repeated too often")
            return
        import subprocess

        try:
            done = subprocess.run(
                ["/bin/sh", "-c", command],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=EXEC_TIMEOUT_SECONDS,
                cwd=self.root,
                check=False,
            )
        except subprocess.TimeoutExpired:
            self.error(file, number, f"#exec {command} ran longer than {EXEC_TIMEOUT_SECONDS:g} seconds")
            return
        except OSError as failure:
            self.error(file, number, f"#exec {command} cannot be run: {failure.strerror or failure}")
            return
        if done.returncode:
            self.error(file, number, f"#exec {command} ended with status {done.returncode}")
            return
        self.files.append(f"#exec {command}")
        self.stack.append(f"#exec {command}")
        try:
            self.read_text(done.stdout.decode("utf-8", "replace"), f"output of {command}", None)
        finally:
            self.stack.pop()


def _visible(line: str, depth: int) -> tuple[str, int]:
    """What a line says outside of its comments, `\\;` undone, with the depth of block comments after it."""
    visible: list[str] = []
    start = position = 0
    while (semicolon := line.find(";", position)) >= 0:
        if semicolon and line[semicolon - 1] == "\\":
            position = semicolon + 1
        elif line.startswith("--", semicolon + 1) and line[semicolon + 3 : semicolon + 4] != "-":
            if not depth:
                visible.append(line[start:semicolon])
            depth += 1
            start = position = semicolon + 3
        elif not depth:
            visible.append(line[start:semicolon])
            start = len(line)
            break
        else:
            position = semicolon + 1
            if semicolon - 2 >= start and line.startswith("--", semicolon - 2):
                depth -= 1
                start = position
    if not depth:
        visible.append(line[start:])
    return "".join(visible).replace("\\;", ";"), depth


def _joined(old: str, new: str) -> str:
    """The value after `+=`: a list grows by an element, a comma at the seam is not doubled."""
    if not old or not new or old.endswith(",") or new.startswith(","):
        return old + new
    return f"{old},{new}"


def _unquoted(argument: str) -> str:
    if len(argument) >= 2 and (argument[0], argument[-1]) in (('"', '"'), ("<", ">")):
        return argument[1:-1].strip()
    return argument


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
