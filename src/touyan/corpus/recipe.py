"""Recipes: which operators a kind of text passes, in which order and how they are set.

Owns the YAML of a recipe and the recipes that are shipped. Knows nothing about what an operator does. Invariant: a recipe is
checked whole, names and parameters, before the first document is read; errors name file and line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from touyan.core.errors import Missing
from touyan.core.names import nearest
from touyan.corpus.operator import Refiner, Setting, operator_class, operator_names
from touyan.store.formats.yaml import Marked, read_yaml

FOLDER = Path(__file__).with_name("recipes")
_KEYS = ("recipe", "summary", "operators")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Operators in order, each with the parameters that differ from its defaults."""

    name: str
    summary: str
    operators: tuple[tuple[str, Mapping[str, Setting]], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The operators' names in order."""
        return tuple(name for name, _ in self.operators)

    @property
    def settings(self) -> dict[str, Mapping[str, Setting]]:
        """Parameters by operator, for those that have any."""
        return {name: values for name, values in self.operators if values}


def shipped() -> tuple[str, ...]:
    """Names of the recipes that come with Touyan."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def read_recipe(name: str) -> Recipe:
    """A shipped recipe by its name, or another by the path of its file.

    Raises Missing for a name that is not shipped, Invalid with file and line where the recipe is wrong.
    """
    if name in shipped():
        return _recipe(read_yaml(FOLDER / f"{name}.yaml"))
    if name.endswith((".yaml", ".yml")):
        return _recipe(read_yaml(Path(name)))
    raise Missing("no-recipe", f"no recipe is called {name!r}", nearest(name, list(shipped())))


def _recipe(marked: Marked) -> Recipe:
    value = marked.value
    if not isinstance(value, dict) or not isinstance(value.get("operators"), list) or not value["operators"]:
        raise marked.error((), "a recipe has a list `operators`", "see a shipped one: touyan corpus recipes zh-web")
    for key in value:
        if key not in _KEYS:
            raise marked.error((key,), f"a recipe has no field {key!r}", nearest(key, list(_KEYS)))
    found = tuple(_operator(marked, at, item) for at, item in enumerate(value["operators"]))
    for at, (name, _) in enumerate(found):
        if name in {earlier for earlier, _ in found[:at]}:
            raise marked.error(("operators", at), f"{name!r} is named twice", "name each operator once: views bear their names")
    return Recipe(str(value.get("recipe") or marked.path.stem), str(value.get("summary") or ""), found)


def _operator(marked: Marked, at: int, item: Any) -> tuple[str, Mapping[str, Setting]]:
    where = ("operators", at)
    if isinstance(item, dict) and len(item) == 1:
        ((name, settings),) = item.items()
    else:
        name, settings = item, {}
    if not isinstance(name, str) or not isinstance(settings or {}, dict):
        raise marked.error(where, "an operator is a name, or a name with its parameters", "write `- length: {min_chars: 50}`")
    if name not in operator_names():
        raise marked.error(where, f"no operator is called {name!r}", nearest(name, list(operator_names())))
    _check(marked, where, operator_class(name), settings or {})
    return name, {key: _setting(value) for key, value in (settings or {}).items()}


def _check(marked: Marked, where: tuple[str | int, ...], cls: type[Refiner], settings: Mapping[str, Any]) -> None:
    known = [field.name for field in fields(cls) if field.repr]  # type: ignore[arg-type]
    for key, value in settings.items():
        if key not in known:
            raise marked.error(where, f"{cls.name} has no parameter {key!r}", nearest(key, known))
        if not isinstance(value, bool | int | float | str | list):
            raise marked.error(where, f"{key} is neither text, number, true, false nor a list", "see: touyan corpus operators")


def _setting(value: Any) -> Setting:
    """As a parameter travels: fractions as text, lists as tuples of text."""
    if isinstance(value, list):
        return tuple(map(str, value))
    return str(value) if isinstance(value, float) else value
