"""Near-duplicates: whoever leaves is like one who stays, whoever is like one who stays leaves, and nothing else matters."""

from __future__ import annotations

from typing import Any

import pytest
from copies import divided, doc_id, prose, reworded, said, shard
from hypothesis import given, settings
from hypothesis import strategies as st

from touyan.core.errors import Invalid
from touyan.corpus.duplicates.near import NearDuplicates
from touyan.corpus.duplicates.sketch import jaccard, shingles
from touyan.corpus.duplicates.versions import version_key
from touyan.corpus.normal import normal_forms

BASES = [prose(seed, 120 + 40 * seed) for seed in range(3)]
copies = st.builds(
    lambda base, seed, changes: reworded(BASES[base], seed, changes), st.integers(0, 2), st.integers(0, 5), st.integers(0, 12)
)
documents = st.lists(copies | st.text("甲乙", max_size=8), max_size=12)


def similarity(one: str, other: str) -> float:
    return jaccard(*(shingles(normal_forms([text]).units) for text in (one, other)))


@settings(max_examples=60)
@given(documents, st.sampled_from([0.6, 0.8, 0.9]), st.sampled_from(["longest", "first"]))
def test_whoever_leaves_is_like_one_who_stays_and_no_two_alike_stay(texts: list[str], least: float, keep: str) -> None:
    verdicts, _ = said(NearDuplicates(min_similarity=least, keep=keep), [shard(texts)])
    stay = [n for n in range(len(texts)) if n not in verdicts]
    by_id = {doc_id(n): n for n in stay}
    for n, verdict in verdicts.items():
        kept = by_id[(verdict.evidence or "").removeprefix("doc:")]
        assert (verdict.outcome, verdict.reason) == ("drop", "near-duplicate")
        assert verdict.score == similarity(texts[n], texts[kept]) >= least
        assert (len(texts[kept]), -kept) >= (len(texts[n]), -n) if keep == "longest" else kept < n
    # At 0.8 two miss each other once in twenty million pairs; at 0.6, where the bands allow for one in a hundred, some do.
    if least >= 0.8:
        assert not [(a, b) for a in stay for b in stay if a < b and similarity(texts[a], texts[b]) >= least]


@settings(max_examples=40)
@given(documents, st.data())
def test_shards_and_batches_change_nothing(texts: list[str], data: st.DataObject) -> None:
    whole, _ = said(NearDuplicates(), [shard(texts)])
    ends = data.draw(st.lists(st.integers(0, len(texts)), max_size=3))
    parts, _ = said(NearDuplicates(), divided(texts, ends), data.draw(st.integers(1, 5)))
    assert parts == whole


def test_every_cluster_keeps_exactly_one() -> None:
    clusters = [[reworded(prose(seed, 400), n, 3) for n in range(5)] for seed in range(4)]
    verdicts, _ = said(NearDuplicates(), [shard([text for cluster in clusters for text in cluster])])
    stay = [n for n in range(20) if n not in verdicts]
    assert [n // 5 for n in stay] == [0, 1, 2, 3]


def test_a_chain_of_changes_does_not_carry_away_what_is_unlike_the_one_kept() -> None:
    first, other = prose(1, 400), prose(2, 400)
    chain = [other[:cut] + first[cut:] for cut in (0, 30, 60, 90)]
    verdicts, _ = said(NearDuplicates(min_similarity=0.8, keep="first"), [shard(chain)])
    assert similarity(chain[0], chain[2]) < 0.8 < similarity(chain[1], chain[2])
    assert set(verdicts) == {1, 3}
    assert verdicts[3].evidence == f"doc:{doc_id(2)}"


def test_texts_too_short_for_a_gram_are_left_alone() -> None:
    assert said(NearDuplicates(), [shard(["甲乙", "甲乙", "", ""])]) == ({}, {})


def test_a_crowd_of_copies_leaves_one() -> None:
    texts = [reworded(prose(3, 300), n, 2) for n in range(60)]
    verdicts, _ = said(NearDuplicates(), [shard(texts)])
    assert len(verdicts) == 59


LAW, NEWER = prose(4, 500), reworded(prose(4, 500), 1, 25)
TITLES = ["城市供水条例(2018-03-19).md", "城市供水条例(2020-03-27).md"]


def test_of_versions_the_newest_stays() -> None:
    assert 0.5 < similarity(LAW, NEWER) < 0.7
    verdicts, _ = said(NearDuplicates(), [shard([LAW, NEWER], titles=TITLES)])
    assert {n: (v.outcome, v.reason, v.evidence) for n, v in verdicts.items()} == {
        0: ("drop", "older-version", f"doc:{doc_id(1)}")
    }


def test_versions_may_all_stay_and_are_told_of_each_other() -> None:
    verdicts, _ = said(NearDuplicates(versions="keep", keep="first"), [shard([LAW, NEWER], titles=TITLES)])
    assert {n: (v.outcome, v.reason, v.evidence) for n, v in verdicts.items()} == {1: ("flag", "version-of", f"doc:{doc_id(0)}")}


def test_one_title_alone_makes_no_versions() -> None:
    assert said(NearDuplicates(), [shard([LAW, prose(5, 500)], titles=TITLES)]) == ({}, {})


@pytest.mark.parametrize(
    ("title", "stem", "date"),
    [
        ("城市供水条例(2018-03-19)", "城市供水条例", 20180319),
        ("中华人民共和国电力法（2018年修正）", "中华人民共和国电力法", 20180000),
        ("数据管理办法2021年12月修订版", "数据管理办法", 20211200),
        ("Annual Report 2020", "annualreport", 20200000),
        ("市政府工作报告（20190115）", "市政府工作报告", 20190115),
        ("2019年5月1日天气预报", "2019年5月1日天气预报", 0),
        ("关于2020年预算的报告", "关于2020年预算的报告", 0),
        ("通知(2018-03-19)", "", 20180319),
    ],
)
def test_a_title_tells_the_work_from_its_version(title: str, stem: str, date: int) -> None:
    assert version_key(title) == (stem, date)


@pytest.mark.parametrize("settings", [{"keep": "best"}, {"versions": "all"}, {"memory_mb": 0}])
def test_a_choice_that_is_none_is_invalid_and_the_choices_are_named(settings: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match=next(iter(settings))):
        NearDuplicates(**settings)
