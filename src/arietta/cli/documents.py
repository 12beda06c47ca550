"""`arietta routes` and `arietta reference`: what the declarations say, for people and for generators."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
def routes() -> None:
    """List the operations of the REST interface."""
    from arietta.cli.projections import route_lines

    for line in route_lines():
        click.echo(line)


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("docs/reference"),
    show_default=True,
    help="Folder to write to.",
)
def reference(out: Path) -> None:
    """Write the reference pages and API descriptions, each made from the declarations in the code."""
    from arietta.cli.projections import reference_files

    out.mkdir(parents=True, exist_ok=True)
    for name, content in reference_files().items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        click.echo(str(path))
