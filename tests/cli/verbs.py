"""Every verb of the command line, as the program itself would find it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from touyan.cli.main import command as program

ROOT: Any = program


def verbs(command: Any = ROOT, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Path and command of every verb, such as (("permit", "issue"), …)."""
    for name, below in command.commands.items():
        if hasattr(below, "commands"):
            yield from verbs(below, (*path, name))
        else:
            yield (*path, name), below


ALL = dict(verbs())
