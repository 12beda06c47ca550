"""Variables as JSON bodies carry them: `{"NAME": "value"}` or `{"NAME": {"value": ..., "report_events": ...}}`."""

from typing import Any

from arietta.errors import BadRequest

from .domain import Assignment


def read_assignments(given: Any) -> dict[str, Assignment]:
    """Variables by their names, stripped of spaces; anything but texts and flags is a 400."""
    if not isinstance(given, dict):
        raise BadRequest("Parameter variables is not an object of names and values")
    found = {}
    for name, value in given.items():
        stripped = name.strip()
        if not stripped:
            raise BadRequest("Parameter variables holds a variable without a name")
        found[stripped] = _assignment(stripped, value)
    return found


def optional_assignments(given: Any) -> dict[str, Assignment] | None:
    """As `read_assignments`; None if nothing was given."""
    return None if given is None else read_assignments(given)


def read_texts(given: Any) -> dict[str, str]:
    """Texts by their names; nothing given is none of them, anything but texts is a 400."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise BadRequest("Parameter variables is not an object of names and values")
    for name, value in given.items():
        if not isinstance(value, str):
            raise BadRequest(f"Variable {name} is not a text")
    return given


def _assignment(name: str, value: Any) -> Assignment:
    if isinstance(value, str):
        return Assignment(value)
    if not isinstance(value, dict):
        raise BadRequest(f"Variable {name} is neither a text nor an object with a value")
    text = value.get("value")
    if not isinstance(text, str):
        raise BadRequest(f"Variable {name} has no text as its value")
    report_events = value.get("report_events", False)
    if not isinstance(report_events, bool):
        raise BadRequest(f"Variable {name}: report_events is neither true nor false")
    return Assignment(text, report_events)
