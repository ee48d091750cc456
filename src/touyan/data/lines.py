"""Lines of a file of any size, each bounded: a line of 2 GB is passed over, not loaded.

Owns the opening of compressed files, and the cutting of plain ones into ranges of whole lines. Knows nothing about what a line
means. Invariant: memory stays under the limit of one line plus one chunk, no file inflates without bound, and the lines of the
ranges of a file are the lines of the file.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from touyan.data.encoding import encoding_of_lines
from touyan.data.reader import MAX_INFLATION, Damaged

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CHUNK_BYTES = 1 << 20
_PACKINGS = {".gz": "gzip", ".zst": "zstd"}


@dataclass(frozen=True, slots=True)
class LineRange:
    """Whole lines of a plain file: the bytes [begin, end)."""

    begin: int
    end: int
    first_line: int
    """Number of its first line in the file, from 1."""
    encoding: str
    """Of the whole file: a range of ASCII would not show it."""


def bounded_lines(path: Path, max_bytes: int, part: LineRange | None = None) -> Iterator[bytes | None]:
    """The lines with their line feeds, of the whole file or of a range of it; None in place of one longer than `max_bytes`.

    Raises Damaged where a compressed file is damaged, or inflates to more than `max_bytes` and MAX_INFLATION times its size.
    """
    with _opened(path, max_bytes) as file:
        left = -1
        if part is not None:
            left = part.end - file.seek(part.begin)
        while left and (line := file.readline(max_bytes + 1)):
            if len(line) <= max_bytes:
                left -= len(line)
                yield line
                continue
            left -= len(line)
            while line and not line.endswith(b"\n"):
                line = file.readline(CHUNK_BYTES)
                left -= len(line)
            yield None


def line_encoding(path: Path, max_bytes: int) -> str:
    """The encoding of a file of lines. Raises Damaged where none fits."""
    return encoding_of_lines(line for line in bounded_lines(path, max_bytes) if line is not None)


def is_plain(path: Path) -> bool:
    """Whether the file's bytes are its lines, so that reading may begin in the middle."""
    return path.suffix.lower() not in _PACKINGS


def line_ranges(path: Path, range_bytes: int, encoding: str) -> Iterator[LineRange]:
    """A plain file cut at the first line end after each `range_bytes` bytes."""
    begin, line = 0, 1
    with path.open("rb") as file:
        while True:
            feeds = _passed_feeds(file, range_bytes)
            if file.tell() == begin:
                return
            yield LineRange(begin, file.tell(), line, encoding)
            begin, line = file.tell(), line + feeds


def _passed_feeds(file: io.BufferedReader, n_bytes: int) -> int:
    """Line feeds among the next `n_bytes` and the rest of the line that they end in."""
    feeds, chunk = 0, bytearray(CHUNK_BYTES)
    while n_bytes and (n := file.readinto(memoryview(chunk)[:n_bytes])):
        feeds += chunk.count(b"\n", 0, n)
        n_bytes -= n
    while rest := file.readline(CHUNK_BYTES):
        if rest.endswith(b"\n"):
            return feeds + 1
    return feeds


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
