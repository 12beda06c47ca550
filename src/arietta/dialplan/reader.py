"""extensions.conf, from sections and options to a Dialplan.

Every line that cannot be used is a problem with its place, and one of them refuses the whole file.
Not done: switches, ``autohints``, and what pbx_realtime adds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from arietta.config.conf import ConfFile, ConfigError, Option, Problem
from arietta.dialplan.arguments import find_outside, is_yes
from arietta.dialplan.matcher import Context, Dialplan, Extension, General, Include, Step, with_extensions
from arietta.dialplan.patterns import BadPattern, Pattern, compile_pattern
from arietta.dialplan.timing import BadTime, parse_time_condition
from arietta.dialplan.variables import SubstitutionError, Template, compile_template, substitute

SWITCHES = ("switch", "lswitch", "eswitch", "rlswitch")
GENERAL_SWITCHES = ("static", "writeprotect", "autofallthrough", "clearglobalvars")
MAX_PRIORITY = 1_000_000_000
MAX_NAME = 79
"""The longest name of a context or an extension."""


def read_dialplan(conf: ConfFile) -> Dialplan:
    """Build the dialplan; raises ConfigError with every line that cannot be used."""
    return _Reader().read(conf)


class _BadLine(ValueError):
    """Why a line cannot be used."""


@dataclass(slots=True)
class _OpenExtension:
    name: str
    caller: str | None
    steps: dict[int, Step] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    hint: str = ""


@dataclass(slots=True)
class _OpenContext:
    name: str
    file: str
    line: int
    extensions: dict[tuple[str, str | None], _OpenExtension] = field(default_factory=dict)
    includes: list[Include] = field(default_factory=list)
    ignored: list[Pattern | str] = field(default_factory=list)
    latest: str | None = None
    """The extension that ``same`` means, with its caller."""
    last_priority: int | None = None


class _GlobalScope:
    """What can be substituted while the file is read: global variables alone."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values

    def variable(self, name: str) -> str:
        return self.values.get(name, "")

    def function(self, name: str, arguments: str) -> str:
        raise SubstitutionError(f"function {name}() cannot be used here")


