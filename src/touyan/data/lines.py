"""Lines of a file of any size, each bounded: a line of 2 GB is passed over, not loaded.

Owns the opening of compressed files too. Knows nothing about what a line means. Invariant: memory stays under the limit of one
line plus one chunk, and no file inflates without bound.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from touyan.data.encoding import encoding_of_lines
from touyan.data.reader import MAX_INFLATION, Damaged

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK_BYTES = 1 << 20
_PACKINGS = {".gz": "gzip", ".zst": "zstd"}


def bounded_lines(path: Path, max_bytes: int) -> Iterator[bytes | None]:
    """The lines with their line feeds; None in place of one that is longer than `max_bytes`.

    Raises Damaged where a compressed file is damaged, or inflates to more than `max_bytes` and MAX_INFLATION times its size.
    """
    with _opened(path, max_bytes) as file:
        while line := file.readline(max_bytes + 1):
            if len(line) <= max_bytes:
                yield line
                continue
            while line and not line.endswith(b"\n"):
                line = file.readline(CHUNK_BYTES)
            yield None


def line_encoding(path: Path, max_bytes: int) -> str:
    """The encoding of a file of lines. Raises Damaged where none fits."""
    return encoding_of_lines(line for line in bounded_lines(path, max_bytes) if line is not None)


class _Inflated(io.RawIOBase):
    """What a compressed stream gives, up to a limit."""

    def __init__(self, stream: BinaryIO, limit_bytes: int) -> None:
        self._stream = stream
        self._limit_bytes = limit_bytes
        self._left_bytes = limit_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        data = self._stream.read(len(memoryview(buffer)))
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            raise Damaged("inflates", f"gives more than {self._limit_bytes} bytes")
        memoryview(buffer)[: len(data)] = data
        return len(data)


@contextmanager
def _opened(path: Path, max_bytes: int) -> Iterator[BinaryIO]:
    packing = _PACKINGS.get(path.suffix.lower())
    if packing is None:
        with path.open("rb") as file:
            yield file
        return
    import pyarrow as pa

    # Arrow's streams take several frames one after another, and tell a file that was cut short.
    with pa.CompressedInputStream(pa.OSFile(str(path)), packing) as stream:
        raw = _Inflated(stream, max_bytes + MAX_INFLATION * path.stat().st_size)
        yield cast(BinaryIO, io.BufferedReader(raw, CHUNK_BYTES))
