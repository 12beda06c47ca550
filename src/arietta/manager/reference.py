"""The table of actions in Markdown, made of their declarations, with those of Asterisk that are not here."""

from __future__ import annotations

from arietta.manager import actions
from arietta.manager.declared import ACTIONS
from arietta.manager.refused import GROUPS

BEGIN = "<!-- made by python -m arietta.manager.reference -->"
END = "<!-- end of the actions -->"


def table() -> str:
    """Every action, who may ask for it, and what it lacks; then those that are refused."""
    assert actions.MODULES  # being imported they have declared their actions
    lines = ["| action | class | what it does | state |", "|---|---|---|---|"]
    for _, one in sorted(ACTIONS.items()):
        state = f"partial: {one.lacks}" if one.lacks else "complete"
        lines.append(f"| {one.name} | {','.join(one.write) or '-'} | {one.summary} | {state} |")
    lines += ["", "| refused | reason |", "|---|---|"]
    lines += [f"| {', '.join(names.split())} | {reason} |" for reason, names in GROUPS.items()]
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
