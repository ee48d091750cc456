"""Text in the sheets that offices get and send back: what XLSX and DOCX can hold, and never a formula.

Owns those two rules and the look of a page. Knows nothing about what a sheet says. Invariant: no text that comes from a document
or from a person is ever computed by a spreadsheet (CWE-1236).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0, 2.2


def xml_text(text: str) -> str:
    """`text` with U+FFFD for each character that XML cannot hold."""
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def cell_text(text: str) -> str:
    """`text` as a cell may hold it: one that begins with = + - or @ is a formula to a spreadsheet; an apostrophe keeps it a text."""
    plain = xml_text(text)
    return f"'{plain}" if plain and plain[0] in "=+-@\t\r" else plain


def lay_out(page: Worksheet, widths: Sequence[float], frozen: str = "A2") -> None:
    """Bold heads, columns of these widths from A on, wrapped cells, and what stands before the cell `frozen` always in sight."""
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    for cell in page[1]:
        cell.font = Font(bold=True)
    for number, width in enumerate(widths, 1):
        page.column_dimensions[get_column_letter(number)].width = width
    for cells in page.iter_rows(min_row=2):
        for cell in cells:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    page.freeze_panes = frozen
