"""The table of actions in Markdown, made of their declarations."""

from __future__ import annotations

from arietta.manager import actions
from arietta.manager.declared import ACTIONS

BEGIN = "<!-- made by python -m arietta.manager.reference -->"
END = "<!-- end of the actions -->"


def table() -> str:
    """Every action, who may ask for it, and what it lacks."""
    assert actions.MODULES  # being imported they have declared their actions
    lines = ["| action | class | what it does | state |", "|---|---|---|---|"]
    for _, one in sorted(ACTIONS.items()):
        state = f"partial: {one.lacks}" if one.lacks else "complete"
        lines.append(f"| {one.name} | {','.join(one.write) or '-'} | {one.summary} | {state} |")
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
