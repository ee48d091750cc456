"""The tables beside a corpus: spans, verdicts, and the index of token shards (docs/formats/spans.md).

Owns their columns and the writer of one numbered part. Knows nothing about operators or tokenizers. Invariant: the columns are
frozen; part N of every table speaks of the documents that part N of the corpus was made from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from touyan.store.formats.shards import parquet_writer

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

SPANS, VERDICTS = "spans", "verdicts"
"""The tables' folders inside an Asset of kind corpus."""
GROUP_ROWS, GROUP_BYTES = 8_192, 12 << 20
"""A row group ends with whichever comes first; bytes are those of its columns in memory."""


def spans_schema() -> pa.Schema:
    """Columns of `spans/part-NNNNN.parquet`: one row per Span, edits and remarks alike."""
    import pyarrow as pa

    identity = [pa.field(name, pa.string(), nullable=False) for name in ("doc_id", "view")]
    interval = [pa.field(name, pa.int64(), nullable=False) for name in ("start", "end")]
    operator = [pa.field(name, pa.string(), nullable=False) for name in ("operator", "version", "label")]
    return pa.schema(
        [
            *identity,
            *interval,
            *operator,
            pa.field("replacement", pa.string()),
            pa.field("reason", pa.string(), nullable=False),
            pa.field("score", pa.float64()),
            pa.field("subject", pa.string()),
            pa.field("evidence", pa.string()),
            pa.field("parameters", pa.string(), nullable=False),
        ]
    )


def verdicts_schema() -> pa.Schema:
    """Columns of `verdicts/part-NNNNN.parquet`: one row per document per operator that had something against it."""
    import pyarrow as pa

    return pa.schema(
        [
            *(pa.field(name, pa.string(), nullable=False) for name in ("doc_id", "operator", "version", "reason")),
            pa.field("score", pa.float64()),
            pa.field("excerpt", pa.string()),
            pa.field("outcome", pa.string(), nullable=False),
            pa.field("evidence", pa.string()),
            pa.field("parameters", pa.string(), nullable=False),
        ]
    )


def token_index_schema() -> pa.Schema:
    """Columns of `part-NNNNN.index.parquet`: the half-open token interval of each document in that part."""
    import pyarrow as pa

    offsets = [pa.field(name, pa.int64(), nullable=False) for name in ("start", "end")]
    return pa.schema([pa.field("doc_id", pa.string(), nullable=False), *offsets])


def part_name(number: int) -> str:
    """`part-00042`: the name that a shard's files and its completion mark share."""
    return f"part-{number:05d}"


class PartWriter:
    """Writes one Parquet part in row groups of bounded size; a context manager. No rows still make a file."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._schema = schema
        self._held: list[pa.Table] = []
        self._rows = 0
        self._bytes = 0
        self._file: pq.ParquetWriter | None = None

    def extend(self, columns: Mapping[str, Sequence[object]]) -> None:
        """Adds rows, given as equally long columns under the names of the schema."""
        import pyarrow as pa

        arrays = [pa.array(columns[field.name], field.type) for field in self._schema]
        self.write(pa.table(arrays, schema=self._schema))

    def write(self, rows: pa.Table) -> None:
        """Adds the rows of a table that has the columns of the schema."""
        if self._rows + rows.num_rows > GROUP_ROWS:
            self._flush()
        self._held.append(rows)
        self._rows += rows.num_rows
        self._bytes += rows.nbytes
        if self._bytes >= GROUP_BYTES:
            self._flush()

    def __enter__(self) -> Self:
        self._file = parquet_writer(self.path, self._schema)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is None:
            return
        if kind is None:
            self._flush()
        self._file.close()

    def _flush(self) -> None:
        import pyarrow as pa

        assert self._file is not None, "a part is written inside its with block"
        if self._rows:
            self._file.write_table(pa.concat_tables(self._held), row_group_size=GROUP_ROWS)
        self._held, self._rows, self._bytes = [], 0, 0
