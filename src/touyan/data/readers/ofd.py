"""OFD (GB/T 33190-2016): the text layer, a line for each stretch of one height, page after page.

Reads the XML that every OFD package holds: `OFD.xml` names documents, these name their pages (clauses 7.4, 7.5), and pages hold text
objects whose `TextCode` gives the characters (clause 11.3). Packages and XML are opened with the suspicion of `ooxml.py`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from zipfile import ZipFile

from touyan.core.canonical import sha256_hex
from touyan.data.reader import Damaged, Options, Record, Unreadable
from touyan.data.readers.ooxml import open_package, parse_xml
from touyan.data.readers.whole import WholeFileReader

ROOT = "OFD.xml"
MAX_PAGES = 10_000
SAME_LINE_MM = 1.5
"""Text objects whose tops differ by less stand in one line: body text has 4 to 6 mm from line to line."""


class OfdReader(WholeFileReader):
    """`.ofd`."""

    extensions = (".ofd",)

    def parse(self, raw: bytes, name: str, options: Options) -> Iterator[Record | Unreadable]:
        with open_package(raw, options.max_document_bytes) as package:
            root = _Root()
            parse_xml(package, ROOT, root.start, root.end, root.text)
            pages = [page for document in root.documents for page in _pages(package, document)]
            if len(pages) > MAX_PAGES:
                raise Damaged("too-many-pages", f"{len(pages)} pages, the limit is {MAX_PAGES}")
            texts, left = [], options.max_document_bytes
            for page in pages:
                texts.append(_page_text(package, page, left))
                left -= len(texts[-1])
        text = "\n\n".join(filter(None, texts))
        if not text:
            raise Damaged(
                "no-text-layer", f"{len(pages)} pages without text: print it to PDF, whose scanned pages are recognised"
            )
        yield Record("", text, sha256_hex(raw), {"title": "".join(root.title).strip() or None, "pages": str(len(pages))})


class _Root:
    """Collects where the documents are, and the title."""

    def __init__(self) -> None:
        self.documents: list[str] = []
        self.title: list[str] = []
        self._inside = ""
        self._parts: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._inside, self._parts = _local(name), []

    def end(self, name: str) -> None:
        if self._inside == "DocRoot":
            self.documents.append("".join(self._parts).strip().lstrip("/"))
        self._inside = ""

    def text(self, data: str) -> None:
        self._parts.append(data)
        if self._inside == "Title":
            self.title.append(data)


def _pages(package: ZipFile, document: str) -> list[str]:
    """The members that are the pages of a document, in its order."""
    places: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if _local(name) == "Page" and "BaseLoc" in attributes:
            place = attributes["BaseLoc"]
            places.append(place.lstrip("/") if place.startswith("/") else posixpath.join(posixpath.dirname(document), place))

    parse_xml(package, document, start)
    return [posixpath.normpath(place) for place in places]


def _page_text(package: ZipFile, page: str, max_characters: int) -> str:
    collected = _Page(max_characters)
    parse_xml(package, page, collected.start, collected.end, collected.text)
    return collected.whole()


class _Page:
    """Collects the text objects of a page with their places."""

    def __init__(self, max_characters: int) -> None:
        self._stretches: list[tuple[float, float, str]] = []
        self._left = max_characters
        self._corner = (0.0, 0.0)
        self._at = (0.0, 0.0)
        self._parts: list[str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = _local(name)
        if local == "TextObject":
            self._corner = _numbers(attributes.get("Boundary", ""))
        elif local == "TextCode":
            x, y = _number(attributes.get("X", "")), _number(attributes.get("Y", ""))
            self._at = (self._corner[1] + y, self._corner[0] + x)
            self._parts = []

    def end(self, name: str) -> None:
        if _local(name) == "TextCode" and self._parts is not None:
            self._stretches.append((*self._at, "".join(self._parts)))
            self._parts = None

    def text(self, data: str) -> None:
        if self._parts is not None:
            self._left -= len(data)
            if self._left < 0:
                raise Damaged("too-large", "its text exceeds the limit for one document")
            self._parts.append(data)

    def whole(self) -> str:
        """The stretches from top to bottom and left to right."""
        lines: list[list[tuple[float, float, str]]] = []
        for stretch in sorted(self._stretches):
            if lines and stretch[0] - lines[-1][0][0] < SAME_LINE_MM:
                lines[-1].append(stretch)
            else:
                lines.append([stretch])
        texts = ("".join(text for _, _, text in sorted(line, key=lambda one: one[1])).strip() for line in lines)
        return "\n".join(filter(None, texts))


def _numbers(box: str) -> tuple[float, float]:
    """Left and top of a box `x y width height`, in millimetres."""
    parts = [*box.split(), "0", "0"]
    return _number(parts[0]), _number(parts[1])


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if -1e6 < value < 1e6 else 0.0


def _local(name: str) -> str:
    return name.rpartition("}")[2]


READER = OfdReader()
