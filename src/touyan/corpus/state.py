"""What is kept of a shard between two stages of a recipe: its documents as they are then, and the lines written so far.

Owns five Arrow files whose batches correspond: batch i of each speaks of the same documents. Those of the first state are written
out; a later state links to them, and adds which rows are left and what stands in the places that were edited. Knows nothing about
operators. Invariant: what is read back is what was written, and no more of it than a batch is in memory.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from touyan.corpus.columns import Columns, changes_schemas
from touyan.corpus.operator import DocumentBatch
from touyan.corpus.passage import Passage, with_place
from touyan.store.formats.corpus import SPANS, VERDICTS, spans_schema, verdicts_schema
from touyan.store.formats.documents import FOLDER, documents_schema

if TYPE_CHECKING:
    import pyarrow as pa

_DOCUMENTS = f"{FOLDER}.arrow"
_LINES = (f"{SPANS}.arrow", f"{VERDICTS}.arrow")
_CHANGES = ("rows.arrow", "edits.arrow")


class StateWriter:
    """Writes the state of one shard into a folder; a context manager. `before` is the folder of the state it came from, if any."""

    def __init__(self, folder: Path, before: Path | None) -> None:
        self._folder = folder
        self._before = before
        self._files: dict[str, pa.RecordBatchWriter] = {}
        self._stack = ExitStack()

    def write(self, passage: Passage) -> None:
        """Adds what became of one batch, whether or not a document of it is left."""
        columns = passage.kept.columns
        assert isinstance(columns, Columns), "a batch is opened before it passes"
        tables = dict(zip(_LINES, (passage.spans, passage.verdicts), strict=True))
        if self._before is None:
            tables[_DOCUMENTS] = columns.table(_documents_schema())
        else:
            tables |= dict(zip(_CHANGES, columns.changes(), strict=True))
        for name, file in self._files.items():
            file.write_batch(_one_batch(tables[name]))

    def __enter__(self) -> Self:
        import pyarrow as pa
        import pyarrow.ipc as ipc

        schemas = dict(zip(_LINES, (with_place(spans_schema()), with_place(verdicts_schema())), strict=True))
        if self._before is None:
            schemas[_DOCUMENTS] = _documents_schema()
        else:
            _link(self._before / _DOCUMENTS, self._folder / _DOCUMENTS)
            schemas |= dict(zip(_CHANGES, changes_schemas(), strict=True))
        for name, schema in schemas.items():
            # Not compressed: it is read once, soon and here, and lz4 takes ten times as long as the page cache.
            sink = self._stack.enter_context(pa.OSFile(str(self._folder / name), "wb"))
            self._files[name] = self._stack.enter_context(ipc.new_file(sink, schema))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()


def read_state(folder: Path) -> Iterator[tuple[DocumentBatch, pa.Table, pa.Table]]:
    """The batches that a stage left, each with the lines of spans and verdicts about it."""
    import pyarrow as pa
    import pyarrow.ipc as ipc

    names = (_DOCUMENTS, *_LINES, *(name for name in _CHANGES if (folder / name).exists()))
    with ExitStack() as stack:
        maps = [stack.enter_context(pa.memory_map(str(folder / name))) for name in names]
        documents, spans, verdicts, *changes = (ipc.open_file(each) for each in maps)
        for i in range(documents.num_record_batches):
            batch = documents.get_batch(i)
            arrays = dict(zip(batch.schema.names, batch.columns, strict=True))
            columns = Columns.changed(arrays, *(file.get_batch(i) for file in changes)) if changes else Columns(arrays)
            lines = (pa.Table.from_batches([file.get_batch(i)]) for file in (spans, verdicts))
            yield DocumentBatch(columns), *lines


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copyfile(source, target)


def _documents_schema() -> pa.Schema:
    import pyarrow as pa

    return with_place(documents_schema().append(pa.field("view", pa.string())))


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    import pyarrow as pa

    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
