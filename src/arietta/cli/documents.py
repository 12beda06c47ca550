"""`arietta routes` and `arietta reference`: what the declarations say, for people and for generators."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--markdown", is_flag=True, help="With parameters and failures, as Markdown.")
@click.option("--brief", is_flag=True, help="One line for each, without the tests.")
def routes(markdown: bool, brief: bool) -> None:
    """List the operations of the REST interface, in a checkout with the tests that provoke each answer."""
    from arietta.ari.contract import operations
    from arietta.ari.resources import RESOURCES
    from arietta.cli.provoking import requests_in, tests_folder, tests_of

    if markdown:
        click.echo(ari_page(), nl=False)
        return
    found = [operation for resource in RESOURCES for operation in operations(resource)]
    width = max(len(operation.path) for operation in found)
    folder = None if brief else tests_folder()
    asked = requests_in(folder) if folder is not None else []
    for operation in found:
        click.echo(f"{operation.method:<6} {operation.path:<{width}}  {operation.summary}")
        if folder is not None:
            for status, files in tests_of(operation, asked).items():
                click.echo(f"       {status or 'any'}  {', '.join(files) or '-'}")


def dialplan_page() -> str:
    """All that extensions.conf can use."""
    from arietta.dialplan.applications.standard import standard_applications
    from arietta.dialplan.functions.standard import standard_functions
    from arietta.dialplan.reference import dialplan_reference
    from arietta.server import added

    return dialplan_reference(
        (*standard_applications(), *added.APPLICATIONS), (*standard_functions(), *added.FUNCTIONS)
    )


def configuration_page() -> str:
    """Every option of the configuration files."""
    from arietta.config.reference import markdown

    return markdown()


def ari_page() -> str:
    """The REST interface."""
    from arietta.ari.projections.markdown import reference as page

    return page()


def compatibility_page() -> str:
    """What of Asterisk is here."""
    from arietta.cli.compatibility import page

    return page()


PAGES = {
    "configuration": configuration_page,
    "dialplan": dialplan_page,
    "ari": ari_page,
    "compatibility": compatibility_page,
}
"""The pages for people, by name."""


def with_tables(page: str) -> str:
    """A page with its tables of actions, events and commands as they are now."""
    from arietta.cli.commands.reference import renew as renew_commands
    from arietta.manager.events.reference import renew as renew_events
    from arietta.manager.reference import renew as renew_actions

    return renew_commands(renew_events(renew_actions(page)))


def documents() -> dict[str, str]:
    """Every generated document by its file name."""
    import msgspec

    from arietta.ari.contract import operations
    from arietta.ari.projections import asyncapi, openapi, swagger
    from arietta.ari.resources import RESOURCES

    def json(document: object) -> str:
        return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"

    found = {
        **{f"{name}.md": page() for name, page in PAGES.items()},
        "openapi.json": json(openapi.document()),
        "asyncapi.json": json(asyncapi.document()),
        "api-docs/resources.json": json(swagger.resource_list()),
    }
    for resource in RESOURCES:
        if operations(resource):
            declaration = swagger.api_declaration(resource)
            name = declaration["resourcePath"].strip("/").replace("{format}", "json")
            found[name] = json(declaration)
    return found


@click.command()
@click.argument("page", required=False, type=click.Choice(sorted(PAGES)))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("docs/reference"),
    show_default=True,
    help="Folder to write to.",
)
@click.option(
    "--client",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("src/arietta/client/operations.py"),
    show_default=True,
    help="File of the typed client's operations, in a checkout; left out where its folder is not.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 if a file there differs.")
@click.option(
    "--tables",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Renew the tables in this page, docs/asterisk.md, and write nothing else.",
)
def reference(page: str | None, out: Path, client: Path, check: bool, tables: Path | None) -> None:
    """Print one page of the reference, or write all with the API descriptions and the client.

    Each is made from the declarations in the code.
    """
    if page is not None:
        click.echo(PAGES[page](), nl=False)
        return
    if tables is not None:
        tables.write_text(with_tables(tables.read_text(encoding="utf-8")), encoding="utf-8")
        return
    from arietta.ari.projections import python_client

    files = {out / name: content for name, content in documents().items()}
    if client.parent.is_dir():
        files[client] = python_client.module()
    differing = []
    for path, content in files.items():
        if path.is_file() and path.read_text(encoding="utf-8") == content:
            continue
        if check:
            differing.append(path)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        click.echo(str(path))
    for path in differing:
        click.echo(f"{path} is not what 'arietta reference --out {out}' writes", err=True)
    if differing:
        raise SystemExit(1)
