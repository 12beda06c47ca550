"""The reference of the dialplan in Markdown, made of what applications and functions say about themselves."""

from __future__ import annotations

from collections.abc import Iterable

from arietta.dialplan.applications import Application, DeclaredApplication
from arietta.dialplan.builtins import BUILTINS, GLOBAL_BUILTINS, SET_BY_STEPS
from arietta.dialplan.functions import DeclaredFunction, Function

WAYS = {(True, True): "", (True, False): " Can only be read.", (False, True): " Can only be set."}

INTRODUCTION = """# Dialplan reference

What `extensions.conf` can use. This page is generated: `arietta reference dialplan > docs/dialplan.md`.

An application that is not listed here ends the call that uses it, with a line in the log that names it, the file and
the line. A function that is not listed is an empty text, and a warning in the log. `arietta check` finds both before.
`core show application NAME` and `core show function NAME` of the console say what is said here.

## The file

- `[general]`: `static`, `writeprotect`, `autofallthrough` (yes unless set), `clearglobalvars`.
- `[globals]`: `NAME=value` sets a global variable; earlier ones may be used in it.
- Every other section is a context: `exten => extension[/caller],priority[(label)],Application(arguments)`,
  `same => priority[(label)],Application(arguments)`, `exten => extension,hint,devices`,
  `include => context[,times,weekdays,mdays,months[,timezone]]`, `ignorepat => digits`.
- A priority is a number, `n` (the previous one plus one), `s` (the previous one), each with `+number` if need be.
- A pattern starts with `_`: `X` is 0-9, `Z` 1-9, `N` 2-9, `[1-5a]` one of a set, `.` one or more of anything, `!` any
  rest; `-` does not count. The narrowest pattern wins; extensions without a pattern come before all patterns, own
  ones before included ones, and those for one caller before those for all.
- Special extensions: `s` (no number), `i` (invalid), `t` (nothing dialled in time), `T` (TIMEOUT(absolute)), `e` (in
  place of a missing `i`, `t` or `T`), `h` (after the call).
- `switch`, `lswitch`, `eswitch` and `autohints` are refused.

## Text

`${NAME}` is a variable, `${NAME:offset:length}` a part of it, `${FUNCTION(arguments)}` a function, `$[expression]` an
expression; all may be nested. A backslash before `${` or `$[` takes their meaning away. Operators of expressions, from
weakest to strongest: `? ::`, `|`, `&`, `= == != < <= > >=`, `+ -`, `* / %`, unary `- !`, `: =~`, `~~`.
"""


def dialplan_reference(
    applications: Iterable[Application | DeclaredApplication], functions: Iterable[Function | DeclaredFunction]
) -> str:
    """The whole page, of everything in the order of its name."""
    parts = [INTRODUCTION, "\n## Applications\n"]
    for application in sorted(applications, key=lambda one: one.name.lower()):
        parts.append(f"\n### {application.name}\n\n`{application.syntax}`\n\n{application.summary}\n")
        if application.options is not None:
            parts.append("\n" + "".join(f"- {line}\n" for line in application.options.described()))
    parts.append("\n## Functions\n")
    for function in sorted(functions, key=lambda one: one.name):
        way = WAYS[function.can_read, function.can_set]
        parts.append(f"\n### {function.name}\n\n`{function.syntax}`\n\n{function.summary}{way}\n")
    parts.append("\n## Variables\n\nBuilt in, for every channel:\n\n")
    known = {name: builtin.summary for name, builtin in BUILTINS.items()}
    known.update({name: summary for name, (summary, _) in GLOBAL_BUILTINS.items()})
    parts.extend(f"- `{name}`: {known[name]}\n" for name in sorted(known))
    parts.append("\nSet by applications:\n\n")
    parts.extend(f"- `{name}`: {SET_BY_STEPS[name]}\n" for name in sorted(SET_BY_STEPS))
    return "".join(parts)
