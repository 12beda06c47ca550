"""Which tests ask which operation, and which answer they expect: read from the sources of the tests.

A request is a call such as `app.post(f"/channels/{channel}/play", expect=201)` or `request("POST", "/bridges")`, or a
text such as "POST /bridges?type=holding", or a line of a table such as "404 GET /bridges/nobody".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import arietta
from arietta.ari.contract import Operation

METHODS = ("GET", "POST", "PUT", "DELETE")
ANY_SEGMENT = "\0"
"""What stands for a part of a path that is known when the test runs."""
EVERY_OPERATION = "tests/journeys/walking.py"
"""Asks every operation, in any order."""
EVERY_FAILURE = "tests/ari/test_failures.py"
"""Provokes every failure that an operation declares."""
SIMULATED = frozenset({"http", "testing"})
"""Folders whose tests ask an API of their own."""
_LINE = re.compile(rf"({'|'.join(METHODS)}) (/\S*)")

_TABLE_LINE = re.compile(rf"^(\d{{3}}) ({'|'.join(METHODS)}) (/\S*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request in the source of a test."""

    file: str
    method: str
    path: str
    """Without its query; `ANY_SEGMENT` where it is made at run time."""
    status: int | None
    """The status that is expected; None where it is not said in the call."""


def tests_folder() -> Path | None:
    """The tests beside the source; None for an installed package."""
    folder = Path(arietta.__file__).parents[2] / "tests"
    return folder if folder.is_dir() else None


def requests_in(folder: Path) -> list[Asked]:
    """Every request in the Python files of a folder."""
    found: list[Asked] = []
    for file in sorted(folder.rglob("*.py")):
        if not SIMULATED.isdisjoint(file.parts) or "node_modules" in file.parts:
            continue
        name = file.relative_to(folder.parent).as_posix()
        for method, path, status in _requests(ast.parse(file.read_text(encoding="utf-8"))):
            found.append(Asked(name, method, path.partition("?")[0].removeprefix("/ari"), status))
    return found


def asked_of(operation: Operation, asked: Iterable[Asked]) -> list[Asked]:
    """The requests that are of an operation."""
    wanted = operation.path.split("/")
    return [one for one in asked if one.method == operation.method and _fits(one.path.split("/"), wanted)]


def tests_of(operation: Operation, asked: Iterable[Asked]) -> dict[int, list[str]]:
    """The test files by the status they provoke; under 0 those that look at the answer elsewhere."""
    found: dict[int, dict[str, None]] = {operation.success: {}}
    found |= {failure.status: {EVERY_FAILURE: None} for failure in operation.all_failures}
    for one in asked_of(operation, asked):
        found.setdefault(one.status or 0, {})[one.file] = None
    found.setdefault(0, {})[EVERY_OPERATION] = None
    return {status: list(found[status]) for status in (*sorted(found.keys() - {0}), 0)}


def _fits(path: list[str], wanted: list[str]) -> bool:
    return len(path) == len(wanted) and all(
        part == place or (place.startswith("{") and part != "") for part, place in zip(path, wanted, strict=True)
    )


def _requests(tree: ast.AST) -> Iterator[tuple[str, str, int | None]]:
    taken: set[ast.expr] = set()
    for node in ast.walk(tree):  # breadth first: a row before what stands in it
        if isinstance(node, ast.Call):
            yield from _call(node)
        elif isinstance(node, ast.Tuple | ast.List):
            for method, path, status in _row(node):
                taken.update(node.elts)
                yield method, path, status
        elif isinstance(node, ast.Constant | ast.JoinedStr) and node not in taken:
            text = _text(node)
            for status, method, path in _TABLE_LINE.findall(text):
                yield method, path, int(status)
            line = _LINE.match(text)
            if line is not None:
                yield line[1], line[2], None


def _call(node: ast.Call) -> Iterator[tuple[str, str, int | None]]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    texts = [_text(argument) for argument in node.args[:2]]
    if name.upper() in METHODS and texts and texts[0].startswith("/"):
        yield name.upper(), texts[0], _status(node)
    elif name == "request" and len(texts) == 2 and texts[0] in METHODS:
        yield texts[0], "/" + texts[1].lstrip("/"), _status(node)


def _row(node: ast.Tuple | ast.List) -> Iterator[tuple[str, str, int | None]]:
    """A row of a table of cases: method and path, perhaps more, a status."""
    line = _LINE.match(" ".join(_text(element) for element in node.elts[:2]))
    if line is not None:
        numbers = [element.value for element in node.elts if isinstance(element, ast.Constant)]
        yield line[1], line[2], next((n for n in numbers if type(n) is int and 200 <= n < 600), None)


def _status(node: ast.Call) -> int | None:
    for keyword in node.keywords:
        if keyword.arg == "expect" and isinstance(keyword.value, ast.Constant) and type(keyword.value.value) is int:
            return keyword.value.value
    return None


def _text(node: ast.expr) -> str:
    """A text, with `ANY_SEGMENT` for what is put in."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) if isinstance(part, ast.Constant) else ANY_SEGMENT for part in node.values)
    return ""
