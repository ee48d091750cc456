"""Files that are taken whole: their bytes come first, so that the same parser reads a file and what is attached to a letter.

Knows nothing about formats. Invariant: no file larger than one document may be is loaded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from touyan.data.reader import Damaged, Options, Record, Unreadable


def whole_file(path: Path, options: Options) -> bytes:
    """The bytes of a file that is one document. Raises Damaged, before reading, where it is too large."""
    size = path.stat().st_size
    if size > options.max_document_bytes:
        raise Damaged("too-large", f"{size} bytes, the limit for one document is {options.max_document_bytes}")
    return path.read_bytes()


class WholeFileReader(ABC):
    """A reader whose parser takes bytes."""

    extensions: tuple[str, ...]
    isolated = True

    def read(self, path: Path, options: Options) -> Iterator[Record | Unreadable]:
        return self.parse(whole_file(path, options), path.name, options)

    @abstractmethod
    def parse(self, raw: bytes, name: str, options: Options) -> Iterator[Record | Unreadable]:
        """The records of a file called `name`. Raises as a reader does."""
