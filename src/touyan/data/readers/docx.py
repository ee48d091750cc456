"""DOCX: the text of the body, a line for each paragraph, a tab between cells.

Reads WordprocessingML as a stream (ECMA-376 part 1, section 17). Deleted text, field codes and the second copy of
alternate content are left out; headers, footers, comments and notes are not read.
"""

from __future__ import annotations

from collections.abc import Iterator

from touyan.core.canonical import sha256_hex
from touyan.data.reader import Damaged, Options, Record, Unreadable
from touyan.data.readers.ooxml import open_package, parse_xml
from touyan.data.readers.whole import WholeFileReader

_W = ("http://schemas.openxmlformats.org/wordprocessingml/2006/main}", "http://purl.oclc.org/ooxml/wordprocessingml/main}")
_FALLBACK = "http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_TITLE = "http://purl.org/dc/elements/1.1/}title"
_BODY = "word/document.xml"
_PROPERTIES = "docProps/core.xml"


class DocxReader(WholeFileReader):
    """`.docx`."""

    extensions = (".docx",)

    def parse(self, raw: bytes, name: str, options: Options) -> Iterator[Record | Unreadable]:
        with open_package(raw, options.max_document_bytes) as package:
            body = _Body(options.max_document_bytes)
            parse_xml(package, _BODY, body.start, body.end, body.text)
            title = _Title()
            if _PROPERTIES in package.namelist():
                parse_xml(package, _PROPERTIES, title.start, title.end, title.text)
        yield Record("", body.whole(), sha256_hex(raw), {"title": "".join(title.parts).strip() or None})


class _Body:
    """Collects the visible text of a document part."""

    def __init__(self, max_characters: int) -> None:
        self._parts: list[str] = []
        self._left = max_characters
        self._in_text = 0
        self._in_cell = 0
        self._skipped = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = _local(name)
        self._skipped += name == _FALLBACK
        self._in_text += local == "t"
        self._in_cell += local == "tc"
        if local in ("tab", "ptab") and not self._skipped:
            self._parts.append("\t")
        elif local in ("br", "cr") and not self._skipped:
            self._parts.append("\n")

    def end(self, name: str) -> None:
        local = _local(name)
        self._skipped -= name == _FALLBACK
        self._in_text -= local == "t"
        self._in_cell -= local == "tc"
        if self._skipped:
            return
        if local == "tc":
            self._parts.append("\t")
        elif local == "tr" or (local == "p" and not self._in_cell):
            self._parts.append("\n")
        elif local == "p":
            self._parts.append(" ")

    def text(self, data: str) -> None:
        if self._in_text and not self._skipped:
            self._left -= len(data)
            if self._left < 0:
                raise Damaged("too-large", "its text exceeds the limit for one document")
            self._parts.append(data)

    def whole(self) -> str:
        lines = ("\t".join(cell.strip() for cell in line.split("\t")).rstrip() for line in "".join(self._parts).split("\n"))
        return "\n".join(line for line in lines if line)


class _Title:
    """Collects the title of the core properties."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._inside = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._inside = name == _TITLE

    def end(self, name: str) -> None:
        self._inside = False

    def text(self, data: str) -> None:
        if self._inside:
            self.parts.append(data)


def _local(name: str) -> str:
    """The name of a WordprocessingML element; empty for any other."""
    return next((name.removeprefix(namespace) for namespace in _W if name.startswith(namespace)), "")


READER = DocxReader()
