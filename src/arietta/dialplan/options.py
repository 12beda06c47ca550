"""Letters that say how an application works: ``sn``, ``bp(4)r(file)``."""

from __future__ import annotations

from arietta.dialplan.errors import ApplicationError


def letters(application: str, text: str, plain: str, valued: str = "") -> dict[str, str]:
    """Each letter with what stands in its parentheses; ApplicationError for one that is not in `plain` or `valued`.

    A letter of `valued` must have parentheses, one of `plain` has none. Of one that is written twice the last counts.
    """
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        letter = text[position]
        position += 1
        if letter == " ":
            continue
        value = None
        if text[position : position + 1] == "(":
            end = _closing(text, position)
            if end < 0:
                raise ApplicationError(f"{application}: option {letter}( is not closed")
            value = text[position + 1 : end]
            position = end + 1
        if letter not in plain and letter not in valued:
            known = " ".join([*plain, *(f"{one}()" for one in valued)]) or "none"
            raise ApplicationError(f"{application}: option {letter} is not supported, supported are: {known}")
        if value is None and letter not in plain:
            raise ApplicationError(f"{application}: option {letter} needs a value in parentheses")
        if value is not None and letter not in valued:
            raise ApplicationError(f"{application}: option {letter} takes no value, {value[:40]!r} was given")
        found[letter] = value or ""
    return found


def _closing(text: str, opening: int) -> int:
    """The place of the parenthesis that closes the one at `opening`; -1 if none does."""
    depth = 0
    for position in range(opening, len(text)):
        if text[position] == "(":
            depth += 1
        elif text[position] == ")":
            depth -= 1
            if not depth:
                return position
    return -1
