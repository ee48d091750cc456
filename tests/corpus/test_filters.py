"""Length and script: where the lines are drawn."""

from __future__ import annotations

import pytest
from corpora import STATUTE, batch

from touyan.corpus.length import Length
from touyan.corpus.operator import Operator
from touyan.corpus.script import Script, han_shares


def reasons(operator: Operator, *texts: str) -> dict[int, str]:
    return {row: verdict.reason for row, verdict in operator.judge(batch(*texts)).verdicts.items()}


def test_length_counts_code_points_without_white_space() -> None:
    found = reasons(Length(min_chars=3, max_chars=4), "一 二", "一二三", "一二三四 \n", "一二三四五")
    assert found == {0: "too-short", 3: "too-long"}


def test_a_long_text_of_another_script_is_dropped_and_a_short_one_kept() -> None:
    english = "The quick brown fox jumps over the lazy dog, again and again."
    found = reasons(Script(), STATUTE, english, "Short.", "かな" * 40, "1234567890 " * 9)
    assert found == {1: "not-han", 3: "not-han", 4: "not-han"}


@pytest.mark.parametrize(
    ("text", "share"),
    [("中文", 1), ("中a", 0.5), ("中，1。 ", 1), ("abc", 0), ("123", 0), ("\U00020000Ａ", 0.5), ("漢é", 0.5), ("😀中", 1)],
)
def test_only_letters_count_as_evidence_of_script(text: str, share: float) -> None:
    assert han_shares([text]).tolist() == [share]


def test_shares_are_those_of_each_text_on_its_own() -> None:
    texts = ["中", "a", "中a", "ab中中"]
    assert han_shares(texts).tolist() == [han_shares([text]).item() for text in texts]
