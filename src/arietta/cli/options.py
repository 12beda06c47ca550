"""Options that several subcommands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from arietta.config.tree import Config, read
from arietta.errors import AriettaError

Function = TypeVar("Function", bound=Callable[..., Any])


class CannotStart(AriettaError):
    """Something this machine or its configuration lacks; one line for people."""


def configuration_option(required: bool = True) -> Callable[[Function], Function]:
    """`-C DIR|asterisk.conf`, or the environment variable ARIETTA_CONFIG."""
    return click.option(
        "-C",
        "--configuration",
        "source",
        envvar="ARIETTA_CONFIG",
        type=click.Path(path_type=Path),
        required=required,
        metavar="DIR|asterisk.conf",
        help="Configuration folder, or the asterisk.conf that names it.",
    )


def with_state_folder(config: Config, folder: Path | None) -> Config:
    """The configuration with everything the server writes below `folder`."""
    if folder is None:
        return config
    folder = Path(os.path.abspath(folder))
    directories = msgspec.structs.replace(
        config.directories,
        var_lib=folder,
        db=folder,
        key=folder / "keys",
        spool=folder / "spool",
        run=folder / "run",
        log=folder / "log",
        cache=folder / "cache",
    )
    return msgspec.structs.replace(config, directories=directories)


def control_socket(source: Path, state_dir: Path | None = None) -> Path:
    """Where the server of a configuration has its control socket, even if a file is broken by now."""
    from arietta.cli.control import SOCKET_NAME

    config, problems = read(source)
    if config is None:
        raise CannotStart("\n".join(map(str, problems)))
    return with_state_folder(config, state_dir).directories.run / SOCKET_NAME


def state_home() -> Path:
    """Where what belongs to the user and not to a server is kept: `$XDG_STATE_HOME/arietta`."""
    given = os.environ.get("XDG_STATE_HOME", "")
    home = Path(given) if given.startswith("/") else Path.home() / ".local" / "state"
    return home / "arietta"
