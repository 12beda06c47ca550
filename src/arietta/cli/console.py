"""`arietta console`: one command, or a prompt."""

from __future__ import annotations

import os
from pathlib import Path

import click

from arietta.cli.control import SOCKET_NAME, ControlError, connect
from arietta.cli.options import CannotStart, configuration_option, control_socket, state_home


@click.command()
@click.option("-x", "--execute", "command", metavar="COMMAND", help="Carry out one command and leave.")
@configuration_option(required=False)
@click.option(
    "--state-dir", type=click.Path(path_type=Path), envvar="ARIETTA_STATE_DIR", help="The --state-dir of the server."
)
@click.option("--socket", "path", type=click.Path(path_type=Path), help="The control socket itself.")
def console(command: str | None, source: Path | None, state_dir: Path | None, path: Path | None) -> None:
    """Talk to a running server over its control socket, which only its owner may open.

    Without -C and --socket the one server of this user that runs is taken.
    """
    if path is None:
        if source is not None:
            path = control_socket(source, state_dir)
        else:
            path = state_dir / "run" / SOCKET_NAME if state_dir is not None else only_running()
    if command is not None:
        from arietta.cli.client import run_once

        output, status = run_once(path, command)
        if output:
            click.echo(output)
        raise SystemExit(status)
    from arietta.cli.interactive import interact

    raise SystemExit(interact(path))


def running() -> list[Path]:
    """The control sockets of this user's servers that answer."""
    folders = [state_home()]
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/"):
        folders.append(Path(runtime, "arietta"))
    found = []
    for folder in folders:
        for path in sorted({*folder.glob(f"*/{SOCKET_NAME}"), *folder.glob(f"*/run/{SOCKET_NAME}")}):
            try:
                connect(path).close()
            except ControlError:
                continue
            found.append(path)
    return found


def only_running() -> Path:
    """The control socket of the one server that runs; CannotStart if there is none, or several."""
    found = running()
    if not found:
        raise CannotStart("no server of yours is running in its usual place: name it with -C or --socket")
    if len(found) > 1:
        names = ", ".join(map(str, found))
        raise CannotStart(f"{len(found)} servers are running, name one with -C or --socket: {names}")
    return found[0]
