"""The reference page and the declarations it is made from."""

from pathlib import Path

from arietta.config import support
from arietta.config.reference import FILES, default_text, markdown
from arietta.config.settings import declared

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
CLASSES = [settings for _, _, classes in FILES for settings in classes]


def test_the_page_is_the_generated_text() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown()


def test_every_option_has_one_sentence_and_a_kind() -> None:
    for settings in CLASSES:
        for entry in declared(settings):
            assert entry.kind.description.endswith("."), (settings.TITLE, entry.field)
            assert entry.kind.label()


def test_defaults_can_be_read_by_their_own_kind() -> None:
    for settings in CLASSES:
        for entry in declared(settings):
            text = default_text(entry)
            if text:
                empty = () if isinstance(entry.default, tuple) else None
                assert entry.kind.read(text, entry.names[0], empty, lambda message: None) == entry.default, (
                    settings.TITLE,
                    entry.field,
                )


def test_the_tables_of_support_name_only_declared_options() -> None:
    fields = {settings.TITLE: {entry.field for entry in declared(settings)} for settings in CLASSES}
    for table in (support.SUPPORTED, support.WITHOUT_EFFECT, support.VALUES):
        for title, names in table.items():
            assert set(names) <= fields[title], title
    for title in support.SECTIONS:
        assert title in fields
    for title, names in support.WITHOUT_EFFECT.items():
        assert not names & support.SUPPORTED[title], title


def test_titles_are_unique() -> None:
    titles = [settings.TITLE for settings in CLASSES]
    assert len(set(titles)) == len(titles)
