from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from reading import TEXT, answer, reasons, texts, warc_record

from touyan.data.reader import Options, Record, Unreadable, named_reader, read_file

PAGE = f"<title>题</title><p>{TEXT}".encode()
URL = "http://a.cn/1"


def outcomes(path: Path, *records: bytes, options: Options | None = None) -> list[Record | Unreadable]:
    path.write_bytes(b"".join(gzip.compress(record) if path.suffix == ".gz" else record for record in records))
    return list(read_file(named_reader("warc"), path, options or Options()))


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
def test_a_page_keeps_its_address_host_date_and_title(name: str, tmp_path: Path) -> None:
    (found,) = outcomes(tmp_path / name, warc_record("response", URL, answer(PAGE)))
    assert isinstance(found, Record)
    assert (found.place, found.text) == (URL, TEXT)
    assert found.values["host"] == "a.cn"
    assert found.values["date"] == "2024-01-02T03:04:05Z"
    assert found.values["title"] == "题"


def test_a_page_crawled_twice_has_two_places(tmp_path: Path) -> None:
    record = warc_record("response", URL, answer(PAGE))
    assert [one.place for one in outcomes(tmp_path / "a.warc", record, record)] == [URL, f"{URL} (2)"]


@pytest.mark.parametrize("charset", ["gb2312", "iso-8859-1", "utf-8", ""])
def test_the_charset_of_the_server_is_believed_where_the_bytes_agree(charset: str, tmp_path: Path) -> None:
    body = f"<p>{TEXT}".encode("gb18030")
    record = warc_record("response", URL, answer(body, f"text/html; charset={charset}" if charset else "text/html"))
    assert texts(outcomes(tmp_path / "a.warc", record)) == [TEXT]


def test_packed_bodies_are_unpacked_and_wrongly_packed_ones_cost_themselves_only(tmp_path: Path) -> None:
    packed = "Content-Encoding: gzip\r\n"
    good = warc_record("response", URL, answer(gzip.compress(PAGE), more=packed))
    bad = warc_record("response", URL + "0", answer(gzip.compress(PAGE)[:20], more=packed))
    found = outcomes(tmp_path / "a.warc", bad, good)
    assert texts(found)[-1] == TEXT


def test_conversions_of_a_wet_file_are_texts(tmp_path: Path) -> None:
    information = warc_record("warcinfo", "", b"software: x\r\n", "application/warc-fields")
    assert texts(
        outcomes(tmp_path / "a.warc.wet.gz", information, warc_record("conversion", URL, TEXT.encode(), "text/plain"))
    ) == [TEXT]


def test_what_is_no_page_is_listed_once_a_kind_with_its_number(tmp_path: Path) -> None:
    picture = warc_record("response", URL, answer(b"\x89PNG", "image/png"))
    absent = warc_record("response", URL, answer(b"", status="404 Not Found"))
    found = outcomes(tmp_path / "a.warc", picture, absent, picture, warc_record("response", URL, answer(PAGE)))
    assert texts(found) == [TEXT]
    assert [(one.place, one.reason) for one in found if isinstance(one, Unreadable)] == [
        ("image/png", "not-a-page: 2 records"),
        ("status 404", "not-a-page: 1 records"),
    ]


def test_a_body_that_inflates_beyond_a_document_is_a_reason(tmp_path: Path) -> None:
    bomb = warc_record("response", URL, answer(gzip.compress(b" " * 100_000), more="Content-Encoding: gzip\r\n"))
    found = outcomes(tmp_path / "a.warc", bomb, options=Options(max_document_bytes=10_000))
    assert reasons(found) == ["too-large: inflates to more than 10000 bytes"]


def test_a_file_without_pages_is_a_reason(tmp_path: Path) -> None:
    assert reasons(outcomes(tmp_path / "a.warc", b"no archive"))
