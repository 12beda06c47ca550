"""What the documentation shows is run: every ```python block of the README and of docs/."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([\w./-]+\.\w+)(?:#[^)]*)?\)")


def samples() -> list[tuple[str, bool, str]]:
    """(where, whether it runs, code); a block marked ``no-run`` is only compiled."""
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append((f"{page.relative_to(ROOT)}:{line}", "no-run" not in match.group(1), match.group(2)))
    return found


@pytest.mark.parametrize(("where", "runs", "code"), samples(), ids=[where for where, _, _ in samples()])
def test_sample(where: str, runs: bool, code: str) -> None:
    compiled = compile(code, where, "exec", dont_inherit=True)
    if runs:
        exec(compiled, {"__name__": "sample"})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_there_are_samples() -> None:
    assert samples(), "the documentation shows no code: the pattern of this test does not find it"
