"""Changes to the text of a .conf file: what is not touched, comments too, stays as it is written.

A text is lines in sections; each change finds its section by name, and its line by name and perhaps value. What would
not be one line of its kind is refused, so that no value can add another line, a directive or a section.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from arietta.config.conf import MAX_FILE_BYTES, parse_conf

_HEAD = re.compile(r"\s*\[([^\]]*)\]")
_OPTION = re.compile(r"\s*([^;#\[=\s][^;=]*?)\s*(\+?=>?)\s*(.*)")
_NAME = re.compile(r"[^\s;#\[\]=+&\0][^;\[\]=\r\n\0]*")
_BASES = re.compile(r"\s*\[[^\]]*\]\s*\(\s*(?:!\s*)?(?:[^!\s)])")
_SECTION = re.compile(r"[^;\[\]()\s\r\n\0][^;\[\]()\r\n\0]*")


class EditError(ValueError):
    """A change that cannot be made; the text is what stands in the way."""


Criteria = Callable[[dict[str, list[str]]], bool]
"""Whether a section is meant, by its own options."""


class _Line:
    """One line of the text, or of what it becomes."""

    __slots__ = ("name", "operator", "text", "value")

    def __init__(self, text: str) -> None:
        self.text = text
        found = _OPTION.fullmatch(_outside_comment(text))
        self.name = found[1] if found is not None else ""
        self.operator = found[2] if found is not None else "="
        self.value = found[3].rstrip().replace("\\;", ";") if found is not None else ""


class _Block:
    """A section: its head, and the lines up to the next one."""

    def __init__(self, head: str, lines: list[_Line]) -> None:
        self.head = head
        self.lines = lines

    @property
    def name(self) -> str:
        found = _HEAD.match(self.head)
        return found[1].strip() if found is not None else ""

    @property
    def inherits(self) -> bool:
        """Whether it has options of another section, which are not among its lines."""
        return _BASES.match(self.head) is not None

    @property
    def options(self) -> list[_Line]:
        """The lines that say something."""
        return [line for line in self.lines if line.name]

    def values(self) -> dict[str, list[str]]:
        """What it says, by name."""
        found: dict[str, list[str]] = {}
        for line in self.options:
            found.setdefault(line.name, []).append(line.value)
        return found

    def insert(self, position: int, text: str) -> None:
        """Put a line before the option at a position; the last one stands before the blank lines at the end."""
        options = self.options
        if position < len(options):
            self.lines.insert(self.lines.index(options[position]), _Line(text))
            return
        end = len(self.lines)
        while end and not self.lines[end - 1].text.strip():
            end -= 1
        self.lines.insert(end, _Line(text))


class ConfText:
    """The text of one file, to be changed."""

    def __init__(self, text: str) -> None:
        if ";--" in text:
            raise EditError("it has block comments (;-- --;), whose lines could be taken for options")
        lines = [_Line(line) for line in text.split("\n")]
        starts = [at for at, line in enumerate(lines) if _HEAD.match(line.text)]
        self._before = lines[: starts[0]] if starts else lines
        ends = [*starts[1:], len(lines)]
        self._blocks = [
            _Block(lines[start].text, lines[start + 1 : end]) for start, end in zip(starts, ends, strict=True)
        ]

    def __str__(self) -> str:
        lines = [line.text for line in self._before]
        for block in self._blocks:
            lines += [block.head, *(line.text for line in block.lines)]
        return "\n".join(lines)

    def new_section(self, name: str, *, template: bool = False, inherits: str = "", again: bool = False) -> None:
        """Add a section at the end; `again` allows one more of the same name."""
        if not _SECTION.fullmatch(name):
            raise EditError(f"{name[:80]!r} cannot be the name of a section")
        if not again and any(block.name == name for block in self._blocks):
            raise EditError(f"section [{name}] is there already")
        bases = [base.strip() for base in inherits.split(",") if base.strip()]
        for base in bases:
            if all(block.name != base for block in self._blocks):
                raise EditError(f"template [{base[:80]}] does not exist")
        marks = ",".join((*(["!"] if template else []), *bases))
        if str(self).strip():
            last = self._blocks[-1].lines if self._blocks else self._before
            while last and not last[-1].text.strip():
                last.pop()
            last.append(_Line(""))
        else:
            self._before.clear()
        self._blocks.append(_Block(f"[{name}]({marks})" if marks else f"[{name}]", [_Line("")]))

    def rename_section(self, name: str, new: str, criteria: Criteria | None = None) -> None:
        """Give a section another name."""
        if not _SECTION.fullmatch(new):
            raise EditError(f"{new[:80]!r} cannot be the name of a section")
        block = self._section(name, criteria)
        block.head = _HEAD.sub(lambda _: f"[{new}]", block.head, count=1)

    def delete_section(self, name: str, criteria: Criteria | None = None) -> None:
        """Take a section away with all its lines."""
        self._blocks.remove(self._section(name, criteria))

    def empty_section(self, name: str, criteria: Criteria | None = None) -> None:
        """Take all lines out of a section."""
        self._section(name, criteria).lines[:] = [_Line("")]

    def update(self, name: str, option: str, value: str, match: str | None, criteria: Criteria | None = None) -> None:
        """Give the lines of an option another value, those with the value `match` alone if that is given."""
        block = self._section(name, criteria)
        for line in self._named(block, option, match):
            block.lines[block.lines.index(line)] = _Line(_written(option, value, line.operator))

    def delete(
        self, name: str, option: str, match: str | None, number: int | None, criteria: Criteria | None = None
    ) -> None:
        """Take the lines of an option away, those with a value, or the one at a position of the section's options."""
        block = self._section(name, criteria)
        if number is not None:
            block.lines.remove(self._option_at(block, number))
            return
        for line in self._named(block, option, match):
            block.lines.remove(line)

    def append(self, name: str, option: str, value: str, criteria: Criteria | None = None) -> None:
        """Add an option at the end of a section."""
        block = self._section(name, criteria)
        block.insert(len(block.options), _written(option, value))

    def insert(self, name: str, option: str, value: str, number: int, criteria: Criteria | None = None) -> None:
        """Add an option before the one at a position."""
        block = self._section(name, criteria)
        if number != len(block.options):
            self._option_at(block, number)
        block.insert(number, _written(option, value))

    def _section(self, name: str, criteria: Criteria | None) -> _Block:
        for block in self._blocks:
            if block.name == name and (criteria is None or criteria(block.values())):
                return block
        raise EditError(f"section [{name[:80]}] does not exist" + (" with these options" if criteria else ""))

    @staticmethod
    def _option_at(block: _Block, number: int) -> _Line:
        if block.inherits:
            raise EditError(f"section [{block.name}] inherits options, so that they cannot be counted: name one")
        options = block.options
        if number >= len(options):
            raise EditError(f"section [{block.name}] has {len(options)} options, there is none at {number}")
        return options[number]

    @staticmethod
    def _named(block: _Block, option: str, match: str | None) -> list[_Line]:
        found = [line for line in block.options if line.name == option and match in (None, line.value)]
        if not found:
            wanted = option if match is None else f"{option}={match}"
            raise EditError(f"section [{block.name}] has no {wanted[:80]}")
        return found


