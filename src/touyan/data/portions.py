"""A source cut into portions: some consecutive files, or a part of a large one, that a process reads on its own.

Owns the choice of a reader for each file and the size of a portion. Knows nothing about what is read. Invariant: the portions
depend on the files and the parameters alone, never on how many processes will read them; in order they give every entry of the walk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from touyan.data.reader import Damaged, DivisibleReader, Options, named_reader, reader_name
from touyan.data.walk import FoundFile, RefusedFile, walk

PORTION_BYTES = 20 << 20
"""Of files: rows of Chinese text that fill most of one shard, which is half a second of reading."""
PORTION_FILES = 512


@dataclass(frozen=True, slots=True)
class Entry:
    """A file to be read, a part of it, or what cannot be."""

    file: FoundFile | RefusedFile
    reader: str | None = None
    """None: nobody reads it."""
    part: Any = None
    """What the reader's `divide` gave; None: all of the file."""
    is_first: bool = True
    """Whether its file is counted here."""
    size_bytes: int = 0


Portion = tuple[Entry, ...]


def portions(root: Path, reader: str, options: Options) -> Iterator[Portion]:
    """The source at `root`, in the order of the walk; `reader` is a name, or 'auto'. Raises Missing where there is nothing."""
    held: list[Entry] = []
    size_bytes = 0
    for entry in _entries(root, reader, options):
        if held and (size_bytes + entry.size_bytes > PORTION_BYTES or len(held) >= PORTION_FILES):
            yield tuple(held)
            held, size_bytes = [], 0
        held.append(entry)
        size_bytes += entry.size_bytes
    if held:
        yield tuple(held)


def _entries(root: Path, reader: str, options: Options) -> Iterator[Entry]:
    for file in walk(root):
        if isinstance(file, RefusedFile):
            yield Entry(file)
            continue
        name = reader_name(file.path) if reader == "auto" else reader
        whole = Entry(file, name, size_bytes=file.size_bytes)
        yield from _divided(whole, file, options) if name is not None and file.size_bytes > PORTION_BYTES else (whole,)


def _divided(whole: Entry, file: FoundFile, options: Options) -> Iterator[Entry]:
    """The parts of a large file, or the file itself: whole, it is read, and what is wrong with it listed."""
    reader = named_reader(whole.reader or "")
    is_first = True
    if isinstance(reader, DivisibleReader):
        try:
            for part in reader.divide(file.absolute, options, PORTION_BYTES):
                yield Entry(file, whole.reader, part, is_first, PORTION_BYTES)
                is_first = False
        except (Damaged, OSError):
            if not is_first:  # its first parts may have been read by now
                raise
    if is_first:
        yield whole
