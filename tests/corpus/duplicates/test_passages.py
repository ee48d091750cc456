"""Passages: every long stretch of an earlier document is found, exactly, and cuts end where sentences do."""

from __future__ import annotations

from typing import Any

import pytest
from copies import divided, doc_id, prose, said, shard
from hypothesis import given, settings
from hypothesis import strategies as st

from touyan.core.document import apply, edits_of
from touyan.core.errors import Invalid
from touyan.corpus.duplicates.passages import Passages, whole_sentences
from touyan.corpus.normal import normal_forms

LENGTH = 60
PARTS = [prose(seed, length) for seed, length in enumerate((60, 61, 80, 130, 59, 40))]
SEAMS = ["", "　", "\n\n", "，", "𠀀", "ab "]
documents = st.lists(
    st.lists(st.tuples(st.integers(0, len(PARTS) - 1), st.sampled_from(SEAMS)), max_size=4).map(
        lambda pieces: "".join(PARTS[part] + seam for part, seam in pieces)
    ),
    max_size=5,
)


def form(text: str) -> bytes:
    return normal_forms([text]).units.tobytes()


def repeated(texts: list[str], n: int) -> list[bool]:
    """For each unit of the normal form of a document, whether it lies in a stretch that an earlier document has."""
    own = form(texts[n])
    units = len(own) // 2
    marked = [False] * units
    for at in range(units - LENGTH + 1):
        window = own[2 * at : 2 * (at + LENGTH)]
        if any(_has(form(texts[earlier]), window) for earlier in range(n)):
            marked[at : at + LENGTH] = [True] * LENGTH
    return marked


def _has(units: bytes, window: bytes) -> bool:
    return any(units[at : at + len(window)] == window for at in range(0, len(units) - len(window) + 1, 2))


@settings(max_examples=30)
@given(documents)
def test_just_what_stood_in_an_earlier_document_is_marked(texts: list[str]) -> None:
    _, spans = said(Passages(min_chars=LENGTH), [shard(texts)])
    for n, text in enumerate(texts):
        marked: list[bool] = []
        end = 0
        for span in [*spans.get(n, ()), None]:
            between = text[end : span.start if span else None]
            marked += [False] * (len(form(between)) // 2)
            if span is not None:
                marked += [True] * (len(form(text[span.start : span.end])) // 2)
                end = span.end
        assert marked == repeated(texts, n)


@settings(max_examples=30)
@given(documents, st.data())
def test_a_mark_names_the_same_passage_of_an_earlier_document_whatever_the_shards(texts: list[str], data: st.DataObject) -> None:
    _, whole = said(Passages(min_chars=LENGTH), [shard(texts)])
    ends = data.draw(st.lists(st.integers(0, len(texts)), max_size=3))
    assert said(Passages(min_chars=LENGTH), divided(texts, ends), data.draw(st.integers(1, 3)))[1] == whole
    numbers = {doc_id(n): n for n in range(len(texts))}
    for n, span in ((n, span) for n, found in whole.items() for span in found):
        source, _, interval = (span.evidence or "").removeprefix("doc:").partition("#char=")
        first, last = map(int, interval.split(","))
        assert numbers[source] < n
        assert form(texts[numbers[source]][first:last]) == form(texts[n][span.start : span.end])


def test_a_cut_leaves_whole_sentences() -> None:
    shared = prose(1, 200)
    texts = ["甲乙丙。" + shared + "丁戊己。", "前面的话" + shared + "后面的话。"]
    _, spans = said(Passages(policy="cut"), [shard(texts)])
    (edit,) = spans[1]
    assert apply(texts[1], edits_of([edit])) == "前面的话" + shared[:20] + "后面的话。"
    assert edit.evidence == f"doc:{doc_id(0)}#char=4,204"


def test_a_repeated_paragraph_is_cut_whole() -> None:
    paragraph = prose(2, 119)
    texts = [f"{prose(3, 50)}\n{paragraph}\n{prose(4, 50)}", f"{prose(5, 50)}\n{paragraph}\n{prose(6, 50)}"]
    _, spans = said(Passages(policy="cut"), [shard(texts)])
    assert apply(texts[1], edits_of(spans[1])).split("\n")[0] == prose(5, 50)
    assert paragraph not in apply(texts[1], edits_of(spans[1]))


def test_what_is_too_short_without_half_sentences_is_marked_only() -> None:
    shared = prose(7, 105).replace("。", "的")
    _, spans = said(Passages(policy="cut"), [shard([f"甲{shared}乙", f"丙{shared}丁"])])
    assert [span.replacement for span in spans[1]] == [None]


def test_a_document_that_stands_in_others_leaves_where_that_is_wanted() -> None:
    one, other = prose(8, 300), prose(9, 300)
    texts = [one, other, f"{one[100:]}\n{other[:150]}", prose(10, 300)]
    verdicts, spans = said(Passages(contained_share=0.9), [shard(texts)])
    assert {n: (v.reason, v.score, v.evidence) for n, v in verdicts.items()} == {2: ("contained", 1.0, f"doc:{doc_id(0)}")}
    assert spans == {}


def test_passages_of_too_few_documents_are_left_alone() -> None:
    texts = [prose(20 + n, 60) + prose(11, 150) for n in range(4)]
    assert set(said(Passages(min_documents=4), [shard(texts)])[1]) == {1, 2, 3}
    assert said(Passages(min_documents=5), [shard(texts)])[1] == {}


def test_a_document_may_repeat_itself() -> None:
    assert said(Passages(), [shard([prose(12, 200) * 3, "。" * 500])]) == ({}, {})


@pytest.mark.parametrize(
    ("text", "start", "end", "expected"),
    [
        ("甲。乙。丙。", 0, 6, "甲。乙。丙。"),
        ("甲甲。乙。丙丙。", 1, 6, "乙。"),
        ("甲甲。乙。丙丙。", 3, 8, "乙。丙丙。"),
        ("甲。“乙！”丙。", 2, 7, "“乙！”"),
        ("甲\n乙\n丙", 2, 3, "乙"),
        ("One. Two. Three", 5, 12, " Two."),
        ("甲乙丙丁", 1, 3, ""),
        ("正文到此 关闭 版权所有 联系我们", 3, 15, "关闭 版权所有"),
        ("正文到此 关闭 版权所有 联系我们", 5, 17, "关闭 版权所有 联系我们"),
    ],
)
def test_sentences_end_at_their_marks_and_with_the_line(text: str, start: int, end: int, expected: str) -> None:
    first, last = whole_sentences(text, start, end)
    assert start <= first <= last <= end
    assert text[first:last].strip() == expected.strip()


@pytest.mark.parametrize("given_settings", [{"policy": "drop"}, {"min_chars": 20}, {"memory_mb": 0}])
def test_settings_that_cannot_work_are_invalid(given_settings: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        Passages(**given_settings)
