"""Changes of configuration files: UpdateConfig, CreateConfig. Only the files that are read here, and only whole."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from arietta.config.conf import ConfigError
from arietta.config.editing import ConfText, Criteria, EditError, save
from arietta.config.tree import FILES
from arietta.errors import AriettaError, BadRequest, Conflict, Forbidden, NotFound
from arietta.manager.actions.configuration import MASK, SECRETS, SectionFilter, path_of
from arietta.manager.declared import Call, Reply, action, success

_NUMBERED = re.compile(r"(action|cat|var|value|match|line|options)-(\d{1,6})", re.IGNORECASE)
_WORD = re.compile(r"(?:[^,\"]|\"[^\"]*\")+")
MAX_LINE = 1_000_000
GUARDED = frozenset(("asterisk.conf", "manager.conf"))


class Change(msgspec.Struct):
    """One numbered change of an UpdateConfig."""

    action: str = ""
    cat: str = ""
    var: str = ""
    value: str = ""
    match: str | None = None
    line: str = ""
    options: str = ""

    @property
    def number(self) -> int | None:
        """The position that `Line` gives."""
        if not self.line:
            return None
        if not (self.line.isascii() and self.line.isdigit()) or len(self.line) > len(str(MAX_LINE)):
            raise EditError(f"Line {self.line[:20]!r} is not a number in 0..{MAX_LINE}")
        return int(self.line)

    def option(self, name: str) -> str | None:
        """A word of `Options`, or what is given to it in parentheses or behind an equals sign; None without it."""
        for word in _WORD.finditer(self.options):
            key, _, value = word[0].strip().partition("=")
            if key.strip().lower() == name:
                return value.strip().strip('"')
        return None

    @property
    def criteria(self) -> Criteria | None:
        """Which of several sections of the name is meant."""
        wanted = self.option("catfilter")
        return SectionFilter(wanted).matches if wanted else None


@action(
    "UpdateConfig",
    "Change a configuration file; what is not touched stays as it is written, comments too.",
    ("SrcFilename", "The .conf file to read."),
    ("DstFilename", "The .conf file to write, which may be the same."),
    ("[Reload]", "yes to let all parts take it, or the name of a module; a file that is refused then is put back."),
    ("[PreserveEffectiveContext]", "no: lines are not repeated in sections that inherit them, which is always so."),
    (
        "Action-000000",
        "NewCat, RenameCat, DelCat, EmptyCat, Update, Delete, Append or Insert; further ones are numbered from 000001.",
    ),
    ("[Cat-000000]", "The section."),
    ("[Var-000000]", "The option."),
    ("[Value-000000]", "Its value, after > written with an arrow; of RenameCat the new name."),
    ("[Match-000000]", "Only options with this value."),
    ("[Line-000000]", "Position among the section's options, from 0: for Insert and Delete."),
    ("[Options-000000]", 'allowdups, template, inherit="TEMPLATE,…", catfilter="NAME=VALUE,…".'),
    write="config",
    lacks="lines of included files are left alone, and `PreserveEffectiveContext` other than no is refused",
)
def update_config(call: Call) -> Reply:
    source, target = _known(call, path_of(call, "SrcFilename")), _known(call, path_of(call, "DstFilename"))
    if not source.is_file():
        raise NotFound("Config file not found")
    if call.flag("PreserveEffectiveContext"):
        raise BadRequest("PreserveEffectiveContext: yes is not supported: a section keeps what it says itself")
    changes = _changes(call)
    try:
        text = ConfText(source.read_text("utf-8"))
    except (EditError, OSError, UnicodeDecodeError) as problem:
        raise BadRequest(f"{source.name} cannot be changed: {problem}") from None
    for number, change in changes:
        try:
            _apply(text, change)
        except EditError as problem:
            raise BadRequest(f"Action-{number:06}: {problem}") from None
    _write(call, target, str(text))
    return success("")


@action(
    "CreateConfig",
    "Make an empty configuration file.",
    ("Filename", "The .conf file, which is one of those that are read here and is not there."),
    write="config",
)
def create_config(call: Call) -> Reply:
    path = _known(call, path_of(call))
    if path.exists():
        raise Conflict(f"{path.name} is there already")
    _save(call, path, "")
    return success("New configuration file created successfully")


def _known(call: Call, path: Path) -> Path:
    if path.name not in FILES:
        raise BadRequest(f"{path.name[:80]} is no file that is read here")
    if path.name in GUARDED and not call.domain.dialplan.live_dangerously:
        raise Forbidden(f"{path.name} says who may do what: it is changed from here with live_dangerously alone")
    return path


def _changes(call: Call) -> list[tuple[int, Change]]:
    found: dict[int, Change] = {}
    for header, value in call.action.headers:
        numbered = _NUMBERED.fullmatch(header)
        if numbered is not None:
            setattr(found.setdefault(int(numbered[2]), Change()), numbered[1].lower(), value)
    if not found:
        raise BadRequest("There is no Action-000000: nothing to do")
    return sorted(found.items())


def _apply(text: ConfText, change: Change) -> None:
    carry_out = APPLIED.get(change.action.lower())
    if carry_out is None:
        raise EditError(f"{change.action[:40]!r} is none of {', '.join(NAMES)}")
    if not change.cat:
        raise EditError("Cat is not specified")
    if change.value == MASK and change.var.lower() in SECRETS:
        raise EditError(f"the value of {change.var} is what stands for a secret that is not shown")
    carry_out(text, change)


def _new(text: ConfText, change: Change) -> None:
    template, again = change.option("template") is not None, change.option("allowdups") is not None
    text.new_section(change.cat, template=template, inherits=change.option("inherit") or "", again=again)


def _rename(text: ConfText, change: Change) -> None:
    text.rename_section(change.cat, change.value, change.criteria)


def _update(text: ConfText, change: Change) -> None:
    text.update(change.cat, change.var, change.value, change.match, change.criteria)


def _delete(text: ConfText, change: Change) -> None:
    text.delete(change.cat, change.var, change.match, change.number, change.criteria)


def _append(text: ConfText, change: Change) -> None:
    text.append(change.cat, change.var, change.value, change.criteria)


def _insert(text: ConfText, change: Change) -> None:
    number = change.number
    if number is None:
        raise EditError("Line is not specified")
    text.insert(change.cat, change.var, change.value, number, change.criteria)


APPLIED: dict[str, Callable[[ConfText, Change], None]] = {
    "newcat": _new,
    "renamecat": _rename,
    "delcat": lambda text, change: text.delete_section(change.cat, change.criteria),
    "emptycat": lambda text, change: text.empty_section(change.cat, change.criteria),
    "update": _update,
    "delete": _delete,
    "append": _append,
    "insert": _insert,
}
NAMES = ("NewCat", "RenameCat", "DelCat", "EmptyCat", "Update", "Delete", "Append", "Insert")


def _write(call: Call, path: Path, text: str) -> None:
    """Write a file and let the server take it if that is asked for; one that it refuses is put back."""
    former = path.read_text("utf-8") if path.exists() else None
    _save(call, path, text)
    wanted = call.get("Reload")
    if not wanted or wanted.lower() in ("no", "false", "0", "off", "n", "f"):
        return
    modules = None if call.flag("Reload") else (wanted,)
    try:
        call.domain.system.reload(modules)
    except ConfigError as refusal:
        if former is None:
            path.unlink()
        else:
            _save(call, path, former)
        raise BadRequest(f"The configuration is refused, {path.name} is as it was: {refusal}") from None


def _save(call: Call, path: Path, text: str) -> None:
    config = call.domain.system.config
    try:
        save(path, text, root=config.directory, exec_includes=config.asterisk.options.execincludes)
    except ConfigError as problem:
        raise BadRequest(f"{path.name} would be no configuration file: {problem}") from None
    except (EditError, OSError) as problem:
        raise AriettaError(f"{path.name} cannot be written: {problem}") from None
