from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading import TEXT, docx, package, pdf, reasons, texts, xlsx

from touyan.data.reader import Options, Record, Unreadable, named_reader, read_file

OPTIONS = Options(max_document_bytes=1 << 20)


def outcomes(path: Path, data: bytes, options: Options = OPTIONS) -> list[Record | Unreadable]:
    path.write_bytes(data)
    return list(read_file(named_reader(path.suffix[1:]), path, options))


def one_reason(path: Path, data: bytes) -> str:
    found = outcomes(path, data)
    assert texts(found) == []
    return reasons(found)[0]


FIRST = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}


@pytest.mark.parametrize("kind", ["docx", "xlsx"])
def test_a_member_that_inflates_a_thousand_times_is_refused_unread(kind: str, tmp_path: Path) -> None:
    assert one_reason(tmp_path / f"bomb.{kind}", package({FIRST[kind]: b" " * (6 << 20)})).startswith("zip-bomb")


@pytest.mark.parametrize("kind", ["docx", "xlsx"])
def test_many_members_that_inflate_too_far_together_are_refused(kind: str, tmp_path: Path) -> None:
    members = {f"word/{i}.xml": b" " * (1 << 20) for i in range(9)}
    assert one_reason(tmp_path / f"bomb.{kind}", package(members)).startswith("zip-bomb: inflates to 9437184")


@pytest.mark.parametrize("kind", ["docx", "xlsx"])
def test_a_member_larger_than_it_declares_gives_a_reason(kind: str, tmp_path: Path) -> None:
    honest = package({FIRST[kind]: b"<a>" + b"b" * 5000 + b"</a>"})
    lying = bytearray(honest)
    entry = zipfile.ZipFile(io.BytesIO(honest)).infolist()[0]
    directory = honest.index(b"PK\x01\x02")
    assert int.from_bytes(lying[directory + 24 : directory + 28], "little") == entry.file_size
    lying[directory + 24 : directory + 28] = (10).to_bytes(4, "little")
    assert one_reason(tmp_path / f"lie.{kind}", bytes(lying))


@pytest.mark.parametrize("kind", ["docx", "xlsx"])
def test_xml_entities_are_refused_before_they_expand(kind: str, tmp_path: Path) -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><a>&c;</a>'
    assert one_reason(tmp_path / f"bomb.{kind}", package({FIRST[kind]: bomb})).startswith("xml-entities")


@pytest.mark.parametrize("kind", ["docx", "xlsx"])
@pytest.mark.parametrize(
    ("data", "slug"),
    [
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"x" * 600, "encrypted"),
        (b"not a zip", "bad-zip"),
        (package({"other.txt": b"x"}), ""),
        (package({f"m{i}": b"" for i in range(10_001)}), "zip-bomb"),
    ],
)
def test_what_is_no_office_package_gives_a_reason(kind: str, data: bytes, slug: str, tmp_path: Path) -> None:
    assert one_reason(tmp_path / f"bad.{kind}", data).startswith(slug)


@pytest.mark.parametrize("kind", ["docx", "xlsx"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1), cut=st.integers(0, 30), put=st.binary(max_size=20))
def test_damaged_xml_inside_a_sound_package_gives_records_or_reasons(
    kind: str, at: float, cut: int, put: bytes, tmp_path: Path
) -> None:
    """Mutating the archive itself is mostly caught by its checksums; this reaches the parsers behind them."""
    archive = zipfile.ZipFile(io.BytesIO(docx() if kind == "docx" else xlsx()))
    for name in archive.namelist():
        members = {other: archive.read(other) for other in archive.namelist()}
        index = int(at * len(members[name]))
        members[name] = members[name][:index] + put + members[name][index + cut :]
        found = outcomes(tmp_path / f"damaged.{kind}", package(members))
        assert all(isinstance(one, (Record, Unreadable)) for one in found)


def test_docx_keeps_paragraphs_tabs_and_tables_and_drops_what_is_not_seen(tmp_path: Path) -> None:
    def run(text: str) -> str:
        return f"<w:r><w:t>{text}</w:t></w:r>"

    def cell(text: str) -> str:
        return f"<w:tc><w:p>{run(text)}</w:p></w:tc>"

    body = (
        f"<w:p>{run('第一')}<w:r><w:tab/></w:r>{run('段')}<w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>"
        f"<w:tbl><w:tr>{cell('甲')}{cell('乙')}</w:tr><w:tr>{cell('')}{cell('丁')}</w:tr></w:tbl>"
        f"<w:p><mc:AlternateContent><mc:Choice>{run('once')}</mc:Choice><mc:Fallback>{run('once')}</mc:Fallback></mc:AlternateContent></w:p>"
        "<w:p><w:r><w:instrText>PAGE</w:instrText><w:br/></w:r></w:p>"
    )
    (found,) = outcomes(tmp_path / "a.docx", docx(body, title="题目"))
    assert isinstance(found, Record)
    assert found.text == "第一\t段\n甲\t乙\n\t丁\nonce"
    assert found.values["title"] == "题目"


def test_a_workbook_gives_a_sheet_or_rows_where_a_text_column_is_named(tmp_path: Path) -> None:
    data = xlsx([["正文", "编号"], ["一", "1"], ["二", "2"]], sheet="表")
    (sheet,) = outcomes(tmp_path / "a.xlsx", data)
    assert isinstance(sheet, Record)
    assert (sheet.place, sheet.text) == ("表", "正文\t编号\n一\t1\n二\t2")
    rows = outcomes(tmp_path / "a.xlsx", data, Options(text="正文"))
    assert texts(rows) == ["一", "二"]
    assert [row.values["编号"] for row in rows if isinstance(row, Record)] == ["1", "2"]
    assert "did you mean '正文'" in reasons(outcomes(tmp_path / "a.xlsx", data, Options(text="正 文")))[0]
    assert "no-table" in reasons(outcomes(tmp_path / "a.xlsx", data, Options(table="absent")))[0]


def test_a_pdf_without_a_text_layer_is_named_as_a_scan(tmp_path: Path) -> None:
    assert one_reason(tmp_path / "a.pdf", pdf("", "")).startswith("no-text-layer: 2 pages")


def test_pages_of_a_pdf_follow_each_other(tmp_path: Path) -> None:
    assert texts(outcomes(tmp_path / "a.pdf", pdf("one", "two"))) == ["one\n\ntwo"]


def test_html_gives_visible_lines_in_the_encoding_it_declares(tmp_path: Path) -> None:
    page = (
        f'<html><head><meta charset="gb2312"><title> 标 题 </title><style>a{{}}</style></head><body><div>{TEXT} <b>粗</b></div>'
        "<p>二<br>三</p><table><tr><td>a</td><td>b</td></tr></table><script>hidden()</script><!-- hidden --></body></html>"
    )
    (found,) = outcomes(tmp_path / "a.html", page.encode("gbk"))
    assert isinstance(found, Record)
    assert found.text == f"{TEXT} 粗\n二\n三\na\tb"
    assert found.values == {
        "title": "标 题",
        "date": None,
        "encoding": "gb18030",
        "link_percent": "0",
        "main_percent": "100",
    }


def test_a_page_that_declares_the_wrong_encoding_is_decoded_by_its_bytes(tmp_path: Path) -> None:
    page = f'<meta charset="ascii"><p>{TEXT}</p>'.encode()
    assert texts(outcomes(tmp_path / "a.html", page)) == [TEXT]


def test_deeply_nested_html_does_not_break_the_reader(tmp_path: Path) -> None:
    assert texts(outcomes(tmp_path / "a.html", b"<div>" * 5_000 + b"deep")) == ["deep"]
