"""The rules of the house that a machine can hold: sizes, nesting, names, docstrings, annotations, light imports, one order of rooms."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "src" / "touyan").rglob("*.py"))
MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_NESTING, MEDIAN_FUNCTION_LINES = 400, 60, 3, 12
RING_LINES = 120
VAGUE = re.compile(r"(Manager|Handler|Helper|Util|Utils|Impl)$")
BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.AsyncFor, ast.AsyncWith)
Function = ast.FunctionDef | ast.AsyncFunctionDef
LIGHT = {"touyan", "touyan.core.rights", "touyan.core.statement", "touyan.core.merkle", "touyan.core.job", "touyan.core.document"}

files = pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT / "src")))


def functions(tree: ast.Module) -> list[Function]:
    return [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def nesting(body: list[ast.stmt]) -> int:
    """How deep blocks stand within blocks. `elif` stands beside its `if`; a function within a function begins anew."""
    return max((depth(statement) for statement in body), default=0)


def depth(node: ast.stmt) -> int:
    if not isinstance(node, BLOCKS):
        return 0
    chained = isinstance(node, ast.If) and len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If)
    inner = 1 + max(nesting(part) for part in parts(node) if not (chained and part is node.orelse))  # type: ignore[union-attr]
    return max(inner, depth(node.orelse[0])) if chained else inner  # type: ignore[union-attr]


def parts(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        yield getattr(node, name, [])
    for handler in getattr(node, "handlers", []):
        yield handler.body


@files
def test_a_file_holds_one_idea(path: Path) -> None:
    text = path.read_text()
    lines = text.count("\n")
    assert lines < MAX_FILE_LINES, f"{lines} lines: divide it"
    tree = ast.parse(text)
    long = {f.name: length(f) for f in functions(tree) if length(f) > MAX_FUNCTION_LINES}
    deep = {f.name: nesting(f.body) for f in functions(tree) if nesting(f.body) > MAX_NESTING}
    vague = [n.name for n in ast.walk(tree) if isinstance(n, (ast.ClassDef, ast.FunctionDef)) and VAGUE.search(n.name)]
    assert (long, deep, vague) == ({}, {}, [])


@files
def test_a_file_says_what_it_owns(path: Path) -> None:
    text = path.read_text()
    if not text.strip():
        return
    doc = ast.get_docstring(ast.parse(text))
    assert doc, "no docstring"
    assert doc.count("\n") < 8 or path.name == "errors.py"  # that one prints its tree


@files
def test_everything_is_annotated(path: Path) -> None:
    bare: list[str] = []
    for function in functions(ast.parse(path.read_text())):
        arguments = function.args
        every = [
            *arguments.posonlyargs,
            *arguments.args,
            *arguments.kwonlyargs,
            *filter(None, (arguments.vararg, arguments.kwarg)),
        ]
        missing = [a.arg for a in every if a.annotation is None and a.arg not in ("self", "cls")]
        if missing or function.returns is None:
            bare.append(f"{function.name}({', '.join(missing)})")
    assert bare == []


def test_the_median_function_is_short() -> None:
    lengths = [length(f) for path in SOURCES for f in functions(ast.parse(path.read_text()))]
    assert statistics.median(lengths) <= MEDIAN_FUNCTION_LINES


def test_the_main_path_is_short_enough_to_read_first() -> None:
    assert (ROOT / "src" / "touyan" / "ring.py").read_text().count("\n") <= RING_LINES


def test_core_uses_nothing_but_the_standard_library() -> None:
    foreign = {
        (path.name, name) for path in SOURCES if path.parent.name == "core" for name in imported(path)
        if name.split(".")[0] not in sys.stdlib_module_names and not name.startswith("touyan.core")
    }  # fmt: skip
    assert foreign == set()


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("module", sorted(LIGHT))
def test_importing_it_loads_nothing_of_others(module: str) -> None:
    program = (
        f"import sys; before = set(sys.modules); import {module}; print(*{{m.split('.')[0] for m in set(sys.modules) - before}})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert {m for m in done.stdout.split() if m not in sys.stdlib_module_names} == {"touyan"}


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    program = "import sys, touyan.cli.main; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    heavy = {"torch", "transformers", "pyarrow", "numpy", "sklearn", "ray", "polars", "alembic", "fastapi"}
    assert heavy & set(done.stdout.split()) == set()


def test_the_tests_have_names_of_their_own() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted({n for n in names if names.count(n) > 1}) == []
