"""The names that the public documentation of Asterisk 20 to 22 has: applications, functions, options and others.

They are lists in `arietta/data/asterisk`: a line `[GROUP]`, then the names of the group. Names are told apart without
regard to case.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

FOLDER = Path(__file__).parent.parent / "data" / "asterisk"
KINDS = ("applications", "functions", "agi", "actions", "events", "commands", "files")
OF_WORDS = ("agi", "commands")
"""Those whose names have several words."""
CORE = "core"
"""The group of what is in no module."""
FORMER = "former"
"""The group of names that are in earlier versions only."""


class Name(msgspec.Struct, frozen=True):
    """One name as it is written, and the module of Asterisk that has it."""

    text: str
    module: str


@cache
def names(kind: str) -> dict[str, Name]:
    """The names of one of KINDS, by the name in lower case."""
    return {text.lower(): Name(text, module) for module, texts in _groups(kind).items() for text in texts}


@cache
def by_module(kind: str) -> dict[str, tuple[str, ...]]:
    """The names of one of KINDS by their module, those of the core and of earlier versions left out."""
    return {module: texts for module, texts in _groups(kind).items() if module not in (CORE, FORMER)}


@cache
def options() -> dict[str, tuple[str, ...]]:
    """The options of each section: ``pjsip.conf type=endpoint``, ``http.conf [general]``."""
    return _groups("options")


def nearest(text: str, known: dict[str, Name] | tuple[str, ...], likeness: float = 0.75) -> str:
    """The name that was probably meant; "" if none is so much like it."""
    import difflib  # for those who misspelt something

    by_key = {key: name.text for key, name in known.items()} if isinstance(known, dict) else _by_key(known)
    found = difflib.get_close_matches(text.lower(), by_key, 1, likeness)
    return by_key[found[0]] if found else ""


def _by_key(texts: tuple[str, ...]) -> dict[str, str]:
    return {text.lower(): text for text in texts}


def _groups(kind: str) -> dict[str, tuple[str, ...]]:
    text = (FOLDER / f"{kind}.txt").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    group = ""
    for line in text.splitlines():
        if line.startswith("["):
            group = line[1:-1]
            found[group] = []
        elif line and not line.startswith("#"):
            found[group] += [line] if kind in OF_WORDS else line.split()
    return {group: tuple(texts) for group, texts in found.items()}
