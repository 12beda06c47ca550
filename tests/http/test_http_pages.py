"""The page at /ari/docs: for users only, and nothing in it comes from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from http_kit import Answer, World, answers, request

import arietta
from arietta.http import Pages

FOLDER = Path(arietta.__file__).parent / "data" / "docs"


def ask(line: str, auth: str | None = "reader:readerpw") -> Answer:
    world = World()
    world.front.docs = Pages(FOLDER)
    (answer,) = answers(world.client().ask(request(line, auth=auth)))
    return answer


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("", "text/html; charset=utf-8"),
        ("docs.css", "text/css; charset=utf-8"),
        ("docs.js", "text/javascript; charset=utf-8"),
    ],
)
def test_the_files_are_served(path: str, kind: str) -> None:
    answer = ask(f"GET /ari/docs/{path}")
    assert (answer.status, answer["Content-type"]) == (200, kind)
    assert answer.body == (FOLDER / (path or "index.html")).read_bytes()
    assert "default-src 'self'" in answer["Content-Security-Policy"]


def test_the_path_without_its_slash_leads_to_the_page() -> None:
    answer = ask("GET /ari/docs")
    assert (answer.status, answer["Location"]) == (302, "docs/")


def test_strangers_are_asked_who_they_are() -> None:
    assert ask("GET /ari/docs/", auth=None).status == 401
    assert ask("GET /ari/docs/docs.js", auth="asterisk:wrong").status == 401


@pytest.mark.parametrize("path", ["nothing.html", "docs.js/", "..", "%2e%2e%2fpy.typed", "sub/index.html"])
def test_nothing_else_is_there(path: str) -> None:
    assert ask(f"GET /ari/docs/{path}").status == 404


def test_a_path_that_only_begins_so_is_the_api_s() -> None:
    assert ask("GET /ari/docsandmore").status == 404
    assert ask("GET /ari/docsandmore").body.startswith(b"{")


def test_it_can_only_be_read() -> None:
    assert ask("POST /ari/docs/", auth="asterisk:asterisk").status == 405


@pytest.mark.parametrize("file", sorted(FOLDER.iterdir()), ids=lambda file: file.name)
def test_nothing_is_loaded_from_elsewhere(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert re.findall(r"""(?:src|href|url|import|fetch)\W{1,3}(?:https?:)?//""", text) == []
    assert "innerHTML" not in text
