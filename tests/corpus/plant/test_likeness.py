"""Likeness of texts: exact, indifferent to width and space, and the nearest of many is found."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from touyan.corpus.plant.likeness import containment, folded, grams, jaccard, nearest

TEXT = "为了规范公共数据资源的授权运营，促进数据要素流通，保护自然人、法人和非法人组织的合法权益，根据有关法律，制定本办法。"


def by_hand(one: str, other: str) -> float:
    sets = [{text[at : at + 5] for at in range(len(text) - 4)} for text in (one, other)]
    return len(sets[0] & sets[1]) / max(1, len(sets[0] | sets[1]))


@given(st.text(alphabet="数据资源，。ab", max_size=60), st.text(alphabet="数据资源，。ab", max_size=60))
def test_jaccard_is_that_of_the_sets_of_five_characters(one: str, other: str) -> None:
    assert jaccard(grams(one), grams(other)) == by_hand(one, other)


def test_width_space_and_invisible_characters_make_no_difference() -> None:
    assert folded("第一条　为了（规范），\r\n制定。") == folded("第一条 为了(规范),\u200b制定。")


def test_a_part_is_contained_in_the_whole_and_not_the_other_way_round() -> None:
    part, whole = grams(TEXT[:30]), grams(TEXT)
    assert containment(part, whole) == 1
    assert containment(whole, part) < 0.5


def test_the_nearest_of_many_is_found_for_long_texts_too() -> None:
    long = "".join(f"第{n}条 {TEXT[n % 20 :]}{n * 7919}" for n in range(80))
    changed = long.replace("公共数据", "公开数据")
    found = nearest([long, TEXT], ["无关的一句话，什么都不像。", changed])
    assert found[0].jaccard == jaccard(grams(folded(long)), grams(folded(changed))) > 0.5
    assert found[1].jaccard < 0.1


def test_texts_too_short_for_a_gram_are_near_to_nothing() -> None:
    assert nearest(["短"], ["短"])[0].jaccard == 0
    assert nearest([], ["短"]) == []
