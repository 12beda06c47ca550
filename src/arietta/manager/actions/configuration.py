"""Configuration files as they are written: GetConfig, GetConfigJSON, ListCategories. Secrets are shown to nobody."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from arietta.config.conf import ConfFile, ConfigError, Section, read_conf
from arietta.config.regexes import Regex
from arietta.errors import BadRequest, NotFound
from arietta.manager.declared import Call, Reply, action, failure, regex, success

MASK = "********"
SECRETS = frozenset((
    "secret", "password", "auth_password", "md5_cred", "password_digest", "oauth_secret", "refresh_token",
    "remotesecret", "md5secret", "vmsecret", "dbpass", "pass", "key",
))  # fmt: skip
FILE = ("Filename", "Name of a .conf file in the configuration folder.")
CATEGORY = ("[Category]", "Only the sections of this name.")
FILTER = (
    "[Filter]",
    "Only sections with these options: NAME=VALUE, both regular expressions, several with commas between; "
    "TEMPLATES=include shows templates too, TEMPLATES=restrict nothing else.",
)


def path_of(call: Call, header: str = "Filename") -> Path:
    """The file of the configuration folder that a header names, which need not be there."""
    name = call.need(header, f"{header} not specified")
    directory = call.domain.system.config.directory
    folder = os.path.realpath(directory)
    if "\0" in name:
        raise BadRequest(f"{header} has a NUL in it")
    path = os.path.realpath(os.path.join(folder, name))
    if os.path.dirname(path) != folder or not path.endswith(".conf"):
        raise BadRequest(f"{header} {name[:80]!r} is no .conf file of the configuration folder")
    return directory / os.path.basename(path)


def _file(call: Call) -> ConfFile:
    path = path_of(call)
    if not path.is_file():
        raise NotFound("Config file not found")
    try:
        return read_conf(path, root=path.parent)
    except ConfigError as problem:
        raise BadRequest(f"Config file has invalid format: {problem}") from None


def _sections(call: Call) -> list[Section]:
    wanted, criteria = call.get("Category"), SectionFilter(call.get("Filter"))
    found = [section for section in _file(call).sections if not wanted or section.name == wanted]
    if wanted and not found:
        raise NotFound(f"No category {wanted[:80]} in the file")
    return [section for section in found if criteria.fits(section.template, _values(section))]


def _values(section: Section) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for option in section.options:
        values.setdefault(option.name, []).append(option.value)
    return values


class SectionFilter:
    """Which sections of a name are meant: NAME=VALUE, both expressions, with commas between; all have to match."""

    def __init__(self, text: str) -> None:
        self.templates = "" if text else "include"
        """`include` for templates too, `restrict` for nothing else."""
        self._wanted: list[tuple[Regex, Regex]] = []
        for part in filter(None, text.split(",")):
            name, equals, value = part.partition("=")
            if not equals:
                raise BadRequest(f"Filter {part[:80]!r} is not NAME=VALUE")
            if name == "TEMPLATES":
                if value not in ("include", "restrict"):
                    raise BadRequest(f"TEMPLATES={value[:40]} is neither include nor restrict")
                self.templates = value
            else:
                self._wanted.append((regex(name), regex(value)))

    def fits(self, is_template: bool, values: Mapping[str, Sequence[str]]) -> bool:
        """Whether a section with these options is meant, a template or not."""
        if is_template != (self.templates == "restrict") and self.templates != "include":
            return False
        return self.matches(values)

    def matches(self, values: Mapping[str, Sequence[str]]) -> bool:
        """Whether a section has what is wanted, be it a template or not."""
        return all(
            any(name.found_in(option) and any(map(value.found_in, texts)) for option, texts in values.items())
            for name, value in self._wanted
        )


def shown(call: Call, name: str, value: str) -> str:
    """A value, unless it is secret and asterisk.conf does not say live_dangerously."""
    if name.lower() in SECRETS and value and not call.domain.dialplan.live_dangerously:
        return MASK
    return value


@action("GetConfig", "Show a configuration file.", FILE, CATEGORY, FILTER, write="system,config")
def get_config(call: Call) -> Reply:
    return success("", *_numbered(call))


def _numbered(call: Call) -> Iterator[tuple[str, str]]:
    for number, section in enumerate(_sections(call)):
        yield f"Category-{number:06}", section.name
        if section.template:
            yield f"IsTemplate-{number:06}", "1"
        for line, option in enumerate(section.options):
            yield f"Line-{number:06}-{line:06}", f"{option.name}={shown(call, option.name, option.value)}"


@action(
    "GetConfigJSON",
    "Show a configuration file as a JSON object.",
    FILE,
    CATEGORY,
    FILTER,
    write="system,config",
)
def get_config_json(call: Call) -> Reply:
    sections: dict[str, dict[str, str | list[str]]] = {}
    for section in _sections(call):
        entry = sections.setdefault(section.name, {})
        if section.template:
            entry["istemplate"] = "1"
        for option in section.options:
            value = shown(call, option.name, option.value)
            before = entry.get(option.name)
            if before is None:
                entry[option.name] = value
            elif isinstance(before, list):
                before.append(value)
            else:
                entry[option.name] = [before, value]
    return success("", ("JSON", msgspec.json.encode(sections).decode()))


@action("ListCategories", "List the sections of a configuration file.", FILE, write="config")
def list_categories(call: Call) -> Reply:
    names = [section.name for section in _file(call).sections]
    if not names:
        return failure("Error: no categories found")
    return success("", *((f"Category-{number:06}", name) for number, name in enumerate(names)))
