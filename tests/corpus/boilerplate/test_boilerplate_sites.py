"""Lines that a site repeats: counted by pages, by site, within a bound on memory."""

from __future__ import annotations

import dataclasses

import pytest
from corpora import STATUTE, batch
from web_pages import marks_of

from touyan.core.document import apply, edits_of
from touyan.corpus.boilerplate import sites
from touyan.corpus.boilerplate.layout import layout
from touyan.corpus.boilerplate.operators import Boilerplate
from touyan.corpus.boilerplate.sites import line_key, settled, site_of, surveyed
from touyan.corpus.operator import DocumentBatch


def pages(n: int, slogan: str = "晨江人的精神家园") -> list[str]:
    return [f"返回顶部\n{slogan}\n第{i}号消息：{STATUTE}\n{STATUTE}\n联系我们" for i in range(n)]


def with_columns(documents: DocumentBatch, **columns: list[str]) -> DocumentBatch:
    return dataclasses.replace(documents, columns={**documents.columns, **columns})


def test_a_line_that_the_site_repeats_goes_with_the_pages_lines_beside_it() -> None:
    texts = pages(8)
    marks = marks_of(batch(*texts))
    assert all("精神家园" not in apply(text, edits_of(marks.spans[row])) for row, text in enumerate(texts))


def test_a_line_of_few_pages_stays() -> None:
    texts = [*pages(1, "只此一次的标语"), *pages(8)]
    marks = marks_of(batch(*texts))
    assert "只此一次" in apply(texts[0], edits_of(marks.spans[0]))


def test_what_statutes_repeat_is_not_counted() -> None:
    assert marks_of(batch(*[f"第一章 总则\n附则\n{STATUTE}{i}" for i in range(20)])).spans == {}


def test_sites_are_told_apart_by_the_host_of_their_address() -> None:
    documents = with_columns(
        batch("a", "b", "c", "d"),
        natural_key=["https://a.example/1", "http://A.example/2?x", "row-3", "row-4"],
        meta=["{}", "{}", '{"url": "https://b.example/x"}', "{}"],
    )
    keys = [site_of(documents, row) for row in range(4)]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_the_lines_of_one_site_say_nothing_about_another() -> None:
    texts = pages(12)
    hosts = [f"https://{'a' if i < 8 else 'b'}.example/{i}" for i in range(12)]
    operator = Boilerplate(min_site_documents=6)
    marks = marks_of(with_columns(batch(*texts), natural_key=hosts), operator)
    left = ["精神家园" in apply(text, edits_of(marks.spans[row])) for row, text in enumerate(texts)]
    assert left == [False] * 8 + [True] * 4


def test_shards_are_counted_together_and_each_gets_what_it_needs() -> None:
    operator = Boilerplate()
    first, second = batch(*pages(3)), batch(*pages(3))
    one, two = operator.settle([operator.survey(first), operator.survey(second)])
    slogan = line_key(site_of(first, 0), "晨江人的精神家园")
    assert slogan in one.pages.lines
    assert slogan in two.pages.lines
    assert one.pages.places == frozenset(range(3))
    assert operator.settle([operator.survey(batch(STATUTE))])[0].pages.lines == frozenset()


def test_the_count_forgets_the_rarest_lines_beyond_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites, "MAX_LINES", 64)
    shards = [surveyed([(i, 7, layout(f"常见的一行\n只有一次的第{i}-{j}行", ())) for j in range(1)]) for i in range(300)]
    assert line_key(7, "常见的一行") in settled(shards, 5, 0.5)[0].lines
