"""Lines of a file of any size, each bounded: a line of 2 GB is passed over, not loaded.

Knows nothing about what a line means. Invariant: memory stays under the limit of one line plus one chunk.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from touyan.data.encoding import encoding_of_lines

CHUNK_BYTES = 1 << 20


def bounded_lines(path: Path, max_bytes: int) -> Iterator[bytes | None]:
    """The lines with their line feeds; None in place of one that is longer than `max_bytes`."""
    with path.open("rb") as file:
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
