"""Regular expressions that clients and files give: matched in linear time, so that none of them stops the loop.

They are RE2's, which are POSIX's extended ones and most of Perl's; what needs backtracking is refused.
"""

from __future__ import annotations

import re

import re2

MAX_LENGTH = 4096
MAX_MEMORY_BYTES = 1 << 20
"""That one expression may take, also while it matches."""


class Regex:
    """One expression; ValueError says why it is none."""

    __slots__ = ("_compiled", "written")

    def __init__(self, written: str, *, many_lines: bool = False) -> None:
        """`many_lines`: ^ and $ are those of each line."""
        if len(written) > MAX_LENGTH:
            raise ValueError(f"the expression has {len(written)} characters, {MAX_LENGTH} at most")
        self.written = written
        options = re2.Options()
        options.max_mem = MAX_MEMORY_BYTES
        options.log_errors = False
        try:
            self._compiled = re2.compile(f"(?m){written}" if many_lines else written, options)
        except UnicodeEncodeError:
            raise ValueError(f"{written!r} is no text") from None
        except re2.error as problem:
            reason = problem.args[0] if problem.args else problem
            text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
            raise ValueError(f"{written!r} is not a regular expression: {text}") from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Regex) and self.written == other.written

    def __hash__(self) -> int:
        return hash(self.written)

    def replaced_in(self, text: str, replacement: str) -> str | None:
        r"""The text with the first part that matches replaced; ``\1`` is the first group. None where nothing matches.

        ValueError for a group that is not there.
        """
        match = self._compiled.search(text)
        if match is None:
            return None
        parts = re.split(r"\\(\d)", replacement)
        try:
            parts[1::2] = [match.group(int(digit)) or "" for digit in parts[1::2]]
        except IndexError:
            raise ValueError(f"{replacement!r} has a group that {self.written!r} does not have") from None
        return text[: match.start()] + "".join(parts) + text[match.end() :]

    def found_in(self, text: str) -> bool:
        """Whether a part of the text matches."""
        return self.find(text) is not None

    def find(self, text: str, *, at_start: bool = False) -> re.Match[str] | None:
        """The first part of the text that matches, or that at its start; bytes that are no text are question marks."""
        search = self._compiled.match if at_start else self._compiled.search
        try:
            found: re.Match[str] | None = search(text)
        except UnicodeEncodeError:  # bytes of a peer that were no text
            found = search(text.encode("utf-8", "replace").decode())
        return found

    @property
    def groups(self) -> int:
        """How many groups it has."""
        count: int = self._compiled.groups
        return count
