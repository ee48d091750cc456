"""Lexicons: terms are found in any spelling, and density decides."""

from __future__ import annotations

from pathlib import Path

import pytest
from corpora import STATUTE, batch
from hypothesis import given
from hypothesis import strategies as st

from touyan.core.errors import Conflict, Invalid, Missing
from touyan.corpus.quality.lexicon import Lexicon, terms_of
from touyan.corpus.quality.packs import SHIPPED
from touyan.corpus.quality.terms import Finder, folded

TERMS = ("代开发票", "彩金", "加vx", "加微信", "加微信领取", "送彩金")
SPAM = "本公司代开发票，税点优惠，加微信领取，当天下款，无抵押贷款！"


def pack(folder: Path, text: str) -> str:
    path = folder / "own.yaml"
    path.write_text(text)
    return str(path)


def found(text: str, *terms: str) -> list[str]:
    return [term for _, hits in Finder.of(terms or TERMS).hits([text]) for _, term in hits]


def naive(text: str, terms: tuple[str, ...]) -> list[tuple[int, str]]:
    """What a search for each term finds: the earliest first, the longer of two that begin together, no overlaps."""
    plain, hits, place = folded(text), [], 0
    while place < len(plain):
        here = [term for term in terms if plain.startswith(term, place)]
        hits += [(place, max(here, key=len))] if here else []
        place += max(map(len, here), default=1)
    return hits


@given(st.lists(st.lists(st.sampled_from([*TERMS, "加", "代开", "微信", "ＶＸ", "Vx", "。", "好"]), max_size=12), max_size=5))
def test_hits_are_those_of_a_plain_search(pieces: list[list[str]]) -> None:
    texts = ["".join(words) for words in pieces]
    expected = {row: naive(text, TERMS) for row, text in enumerate(texts) if naive(text, TERMS)}
    assert dict(Finder.of(TERMS).hits(texts)) == expected


def test_width_and_case_do_not_matter() -> None:
    assert found("加VX 加Ｖｘ 加ｖX 加vx") == ["加vx"] * 4


def test_of_two_terms_that_begin_together_the_longer_is_found() -> None:
    assert found("加微信领取") == ["加微信领取"]


def test_a_term_of_one_character_is_refused() -> None:
    with pytest.raises(Invalid, match="two characters"):
        Finder.of(["赌"])


def test_an_advert_leaves_and_each_term_is_marked_by_its_category() -> None:
    marks = Lexicon().judge(batch(STATUTE, SPAM))
    assert marks.verdicts[1].outcome == "drop"
    assert marks.verdicts[1].reason == "lexicon-fake-documents"
    assert not marks.verdicts[1].may_quote
    labels = {SPAM[span.start : span.end]: span.label for span in marks.spans[1]}
    assert labels["代开发票"] == "fake-documents"
    assert labels["无抵押贷款"] == "loans"
    assert set(marks.spans) == {1}


def test_no_mark_names_a_term() -> None:
    marks = Lexicon().judge(batch(SPAM))
    assert not any(term in repr(marks) for term in ("发票", "微信", "下款", "贷款"))


def test_a_report_about_an_offence_stays() -> None:
    report = "法院查明，被告人张某在网上发布代开发票的信息，骗取他人财物共计三万元。" + STATUTE * 3
    marks = Lexicon().judge(batch(report))
    assert marks.verdicts == {}
    assert [span.label for span in marks.spans[0]] == ["fake-documents"]


def test_density_decides_between_flag_and_drop() -> None:
    flagged = Lexicon().judge(batch(SPAM + STATUTE * 16)).verdicts[0]
    assert (flagged.outcome, flagged.score and 8 < flagged.score < 15) == ("flag", True)


def test_a_pack_of_ones_own_is_named_by_its_path(tmp_path: Path) -> None:
    own = pack(tmp_path, "categories: {tea: {weight: 9, terms: [龙井, 碧螺春, 铁观音]}}")
    verdict = Lexicon(packs=(own,)).judge(batch("龙井、碧螺春和铁观音")).verdicts[0]
    assert verdict.reason == "lexicon-tea"


@pytest.mark.parametrize("text", ["", "[1, 2]", "categories: {tea: [龙井]}", "categories: {tea: {weight: much, terms: [龙井]}}"])
def test_another_form_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="categories"):
        Lexicon(packs=(pack(tmp_path, text),)).judge(batch("龙井"))


def test_a_file_that_is_not_yaml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="YAML"):
        terms_of(pack(tmp_path, "a: [b"))


def test_a_pinned_digest_is_kept_and_a_missing_pack_named() -> None:
    with pytest.raises(Conflict):
        Lexicon(packs=("ads-zh",), digests=("0" * 16,))
    with pytest.raises(Missing, match="ads-zz"):
        Lexicon(packs=("ads-zz",))
    assert len(Lexicon().digests) == 2


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_pack_says_where_it_is_from_and_holds_no_term_twice(path: Path) -> None:
    from ruamel.yaml import YAML

    read = YAML(typ="safe").load(path)
    assert {"name", "version", "language", "licence", "origin"} <= set(read)
    terms = [term for category in read["categories"].values() for term in category["terms"]]
    assert sorted(terms) == sorted(set(terms))
    assert all(1 <= category["weight"] <= 9 for category in read["categories"].values())
