"""Parquet shards: a writer that rolls files, and a reader that streams them.

Owns how tables of any schema become `part-NNNNN.parquet`: zstd, row groups of at most 8,192 rows. Knows nothing about
what the columns mean. Invariant: the same rows in the same order give the same bytes, and neither side ever holds more than
two row groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from touyan.core.errors import Broken

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


@dataclass(frozen=True, slots=True)
class ShardLimits:
    """When a row group is flushed and when a shard is closed; whichever bound is met first."""

    group_rows: int = 8_192
    group_characters: int = 4 << 20
    """At most 16 MiB of UTF-8: what the writer holds in memory, beside one row."""
    shard_rows: int = 16_384
    """Small enough that two cores share a corpus of 26,000 articles."""
    shard_characters: int = 8 << 20
    """About 24 MB of Chinese: a few seconds of refining, so that the last shard keeps nobody waiting for long."""


LEVEL = 1
"""Of zstd. Measured on 35 MB of statutes: level 3 takes 10.0 ms a megabyte and makes 11.0 MB, level 1 takes 6.7 and makes 14.1."""


class ShardWriter:
    """Writes rows to `folder/part-00000.parquet` and on; a context manager that closes the last shard.

    An empty table still leaves one shard, so that a reader always finds the schema.
    """

    def __init__(self, folder: Path, schema: pa.Schema, limits: ShardLimits | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.paths: list[Path] = []
        """Shards begun so far, in order; all of them finished after `close`."""
        self._folder = folder
        self._schema = schema
        self._limits = limits or ShardLimits()
        self._rows: list[Sequence[object]] = []
        self._group_characters = 0
        self._shard_rows = 0
        self._shard_characters = 0
        self._file: pq.ParquetWriter | None = None
        self._compressor = ThreadPoolExecutor(1)
        self._compressing: Future[None] | None = None

    def write(self, values: Sequence[object]) -> None:
        """Adds one row, its values in the order of the schema."""
        if self._is_shard_full():
            self._end_shard()
        self._rows.append(values)
        self._group_characters += sum([len(value) for value in values if type(value) is str])
        if len(self._rows) >= self._limits.group_rows or self._group_characters >= self._limits.group_characters:
            self._flush()

    def close(self) -> list[Path]:
        """Ends the last shard and gives all of them."""
        self._end_shard()
        if not self.paths:
            self._open()
            self._end_shard()
        return self.paths

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._compressor:
            if kind is None:
                self.close()
            elif self._file is not None:
                self._written()
                self._file.close()

    def _is_shard_full(self) -> bool:
        rows = self._shard_rows + len(self._rows)
        characters = self._shard_characters + self._group_characters
        return rows >= self._limits.shard_rows or characters >= self._limits.shard_characters

    def _open(self) -> pq.ParquetWriter:
        path = self._folder / f"part-{len(self.paths):05d}.parquet"
        self.paths.append(path)
        self._file = parquet_writer(path, self._schema)
        return self._file

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._rows:
            return
        columns = zip(self._schema, zip(*self._rows, strict=True), strict=True)
        arrays = [_array(values, field.type) for field, values in columns]
        batch = pa.record_batch(arrays, schema=self._schema)
        self._written()
        self._compressing = self._compressor.submit(
            (self._file or self._open()).write_batch, batch, row_group_size=batch.num_rows
        )
        self._shard_rows += len(self._rows)
        self._shard_characters += self._group_characters
        self._rows, self._group_characters = [], 0

    def _written(self) -> None:
        """Waits until the last row group is in its file: a third of the time of reading goes there, and needs no Python."""
        if self._compressing is not None:
            self._compressing.result()
        self._compressing = None

    def _end_shard(self) -> None:
        self._flush()
        self._written()
        if self._file is not None:
            self._file.close()
        self._file, self._shard_rows, self._shard_characters = None, 0, 0


def parquet_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """A writer of one Parquet file as all tables of the project have it."""
    import pyarrow.parquet as pq

    return pq.ParquetWriter(path, schema, compression="zstd", compression_level=LEVEL)


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """A column as an array. Strings are encoded at once: arrow would keep a second copy inside each of them, and take thrice as long."""
    import numpy as np
    import pyarrow as pa

    if not pa.types.is_string(kind) or None in values:
        return pa.array(values, kind)
    encoded = [value.encode() for value in values]
    offsets = np.cumsum([0, *map(len, encoded)]).astype(np.int32)  # a row group stays far below 2 GiB
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded)))


def shard_paths(folder: Path) -> list[Path]:
    """The shards of a table folder in order. Raises Broken where there is none."""
    paths = sorted(folder.glob("part-*.parquet"), key=lambda path: (len(path.name), path.name))
    if not paths:
        raise Broken("no-shards", f"{folder} holds no part-NNNNN.parquet", "run the step that makes this folder again")
    return paths


def read_batches(
    path: Path, schema: pa.Schema, columns: Sequence[str] | None = None, rows: int = 1_024
) -> Iterator[pa.RecordBatch]:
    """Streams one shard in batches of at most `rows` rows, with `columns` of the schema (all of them by default).

    Raises Broken where the file is damaged or holds other columns than the schema.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            if file.schema_arrow.names != schema.names:
                raise Broken("shard-schema", f"{path} does not have the columns of its format", "make it again with this version")
            chosen = None if columns is None else list(columns)
            # One row group at a time: a batch that runs over several would be bounded by its rows alone, not by their size.
            for group in range(file.num_row_groups):
                yield from file.iter_batches(batch_size=rows, row_groups=[group], columns=chosen, use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise Broken("damaged-shard", f"{path} cannot be read: {error}", "fetch the Asset again or re-run its step") from error
