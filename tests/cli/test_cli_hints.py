"""What an error tells people to run exists: verb, group and options."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from verbs import ALL

import touyan

TOLD = re.compile(r"(?:: `?|\bor )touyan ([a-z]+)(?: ([a-z]+))?([^;\n]*)")


def _told() -> Iterator[tuple[str, re.Match[str]]]:
    """Commands in the strings of the package that somebody is told to run, and where."""
    package = Path(touyan.__file__).parent
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from ((f"{path.relative_to(package)}:{node.lineno}", found) for found in TOLD.finditer(node.value))


@pytest.mark.parametrize(("place", "found"), [pytest.param(*told, id=told[0]) for told in _told()])
def test_a_command_that_is_told_exists(place: str, found: re.Match[str]) -> None:
    verb = ALL.get((found[1],)) or ALL.get((found[1], found[2] or ""))
    assert verb is not None, f"{place}: {found[0]}"
    options = {"--help"} | {option for parameter in verb.params for option in parameter.opts}
    assert set(re.findall(r"--[a-z-]+", found[3])) <= options, f"{place}: {found[0]}"
