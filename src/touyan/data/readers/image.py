"""Pictures of pages: PNG, JPEG, TIFF and others through text recognition, each page of a TIFF after the other.

Knows nothing about recognition. The evidence of a page is the file itself: `sha256:<raw>#page=n` stands in `scanned`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from touyan.core.canonical import sha256_hex
from touyan.data.reader import Damaged, Options, Record, Unreadable
from touyan.data.readers.recognition import HINT, MAX_PIXELS, is_installed, recognised
from touyan.data.readers.whole import WholeFileReader

MAX_PAGES = 500


class ImageReader(WholeFileReader):
    """`.png`, `.jpg`, `.jpeg`, `.tif`, `.tiff`, `.bmp`, `.webp`."""

    extensions = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")

    def parse(self, raw: bytes, name: str, options: Options) -> Iterator[Record | Unreadable]:
        if not is_installed():
            raise Damaged("no-ocr", HINT)
        from PIL import Image, ImageOps, ImageSequence

        Image.MAX_IMAGE_PIXELS = MAX_PIXELS
        digest, pages = sha256_hex(raw), []
        with Image.open(io.BytesIO(raw)) as picture:
            for number, frame in enumerate(ImageSequence.Iterator(picture), 1):
                if number > MAX_PAGES:
                    yield Unreadable(f"page {number}", f"too-many-pages: more than {MAX_PAGES}")
                    break
                pages.append(recognised(ImageOps.exif_transpose(frame)))
        text = "\n\n".join(filter(None, pages))
        if not text:
            raise Damaged("no-text", "no text was recognised in the picture")
        scanned = " ".join(f"sha256:{digest}#page={number}" for number, page in enumerate(pages, 1) if page)
        yield Record("", text, digest, {"title": None, "pages": str(len(pages)), "scanned": scanned})


READER = ImageReader()
