"""PDF: the text layer, page after page.

Knows nothing about layout or pictures: a scan without a text layer is listed, not guessed at. A broken page is noted and the
others are kept. Time and memory are bounded by the parser process.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from touyan.core.canonical import sha256_hex
from touyan.core.errors import missing_extra
from touyan.data.reader import Damaged, Options, Record, Unreadable, describe
from touyan.data.readers.whole import WholeFileReader

if TYPE_CHECKING:
    from pypdf import PdfReader as Document

PAGE_BREAK = "\n\n"


class PdfReader(WholeFileReader):
    """`.pdf`."""

    extensions = (".pdf",)

    def parse(self, raw: bytes, name: str, options: Options) -> Iterator[Record | Unreadable]:
        document = _open(raw)
        pages: list[str] = []
        characters = 0
        for number in range(len(document.pages)):
            try:
                pages.append(document.pages[number].extract_text())
            except Exception as error:  # pypdf raises whatever the page leads it into
                yield Unreadable(f"page {number + 1}", f"page: {describe(error, Path(name))}")
                continue
            characters += len(pages[-1])
            if characters > options.max_document_bytes:
                raise Damaged("too-large", f"its text exceeds {options.max_document_bytes} characters")
        text = PAGE_BREAK.join(page.strip() for page in pages if page.strip())
        if not text:
            raise Damaged("no-text-layer", f"{len(document.pages)} pages without text: a scan needs text recognition first")
        yield Record("", text, sha256_hex(raw), {"title": _title(document), "pages": str(len(document.pages))})


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
