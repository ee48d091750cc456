"""Rows of the language model: what one look says of many characters is what is said of each pair."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.corpus.encoding.bigrams import Learned, folded
from touyan.corpus.encoding.characters import gbk
from touyan.corpus.encoding.rows import Rows, columns, columns_by_code, plain

TEXT = "为了规范公共数据资源的授权运营，促进数据要素流通。哈哈哈，丂丂"


@given(first=st.sampled_from(sorted(columns())), second=st.sampled_from(sorted(columns())))
def test_a_row_says_what_each_pair_does(first: str, second: str) -> None:
    learned = Learned.of(TEXT)
    assert Rows(learned).after(first)[columns()[second]] == learned.after(first, second)


@pytest.mark.parametrize("pair", ["数据", "哈哈", "丂丂", "丂数", "据资"])
def test_a_row_knows_the_pairs_of_its_own_text(pair: str) -> None:
    learned = Learned.of(TEXT)
    assert Rows(learned).after(pair[0])[columns()[pair[1]]] == learned.after(*pair)


def test_what_is_no_character_is_impossible() -> None:
    assert Rows(Learned.of(TEXT)).after("数")[columns_by_code()[0]] == -math.inf


def test_every_code_has_the_column_of_its_character() -> None:
    assert all(columns_by_code()[code] == columns()[plain(character)] for code, character in gbk().items())


@given(text=st.text(alphabet="数据哈，。", max_size=12))
def test_followers_are_counted_as_pairs_of_neighbours(text: str) -> None:
    learned = Learned.of(text)
    known = folded(text)
    for first in set(known):
        followers = [b for a, b in pairwise(known) if a == first]
        assert dict(learned.seconds(first)) == {b: followers.count(b) for b in followers}
