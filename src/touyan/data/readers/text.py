"""Plain text and Markdown: one file, one document, its markup kept as it is.

Knows nothing about structure beyond a first Markdown heading, which becomes the title.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from touyan.core.canonical import sha256_hex
from touyan.data.encoding import decode
from touyan.data.reader import Damaged, Options, Record, Unreadable

_HEADING = re.compile(r"\A\s*#\s+(.+?)\s*#*\s*$", re.MULTILINE)


def whole_file(path: Path, options: Options) -> bytes:
    """The bytes of a file that is one document. Raises Damaged, before reading, where it is too large."""
    size = path.stat().st_size
    if size > options.max_document_bytes:
        raise Damaged("too-large", f"{size} bytes, the limit for one document is {options.max_document_bytes}")
    return path.read_bytes()


class TextReader:
    """`.txt`, `.text`, `.md`, `.markdown`."""

    extensions = (".txt", ".text", ".md", ".markdown")
    isolated = False

    def read(self, path: Path, options: Options) -> Iterator[Record | Unreadable]:
        raw = whole_file(path, options)
        text, encoding = decode(raw)
        heading = _HEADING.match(text) if path.suffix.lower() in (".md", ".markdown") else None
        yield Record("", text, sha256_hex(raw), {"title": heading[1] if heading else None, "encoding": encoding})


READER = TextReader()
