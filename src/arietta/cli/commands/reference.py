"""The table of console commands in Markdown, made of their declarations."""

from __future__ import annotations

from arietta.cli.commands import all_commands

BEGIN = "<!-- made by python -m arietta.cli.commands.reference -->"
END = "<!-- end of the commands -->"


def table() -> str:
    """Every command with its arguments, and what it does."""
    lines = ["| command | what it does |", "|---|---|"]
    for command in all_commands():
        usage = command.usage.replace("|", "\\|")
        lines.append(f"| `{usage}` | {command.summary} |")
    return "\n".join(lines) + "\n"


def renew(page: str) -> str:
    """The page with the table as it is now between its two marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin
    assert end
    return f"{before}{BEGIN}\n{table()}{END}{after}"


if __name__ == "__main__":
    print(table(), end="")
