"""`arietta routes` and `arietta reference`: what the declarations say, for people and for generators."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--markdown", is_flag=True, help="With parameters and failures, as Markdown.")
def routes(markdown: bool) -> None:
    """List the operations of the REST interface."""
    from arietta.ari.contract import operations
    from arietta.ari.projections.markdown import reference as page
    from arietta.ari.resources import RESOURCES

    if markdown:
        click.echo(page(), nl=False)
        return
    found = [operation for resource in RESOURCES for operation in operations(resource)]
    width = max(len(operation.path) for operation in found)
    for operation in found:
        click.echo(f"{operation.method:<6} {operation.path:<{width}}  {operation.summary}")


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
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 if a file there differs.")
def reference(out: Path, check: bool) -> None:
    """Write the reference pages and API descriptions, each made from the declarations in the code."""
    differing = []
    for name, content in documents().items():
        path = out / name
        if check:
            if not path.is_file() or path.read_text(encoding="utf-8") != content:
                differing.append(path)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        click.echo(str(path))
    for path in differing:
        click.echo(f"{path} is not what 'arietta reference --out {out}' writes", err=True)
    if differing:
        raise SystemExit(1)
