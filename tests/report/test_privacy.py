"""The second lock: nothing like an identifier is shown, whatever the refinery missed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.report.privacy import blotted

DIGITS = st.text(st.sampled_from("0123456789０１２３ "), min_size=0, max_size=40)


@pytest.mark.parametrize(
    "secret",
    [
        "13812345678",
        "138 1234 5678",
        "138-1234-5678",
        "１３８１２３４５６７８",
        "11010519491231002X",
        "6222 0212 3456 7890 123",
    ],
)
def test_an_identifier_beside_han_characters_is_blotted(secret: str) -> None:
    assert blotted(f"电话{secret}，请回复") == "电话▇▇▇，请回复"


def test_an_address_is_blotted_with_what_touches_it() -> None:
    assert blotted("请发至 li.si@example.cn，谢谢") == "请发至 ▇▇▇，谢谢"
    assert "li.si" not in blotted("请发至li.si@example.cn，谢谢")


@pytest.mark.parametrize("harmless", ["2026年11月21日", "第1234条", "GB/T 45654—2025", "26,196 件", "[手机号]"])
def test_ordinary_numbers_stay(harmless: str) -> None:
    assert blotted(harmless) == harmless


@given(st.lists(st.one_of(DIGITS, st.text(max_size=10))).map("".join))
def test_no_run_of_ten_digits_is_ever_left(text: str) -> None:
    assert not re.search(r"(?:\d ?){10}", blotted(text))
