"""Every text that the command line may say, and the catalogues made of them: `make locale`.

Collects the arguments of `_()`, the docstrings of commands, the words of state tables, the summaries of recipes and those Typer says
itself. Knows nothing of
what they mean. Invariant: a translation that exists is kept; a text without one is listed and the exit status is 1.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
CLI = ROOT / "src" / "touyan" / "cli"
LOCALES = ROOT / "src" / "touyan" / "locale"
DAY = datetime(2026, 11, 21, tzinfo=UTC)
TYPER = (
    "Arguments", "Options", "Commands", "Error", "default: {default}", "required", "(dynamic)", "env var: {var}",
    "Missing command.", "No such command {name!r}.", "Aborted!",
)  # fmt: skip
"""What typer.core asks gettext for."""


def texts() -> dict[str, list[tuple[str, int]]]:
    """Every text with the places that say it, as (file, line)."""
    found: dict[str, list[tuple[str, int]]] = {}
    for path in sorted(CLI.glob("*.py")):
        for text, line in _in_file(ast.parse(path.read_text(encoding="utf-8"))):
            found.setdefault(text, []).append((str(path.relative_to(ROOT)), line))
    for text in (*TYPER, *_state_words()):
        found.setdefault(text, [])
    return found


def catalogue(locale: str) -> Path:
    return LOCALES / locale / "LC_MESSAGES" / "touyan.po"


def load(locale: str) -> Catalog:
    path = catalogue(locale)
    if not path.exists():
        return Catalog(locale, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale)


def _in_file(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_":
            if node.args and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value), node.lineno
        elif isinstance(node, ast.FunctionDef) and _is_command(node) and (doc := ast.get_docstring(node)):
            yield inspect.cleandoc(doc), node.lineno


def _is_command(node: ast.FunctionDef) -> bool:
    """Decorated with `@app.command(...)` or `@group.command(...)`."""
    return any(
        isinstance(d, ast.Call) and isinstance(d.func, ast.Attribute) and d.func.attr == "command" for d in node.decorator_list
    )


def _state_words() -> Iterator[str]:
    """Words that reach `_()` as values."""
    from touyan.cli.progress import MARKS
    from touyan.corpus.plant.scorecard import MEASURES
    from touyan.corpus.recipe import FOLDER
    from touyan.permit.finding import Outcome
    from touyan.store.formats.yaml import read_yaml
    from touyan.store.withdrawals import SELECTORS

    yield from (*MARKS, *get_args(Outcome), *SELECTORS, *(measure.words for measure in MEASURES))
    yield from (str(read_yaml(path).value["summary"]) for path in sorted(FOLDER.glob("*.yaml")))


def _empty(locale: str) -> Catalog:
    """A catalogue whose header says nothing of the day or the machine, so that it changes only with the texts."""
    return Catalog(
        locale, project="touyan", version="1", charset="utf-8", fuzzy=False, header_comment="# Texts of Touyan's command line.",
        msgid_bugs_address="none", last_translator="Touyan contributors", language_team=locale, creation_date=DAY, revision_date=DAY,
    )  # fmt: skip


def renew(locale: str) -> list[str]:
    """Brings one catalogue up to date with the code and compiles it; the texts that still lack a translation."""
    old, new = load(locale), _empty(locale)
    for text, places in texts().items():
        known = old.get(text)
        new.add(text, known.string if known else "", [(file, 0) for file, _line in dict.fromkeys(places)])
    path = catalogue(locale)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, new, width=130, omit_header=False, sort_output=True, include_lineno=False)
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, new)
    return [m.id for m in new if m.id and not m.string]


if __name__ == "__main__":
    lacking = [f"{path.name}: {text}" for path in LOCALES.iterdir() if path.is_dir() for text in renew(path.name)]
    print("\n".join(lacking) or "every text has its translation")
    sys.exit(bool(lacking))
