"""The configuration as a server takes it: refused where it is not safe or not possible, and with its dialplan read."""

from __future__ import annotations

import msgspec

from arietta.config.conf import ConfFile, ConfigError, read_conf
from arietta.config.encryption import unencryptable
from arietta.config.safety import unsafe_listeners
from arietta.config.tree import Config
from arietta.config.wizard import with_sections
from arietta.dialplan.matcher import Dialplan
from arietta.dialplan.reader import read_dialplan


def possible(config: Config, srtp_missing: str | None) -> Config:
    """The configuration; raises ConfigError if it is not safe or asks for what the media engine lacks."""
    encryption = unencryptable(config, srtp_missing)
    refused = (*unsafe_listeners(config), *(problem for problem in encryption if problem.severity == "error"))
    if refused:
        raise ConfigError(refused)
    return msgspec.structs.replace(config, warnings=(*config.warnings, *encryption))


def dialplan_of(config: Config) -> Dialplan:
    """The dialplan that extensions.conf and the wizards of pjsip_wizard.conf give; raises ConfigError."""
    path = config.directory / "extensions.conf"
    if not path.exists():
        written = ConfFile("extensions.conf", ())
    else:
        written = read_conf(path, root=config.directory, exec_includes=config.asterisk.options.execincludes)
    return read_dialplan(with_sections(written, config.wizards.contexts))
