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
    from arietta.ari.projections.markdown import reference as page
    from arietta.ari.resources import RESOURCES
    from arietta.cli.provoking import requests_in, tests_folder, tests_of

    if markdown:
        click.echo(page(), nl=False)
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


def documents() -> dict[str, str]:
    """Every generated document by its file name."""
    import msgspec

    from arietta.ari.contract import operations
    from arietta.ari.projections import asyncapi, openapi, swagger
    from arietta.ari.projections import markdown as ari_pages
    from arietta.ari.resources import RESOURCES
    from arietta.config import reference as configuration

    def json(document: object) -> str:
        return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"

    found = {
        "configuration.md": configuration.markdown(),
        "ari.md": ari_pages.reference(),
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
def reference(out: Path, client: Path, check: bool) -> None:
    """Write the reference pages, API descriptions and client, each made from the declarations in the code."""
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
