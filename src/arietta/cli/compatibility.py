"""What of Asterisk is here: each name of its documentation is complete, partial or refused, as the code declares it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from arietta.asterisk import own
from arietta.asterisk.absent import NOT_YET, SECTIONS, why_absent
from arietta.asterisk.names import FORMER, names, options
from arietta.cli.commands import all_commands
from arietta.config import reference as configuration
from arietta.config import support
from arietta.config.cdr import FOREIGN
from arietta.config.settings import Declared, Settings, declared
from arietta.config.tree import FILES
from arietta.dialplan.agi.commands import COMMANDS
from arietta.dialplan.applications import Application, DeclaredApplication
from arietta.dialplan.applications.standard import standard_applications
from arietta.dialplan.functions import EVERYTHING
from arietta.dialplan.functions.standard import standard_functions
from arietta.manager import actions
from arietta.manager.answers import ANSWERS
from arietta.manager.declared import ACTIONS
from arietta.manager.events import KINDS
from arietta.server import added

COMPLETE, PARTIAL, REFUSED = "complete", "partial", "refused"

INTRODUCTION = """\
# Compatibility

Every application, function, action, event, command, file and option that the public documentation of Asterisk 20 to 22
names, and what is here. This page is generated from the declarations in the code:
`arietta reference compatibility > docs/compatibility.md`. [Differences](asterisk.md) that are no matter of a name are
on a page of their own.

- **complete**: it does what Asterisk documents.
- **partial**: it does, except for what is named; what is not carried is refused by name.
- **refused**: it is not here. The note says why, or what does it instead; *not yet* is wanted and not done.

An application that is refused ends the call that uses it, a function is an empty text, an action and a command are
answered with an error, an event is not told. A file that is refused is not read, and `arietta check` names it. An
option that is refused is an error when it is set to anything but its default, or a warning where nobody would hear the
difference. `arietta check` finds all of it in a configuration before a call does.
"""


class Entry(msgspec.Struct, frozen=True):
    """One name of Asterisk, and what is here of it."""

    name: str
    state: str
    """COMPLETE, PARTIAL or REFUSED"""
    note: str = ""
    """What is missing, or what does it instead."""


# ---------------------------------------------------------------------------------------------------- what is here


def applications() -> dict[str, str]:
    """What each application that is here lacks, by its name."""
    return {one.name: _lacks(one) for one in (*standard_applications(), *added.APPLICATIONS)}


def _lacks(application: Application | DeclaredApplication) -> str:
    letters = application.options.letters if application.options is not None else ()
    refused = [f"`{one.written}`" for one in letters if one.refused]
    parts = [f"without the option{'s' * (len(refused) > 1)} {', '.join(refused)}"] if refused else []
    return "; ".join([*parts, *([application.lacks] if application.lacks else [])])


def functions() -> dict[str, str]:
    """What each function that is here lacks."""
    return {one.name: one.lacks for one in (*standard_functions(), *added.FUNCTIONS)}


def agi() -> dict[str, str]:
    """What each command of AGI that is here lacks."""
    return {" ".join(one.words): one.lacks for one in COMMANDS.values()}


def manager_actions() -> dict[str, str]:
    """What each action that is here lacks."""
    assert actions.MODULES  # being imported they have declared their actions
    return {one.name: one.lacks for one in ACTIONS.values()}


def manager_events() -> dict[str, str]:
    """What each event that is here lacks: those that are told, and those that answer an action."""
    answers = {name: "" for names_ in ANSWERS.values() for name in names_.split()}
    return answers | {kind.name: kind.lacks and f"without {kind.lacks}" for kind in KINDS.values()}


def commands() -> dict[str, str]:
    """What each command that is here lacks."""
    return {one.name: one.lacks for one in all_commands()}


def config_files() -> dict[str, str]:
    """The files that are read; what they lack is said of their options."""
    return dict.fromkeys((name for name in FILES if name not in FOREIGN), "")


HERE = {
    "applications": applications,
    "functions": functions,
    "agi": agi,
    "actions": manager_actions,
    "events": manager_events,
    "commands": commands,
    "files": config_files,
}


def entries(kind: str) -> list[Entry]:
    """Every name of a kind that Asterisk's documentation has, in their order; former names where they are here."""
    here = {name.lower(): lacks for name, lacks in HERE[kind]().items()}
    found = []
    for key, name in sorted(names(kind).items()):
        lacks = here.get(key, EVERYTHING)
        if lacks == EVERYTHING:
            if name.module != FORMER:
                found.append(Entry(name.text, REFUSED, why_absent(kind, name.text)))
        else:
            found.append(Entry(name.text, PARTIAL if lacks else COMPLETE, lacks))
    return found


