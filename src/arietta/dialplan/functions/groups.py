"""Functions that put channels into groups and count them: how many calls go through one trunk, say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.dialplan.errors import FunctionError
from arietta.dialplan.expressions import MAX_SUBJECT, compile_regex
from arietta.dialplan.functions import Function, needed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

MAX_CATEGORIES = 100


class Groups:
    """Which channels are in which group, one group for each category of a channel."""

    KEY = "GROUP"
    """Where a channel keeps its groups by category."""

    def __init__(self) -> None:
        self._members: dict[tuple[str, str], set[str]] = {}

    def __iter__(self) -> Iterator[tuple[str, str, frozenset[str]]]:
        """Category, group and the ids of the channels in it, in order of their names."""
        return iter([(category, group, frozenset(ids)) for (category, group), ids in sorted(self._members.items())])

    def of(self, channel: Channel) -> dict[str, str]:
        """The groups of a channel by their categories."""
        groups: dict[str, str] = channel.functions.get(self.KEY, {})
        return groups

    def put(self, channel: Channel, category: str, group: str) -> None:
        """Put a channel into a group, out of the one it has in that category; no group is none."""
        if self.KEY not in channel.functions:
            channel.functions[self.KEY] = {}
            channel.on_end.append(self.forget)
        groups = self.of(channel)
        if group and category not in groups and len(groups) >= MAX_CATEGORIES:
            raise FunctionError("GROUP", f"{channel.name} is in {MAX_CATEGORIES} categories, which is the limit")
        self._take_out(channel, category)
        if group:
            groups[category] = group
            self._members.setdefault((category, group), set()).add(channel.id)

    def forget(self, channel: Channel) -> None:
        """Take a channel out of all groups."""
        for category in tuple(self.of(channel)):
            self._take_out(channel, category)

    def _take_out(self, channel: Channel, category: str) -> None:
        group = self.of(channel).pop(category, None)
        if group is None:
            return
        members = self._members[category, group]
        members.discard(channel.id)
        if not members:
            del self._members[category, group]

    def count(self, category: str, group: str) -> int:
        """How many channels are in a group."""
        return len(self._members.get((category, group), ()))


def _group_and_category(arguments: str) -> tuple[str, str]:
    group, _, category = arguments.strip().partition("@")
    return group.strip(), category.strip()


def _read(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return plan.groups.of(needed(channel, "GROUP")).get(arguments.strip(), "")


def _write(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    group, at, category = value.strip().partition("@")
    plan.groups.put(needed(channel, "GROUP"), category if at else arguments.strip(), group)


def _count(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    group, category = _group_and_category(arguments)
    if not group:
        group = plan.groups.of(needed(channel, "GROUP_COUNT")).get(category, "")
    return str(plan.groups.count(category, group))


def _match_count(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    pattern, category = _group_and_category(arguments)
    if not pattern:
        raise FunctionError("GROUP_MATCH_COUNT", "has no regular expression")
    try:
        groups = compile_regex(pattern)
        categories = compile_regex(category) if category else None
    except ValueError as failure:
        raise FunctionError("GROUP_MATCH_COUNT", str(failure)) from failure
    return str(
        sum(
            len(members)
            for of, group, members in plan.groups
            if groups.found_in(group[:MAX_SUBJECT]) and (categories is None or categories.found_in(of[:MAX_SUBJECT]))
        )
    )


def _list(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    groups = plan.groups.of(needed(channel, "GROUP_LIST"))
    return " ".join(f"{group}@{category}" if category else group for category, group in sorted(groups.items()))


FUNCTIONS = (
    Function("GROUP", "GROUP([category])", "The group of the channel; one for each category.", _read, _write),
    Function(
        "GROUP_COUNT",
        "GROUP_COUNT([group][@category])",
        "How many channels are in a group, in that of the channel if none is named.",
        _count,
    ),
    Function("GROUP_LIST", "GROUP_LIST()", "All groups of the channel, as `group` or `group@category`.", _list),
    Function(
        "GROUP_MATCH_COUNT",
        "GROUP_MATCH_COUNT(expression[@category])",
        "How many channels are in groups whose names a regular expression matches; the category is one too.",
        _match_count,
    ),
)
