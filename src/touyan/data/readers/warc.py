"""WARC and WET (ISO 28500): the pages of a crawl, streamed; the address of a page is its place.

Documents are answers with status 200 that are HTML or plain text, and conversions (the records of a WET file). What else the
archive holds is listed once a kind, with its number: pictures and redirects are not texts, but nor do they vanish.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from touyan.core.canonical import sha256_hex
from touyan.core.errors import missing_extra
from touyan.data.encoding import decode
from touyan.data.reader import MAX_INFLATION, Damaged, Options, Record, Unreadable
from touyan.data.readers.html import page

if TYPE_CHECKING:
    from fastwarc.warc import ArchiveIterator, WarcRecord

HTML = ("text/html", "application/xhtml+xml")
_SUFFIXES = (".warc", ".wet")


class WarcReader:
    """`.warc`, `.wet`; each also with `.gz` or `.zst` behind it."""

    extensions = tuple(name + packing for name in _SUFFIXES for packing in ("", ".gz", ".zst"))
    isolated = True

    def read(self, path: Path, options: Options) -> Iterator[Record | Unreadable]:
        seen: Counter[str] = Counter()
        passed: Counter[str] = Counter()
        left = options.max_document_bytes + MAX_INFLATION * path.stat().st_size
        for record in _records(path):
            left -= record.content_length
            if left < 0:
                raise Damaged("inflates", f"its records exceed {MAX_INFLATION} bytes for each of the file's")
            reason = _other_kind(record, options.max_document_bytes)
            if reason:
                passed[reason] += 1
                continue
            url = record.headers.get("WARC-Target-URI") or ""
            seen[url] += 1
            yield _document(record, url if seen[url] == 1 else f"{url} ({seen[url]})", options)
        if not seen and not passed:
            raise Damaged("bad-warc", "holds no answers and no conversions")
        for reason, number in sorted(passed.items()):
            yield Unreadable(reason, f"not-a-page: {number} records")


def _records(path: Path) -> Iterator[WarcRecord]:
    try:
        from fastwarc.warc import ArchiveIterator, WarcRecordType
    except ImportError as error:
        raise missing_extra("fastwarc", "data") from error
    kinds = WarcRecordType.response | WarcRecordType.conversion | WarcRecordType.resource
    # auto_decode undoes chunks and Content-Encoding. Local files only: no fsspec, which would open addresses.
    return cast("ArchiveIterator", ArchiveIterator(path, record_types=kinds, auto_decode="all", fsspec_args=False))


def _other_kind(record: WarcRecord, max_bytes: int) -> str:
    """Why this is no document, in words that a whole kind of records shares; empty where it is one."""
    if record.content_length > max_bytes:
        return "too large"
    if record.http_headers is not None and record.http_headers.status_code != 200:
        return f"status {record.http_headers.status_code}"
    kind = _media_type(record)
    return "" if kind in (*HTML, "text/plain") else kind[:80] or "no media type"


def _media_type(record: WarcRecord) -> str:
    kind = record.http_content_type if record.http_headers is not None else record.headers.get("Content-Type")
    return (kind or "").partition(";")[0].strip().lower()


def _document(record: WarcRecord, place: str, options: Options) -> Record | Unreadable:
    try:
        raw = record.reader.read(options.max_document_bytes + 1)
        if len(raw) > options.max_document_bytes:
            return Unreadable(place, f"too-large: inflates to more than {options.max_document_bytes} bytes")
        text, values = _content(record, raw)
    except Damaged as error:
        return Unreadable(place, error.reason)
    except (OSError, ValueError) as error:  # a body that is not packed as its header says costs itself only
        return Unreadable(place, f"parser: {type(error).__name__}")
    url = record.headers.get("WARC-Target-URI")
    values |= {"url": url, "host": _host(url), "date": values.get("date") or record.headers.get("WARC-Date")}
    return Record(place, text, sha256_hex(raw), values)


def _content(record: WarcRecord, raw: bytes) -> tuple[str, dict[str, str | None]]:
    charset = (record.http_charset or "") if record.http_headers is not None else ""
    if _media_type(record) in HTML:
        return page(raw, charset)
    text, encoding = decode(raw, charset)
    return text, {"title": None, "encoding": encoding}


def _host(url: str | None) -> str | None:
    try:
        return urlsplit(url or "").hostname
    except ValueError:  # an address with half of a bracket
        return None


READER = WarcReader()
