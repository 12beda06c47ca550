"""Paths to operations: a tree of segments, literal ones before parameters."""

from collections.abc import Callable
from typing import Any

from .binding import decode
from .contract import Operation

Run = Callable[[Any, list[str]], Any]


class Node:
    """One path, with what may be asked there."""

    __slots__ = ("_allow", "literals", "operations", "parameter", "runs")

    def __init__(self) -> None:
        self.literals: dict[str, Node] = {}
        self.parameter: Node | None = None
        self.operations: dict[str, Operation] = {}
        self.runs: dict[str, Run] = {}
        self._allow: tuple[str, ...] = ("OPTIONS",)

    @property
    def allow(self) -> tuple[str, ...]:
        """Methods that are answered here, OPTIONS first; upgrades are not listed."""
        return self._allow

    def add(self, operation: Operation, run: Run) -> None:
        """Serve an operation here."""
        if operation.method in self.operations:
            raise ValueError(f"{operation.method} {operation.path} is declared twice")
        self.operations[operation.method] = operation
        self.runs[operation.method] = run
        if operation.upgrade is None:
            self._allow = (*self._allow, operation.method)


class Routes:
    """All paths there are."""

    __slots__ = ("_exact", "root")

    def __init__(self) -> None:
        self.root = Node()
        self._exact: dict[str, Node] = {"": self.root}

    def add(self, operation: Operation, run: Run) -> None:
        """Make a path, with those on the way to it."""
        node = self.root
        walked = ""
        for segment in operation.path.split("/")[1:]:
            if segment.startswith("{"):
                if node.parameter is None:
                    node.parameter = Node()
                node = node.parameter
                walked = ""
            else:
                node = node.literals.setdefault(segment, Node())
                walked += "/" + segment
                if operation.path.startswith(walked):
                    self._exact[walked] = node
        node.add(operation, run)

    def find(self, path: str) -> tuple[Node, list[str]] | None:
        """The node of a percent-encoded path, with the parameters in it, decoded; None if there is none.

        A literal segment is never read as a parameter, and a path does not end in a slash.
        """
        node = self._exact.get(path)
        if node is not None:
            return node, []
        segments = path.split("/")
        if not segments[-1] or segments[0]:
            return None
        if "%" in path or "+" in path:
            segments = [decode(segment) for segment in segments]
        del segments[0]
        node = self.root
        found = []
        for segment in segments:
            following = node.literals.get(segment)
            if following is None:
                following = node.parameter
                if following is None:
                    return None
                found.append(segment)
            node = following
        return node, found