class _Reader:
    """The state of one reading."""

    def __init__(self) -> None:
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []
        self.globals: dict[str, str] = {}
        self.scope = _GlobalScope(self.globals)
        self.contexts: dict[str, _OpenContext] = {}
        self.general = General()

    def read(self, conf: ConfFile) -> Dialplan:
        for section in conf.named("globals"):
            for option in section.options:
                self.tried(option, self.global_variable)
        for section in conf.active():
            lower = section.name.lower()
            if lower == "globals":
                continue
            if lower == "general":
                for option in section.options:
                    self.general_option(option)
                continue
            context = self.contexts.get(section.name)
            if context is None:
                if len(section.name) > MAX_NAME:
                    message = f"context name of {len(section.name)} characters, more than {MAX_NAME}"
                    self.errors.append(Problem(section.file, section.line, "error", message))
                context = _OpenContext(section.name, section.file, section.line)
                self.contexts[section.name] = context
            context.latest, context.last_priority = None, None
            for option in section.options:
                self.context_option(context, option)
        if self.errors:
            raise ConfigError(tuple(self.errors))
        contexts = {name: _closed(context) for name, context in self.contexts.items()}
        self.check_includes()
        return Dialplan(contexts, self.globals, self.general, tuple(self.warnings))

    def tried(self, option: Option, use: object, *arguments: object) -> None:
        """Use an option; what is wrong with it becomes a problem with its place."""
        assert callable(use)
        try:
            use(*arguments, option)
        except (_BadLine, BadPattern, BadTime, SubstitutionError) as failure:
            self.errors.append(Problem(option.file, option.line, "error", str(failure)))

    def warn(self, option: Option, message: str) -> None:
        self.warnings.append(Problem(option.file, option.line, "warning", message))

    def check_includes(self) -> None:
        for context in self.contexts.values():
            for include in context.includes:
                if include.context not in self.contexts:
                    message = f"context [{context.name}] includes [{include.context}], which does not exist"
                    self.warnings.append(Problem(context.file, context.line, "warning", message))

    def global_variable(self, option: Option) -> None:
        self.globals[option.name] = substitute(option.value, self.scope)

    def general_option(self, option: Option) -> None:
        name = option.name.lower()
        if name in GENERAL_SWITCHES:
            values = {key: getattr(self.general, key) for key in (*GENERAL_SWITCHES, "userscontext")}
            self.general = General(**{**values, name: is_yes(option.value)})
        elif name == "userscontext":
            values = {key: getattr(self.general, key) for key in GENERAL_SWITCHES}
            self.general = General(**values, userscontext=option.value)

    def context_option(self, context: _OpenContext, option: Option) -> None:
        name = option.name.lower()
        if name in ("exten", "extension"):
            self.tried(option, self.extension_line, context, option.value)
        elif name == "same":
            if context.latest is None:
                self.errors.append(Problem(option.file, option.line, "error", "same => has no exten => before it"))
            else:
                self.tried(option, self.step_line, context, context.latest, option.value)
        elif name == "include":
            self.tried(option, self.include_line, context)
        elif name == "ignorepat":
            self.tried(option, self.ignore_line, context)
        elif name in SWITCHES:
            message = f"{option.name} => {option.value} is not supported"
            self.errors.append(Problem(option.file, option.line, "error", message))
        elif name == "autohints":
            if is_yes(option.value):
                self.errors.append(Problem(option.file, option.line, "error", "autohints is not supported"))
        else:
            self.warn(option, f"[{context.name}] option {option.name} is unknown and ignored")

    def include_line(self, context: _OpenContext, option: Option) -> None:
        value = substitute(option.value, self.scope)
        places = [place for place in (value.find(","), value.find("|")) if place >= 0]
        name, condition = (value[: min(places)], value[min(places) + 1 :]) if places else (value, "")
        if not name.strip():
            raise _BadLine("include => names no context")
        compiled = parse_time_condition(condition) if condition.strip() else None
        context.includes.append(Include(name.strip(), compiled, value))

    def ignore_line(self, context: _OpenContext, option: Option) -> None:
        value = substitute(option.value, self.scope)
        context.ignored.append(compile_pattern(value) if value.startswith("_") else value)

    def extension_line(self, context: _OpenContext, value: str, option: Option) -> None:
        comma = _comma_outside_brackets(value)
        if comma < 0:
            raise _BadLine(f"exten => {value} has no priority")
        name = substitute(value[:comma].strip(), self.scope).strip('"')
        if not name:
            raise _BadLine(f"exten => {value} has no extension")
        context.latest = name
        self.step_line(context, name, value[comma + 1 :], option)

    def step_line(self, context: _OpenContext, name: str, value: str, option: Option) -> None:
        """``priority(label),Application(arguments)`` of extension `name`, which may have ``/caller``."""
        priority_text, comma, call = value.partition(",")
        priority_text = priority_text.strip()
        if not comma or not call.strip():
            raise _BadLine(f"priority {priority_text or '?'} of {name} has no application")
        exten, slash, caller = name.partition("/")
        if len(exten) > MAX_NAME:
            raise _BadLine(f"extension name of {len(exten)} characters, more than {MAX_NAME}")
        key = (exten, caller if slash else None)
        extension = context.extensions.get(key)
        if extension is None:
            for text in (exten, caller):
                if text.startswith("_"):
                    compile_pattern(text)
            extension = context.extensions[key] = _OpenExtension(exten, key[1])
        if priority_text.lower() == "hint":
            extension.hint = call.strip()
            return
        priority, label = self.priority_of(context, priority_text)
        context.last_priority = priority
        application, arguments = self.call_of(option, call.strip())
        if priority in extension.steps:
            before = extension.steps[priority]
            self.warn(option, f"{name}@{context.name} priority {priority} is there already, from {before.where}")
            return
        if label:
            if label in extension.labels:
                raise _BadLine(f"label {label} of {name} is there already, at priority {extension.labels[label]}")
            extension.labels[label] = priority
        template = compile_template(arguments)
        if isinstance(template, Template) and template.problem:
            self.warn(option, template.problem)
        extension.steps[priority] = Step(
            priority, label, application, application.lower(), template, option.file, option.line
        )

    def priority_of(self, context: _OpenContext, text: str) -> tuple[int, str]:
        """The number and label of ``1``, ``n``, ``n+2``, ``s``, ``1(label)``, ``n(label)+10`` …"""
        rest = text
        label = ""
        opening = rest.find("(")
        if opening >= 0:
            closing = rest.find(")", opening)
            if closing < 0:
                raise _BadLine(f"priority {text}: ( without )")
            label = rest[opening + 1 : closing].strip()
            rest = rest[:opening] + rest[closing + 1 :]
        base_text, plus, offset_text = rest.partition("+")
        base_text, offset_text = base_text.strip().lower(), offset_text.strip()
        offset = 0
        if plus:
            if not _short_number(offset_text):
                raise _BadLine(f"priority {text}: {offset_text or 'nothing'} after + is not a number")
            offset = int(offset_text)
        if base_text in ("n", "next", "s", "same"):
            if context.last_priority is None:
                raise _BadLine(f"priority {text}: there is no priority before it")
            base = context.last_priority + (1 if base_text.startswith("n") else 0)
        elif _short_number(base_text):
            base = int(base_text)
        else:
            raise _BadLine(f"priority {text!r} is not a number, n, s or hint")
        base += offset
        if not 1 <= base <= MAX_PRIORITY:
            raise _BadLine(f"priority {text} is outside 1..{MAX_PRIORITY}")
        return base, label

    def call_of(self, option: Option, call: str) -> tuple[str, str]:
        """Name and arguments of ``App(arguments)``, or of the old ``App,arguments``."""
        opening, comma = call.find("("), call.find(",")
        if opening < 0 or 0 <= comma < opening:
            name, _, arguments = call.partition(",")
        else:
            name = call[:opening]
            closing = call.rfind(")")
            if closing < opening:
                self.warn(option, f"{name}( has no closing parenthesis")
                closing = len(call)
            elif call[closing + 1 :].strip():
                self.warn(option, f"{call[closing + 1 :].strip()!r} after {name}() is ignored")
            arguments = call[opening + 1 : closing]
        name = name.strip()
        if not name or not name.replace("_", "").isalnum():
            raise _BadLine(f"{name or call!r} is not the name of an application")
        return name, arguments


def _short_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10


def _comma_outside_brackets(text: str) -> int:
    """The first comma that is not part of a ``[set]`` of a pattern or of ``${}``."""
    if "[" not in text:
        return find_outside(text, ",")
    inside = False
    for position, character in enumerate(text):
        if character == "[":
            inside = True
        elif character == "]":
            inside = False
        elif character == "," and not inside:
            return position
    return -1


def _closed(context: _OpenContext) -> Context:
    """The context as it stays."""
    included, ignored = tuple(context.includes), tuple(context.ignored)
    empty = Context(context.name, {}, (), included, ignored, context.file, context.line, {})
    return with_extensions(empty, map(_closed_extension, context.extensions.values()))


def _closed_extension(opened: _OpenExtension) -> Extension:
    caller = opened.caller
    return Extension(
        name=opened.name,
        pattern=compile_pattern(opened.name) if opened.name.startswith("_") else None,
        caller=caller,
        caller_pattern=compile_pattern(caller) if caller is not None and caller.startswith("_") else None,
        steps=opened.steps,
        labels=opened.labels,
        hint=opened.hint,
    )
