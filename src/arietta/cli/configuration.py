"""`arietta check` and `arietta init`."""

from __future__ import annotations

from pathlib import Path

import click

from arietta.cli.options import configuration_option
from arietta.config.conf import Problem


@click.command()
@configuration_option()
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
def check(source: Path, strict: bool) -> None:
    """Check a configuration: every problem with its file and line; exit code 1 if it cannot be used."""
    problems = problems_of(source)
    for problem in problems:
        click.echo(f"{problem.severity}: {problem}")
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    click.echo(f"{source}: {_count(errors, 'error')}, {_count(warnings, 'warning')}")
    if errors or (strict and warnings):
        raise SystemExit(1)


def problems_of(source: Path) -> list[Problem]:
    """Every problem of the files, and of the dialplan in them, by file and line."""
    from arietta.config.check import check as problems_of_files
    from arietta.config.conf import ConfFile, ConfigError, read_conf
    from arietta.config.encryption import unencryptable
    from arietta.config.tree import read
    from arietta.config.wizard import with_sections
    from arietta.dialplan.applications.standard import standard_applications
    from arietta.dialplan.checking import problems_of as problems_of_plan
    from arietta.dialplan.checking import problems_of_features
    from arietta.dialplan.functions.standard import standard_functions
    from arietta.dialplan.reader import read_dialplan
    from arietta.media.choosing import why_no_srtp
    from arietta.server import added

    problems = problems_of_files(source)
    config, _ = read(source)
    if config is not None:
        problems = [*problems, *unencryptable(config, why_no_srtp(config.rtp.media_engine))]
    if config is None:
        return problems
    path = config.directory / "extensions.conf"
    if not path.is_file() and not config.wizards.contexts:
        return problems
    try:
        written = ConfFile(path.name, ())
        if path.is_file():
            written = read_conf(path, root=config.directory, exec_includes=config.asterisk.options.execincludes)
        plan = read_dialplan(with_sections(written, config.wizards.contexts))
    except ConfigError as refusal:
        found = refusal.problems
    else:
        applications = {one.name.lower(): one.options for one in (*standard_applications(), *added.APPLICATIONS)}
        functions = {one.name for one in (*standard_functions(), *added.FUNCTIONS)}
        unknown = problems_of_plan(plan, applications, functions)
        found = (*plan.warnings, *unknown, *problems_of_features(config.features, applications))
    return sorted({*problems, *found}, key=lambda problem: (problem.file, problem.line, problem.message))


def _count(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--user", default="asterisk", show_default=True, help="User of the REST interface.")
@click.option("--phone", default="1001", show_default=True, help="Account of the first SIP phone.")
@click.option("--http-port", type=click.IntRange(1, 65535), default=8088, show_default=True)
@click.option("--sip-port", type=click.IntRange(1, 65535), default=5060, show_default=True)
def init(directory: Path, user: str, phone: str, http_port: int, sip_port: int) -> None:
    """Write a first configuration into DIRECTORY, with strong passwords of its own."""
    from arietta.config.init import write_initial

    written = write_initial(directory, ari_user=user, phone=phone, http_port=http_port, sip_port=sip_port)
    key = f"{written.ari_user}:{written.ari_password}"
    click.echo(f"""\
Written to {written.directory}: {", ".join(written.files)}

The passwords are in the files, which only you can read, and are shown here once:
  REST interface   user {written.ari_user}   password {written.ari_password}
  SIP phone        user {written.phone}   password {written.phone_password}   server 127.0.0.1:{sip_port}

Next:
  arietta check -C {written.directory}
  arietta run -C {written.directory}
  arietta console -C {written.directory}
  curl -u {key} http://127.0.0.1:{http_port}/ari/asterisk/info
  wscat -c "ws://127.0.0.1:{http_port}/ari/events?app=hello-world" --auth {key}
Then dial 1000 from the phone.""")
