"""Exact duplicates and verbatim overlap: equality by normal form, the first in order wins, nothing is missed."""

from __future__ import annotations

import unicodedata

import pytest
from corpora import STATUTE, batch
from hypothesis import given
from hypothesis import strategies as st

from touyan.corpus.duplicates.exact import ExactDuplicates
from touyan.corpus.normal import normal_forms
from touyan.corpus.overlap import ANCHOR_CHARS, Wanted

words = st.text("甲乙丙， A", max_size=4)


def dropped(*shards: list[str]) -> list[dict[int, str]]:
    surveyor = ExactDuplicates()
    batches = [batch(*texts) for texts in shards]
    settled = surveyor.settle([surveyor.survey(each) for each in batches])
    return [
        {row: f"{verdict.reason} {verdict.evidence}" for row, verdict in own.judge(each).verdicts.items()}
        for own, each in zip(settled, batches, strict=True)
    ]


@given(st.lists(words, max_size=12))
def test_the_first_of_every_normal_form_is_kept(texts: list[str]) -> None:
    (found,) = dropped(texts)
    forms = ["".join(unicodedata.normalize("NFKC", text).casefold().split()) for text in texts]
    assert set(found) == {i for i, form in enumerate(forms) if form in forms[:i]}
    assert all(found[i] == f"exact-duplicate doc:{batch(*texts).doc_ids[forms.index(forms[i])]}" for i in found)


def test_a_document_that_was_read_twice_is_kept_once() -> None:
    first, second = dropped(["甲", "乙"], ["丙"])
    assert first == {}
    assert second == {0: f"repeated-id doc:{batch('甲').doc_ids[0]}"}


def test_shards_without_documents_are_fine() -> None:
    assert dropped([], ["甲", "甲"], [])[1] == {1: f"exact-duplicate doc:{batch('甲').doc_ids[0]}"}


@pytest.mark.parametrize(("one", "other"), [("，ＡＢ", ",ab"), ("甲 乙\n", "甲乙"), ("㎏", "㎏"), ("\u3000甲", "甲")])
def test_width_case_and_space_do_not_matter(one: str, other: str) -> None:
    forms = normal_forms([one, other])
    first, second = forms.digests()
    assert first == second


@given(st.lists(st.text(max_size=6), max_size=6))
def test_the_form_of_a_text_does_not_depend_on_its_neighbours(texts: list[str]) -> None:
    assert normal_forms(texts).digests() == [normal_forms([text]).digests()[0] for text in texts]


@given(
    st.text("甲乙丙", min_size=ANCHOR_CHARS, max_size=ANCHOR_CHARS + 6),
    st.text("甲乙", max_size=30),
    st.text("甲乙", max_size=30),
    st.lists(st.text("甲乙", max_size=30), max_size=3),
)
def test_a_passage_is_found_wherever_it_stands(passage: str, before: str, after: str, others: list[str]) -> None:
    wanted = Wanted()
    wanted.add(["needle"], [passage])
    texts = [*others, f"{before}\n{passage} {after}"]
    found = {holder for _, holder in wanted.hits([str(i) for i in range(len(texts))], texts)}
    assert found == {str(i) for i, text in enumerate(texts) if passage in text.replace(" ", "").replace("\n", "")}


def test_a_passage_that_runs_into_the_next_document_is_not_inside_either() -> None:
    wanted = Wanted()
    wanted.add(["needle"], [STATUTE])
    assert list(wanted.hits(["a", "b"], [STATUTE[:40], STATUTE[40:]])) == []


def test_a_short_text_is_only_found_as_a_whole_document() -> None:
    wanted = Wanted()
    wanted.add(["needle"], ["本法自公布之日起施行。"])
    assert list(wanted.hits(["a", "b"], ["附则：本法自公布之日起施行。", "本法自公布之日起施行。"])) == [("needle", "b")]
