"""Plain text and Markdown: one file, one document, its markup kept as it is.

Knows nothing about structure beyond a first Markdown heading, which becomes the title.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from touyan.core.canonical import sha256_hex
from touyan.data.encoding import decode
from touyan.data.reader import Options, Record, Unreadable
from touyan.data.readers.whole import WholeFileReader

_HEADING = re.compile(r"\A\s*#\s+(.+?)\s*#*\s*$", re.MULTILINE)


class TextReader(WholeFileReader):
    """`.txt`, `.text`, `.md`, `.markdown`."""

    extensions = (".txt", ".text", ".md", ".markdown")
    isolated = False

    def parse(self, raw: bytes, name: str, options: Options) -> Iterator[Record | Unreadable]:
        text, encoding = decode(raw)
        heading = _HEADING.match(text) if name.lower().endswith((".md", ".markdown")) else None
        yield Record("", text, sha256_hex(raw), {"title": heading[1] if heading else None, "encoding": encoding})


READER = TextReader()
