"""The plain variables of a channel, with those that channels dialled by it inherit."""

from __future__ import annotations


class Variables(dict[str, str]):
    """By their names as they were set: those with ``_`` or ``__`` are inherited, and read without it."""

    def put(self, name: str, value: str) -> None:
        """Set a variable, whatever prefix it had before."""
        for other in _spellings(name):
            if other != name:
                self.pop(other, None)
        self[name] = value

    def forget(self, name: str) -> None:
        """Take a variable away, whatever its prefix."""
        for other in _spellings(name):
            self.pop(other, None)

    def read(self, name: str) -> str | None:
        """A variable by its bare name; None if it was never set."""
        value = self.get(name)
        if value is None:
            value = self.get("_" + name)
            if value is None:
                value = self.get("__" + name)
        return value

    def inherited(self) -> dict[str, str]:
        """What a dialled channel starts with: ``__X`` as it is, ``_X`` without its prefix."""
        inherited: dict[str, str] = {}
        for name, value in self.items():
            if name.startswith("__"):
                inherited[name] = value
            elif name.startswith("_"):
                inherited[name[1:]] = value
        return inherited


def _spellings(name: str) -> tuple[str, str, str]:
    bare = name.lstrip("_")
    return bare, "_" + bare, "__" + bare
