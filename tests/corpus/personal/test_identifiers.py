"""Recognising identifiers: every spelling beside every script, and the look-alikes that are none."""

from __future__ import annotations

from itertools import pairwise

import pytest
from corpora import BANK_CARD, EMAIL, ID_CARD, MOBILE
from hypothesis import given
from hypothesis import strategies as st

from touyan.core.document import one_spelling
from touyan.corpus.personal.checks import is_bank_card, is_id_card
from touyan.corpus.personal.find import find
from touyan.corpus.personal.identifier import folded

FULL_WIDTH = str.maketrans("0123456789X@.", "０１２３４５６７８９Ｘ＠．")


def kinds(text: str) -> list[tuple[str, str]]:
    return [(found.kind, text[found.start : found.end]) for found in sorted(find(text), key=lambda f: f.start)]


@pytest.mark.parametrize("identifier", [ID_CARD, "11010519491231002X", BANK_CARD, "4111111111111111", MOBILE, EMAIL])
@pytest.mark.parametrize("before", ["", "电话", "：", "(", "\n"])
@pytest.mark.parametrize("after", ["", "请", "，", ")", " "])
def test_an_identifier_is_found_beside_any_script(identifier: str, before: str, after: str) -> None:
    assert [text for _, text in kinds(before + identifier + after)] == [identifier]


@pytest.mark.parametrize("identifier", [ID_CARD, "11010519491231002X", BANK_CARD, MOBILE, EMAIL])
def test_full_width_spelling_is_the_same_identifier(identifier: str) -> None:
    (found,) = find(f"号码{identifier.translate(FULL_WIDTH)}，")
    assert found.canonical == identifier


@pytest.mark.parametrize(
    ("spelling", "kind", "canonical"),
    [
        ("159-1330-5356", "mobile", MOBILE),
        ("159 1330 5356", "mobile", MOBILE),
        ("159.1330.5356", "mobile", MOBILE),
        ("159－1330－5356", "mobile", MOBILE),
        ("159 - 1330 - 5356", "mobile", MOBILE),
        ("8615913305356", "mobile", MOBILE),
        ("86-159-1330-5356", "mobile", MOBILE),
        ("0086 15913305356", "mobile", MOBILE),
        ("015913305356", "mobile", MOBILE),
        ("6222 0284 9113 7578 046", "bank-card", BANK_CARD),
        ("6222-0284-9113-7578-046", "bank-card", BANK_CARD),
        ("622202 8491137578046", "bank-card", BANK_CARD),
        ("310104 20061124 0258", "id-card", ID_CARD),
        ("310104-2006-11-24-0258", "id-card", ID_CARD),
        (" ".join(ID_CARD), "id-card", ID_CARD),
        ("11010519491231002x", "id-card", "11010519491231002X"),
        ("110105 19491231 002X", "id-card", "11010519491231002X"),
        ("User21296@Mail.Example.com", "email", EMAIL),
        ("user21296 @ mail.example.com", "email", EMAIL),
    ],
)
def test_separated_spelling_is_the_same_identifier(spelling: str, kind: str, canonical: str) -> None:
    (found,) = find(f"请记{spelling}。")
    assert (found.kind, found.canonical, found.end - found.start) == (kind, canonical, len(spelling))
    assert one_spelling(spelling) == canonical


@pytest.mark.parametrize("prefix", ["+86", "+86 ", "+86-", "(+86)"])
def test_the_country_code_may_stand_before_a_mobile_number(prefix: str) -> None:
    assert [found.canonical for found in find(f"电话{prefix}15913305356")] == [MOBILE]


@pytest.mark.parametrize("word", ["Tel", "TEL:", "tel.", "Mobile", "phone"])
def test_a_telephone_word_may_touch_the_number(word: str) -> None:
    assert [kind for kind, _ in kinds(word + MOBILE)] == ["mobile"]


@pytest.mark.parametrize(
    "text",
    [
        "310104200611240259",  # check character
        "310104200613240258",  # no thirteenth month
        "990104200611240258",  # no such province
        "6222028491137578047",  # Luhn
        "12345678901",  # no mobile prefix
        "1591330535",  # ten digits
        "共13500000000元",
        "￥13500000000",
        "13500000000.50",
        "0.13500000000",
        f"0.{BANK_CARD}",
        "约13800000000吨",
        "批号A15913305356B",
        "第一百三十八条",
        "2023年10月15日",
        "user@localhost",
        "@example.com",
    ],
)
def test_a_look_alike_is_left_alone(text: str) -> None:
    assert find(text) == []


def test_a_number_inside_a_longer_one_is_none() -> None:
    assert find("9" * 3 + MOBILE + "9" * 10) == []


def test_numbers_side_by_side_are_told_apart() -> None:
    assert kinds(f"{MOBILE} {BANK_CARD} {ID_CARD}") == [("mobile", MOBILE), ("bank-card", BANK_CARD), ("id-card", ID_CARD)]


def test_an_id_card_number_that_passes_luhn_is_an_id_card() -> None:
    both = next(n for n in map(_with_check, range(1000)) if is_bank_card(n))
    assert is_id_card(both)
    assert [kind for kind, _ in kinds(f"证号{both}。")] == ["id-card"]


def _with_check(sequence: int) -> str:
    body = f"44030519{sequence % 90 + 10}0521{sequence % 900 + 100}"
    return next(body + digit for digit in "0123456789X" if is_id_card(body + digit))


@given(st.text(st.sampled_from("0123456789 -.X１＠@abc电话元+"), max_size=60))
def test_numbers_never_overlap_each_other_and_are_what_they_are_called(text: str) -> None:
    numbers = sorted((found for found in find(text) if found.kind != "email"), key=lambda f: f.start)
    assert all(one.end <= other.start for one, other in pairwise(numbers))
    for found in numbers:
        assert found.canonical == one_spelling(text[found.start : found.end])
        assert {"id-card": is_id_card, "bank-card": is_bank_card, "mobile": lambda n: len(n) == 11}[found.kind](found.canonical)


@given(st.text())
def test_folding_keeps_every_code_point_in_its_place(text: str) -> None:
    assert len(folded(text)) == len(text)


@pytest.mark.parametrize("piece", ["1 ", "1-", "a.", "a@", "@b-", "1", "１－"])
def test_hostile_text_is_scanned_to_its_end(piece: str) -> None:
    assert find(piece * 10_000 + f"@。{MOBILE}")
