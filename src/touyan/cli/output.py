"""What the command line prints: tables and sentences for people, JSON for programs.

`--json` prints exactly one JSON value on standard output; everything else goes to standard error then. Text that came from
outside is printed without control characters, so that a document cannot drive a terminal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from touyan.core.errors import TouyanError

DIGEST_DIGITS = 64
WHOLE = 24
"""A first column no wider is never folded: it is the name or id that the reader copies into the next command."""

if TYPE_CHECKING:
    from rich.console import Console


def console(stderr: bool = False) -> Console:
    """A Rich console that neither marks up nor highlights what it is given."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON value; characters that drive a terminal, and halves of surrogate pairs, are spelt out as JSON escapes."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=_plain)
    sys.stdout.write("".join(c if c == "\n" or c.isprintable() else json.dumps(c)[1:-1] for c in text) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, (set, frozenset, tuple)):
        return sorted(value) if isinstance(value, (set, frozenset)) else list(value)
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__ if not name.startswith("_")}
    return str(value)


def answer(as_json: bool, value: Any, words: str) -> None:
    """One answer in the form that was asked for: `value` for programs, `words` for people."""
    print_json(value) if as_json else say(words)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
    """A plain table, or the sentence `empty`."""
    from rich.table import Table

    listed = [[clean(str(cell)) for cell in row] for row in rows]
    if not listed:
        say(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    is_short = max(len(row[0]) for row in listed) <= WHOLE
    for place, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=is_short and place == 0)
    for row in listed:
        table.add_row(*row)
    console().print(table)


def say(text: str, stderr: bool = False) -> None:
    """One or more lines for a person."""
    console(stderr).print(clean(text))


def named(identifier: str) -> str:
    """A whole digest by its first 12 digits; any other name as it is."""
    return identifier[:12] if len(identifier) == DIGEST_DIGITS else identifier


def clean(text: str) -> str:
    """`text` without control and direction characters, save line ends, tabs and wide spaces."""
    return "".join(
        c if c in "\n\t\u00a0\u3000" or (c.isprintable() and c not in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069") else "�"
        for c in text
    )


def print_error(error: TouyanError) -> None:
    """The error with what to do; as JSON on standard output where the command was called with --json."""
    if "--json" in sys.argv:
        fields = {"family": type(error).__name__, "code": error.code, "message": error.message, "hint": error.hint}
        print_json({"error": fields})
        return
    out = console(stderr=True)
    out.print(f"{type(error).__name__}: {clean(error.message)}", style="bold red")
    out.print(f"  {clean(error.hint)}  [{error.code}]")
