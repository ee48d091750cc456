"""CSV and TSV (RFC 4180): a header and one document a row.

Bytes that do not decode are carried as lone surrogates through the CSV parser, so that one bad row is listed and the rows
around it stay whole. Strict: a quote in the wrong place is a reason, never a silent repair.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from touyan.data.lines import bounded_lines, line_encoding
from touyan.data.reader import Damaged, Options, Record, Unreadable, no_text_column, row_record

DELIMITERS = ",\t;|"
_UNDECODED = re.compile("[\udc80-\udcff]")


class DelimitedReader:
    """`.csv`, `.tsv`."""

    extensions = (".csv", ".tsv")
    isolated = False

    def read(self, path: Path, options: Options) -> Iterator[Record | Unreadable]:
        encoding = line_encoding(path, options.max_document_bytes)
        rows = _rows(path, encoding, options)
        header = next(rows, None)
        if not isinstance(header, list):
            raise Damaged("csv", header or "there is no header")
        if len(set(header)) != len(header):
            raise Damaged("csv", "two columns have the same name")
        if options.text_column not in header:
            raise no_text_column(options, header)
        for number, row in enumerate(rows, 1):
            yield _record(str(number), header, row, options)


def _rows(path: Path, encoding: str, options: Options) -> Iterator[list[str] | str]:
    """The rows of the file, header first; a text where one cannot be parsed."""
    first = next(_lines(path, encoding, options), "")
    delimiter = options.delimiter or max(DELIMITERS, key=first.count)
    previous = csv.field_size_limit(options.max_document_bytes)
    try:
        parser = csv.reader(_lines(path, encoding, options), delimiter=delimiter, strict=True)
        while True:
            try:
                row = next(parser)
            except StopIteration:
                return
            except csv.Error as error:
                yield f"near line {parser.line_num}: {error}"
                continue
            if row:
                yield row
    finally:
        csv.field_size_limit(previous)


def _lines(path: Path, encoding: str, options: Options) -> Iterator[str]:
    for number, line in enumerate(bounded_lines(path, options.max_document_bytes)):
        # An oversized line becomes a row that holds nothing but the mark of bytes that do not decode.
        text = "\udc80\n" if line is None else line.decode(encoding, "surrogateescape")
        yield text.removeprefix("\ufeff") if number == 0 else text


def _record(place: str, header: list[str], row: list[str] | str, options: Options) -> Record | Unreadable:
    if isinstance(row, str):
        return Unreadable(place, f"csv: {row}")
    if any(map(_UNDECODED.search, row)):
        return Unreadable(place, "encoding: holds bytes that do not decode, or is too large")
    if len(row) != len(header):
        return Unreadable(place, f"csv: {len(row)} fields, the header has {len(header)}")
    return row_record(place, dict(zip(header, row, strict=True)), options)


READER = DelimitedReader()
