"""What stored files hold: which documents stand in the tables of an Asset, file by file.

Any Parquet file with a column `doc_id` is such a table: documents, spans, verdicts, the index of token shards. Knows nothing of
withdrawals. Invariant: a file that cannot be read counts as holding everything; absence is only ever claimed from verified bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from touyan.core.asset import FileRef, Manifest
from touyan.core.errors import Broken, Missing
from touyan.core.statement import Selector
from touyan.store.objects import Objects

if TYPE_CHECKING:
    import pyarrow as pa

TABULAR = frozenset({"documents", "corpus", "tokens"})
"""Kinds whose tables name every document that they hold."""
_INDEX, _DATA = ".index.parquet", ".bin"
_COLUMNS = ("doc_id", "source", "raw_sha256", "subjects", "subject", "excerpt")


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """A document that a selector chose. Only the table of documents knows its source and raw digest; spans leave them empty."""

    doc_id: str
    source: str = ""
    raw_sha256: str = ""


class Holdings:
    """Looks into stored tables; a context manager that owns the folder of their verified copies.

    Memory: one table's columns of names at a time, about 200 bytes a row.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._folder = TemporaryDirectory(prefix="touyan-holdings-")
        self._copies: dict[str, Path | None] = {}
        self._matches: dict[tuple[str, Selector, str], frozenset[Found]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._folder.cleanup()

    def matching(self, manifest: Manifest, selector: Selector, value: str) -> set[Found]:
        """The documents in the tables of an Asset that the selector chooses. Unreadable files choose nothing."""
        found: set[Found] = set()
        for file in _tables(manifest):
            key = (file.sha256, selector, value)
            if key not in self._matches:
                self._matches[key] = frozenset(self._match(file, selector, value))
            found |= self._matches[key]
        return found

    def _match(self, file: FileRef, selector: Selector, value: str) -> Iterator[Found]:
        table = self._table(file)
        if table is None or "doc_id" not in table.column_names:
            return
        known = table.select([name for name in ("doc_id", "source", "raw_sha256") if name in table.column_names])
        for row in known.take(_chosen(table, selector, value)).to_pylist():
            yield Found(**row)

    def holding(self, manifest: Manifest, documents: Set[str]) -> set[str]:
        """Paths of the files of an Asset that hold any of `documents`, or that cannot be read."""
        found: set[str] = set()
        for file in _tables(manifest):
            table = self._table(file)
            if table is None or _holds(table, documents):
                found |= {file.path, *_companions(file.path, manifest)}
        return found

    def _table(self, file: FileRef) -> pa.Table | None:
        """The columns that say which documents are there; None where the file cannot be read."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self._copy(file.sha256)
        if path is None:
            return None
        try:
            names = pq.read_schema(path).names
            return pq.read_table(path, columns=[name for name in _COLUMNS if name in names])
        except (pa.ArrowException, OSError):
            return None

    def _copy(self, sha256: str) -> Path | None:
        if sha256 not in self._copies:
            path = Path(self._folder.name) / sha256
            try:
                self._objects.fetch(sha256, path)
                self._copies[sha256] = path
            except (Missing, Broken):
                self._copies[sha256] = None
        return self._copies[sha256]


def _tables(manifest: Manifest) -> list[FileRef]:
    return [f for f in manifest.files if f.path.endswith(".parquet")]


def _companions(path: str, manifest: Manifest) -> list[str]:
    """The file of tokens that an index speaks of."""
    data = path.removesuffix(_INDEX) + _DATA
    return [f.path for f in manifest.files if path.endswith(_INDEX) and f.path == data]


def _chosen(table: pa.Table, selector: Selector, value: str) -> pa.Array:
    """Numbers of the rows that a selector chooses, by whichever column can say so."""
    import pyarrow as pa

    pc = _compute()
    column = {"document": "doc_id", "source": "source", "subject": "subject"}[selector]
    if selector == "subject" and "subjects" in table.column_names:
        listed = table.column("subjects").combine_chunks()
        return pc.list_parent_indices(listed).filter(pc.equal(pc.list_flatten(listed), value)).unique()
    if column not in table.column_names:
        return pa.array([], pa.int64())
    return pc.indices_nonzero(pc.equal(table.column(column), value))


def _holds(table: pa.Table, documents: Set[str]) -> bool:
    """Whether a table says anything of `documents`. A verdict without an excerpt only says that a document is not there."""
    import pyarrow as pa

    pc = _compute()
    if "doc_id" not in table.column_names:
        return False
    held = pc.is_in(table.column("doc_id"), value_set=pa.array(sorted(documents), pa.string()))
    if "excerpt" in table.column_names:
        held = pc.and_(held, pc.greater(pc.fill_null(pc.utf8_length(table.column("excerpt")), 0), 0))
    return bool(pc.any(held).as_py())


def _compute() -> Any:
    """pyarrow's functions, which it makes at run time: no type checker can see them."""
    import pyarrow.compute

    return pyarrow.compute
