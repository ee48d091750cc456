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
        ("이것은 한국어 문장입니다. 시험을 위해 작성되었습니다.", "cp949"),
        ("Où est la bibliothèque? L’été passé, François aimait le café.", "cp1252"),
    ],
)
def test_text_comes_back_from_its_encoding(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == (text, encoding)


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