def strangers() -> list[str]:
    """What is here under a name that Asterisk does not have and that is not said to be Arietta's own."""
    found = [
        f"{kind}: {name}"
        for kind, here in HERE.items()
        for name in here()
        if name.lower() not in names(kind) and not (kind == "commands" and name in own.COMMANDS)
    ]
    published = options()
    for settings in _settings():
        if settings.TITLE not in own.SECTIONS:
            known = {*map(str.lower, published.get(settings.TITLE, ())), *own.OPTIONS.get(settings.TITLE, ())}
            here = {name for entry in declared(settings) for name in entry.names}
            found += [f"{settings.TITLE}: {name}" for name in sorted(here) if name.lower() not in known]
    return found


# ------------------------------------------------------------------------------------------------------- options


def _settings() -> list[type[Settings]]:
    return [settings for _, _, classes in configuration.FILES for settings in classes]


def option_entries() -> dict[str, list[Entry]]:
    """The options of every file that is read, by section."""
    by_title = {settings.TITLE: settings for settings in _settings()}
    found = {}
    for title, texts in options().items():
        settings = by_title.get(title)
        by_name = {name.lower(): one for one in declared(settings) for name in one.names} if settings else {}
        found[title] = [_option_entry(title, text, by_name.get(text.lower())) for text in texts]
    return found


def _option_entry(title: str, text: str, option: Declared | None) -> Entry:
    if option is None:
        return Entry(text, REFUSED, SECTIONS.get(title, NOT_YET))
    state = support.state(title, option.field)
    if state == "yes":
        return Entry(text, COMPLETE)
    if state == "partly":
        verdicts = support.VALUES[title][option.field]
        values = ", ".join(f"`{configuration.value_text(value)}`" for value in verdicts)
        refused = any(severity == "error" for severity, _ in verdicts.values())
        return Entry(text, PARTIAL, f"{values} {'refused' if refused else 'without effect'}")
    if state == "no effect":
        return Entry(text, REFUSED, "no effect, with a warning")
    default = configuration.default_text(option)
    return Entry(text, REFUSED, f"but for its default `{default}`" if default else "")


# ------------------------------------------------------------------------------------------------------ the page

TABLES = (
    ("Applications", "applications", "application"),
    ("Functions", "functions", "function"),
    ("Commands of AGI", "agi", "command"),
    ("Actions of the manager interface", "actions", "action"),
    ("Events of the manager interface", "events", "event"),
    ("Commands of the console", "commands", "command"),
    ("Files", "files", "file"),
)


def page() -> str:
    """The whole page in Markdown."""
    found = {kind: entries(kind) for _, kind, _ in TABLES}
    sections = option_entries()
    counted = {heading: found[kind] for heading, kind, _ in TABLES}
    counted["Options"] = [entry for each in sections.values() for entry in each]
    parts = [INTRODUCTION, "\n", _summary(counted)]
    for heading, kind, what in TABLES:
        parts.append(f"\n## {heading}\n\n{_table(what, found[kind])}")
    parts.append("\n## Options\n")
    for title, rows in sections.items():
        parts.append(f"\n### {title}\n\n{_table('option', rows)}")
    parts.append(f"\n## Arietta's own\n\n{_own()}")
    return "".join(parts)


def _summary(counted: Mapping[str, list[Entry]]) -> str:
    lines = [f"| | names | {COMPLETE} | {PARTIAL} | {REFUSED} |", "|---|---|---|---|---|"]
    for heading, rows in counted.items():
        counts = [sum(row.state == state for row in rows) for state in (COMPLETE, PARTIAL, REFUSED)]
        lines.append(f"| {heading} | {len(rows)} | {' | '.join(map(str, counts))} |")
    return "\n".join(lines) + "\n"


def _table(what: str, rows: Iterable[Entry]) -> str:
    lines = [f"| {what} | state | note |", "|---|---|---|"]
    lines += [f"| `{row.name}` | {row.state} | {_cell(row.note)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _own() -> str:
    lines = [f"- commands: {_listed(own.COMMANDS)}", f"- sections: {_listed(own.SECTIONS)}"]
    lines += [f"- options of {title}: {_listed(names_)}" for title, names_ in own.OPTIONS.items()]
    return "\n".join(lines) + "\n"


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(f"`{text}`" for text in sorted(texts))
