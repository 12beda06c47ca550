"""What a dialplan uses that is not there: applications, also inside of Exec and the like, their letters, functions."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping

from arietta.asterisk.absent import why_absent
from arietta.asterisk.names import names, nearest
from arietta.config.conf import Problem
from arietta.config.features import FeatureSettings
from arietta.dialplan.arguments import split_arguments
from arietta.dialplan.matcher import Dialplan, Step
from arietta.dialplan.options import Options
from arietta.dialplan.variables import Template

_NAME = r"\s*([A-Za-z][A-Za-z0-9_]*)\s*\("
_WHOLE = re.compile(_NAME)
_WRITTEN = re.compile(rf"\s*_{{0,2}}{_NAME}")
_BEHIND_CONDITION = re.compile(rf"[?:]{_NAME}")
_INSIDE = {"exec": _WHOLE, "tryexec": _WHOLE, "execif": _BEHIND_CONDITION, "execiftime": _BEHIND_CONDITION}


Known = Mapping[str, Options | None]
"""The letters of applications by their names in lower case."""


def problems_of(plan: Dialplan, applications: Known, functions: Container[str]) -> list[Problem]:
    """A warning for each; `functions` has names in upper case."""
    found = []
    for context in plan.contexts.values():
        for extension in context.extensions():
            for step in extension.steps.values():
                for text in _problems_of_step(step, applications, functions):
                    found.append(Problem(step.file, step.line, "warning", text))
    return found


def problems_of_features(settings: FeatureSettings, applications: Known) -> list[Problem]:
    """A warning for each application of features.conf that is not there, and for letters that it has not."""
    found = []
    for feature in settings.applications.values():
        option = settings.places[feature.name]
        key = feature.application.lower()
        options = applications.get(key)
        missing = f"application {feature.application} is not there, the keys will do nothing"
        texts = [missing] if key not in applications else []
        if options is not None:
            texts += options.problems(feature.application, feature.arguments)
        found += [Problem(option.file, option.line, "warning", f"{feature.name}: {text}") for text in texts]
    return found


def _problems_of_step(step: Step, applications: Known, functions: Container[str]) -> Iterator[str]:
    if step.key not in applications:
        yield unknown("applications", step.application)
    options = applications.get(step.key)
    if options is not None:
        yield from options.problems(step.application, step.written)
    inside = _INSIDE.get(step.key)
    if inside is _WHOLE:
        begins = _WHOLE.match(step.written)
        named = [begins[1]] if begins else []
    else:
        named = inside.findall(step.written) if inside is not None else []
    for name in named:
        if name.lower() not in applications:
            yield unknown("applications", name)
    if isinstance(step.arguments, Template):
        for name in sorted(step.arguments.functions):
            if name.upper() not in functions:
                yield unknown("functions", name)
    for name in _written_functions(step):
        if name.upper() not in functions:
            yield unknown("functions", name, "nothing will be set")


def _written_functions(step: Step) -> list[str]:
    """The functions before the = of Set and MSet."""
    if step.key not in ("set", "mset"):
        return []
    texts = split_arguments(step.written) if step.key == "mset" else [step.written]
    return [begins[1] for begins in map(_WRITTEN.match, texts) if begins]


WHAT_COMES = {"applications": "it will end the call", "functions": "it will be empty"}


def unknown(kind: str, name: str, comes: str = "") -> str:
    """What is to be said of an application or a function that is not there: Asterisk's, or nobody's."""
    what, comes = f"{kind.removesuffix('s')} {name}", comes or WHAT_COMES[kind]
    reason = why_absent(kind, name)
    if reason:
        return f"{what} is not supported, {comes}: {reason}"
    meant = nearest(name, names(kind))
    return f"{what} is unknown, {comes}{f': is {meant} meant?' if meant else ''}"
