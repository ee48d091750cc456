from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.data.encoding import decode, encoding_of_lines
from touyan.data.reader import Damaged

SIMPLIFIED = "为了保护专利权人的合法权益，鼓励发明创造，推动发明创造的应用。"
TRADITIONAL = "為了保護專利權人的合法權益，鼓勵發明創造，推動發明創造的應用。"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (SIMPLIFIED, "utf-8"),
        (SIMPLIFIED, "utf-8-sig"),
        (SIMPLIFIED, "utf-16"),
        (SIMPLIFIED, "utf-32"),
        (SIMPLIFIED, "gb18030"),
        (TRADITIONAL, "gb18030"),
        (TRADITIONAL, "big5hkscs"),
        ("これは日本語の文章です。テストのために書きました。", "cp932"),
        ("これは日本語の文章です。テストのために書きました。", "euc_jp"),
        ("이것은 한국어 문장입니다. 시험을 위해 작성되었습니다.", "cp949"),
        ("Où est la bibliothèque? L’été passé, François aimait le café.", "cp1252"),
    ],
)
def test_text_comes_back_from_its_encoding(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == (text, encoding)


@pytest.mark.parametrize("declared", ["", "gb2312", "utf-8", "iso-8859-1", "big5", "base64", "no such"])
@pytest.mark.parametrize(("text", "encoding"), [(SIMPLIFIED, "gb18030"), (TRADITIONAL, "gb18030"), (TRADITIONAL, "big5hkscs")])
def test_bytes_gainsay_what_a_page_declares(text: str, encoding: str, declared: str) -> None:
    assert decode(text.encode(encoding), declared) == (text, encoding)


def test_what_gb2312_lacks_is_read_under_its_name() -> None:
    assert decode("朱镕基、陶喆、𠮷".encode("gb18030"), "gb2312") == ("朱镕基、陶喆、𠮷", "gb18030")


@pytest.mark.parametrize(("text", "encoding"), [("Привет, мир! Это письмо.", "cp1251"), ("Ελληνικά γράμματα εδώ", "iso8859-7")])
def test_an_encoding_off_the_ladder_is_read_where_it_is_declared(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding), encoding) == (text, encoding)


@given(st.text(st.sampled_from(TRADITIONAL), min_size=10, max_size=40))
def test_ten_traditional_characters_tell_big5_from_gb18030(text: str) -> None:
    assert decode(text.encode("big5hkscs"))[0] == text
    assert decode(text.encode("gb18030"))[0] == text


@pytest.mark.parametrize("raw", [SIMPLIFIED.encode() + b"\xff", bytes(range(256)) * 4, b"\x81\x20\xff\xfe\x80" * 9])
def test_bytes_that_fit_no_encoding_are_damaged(raw: bytes) -> None:
    with pytest.raises(Damaged, match="neither UTF-8 nor"):
        decode(raw)


def test_nul_characters_are_no_text() -> None:
    with pytest.raises(Damaged, match="NUL"):
        decode(b"MZ\x00\x01")


@given(st.binary(max_size=200))
def test_any_bytes_give_text_without_replacement_or_damage(raw: bytes) -> None:
    try:
        text, encoding = decode(raw)
    except Damaged:
        return
    assert text == raw.decode(encoding, "strict")


@given(st.text(st.sampled_from(SIMPLIFIED + "\n第一二三条款项 123abc"), min_size=30, max_size=400))
def test_gb18030_is_never_taken_for_big5(text: str) -> None:
    raw = text.encode("gb18030")
    assert decode(raw)[0] == text if any(c > "\x7f" for c in text) else True


def test_one_damaged_line_does_not_change_the_encoding_of_a_file() -> None:
    good, bad = SIMPLIFIED.encode(), SIMPLIFIED.encode("gb18030")
    assert encoding_of_lines([good, good, bad]) == "utf-8"
    assert encoding_of_lines([bad, bad, good]) == "gb18030"
    assert encoding_of_lines([b"ascii only"]) == "utf-8"
