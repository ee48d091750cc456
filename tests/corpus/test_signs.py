"""One look for all: what a sign promises about a text."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from touyan.corpus.signs import sign, signs

KANA = sign("[\u3041-\u30fa]")
CHARACTERS = st.sampled_from("法律。 a\n\t１あン\ue000\ud800𠀀")


@given(st.lists(st.text(CHARACTERS, max_size=12), max_size=6))
def test_a_text_without_a_sign_has_no_character_of_it(texts: list[str]) -> None:
    for text, seen in zip(texts, signs(texts), strict=True):
        assert seen & KANA or not re.search("[\u3041-\u30fa]", text)


@given(st.lists(st.text(CHARACTERS, max_size=12), max_size=6))
def test_signs_do_not_depend_on_the_other_texts(texts: list[str]) -> None:
    together = signs(texts)
    assert signs(texts) == together == [signs([text])[0] for text in texts]


def test_characters_of_the_first_plane_are_told_apart() -> None:
    assert [bool(seen & KANA) for seen in signs(["法律", "ほうりつ", "", "abc"])] == [False, True, False, False]


def test_what_lies_beyond_the_first_plane_is_always_worth_a_search() -> None:
    assert signs(["法𠀀律"])[0] & KANA
