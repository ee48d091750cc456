"""Parquet: one document a row, streamed by small batches.

Knows nothing about the writer. A file whose pages inflate beyond the memory of the parser process costs itself only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from touyan.core.canonical import sha256_hex
from touyan.data.reader import Options, Record, Unreadable, no_text_column, row_record

BATCH_ROWS = 64


class ParquetReader:
    """`.parquet`, `.pq`."""

    extensions = (".parquet", ".pq")
    isolated = True

    def read(self, path: Path, options: Options) -> Iterator[Record | Unreadable]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pa.set_cpu_count(1)
        pa.set_io_thread_count(1)
        with pq.ParquetFile(path, memory_map=False, pre_buffer=False) as file:
            names = file.schema_arrow.names
            if options.text_column not in names:
                raise no_text_column(options, names)
            number = 0
            for batch in file.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
                for row in batch.to_pylist():
                    number += 1
                    yield row_record(str(number), {name: _cell(value) for name, value in row.items()}, options)


def _cell(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return f"sha256:{sha256_hex(value)}"
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=str)
    return str(value)


READER = ParquetReader()
