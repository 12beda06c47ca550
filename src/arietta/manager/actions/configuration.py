"""Configuration files as they are written: GetConfig, GetConfigJSON, ListCategories. Secrets are shown to nobody."""

from __future__ import annotations

import os
from collections.abc import Iterator

import msgspec

from arietta.config.conf import ConfFile, ConfigError, Section, read_conf
from arietta.errors import BadRequest, NotFound
from arietta.manager.declared import Call, Reply, action, failure, success

MASK = "********"
SECRETS = frozenset((
    "secret", "password", "auth_password", "md5_cred", "password_digest", "oauth_secret", "refresh_token",
    "remotesecret", "md5secret", "vmsecret", "dbpass", "pass", "key",
))  # fmt: skip
FILE = ("Filename", "Name of a .conf file in the configuration folder.")
CATEGORY = ("[Category]", "Only the sections of this name.")


def _file(call: Call) -> ConfFile:
    name = call.need("Filename", "Filename not specified")
    config = call.domain.system.config
    folder = os.path.realpath(config.directory)
    if "\0" in name:
        raise BadRequest("Filename has a NUL in it")
    path = os.path.realpath(os.path.join(folder, name))
    if "\0" in name or os.path.dirname(path) != folder or not path.endswith(".conf"):
        raise BadRequest(f"Filename {name[:80]!r} is no .conf file of the configuration folder")
    if not os.path.isfile(path):
        raise NotFound("Config file not found")
    try:
        return read_conf(config.directory / os.path.basename(path), root=config.directory)
    except ConfigError as problem:
        raise BadRequest(f"Config file has invalid format: {problem}") from None


def _sections(call: Call) -> list[Section]:
    if call.get("Filter"):
        raise BadRequest("Filter is not supported by this version")
    wanted = call.get("Category")
    found = [section for section in _file(call).sections if not wanted or section.name == wanted]
    if wanted and not found:
        raise NotFound(f"No category {wanted[:80]} in the file")
    return found


def shown(call: Call, name: str, value: str) -> str:
    """A value, unless it is secret and asterisk.conf does not say live_dangerously."""
    if name.lower() in SECRETS and value and not call.domain.dialplan.live_dangerously:
        return MASK
    return value


@action("GetConfig", "Show a configuration file.", FILE, CATEGORY, write="system,config", lacks="`Filter` is refused")
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
    write="system,config",
    lacks="`Filter` is refused",
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
