"""What is kept of a shard between two stages of a recipe: its documents as they are then, and the lines written so far.

Owns three Arrow files whose batches correspond: batch i of each speaks of the same documents. Knows nothing about operators.
Invariant: what is read back is what was written, and no more of it than a batch is in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from touyan.corpus.columns import Columns
from touyan.corpus.operator import DocumentBatch
from touyan.corpus.passage import Passage, with_place
from touyan.store.formats.corpus import SPANS, VERDICTS, spans_schema, verdicts_schema
from touyan.store.formats.documents import FOLDER, documents_schema

if TYPE_CHECKING:
    import pyarrow as pa


class StateWriter:
    """Writes the state of one shard into a folder; a context manager."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._schemas = _schemas()
        self._files: list[pa.RecordBatchWriter] = []
        self._stack = ExitStack()

    def write(self, passage: Passage) -> None:
        """Adds what became of one batch, whether or not a document of it is left."""
        import pyarrow as pa

        schema = self._schemas[0]
        kept = pa.table([passage.kept.columns.array(field.name, field.type) for field in schema], schema=schema)  # type: ignore[attr-defined]
        for file, table in zip(self._files, (kept, passage.spans, passage.verdicts), strict=True):
            file.write_batch(_one_batch(table))

    def __enter__(self) -> Self:
        import pyarrow as pa
        import pyarrow.ipc as ipc

        for name, schema in zip(_NAMES, self._schemas, strict=True):
            # Not compressed: it is read once, soon and here, and lz4 takes ten times as long as the page cache.
            sink = self._stack.enter_context(pa.OSFile(str(self._folder / name), "wb"))
            self._files.append(self._stack.enter_context(ipc.new_file(sink, schema)))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()


def read_state(folder: Path) -> Iterator[tuple[DocumentBatch, pa.Table, pa.Table]]:
    """The batches that a stage left, each with the lines of spans and verdicts about it."""
    import pyarrow as pa
    import pyarrow.ipc as ipc

    with ExitStack() as stack:
        maps = [stack.enter_context(pa.memory_map(str(folder / name))) for name in _NAMES]
        documents, spans, verdicts = (ipc.open_file(each) for each in maps)
        for i in range(documents.num_record_batches):
            batch = documents.get_batch(i)
            columns = Columns(dict(zip(batch.schema.names, batch.columns, strict=True)))
            lines = (pa.Table.from_batches([file.get_batch(i)]) for file in (spans, verdicts))
            yield DocumentBatch(columns), *lines


_NAMES = tuple(f"{name}.arrow" for name in (FOLDER, SPANS, VERDICTS))


def _schemas() -> tuple[pa.Schema, pa.Schema, pa.Schema]:
    import pyarrow as pa

    documents = documents_schema().append(pa.field("view", pa.string()))
    return with_place(documents), with_place(spans_schema()), with_place(verdicts_schema())


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    import pyarrow as pa

    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
