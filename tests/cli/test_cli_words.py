"""Translations: complete, compiled, and with the same places to fill in."""

from __future__ import annotations

import gettext
import string
import sys
from pathlib import Path

import pytest

pytest.importorskip("babel", reason="a tool of development: pip install 'touyan[dev]'")
sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))
import texts

TRANSLATED = {str(m.id): str(m.string) for m in texts.load("zh_CN") if m.id}


def test_every_text_has_a_translation_and_none_is_left_over() -> None:
    assert set(texts.texts()) == set(TRANSLATED), "bring it up to date: make locale"
    assert [text for text, words in TRANSLATED.items() if not words] == []


def test_the_compiled_catalogue_is_that_of_the_source() -> None:
    with texts.catalogue("zh_CN").with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    assert {text: compiled.gettext(text) for text in TRANSLATED} == TRANSLATED


@pytest.mark.parametrize("text", [t for t in TRANSLATED if "{" in t])
def test_a_translation_fills_in_the_same_places(text: str) -> None:
    def places(words: str) -> list[str]:
        return sorted({field for _, field, _, _ in string.Formatter().parse(words) if field is not None})

    assert places(text) == places(TRANSLATED[text])


def test_typer_takes_its_own_words_from_the_same_catalogue() -> None:
    """The list of what typer.core asks gettext for is the one that is translated."""
    import ast

    import typer.core

    tree = ast.parse(Path(typer.core.__file__).read_text(encoding="utf-8"))
    asked = {text for text, _line in texts._in_file(tree)}
    assert asked <= {*texts.TYPER}
