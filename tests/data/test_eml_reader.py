from __future__ import annotations

import base64
from pathlib import Path

import pytest
from reading import TEXT, docx, letter, reasons, texts, xlsx

from touyan.data.reader import Options, Record, Unreadable, named_reader, read_file


def outcomes(path: Path, data: bytes) -> list[Record | Unreadable]:
    path.write_bytes(data)
    return list(read_file(named_reader("eml"), path, Options()))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.eml"


def test_a_letter_keeps_subject_sender_and_date_beside_its_text(path: Path) -> None:
    (found,) = outcomes(path, letter())
    assert isinstance(found, Record)
    assert found.text == TEXT
    assert found.values["title"] == "题"
    assert found.values["from"] == "甲 <a@example.cn>"
    assert found.values["date"] == "2024-03-05T02:00:00+00:00"
    assert found.values["attachments"] == "0"


def test_attachments_are_read_as_files_of_their_names_or_listed(path: Path) -> None:
    found = outcomes(path, letter(("一.docx", docx()), ("二.xlsx", xlsx()), ("三.exe", b"MZ"), ("四.docx", b"PK")))
    assert [one.place for one in found] == [
        "", "attachment 1 一.docx", "attachment 2 二.xlsx 一", "attachment 3 三.exe", "attachment 4 四.docx"
    ]  # fmt: skip
    assert texts(found)[:2] == [TEXT, TEXT]
    assert [reason.partition(":")[0] for reason in reasons(found)] == ["no-reader", "bad-zip"]


def test_letters_inside_letters_are_read_to_a_bound(path: Path) -> None:
    data = letter(body="innermost")
    for _ in range(6):
        data = letter(("inner.eml", data))
    found = outcomes(path, data)
    assert texts(found) == [TEXT] * 5
    assert reasons(found) == ["too-deep: more than 4 letters inside each other"]


def test_headers_split_within_a_character_and_headers_of_bare_bytes_are_read(path: Path) -> None:
    subject = "关于朱镕基会议的通知".encode("gbk")
    words = b" ".join(b"=?gb2312?B?" + base64.b64encode(part) + b"?=" for part in (subject[:7], subject[7:]))
    head = b"Subject: " + words + b"\r\nFrom: " + "办公室的同志们".encode("gbk") + b" <a@b>\r\n"
    (found,) = outcomes(path, head + b"Content-Type: text/plain; charset=gb2312\r\n\r\n" + TEXT.encode("gb18030"))
    assert isinstance(found, Record)
    assert found.text == TEXT
    assert found.values["title"] == "关于朱镕基会议的通知"
    assert found.values["from"] == "办公室的同志们 <a@b>"


def test_the_page_is_read_where_the_plain_part_is_a_mere_notice(path: Path) -> None:
    head = b"Subject: a\nContent-Type: multipart/alternative; boundary=b\n\n"
    plain = "--b\nContent-Type: text/plain\n\n请看网页。\n".encode()
    page = f"--b\nContent-Type: text/html\n\n<p>{TEXT}</p>\n--b--\n".encode()
    assert texts(outcomes(path, head + plain + page)) == [TEXT]


def test_a_letter_whose_text_is_damaged_keeps_its_attachments(path: Path) -> None:
    data = letter(("一.docx", docx())).replace(TEXT.encode(), b"\xff" * 60)
    found = outcomes(path, data)
    assert texts(found) == [TEXT]
    assert reasons(found)[0].startswith("encoding: neither")


def test_too_many_parts_are_a_reason(path: Path) -> None:
    head = b"Subject: a\nContent-Type: multipart/mixed; boundary=b\n\n"
    assert reasons(outcomes(path, head + b"--b\n\na\n" * 2000 + b"--b--")) == ["too-many-parts: more than 1000 parts"]


def test_parts_nested_without_end_are_a_reason(path: Path) -> None:
    nested = "".join(f"Content-Type: multipart/mixed; boundary=b{i}\n\n--b{i}\n" for i in range(3000))
    assert reasons(outcomes(path, f"Subject: a\n{nested}".encode()))


def test_what_is_no_letter_is_a_reason(path: Path) -> None:
    assert reasons(outcomes(path, b"")) == ["bad-mail: has no header: not a letter"]
