"""PDF: the text layer, page after page; a page without one is a scan and goes through text recognition where it is installed.

Knows nothing about layout. A broken page is noted and the others are kept; a scan that cannot be recognised is listed. The
evidence of a recognised page is the file itself: `sha256:<raw>#page=n` stands in `scanned`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from touyan.core.canonical import sha256_hex
from touyan.core.errors import missing_extra
from touyan.data.reader import Damaged, Options, Record, Unreadable, describe
from touyan.data.readers.recognition import HINT, MAX_PIXELS, is_installed, recognised
from touyan.data.readers.whole import WholeFileReader

if TYPE_CHECKING:
    from pypdf import PdfReader as Document

PAGE_BREAK = "\n\n"
SCAN_DPI = 150
MAX_SCANS = 300
"""Pages recognised of one file, each with the CPU seconds of a document."""


class PdfReader(WholeFileReader):
    """`.pdf`."""

    extensions = (".pdf",)

    def parse(self, raw: bytes, name: str, options: Options) -> Iterator[Record | Unreadable]:
        document = _open(raw)
        pages: dict[int, str] = {}
        left = options.max_document_bytes
        for number in range(1, len(document.pages) + 1):
            try:
                pages[number] = document.pages[number - 1].extract_text().strip()
            except Exception as error:  # pypdf raises whatever the page leads it into
                yield Unreadable(f"page {number}", f"page: {describe(error, Path(name))}")
                continue
            left -= len(pages[number])
            if left < 0:
                raise Damaged("too-large", f"its text exceeds {options.max_document_bytes} characters")
        scans = [number for number, text in pages.items() if not text]
        if is_installed():
            pages |= dict(_recognised_pages(raw, scans[:MAX_SCANS]))
        text = PAGE_BREAK.join(filter(None, pages.values()))
        if not text:
            raise Damaged("no-text-layer", f"{len(document.pages)} pages without text" + ("" if is_installed() else f"; {HINT}"))
        digest = sha256_hex(raw)
        scanned = " ".join(f"sha256:{digest}#page={number}" for number in scans if pages[number])
        yield Record("", text, digest, {"title": _title(document), "pages": str(len(document.pages)), "scanned": scanned or None})
        for number in scans[MAX_SCANS:]:
            yield Unreadable(f"page {number}", f"no-text-layer: more than {MAX_SCANS} scanned pages")


def _recognised_pages(raw: bytes, numbers: list[int]) -> Iterator[tuple[int, str]]:
    """(number, text) of pages, drawn at SCAN_DPI."""
    if not numbers:
        return
    import pypdfium2

    with pypdfium2.PdfDocument(raw) as document:
        for number in numbers:
            page = document[number - 1]
            width, height = page.get_size()
            scale = min(SCAN_DPI / 72, (MAX_PIXELS / max(width * height, 1)) ** 0.5 * 0.99)
            yield number, recognised(page.render(scale=scale).to_pil())


def _open(raw: bytes) -> Document:
    try:
        from pypdf import PdfReader as Document
    except ImportError as error:
        raise missing_extra("pypdf", "data") from error
    document = Document(io.BytesIO(raw))
    if document.is_encrypted:
        raise Damaged("encrypted", "the PDF is encrypted")
    return document


def _title(document: Document) -> str | None:
    information = document.metadata
    title = information.title if information else None
    return title.strip() or None if isinstance(title, str) else None


READER = PdfReader()
