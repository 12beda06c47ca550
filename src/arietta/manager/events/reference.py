"""The table of manager events in Markdown, made of their declarations."""

from __future__ import annotations

from arietta.manager.events import KINDS

BEGIN = "<!-- made by python -m arietta.manager.events.reference -->"
END = "<!-- end of what is made -->"


def table() -> str:
    """Every event that is told."""
    lines = ["| event | class | when | state |", "|---|---|---|---|"]
    for name in sorted(KINDS, key=str.lower):
        kind = KINDS[name]
        state = f"partial, without {kind.lacks}" if kind.lacks else "complete"
        lines.append(f"| {name} | {kind.class_} | {kind.told} | {state} |")
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