def _outside_comment(text: str) -> str:
    """A line without the comment that ends it."""
    position = -1
    while (position := text.find(";", position + 1)) >= 0:
        if position == 0 or text[position - 1] != "\\":
            return text[:position]
    return text


def _written(option: str, value: str, operator: str = "=") -> str:
    """An option as a line; a value that begins with `>` is written with an arrow."""
    if not _NAME.fullmatch(option):
        raise EditError(f"{option[:80]!r} cannot be the name of an option")
    if value.startswith(">"):
        operator, value = "=>", value[1:]
    value = value.strip()
    if any(sign in value for sign in "\r\n\0"):
        raise EditError(f"the value of {option} has an end of line in it")
    return f"{option} {operator} {value.replace(';', chr(92) + ';')}"


def save(path: Path, text: str, *, root: Path, exec_includes: bool = False) -> None:
    """Put a text in the place of a file, whole or not at all; raises ConfigError for one that is no .conf, OSError."""
    if len(text.encode()) > MAX_FILE_BYTES:
        raise EditError(f"{path.name} would be larger than {MAX_FILE_BYTES} bytes")
    parse_conf(text, path.name, root=root, exec_includes=exec_includes)
    real = Path(os.path.realpath(path))
    mode = real.stat().st_mode & 0o777 if real.exists() else 0o640
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=real.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(name, real)
    except BaseException:
        os.unlink(name)
        raise
