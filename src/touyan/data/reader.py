"""What a reader is: it turns one file into records, and lists what it cannot read.

Readers are found under the entry point group `touyan.readers`. They know nothing about columns, rights or identifiers; they
never hold more than one document. Invariant: whatever the bytes, a reader gives records and reasons, and nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from touyan.core.canonical import sha256_hex
from touyan.core.errors import Conflict, Invalid, Missing
from touyan.core.names import nearest

GROUP = "touyan.readers"
MAX_INFLATION = 200
"""Characters that a file may give for each of its bytes, beyond the first document; text compresses 3 to 20 times."""
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Options:
    """What a reader is told beside the path. Readers of whole documents need only the size limit."""

    text: str = ""
    """Column that holds the text of a row; empty: `text`, and for workbooks the whole sheet."""
    table: str = ""
    """Table of a database, or sheet of a workbook."""
    query: str = ""
    """A SELECT, in place of `table`."""
    delimiter: str = ""
    """Between the fields of a row; empty: taken from the header."""
    max_document_bytes: int = 64 << 20

    @property
    def text_column(self) -> str:
        return self.text or "text"


@dataclass(frozen=True, slots=True)
class Record:
    """One document as its file gives it."""

    place: str
    """Where in the file: a row number, a sheet; empty for the whole file."""
    text: str
    raw_sha256: str
    values: Mapping[str, str | None]
    """What else the file says about it: columns of the row, its text among them, or title and the like."""
    is_unicode: bool = field(default=False, compare=False)
    """Whether the reader knows that it holds no half of a surrogate pair."""

    @property
    def characters(self) -> int:
        """How much it holds."""
        return max(len(self.text), sum(map(len, filter(None, self.values.values()))))


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file or row that gives no document."""

    place: str
    reason: str
    """`slug: words`, where the slug is stable and counted in the summary."""


class Damaged(Invalid):
    """Raised inside a reader to give up on the file at hand; becomes its `Unreadable`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message, "repair or remove the file; with on_unreadable: list the run goes on without it")

    def __reduce__(self) -> tuple[type[Damaged], tuple[str, str]]:  # type: ignore[override]
        return (Damaged, (self.code, self.message))

    @property
    def reason(self) -> str:
        return f"{self.code}: {self.message}"


class Reader(Protocol):
    """One kind of file. Stateless."""

    extensions: tuple[str, ...]
    """Lower-case, with the dot."""
    isolated: bool
    """Parses hostile formats: runs in a parser process with limits (see `parser_process.py`)."""

    def read(self, path: Path, options: Options) -> Iterator[Record | Unreadable]:
        """Streams the records of a file. May raise Damaged, or anything at all when the parser underneath does."""
        ...


@runtime_checkable
class DivisibleReader(Reader, Protocol):
    """A reader, not isolated, of files that may be read in parts, each by another process: all parts in order give what `read` gives."""

    def divide(self, path: Path, options: Options, part_bytes: int) -> Iterable[Any]:
        """Parts of some `part_bytes` bytes, as they would travel to another process; none where this file is of one piece."""
        ...

    def read_part(self, path: Path, part: Any, options: Options) -> Iterator[Record | Unreadable]:
        """Streams the records of a part."""
        ...


def read_file(reader: Reader, path: Path, options: Options, part: Any = None) -> Iterator[Record | Unreadable]:
    """The records of a file or of a part of it, with every failure of the parser turned into a reason. Only Missing (an extra)
    passes."""
    try:
        if part is None or not isinstance(reader, DivisibleReader):
            yield from reader.read(path, options)
        else:
            yield from reader.read_part(path, part, options)
    except Missing:
        raise
    except Damaged as error:
        yield Unreadable("", error.reason)
    except Exception as error:  # parsers of hostile bytes raise anything, MemoryError and RecursionError among it
        yield Unreadable("", f"parser: {describe(error, path)}")


def describe(error: Exception, path: Path) -> str:
    """Kind and first line of an error, without folders and memory addresses, which differ between runs."""
    line = next(iter(str(error).splitlines()), "")
    line = re.sub(r"0x[0-9a-fA-F]{6,}", "0x…", line.replace(str(path), path.name).replace(str(path.parent), ""))
    return f"{type(error).__name__} {line}".strip()[:200]


def no_text_column(options: Options, names: Iterable[str]) -> Damaged:
    """The reason where the text column is missing. Of the other names only one that is near is told: a file without a header
    has its first row, and so perhaps a person, in their place."""
    near = get_close_matches(options.text_column, list(names), n=1)
    return Damaged("no-column", f"there is no column {options.text_column!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def row_record(place: str, cells: Mapping[str, str | None], options: Options) -> Record:
    """A row of a table as a record; its raw digest is that of the JSON of its cells: sorted by column, no spaces, UTF-8."""
    return Record(place, cells[options.text_column] or "", sha256_hex(_encode(cells).encode("utf-8", "surrogatepass")), cells)


@cache
def readers() -> Mapping[str, Reader]:
    """All installed readers by name."""
    return {point.name: point.load() for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def named_reader(name: str) -> Reader:
    """The reader of that name. Raises Missing with the nearest one."""
    if name not in readers():
        raise Missing("no-reader", f"there is no reader {name!r}", nearest(name, ["auto", *readers()]))
    return readers()[name]


@cache
def reader_names_by_extension() -> Mapping[str, str]:
    """Which reader takes which extension. Raises Conflict where two installed readers claim one."""
    chosen: dict[str, str] = {}
    for name, reader in readers().items():
        for extension in reader.extensions:
            if extension in chosen:
                message = f"the readers {chosen[extension]!r} and {name!r} both claim {extension}"
                raise Conflict("two-readers", message, "uninstall one of them, or name the reader in the flow")
            chosen[extension] = name
    return chosen


def reader_name(path: str) -> str | None:
    """Which reader takes this file, by its last two extensions (`.jsonl.zst`) or its last; None where nobody does."""
    known, suffixes = reader_names_by_extension(), Path(path.lower()).suffixes
    return next((known[extension] for n in (2, 1) if (extension := "".join(suffixes[-n:])) in known), None)
