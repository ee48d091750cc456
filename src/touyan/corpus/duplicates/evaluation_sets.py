"""Evaluation sets, read as texts that must not be learned: every item's strings, whatever its fields are called.

Owns where a set is and what counts as an item. Knows nothing about documents. Invariant: an item is named by its place in its
set, so that whoever has the set can look it up, and nobody is shown it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from touyan.core.errors import Invalid, Missing
from touyan.core.names import nearest

GROUP = "touyan.evaluation_sets"
"""Entry points whose value is a function without arguments that gives the path of a set."""
SUFFIXES = (".jsonl", ".json", ".txt")


@dataclass(frozen=True, slots=True)
class Item:
    """One text of an evaluation set."""

    name: str
    """`set#item=n`: the file's name without its ending, and the place of the item from 1 on."""
    texts: tuple[str, ...]


def items_of(given: str) -> Iterator[Item]:
    """The items of a set: a path to a file or to a folder of files, or a registered name.

    Of JSON Lines each line is an item, of JSON each member of the list, of text each line. Raises Missing where nothing is there
    and Invalid, with file and line, for JSON that cannot be read.
    """
    path = _located(given)
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.suffix in SUFFIXES:
                yield from _file_items(file)
    else:
        yield from _file_items(path)


def _located(given: str) -> Path:
    if Path(given).exists():
        return Path(given)
    registered = {entry.name: entry for entry in entry_points(group=GROUP)}
    if given not in registered:
        raise Missing("no-such-set", f"no evaluation set is at {given!r} or bears that name", nearest(given, registered))
    return Path(registered[given].load()())


def _file_items(file: Path) -> Iterator[Item]:
    text = file.read_text(encoding="utf-8-sig")
    if file.suffix == ".json":
        members: list[Any] = _list_in(_parsed(text, file, 1))
    elif file.suffix == ".jsonl":
        members = [_parsed(line, file, n) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    else:
        members = text.split("\n")
    for n, member in enumerate(members, 1):
        yield Item(f"{file.stem}#item={n}", tuple(_strings(member)))


def _parsed(text: str, file: Path, line: int) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Invalid("damaged-set", f"{file}:{line} is not JSON: {error}", "give JSON Lines, JSON or plain text") from error


def _list_in(body: Any) -> list[Any]:
    """The list itself, or the longest list that the object holds."""
    if isinstance(body, list):
        return body
    return max((value for value in body.values() if isinstance(value, list)), key=len, default=[body])


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _strings(member)
