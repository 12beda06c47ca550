"""`arietta` and its subcommands, each imported when it is called: starting a server loads nothing for people."""

from __future__ import annotations

import importlib
from typing import Any

import click

from arietta import __version__
from arietta.config.conf import ConfigError
from arietta.errors import AriettaError

# name: (module, attribute, help for the list)
SUBCOMMANDS = {
    "run": ("run", "run", "Run a server."),
    "check": ("configuration", "check", "Check a configuration, and tell every problem with its place."),
    "init": ("configuration", "init", "Write a first configuration."),
    "console": ("console", "console", "Talk to a running server."),
    "asterisk": ("asterisk", "asterisk", "The server and its console with Asterisk's own switches."),
    "ladder": ("ladder", "ladder", "Draw the SIP of a call, also of one that has ended."),
    "demo": ("demo", "demo", "Show the whole story: a telephone call that a program answers."),
    "doctor": ("doctor", "doctor", "Look whether this machine is ready."),
    "routes": ("documents", "routes", "List the operations of the REST interface."),
    "reference": ("documents", "reference", "Write the reference pages and API descriptions."),
}


class Refusal(click.ClickException):
    """A failure of ours as one line, or one line for each problem."""

    def show(self, file: Any = None) -> None:
        for line in self.message.splitlines():
            click.echo(f"arietta: {line}", err=True)


class LazyGroup(click.Group):
    """A group that imports a subcommand when it is called, and turns our failures into lines."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUBCOMMANDS:
            return None
        module, attribute, _ = SUBCOMMANDS[cmd_name]
        command = getattr(importlib.import_module(f"arietta.cli.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, _, summary) in SUBCOMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (AriettaError, ConfigError) as refusal:
            raise Refusal(str(refusal)) from None
        except OSError as failure:
            if isinstance(failure, BrokenPipeError):
                raise
            at = f"{failure.filename}: " if failure.filename else ""
            raise Refusal(f"{at}{failure.strerror or failure}") from None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="Arietta %(version)s")
def arietta() -> None:
    """Arietta: the Asterisk REST Interface (ARI) as a Python server.

    A first server: arietta init phone && arietta run -C phone
    """
