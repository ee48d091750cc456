"""What `corpus run` sees of IN and OUT before it begins: whether they can be used, and which columns tables have.

Owns the checks and the names that columns usually bear. Knows nothing of recipes. Invariant: a folder that the command did not make
is refused before anything is written; what the user names wins over what is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from touyan.core.errors import Conflict, Invalid, Missing
from touyan.flow.alone import RECORDS

if TYPE_CHECKING:
    from touyan.data.read import ReadParams
    from touyan.data.reader import Record

TEXT_COLUMNS = ("text", "content", "body", "full_text", "article", "正文", "全文", "内容", "文本")
"""The first of these that the tables have is their text."""
KEY_COLUMNS = ("id", "doc_id", "url")
"""The first of these that a table has is the key of its rows."""
META_COLUMNS = ("url", "link", "source_url", "source", "date", "published", "publication_date")
"""Kept beside the text where a table has them: sites are recognised by their addresses, and a certificate counts sources and dates."""
TABLES = frozenset({"csv", "jsonl", "parquet", "sqlite"})
"""Readers of tables whose columns have names."""
PROVIDER = "local"
OUTPUTS = ("documents", "corpus")
"""Folders of OUT that steps make."""


def check_places(source: Path, out: Path) -> None:
    """Raises Missing or Invalid where there is nothing to read at `source`, where `out` is a file, and where the two
    stand one in the other, so that a second run would read its own output; Conflict where `out` holds somebody else's folders."""
    if not source.exists():
        raise Missing("no-source", f"there is nothing at {source}", "give a file or a folder that exists")
    if next(files_of(source), None) is None:
        raise Invalid("no-files", f"{source} holds no file", "give a folder with documents in it")
    if out.exists() and not out.is_dir():
        raise Invalid("out-is-a-file", f"{out} is a file", "give a folder for what comes of it")
    made = [(out / name).resolve() for name in OUTPUTS]
    if out.resolve().is_relative_to(source.resolve()) or any(source.resolve().is_relative_to(each) for each in made):
        raise Invalid("reads-its-output", f"a run from {source} to {out} would read what it writes", "give a folder elsewhere")
    for name in OUTPUTS:
        if (out / name).exists() and not (out / RECORDS / f"{name}.json").exists():
            raise Conflict(
                "folder-exists", f"{out / name} is there already and is none of ours", "choose another folder, or remove it"
            )


def files_of(source: Path) -> Iterator[Path]:
    """The files of a folder, or the file."""
    return (path for path in source.rglob("*") if path.is_file()) if source.is_dir() else iter((source,))


def read_params(source: Path, text: str, key: str) -> ReadParams:
    """Parameters of `read`: the columns named, or those that the first row of the tables shows.

    A key and columns beside the text are only guessed where all files are tables of one kind: no others have any.
    """
    from touyan.data.read import ReadParams

    text, row, are_all = _first_row(source, text)
    columns = tuple(row.values) if row and are_all else ()
    key = key or next((name for name in KEY_COLUMNS if name in columns), "")
    meta = tuple(name for name in META_COLUMNS if name in columns and name != key)
    title = "title" if "title" in columns else ""
    return ReadParams(source=source.name, provider=PROVIDER, text=text, key=key, title=title, meta=meta)


def _first_row(source: Path, text: str) -> tuple[str, Record | None, bool]:
    """The text column, a row that has it, and whether all files are tables of one kind."""
    from touyan.data.reader import Options, Record, named_reader, read_file, reader_name

    found = sorted((path, reader_name(path.name)) for path in files_of(source))
    tables = [(path, name) for path, name in found if name in TABLES]
    for path, name in tables[:1]:
        for column in (text,) if text else TEXT_COLUMNS:
            row = next(iter(read_file(named_reader(str(name)), path, Options(text=column))), None)
            if isinstance(row, Record):
                return column, row, len({name for _, name in found}) == 1
    return text, None, False
