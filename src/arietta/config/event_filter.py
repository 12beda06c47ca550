"""The `eventfilter` lines of manager.conf, which the Filter action takes too: which events a session gets.

The old form matches the whole event: ``Event: Newchannel`` lets only such events in, ``!Channel: Local`` keeps some
out. The newer one says what is matched how: ``eventfilter(action(exclude),name(Newexten),header(Context)) = default``.
"""

from __future__ import annotations

import re

import msgspec

from arietta.config.regexes import Regex

METHODS = ("none", "exact", "starts_with", "ends_with", "contains", "regex")
MAX_EXPRESSION = 1024

_CRITERION = re.compile(r"\s*(action|name|header|method)\(([^()]*)\)\s*(?:,|$)", re.IGNORECASE)


class EventFilter(msgspec.Struct, frozen=True):
    """One filter: an event fits if its name does and the text, of one header or of all, does too."""

    excludes: bool
    written: str
    name: str = ""
    """The only event it is about, in lower case; empty for all."""
    header: str = ""
    """The only header that is looked at, in lower case; empty for the whole event."""
    method: str = "regex"
    """One of METHODS."""
    expression: str = ""
    regex: Regex | None = None
    """The expression of the method `regex`."""

    def fits(self, name: str, headers: tuple[tuple[str, str], ...], text: str) -> bool:
        """Whether it matches an event, given as its name, its headers, and whole."""
        if self.name and self.name != name.lower():
            return False
        if self.method == "none":
            return True
        if not self.header:
            return self._matches(text)
        return any(self._matches(value) for header, value in headers if header.lower() == self.header)

    def _matches(self, text: str) -> bool:
        wanted = self.expression
        match self.method:
            case "exact":
                return text == wanted
            case "starts_with":
                return text.startswith(wanted)
            case "ends_with":
                return text.endswith(wanted)
            case "contains":
                return wanted in text
            case _:
                return self.regex is not None and self.regex.found_in(text)


def passes(filters: tuple[EventFilter, ...], name: str, headers: tuple[tuple[str, str], ...], text: str) -> bool:
    """Whether an event gets through: one that includes must fit if there are any, none that excludes may."""
    included, has_including = False, False
    for one in filters:
        if one.excludes:
            if one.fits(name, headers, text):
                return False
        else:
            has_including = True
            included = included or one.fits(name, headers, text)
    return included or not has_including


def read_filter(criteria: str | None, expression: str) -> EventFilter:
    """A filter from its line: `criteria` is what stands in the parentheses, None for the old form.

    Raises ValueError that says what is wrong with it.
    """
    if len(expression) > MAX_EXPRESSION:
        raise ValueError(f"the filter has {len(expression)} characters, {MAX_EXPRESSION} at most")
    if criteria is None:
        excludes = expression.startswith("!")
        pattern = expression[1:] if excludes else expression
        if not pattern:
            raise ValueError("the filter is empty")
        return EventFilter(excludes, expression, expression=pattern, regex=Regex(pattern, many_lines=True))
    given: dict[str, str] = {}
    position = 0
    while position < len(criteria):
        found = _CRITERION.match(criteria, position)
        if found is None:
            raise ValueError(f"{criteria[position:]!r} is none of action(), name(), header() and method()")
        word = found[1].lower()
        if word in given:
            raise ValueError(f"{word}() is given twice")
        given[word] = found[2].strip()
        position = found.end()
    action = given.get("action", "include").lower()
    if action not in ("include", "exclude"):
        raise ValueError(f"action({action}) is neither include nor exclude")
    method = given.get("method", "regex" if expression else "none").lower()
    if method not in METHODS:
        raise ValueError(f"method({method}) is none of {', '.join(METHODS)}")
    if method == "none" and not given.get("name"):
        raise ValueError("a filter without an expression needs a name()")
    if method != "none" and not expression:
        raise ValueError(f"method({method}) needs an expression")
    written = f"eventfilter({criteria}) = {expression}"
    header = given.get("header", "").lower()
    return EventFilter(
        action == "exclude",
        written,
        given.get("name", "").lower(),
        header,
        method,
        expression,
        Regex(expression, many_lines=True) if method == "regex" else None,
    )
