"""The documents table: its columns, its writer and its readers (docs/formats/folders.md, 'documents' and 'corpus').

Owns the schema that every room from `data` on shares. Knows nothing about where documents come from or what refines them.
Invariant: the columns are frozen; a corpus adds `split` and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from touyan.store.formats.shards import ShardLimits, ShardWriter, read_batches, shard_paths

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "documents"
"""The table's folder inside an Asset of kind documents or corpus."""

EXCLUDED = "excluded"
"""The side of a split that is neither learned from nor tested on."""


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One document, its fields in the order of the columns. `docs/formats/folders.md` says what each means."""

    doc_id: str
    source: str
    natural_key: str
    version: str
    raw_sha256: str
    text: str
    title: str | None
    group: str | None
    label: str | None
    meta: str
    """Canonical JSON object of strings."""
    rights: str
    subjects: tuple[str, ...] = ()
    split: str | None = None
    """Only in a corpus: train, test or excluded."""

    def values(self) -> tuple[object, ...]:
        """The fields in column order, `split` last."""
        return (
            self.doc_id, self.source, self.natural_key, self.version, self.raw_sha256, self.text,
            self.title, self.group, self.label, self.meta, self.rights, self.subjects, self.split,
        )  # fmt: skip


def documents_schema() -> pa.Schema:
    """Columns of `documents/part-NNNNN.parquet` as `read` writes them."""
    import pyarrow as pa

    required = ("doc_id", "source", "natural_key", "version", "raw_sha256", "text")
    optional = ("title", "group", "label")
    return pa.schema(
        [pa.field(name, pa.string(), nullable=False) for name in required]
        + [pa.field(name, pa.string()) for name in optional]
        + [pa.field(name, pa.string(), nullable=False) for name in ("meta", "rights")]
        + [pa.field("subjects", pa.list_(pa.field("element", pa.string(), nullable=False)), nullable=False)]
    )


def corpus_schema() -> pa.Schema:
    """The same with `split`, as `refine` and `split` write them."""
    import pyarrow as pa

    return documents_schema().append(pa.field("split", pa.string()))


class DocumentWriter(ShardWriter):
    """Writes `DocumentRow`s under `asset/documents`. Set `with_split` for a corpus."""

    def __init__(self, asset: Path, *, with_split: bool = False, limits: ShardLimits | None = None) -> None:
        super().__init__(asset / FOLDER, corpus_schema() if with_split else documents_schema(), limits)
        self._width = len(self._schema)

    def add(self, row: DocumentRow) -> None:
        self.write(row.values()[: self._width])


def document_shards(asset: Path) -> list[Path]:
    """The shards of a documents or corpus Asset, in order. Raises Broken where there is none."""
    return shard_paths(asset / FOLDER)


def read_document_batches(
    shard: Path, *, with_split: bool = False, columns: tuple[str, ...] | None = None
) -> Iterator[pa.RecordBatch]:
    """Streams one shard as record batches of at most 1,024 rows. Raises Broken on damage or foreign columns."""
    return read_batches(shard, corpus_schema() if with_split else documents_schema(), columns)


def read_documents(asset: Path, *, with_split: bool = False) -> Iterator[DocumentRow]:
    """Streams every document of an Asset in order. Raises Broken on damage or foreign columns."""
    for shard in document_shards(asset):
        for batch in read_document_batches(shard, with_split=with_split):
            for row in batch.to_pylist():
                row["subjects"] = tuple(row["subjects"])
                yield DocumentRow(**row)
