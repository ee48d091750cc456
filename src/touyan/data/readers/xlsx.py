"""XLSX: a document for each row where a text column is named, else a document for each sheet.

Knows nothing about formulas: what counts is the value that was last computed and saved. The package is checked for bombs and
entities before openpyxl sees it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from touyan.core.canonical import digest
from touyan.core.errors import missing_extra
from touyan.core.names import nearest
from touyan.data.reader import Damaged, Options, Record, Unreadable, no_text_column, row_record
from touyan.data.readers.ooxml import check_xml, open_package
from touyan.data.readers.whole import WholeFileReader

if TYPE_CHECKING:
    from openpyxl import Workbook

Row = list[str | None]


class XlsxReader(WholeFileReader):
    """`.xlsx`, `.xlsm`."""

    extensions = (".xlsx", ".xlsm")

    def parse(self, raw: bytes, name: str, options: Options) -> Iterator[Record | Unreadable]:
        with open_package(raw, options.max_document_bytes) as package:
            check_xml(package)
        workbook = _open(raw)
        names = [sheet.title for sheet in workbook.worksheets]
        if options.table and options.table not in names:
            raise Damaged("no-table", f"there is no sheet {options.table!r}; {nearest(options.table, names)}")
        for sheet in [options.table] if options.table else names:
            rows = _rows(workbook, sheet)
            yield from _records(sheet, rows, options) if options.text else _sheet(sheet, rows, options)


def _open(raw: bytes) -> Workbook:
    try:
        import openpyxl
    except ImportError as error:
        raise missing_extra("openpyxl", "data") from error
    return openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True, keep_links=False)


def _rows(workbook: Workbook, name: str) -> Iterator[tuple[int, Row]]:
    """(number, cells) of the rows that are not empty; the size that the sheet claims is not believed."""
    sheet = workbook[name]
    sheet.reset_dimensions()
    for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
        cells = [None if value is None else str(value) for value in row]
        if any(cells):
            yield number, cells


def _sheet(name: str, rows: Iterator[tuple[int, Row]], options: Options) -> Iterator[Record | Unreadable]:
    lines: list[str] = []
    characters = 0
    for _, cells in rows:
        lines.append("\t".join(cell or "" for cell in cells).rstrip("\t"))
        characters += len(lines[-1])
        if characters > options.max_document_bytes:
            yield Unreadable(name, f"too-large: its text exceeds {options.max_document_bytes} characters")
            return
    if lines:
        yield Record(name, "\n".join(lines), digest(lines), {"title": name})


def _records(name: str, rows: Iterator[tuple[int, Row]], options: Options) -> Iterator[Record | Unreadable]:
    header = next(rows, (0, []))[1]
    columns = [cell or f"column {number}" for number, cell in enumerate(header, 1)]
    if options.text_column not in columns:
        yield Unreadable(name, no_text_column(options, columns).reason)
        return
    for number, cells in rows:
        filled = cells + [None] * (len(columns) - len(cells))
        yield row_record(f"{name} {number}", dict(zip(columns, filled, strict=False)), options)


READER = XlsxReader()
