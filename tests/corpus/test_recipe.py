"""Recipes: the shipped ones are whole, wrong ones are refused with their line."""

from __future__ import annotations

from pathlib import Path

import pytest

from touyan.core.errors import Invalid, Missing
from touyan.corpus.operator import Surveyor
from touyan.corpus.recipe import read_recipe, shipped
from touyan.corpus.refine import RefineParams, recipe


def test_the_five_recipes_are_shipped() -> None:
    assert shipped() == ("dialogue", "multi-web", "office", "zh-official", "zh-web")


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_recipe_can_be_built(name: str) -> None:
    refiners = recipe(RefineParams(recipe=name), None)
    assert tuple(refiner.name for refiner in refiners) == read_recipe(name).names
    assert refiners[-1].name == "mask", "identifiers are masked last: masking makes different texts alike"
    assert not isinstance(refiners[0], Surveyor)


def test_settings_change_a_shipped_recipe() -> None:
    refiners = recipe(RefineParams(recipe="zh-web", settings={"length": {"min_chars": 77}}), None)
    assert next(r for r in refiners if r.name == "length").min_chars == 77  # type: ignore[union-attr]


def test_a_recipe_of_ones_own_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("operators:\n  - unicode\n  - script: {min_han_share: 0.4}\n  - mask: {kinds: [mobile, email]}\n")
    found = read_recipe(str(path))
    assert found.name == "mine"
    assert found.settings == {"script": {"min_han_share": "0.4"}, "mask": {"kinds": ("mobile", "email")}}


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("operators:\n  - unicode\n  - lenght\n", 3, "length"),
        ("operators:\n  - length: {min_char: 5}\n", 2, "min_chars"),
        ("operators:\n  - unicode\n  - unicode\n", 3, "once"),
        ("operator:\n  - unicode\n", 1, "recipes"),
        ("operators: []\n", 1, "recipes"),
        ("operators:\n  - [unicode]\n", 2, "length"),
        ("recipe: a\nnotes: b\noperators: [unicode]\n", 2, "recipe"),
    ],
)
def test_a_wrong_recipe_is_refused_with_its_line(tmp_path: Path, text: str, line: int, hint: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(Invalid) as told:
        read_recipe(str(path))
    assert f"{path}:{line}:" in told.value.message
    assert hint in told.value.hint


def test_a_name_near_a_recipe_is_told() -> None:
    with pytest.raises(Missing) as told:
        read_recipe("zh-wed")
    assert "zh-web" in told.value.hint
