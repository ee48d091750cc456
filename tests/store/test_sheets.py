"""Text in sheets: nothing is computed, nothing breaks the file."""

from __future__ import annotations

from pathlib import Path

import openpyxl
from hypothesis import given, settings
from hypothesis import strategies as st

from touyan.store.formats.sheets import cell_text, lay_out, xml_text


def test_what_xml_cannot_hold_is_marked() -> None:
    assert xml_text("a\x00b\ud800") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(), max_size=40))
def test_no_text_becomes_a_formula_or_breaks_a_cell(text: str) -> None:
    page = openpyxl.Workbook().active
    assert page is not None
    page.append([cell_text(text)])
    assert page["A1"].data_type in ("s", "n")  # n: an empty cell
    assert cell_text(text)[:1] not in ("=", "+", "-", "@", "\t", "\r")


def test_a_page_is_laid_out(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(["头", "尾"])
    page.append(["一", "二"])
    lay_out(page, (5, 9))
    book.save(tmp_path / "a.xlsx")
    again = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert again is not None
    assert again["A1"].font.bold
    assert again["B2"].alignment.wrap_text
    assert again.freeze_panes == "A2"
    assert again.column_dimensions["B"].width == 9
