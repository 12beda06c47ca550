"""Every import points up the list of ARCHITECTURE.md; a new arrow is a decision made here, with its reason."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "arietta"

# Shared by all: failures, the console's voice, version numbers. They import nothing but the standard library.
FOUNDATION = {"errors", "verbose"}

# What each package may import besides itself and the foundation.
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "verbose": set(),
    "model": set(),
    "stun": set(),
    "sip": {"stun"},
    "sdp": set(),
    "rtp": set(),
    "webrtc": {"stun", "sdp"},
    "media": {"rtp"},
    "bus": {"model"},
    "store": set(),
    "astdb": {"store"},
    "asterisk": set(),
    "config": {"asterisk"},
    "logs": {"config"},
    "http": set(),
    "channels": {"model", "bus", "media"},
    "bridges": {"model", "bus", "media", "channels"},
    "dialplan": {"asterisk", "astdb", "config", "channels", "media", "model"},
    "stasis": {"model", "bus", "channels", "bridges", "media", "store"},
    "drivers": {"sip", "sdp", "rtp", "webrtc", "media", "channels", "config", "model"},
    "ari": {"asterisk", "model", "stasis", "channels", "bridges", "media", "store", "config"},
    "manager": {
        "asterisk", "model", "bus", "media", "channels", "bridges", "dialplan", "stasis", "config", "store", "astdb",
    },
    "records": {"model", "bus", "channels", "bridges", "config"},
    "server": {
        "model", "bus", "store", "astdb", "config", "logs", "http", "media", "channels", "bridges", "dialplan",
        "stasis", "manager", "drivers", "ari", "rtp", "sip", "sdp", "records",
    },
    "client": {"model"},
    "testing": {"sip", "sdp", "rtp", "media", "config", "model", "server"},
    "cli": {
        "server", "asterisk", "config", "logs", "model", "testing", "ari", "channels", "dialplan", "drivers", "stasis",
        "bridges", "media", "http", "manager", "astdb", "sip", "sdp", "records",
    },
}  # fmt: skip

# Arrows that the list does not give, each for one file, with its reason.
EXCEPTIONS: dict[tuple[str, str], str] = {
    ("channels/channel.py", "bridges"): "the type of the bridge a channel is in; imported for the checker only",
}


def imports_of(path: Path) -> set[str]:
    """The first names below arietta that a file imports, those for the type checker included."""
    found: set[str] = set()
    package = ("arietta", *path.relative_to(SOURCE).parent.parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *([node.module] if node.module else [])))
            names = [module] if module != "arietta" else [f"arietta.{alias.name}" for alias in node.names]
        else:
            continue
        found.update(name.split(".")[1] for name in names if name.startswith("arietta."))
    return found


def files() -> list[Path]:
    return sorted(path for path in SOURCE.rglob("*.py") if path.parent != SOURCE or path.stem in ALLOWED)


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_up(path: Path) -> None:
    relative = path.relative_to(SOURCE)
    room = relative.parts[0] if len(relative.parts) > 1 else relative.stem
    assert room in ALLOWED, f"{room} has no place in the layout: give it one here and in ARCHITECTURE.md"
    allowed = ALLOWED[room] | FOUNDATION | {room, "__version__", "BUILD_DATE"}
    strangers = {name for name in imports_of(path) - allowed if (str(relative), name) not in EXCEPTIONS}
    assert not strangers, f"{relative} imports {', '.join(sorted(strangers))}"


def test_every_exception_is_needed() -> None:
    for relative, name in EXCEPTIONS:
        assert name in imports_of(SOURCE / relative), f"{relative} does not import {name} any more"


def test_the_layout_is_the_architecture_page() -> None:
    page = (SOURCE.parent.parent / "ARCHITECTURE.md").read_text()
    for room in ALLOWED:
        assert f"{room}" in page, f"ARCHITECTURE.md does not name {room}"
