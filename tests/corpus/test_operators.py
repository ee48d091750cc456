"""The contract that every operator of the group `touyan.refiners` keeps; a new operator is tested by being registered."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Sequence
from importlib.metadata import entry_points

import pytest
from corpora import BANK_CARD, EMAIL, ID_CARD, MOBILE, STATUTE, batch
from hypothesis import given, settings
from hypothesis import strategies as st

from touyan.core.document import apply, edits_of
from touyan.core.errors import Invalid, Missing
from touyan.corpus.operator import GROUP, DocumentBatch, Marks, Operator, Signature, Surveyor, build
from touyan.corpus.passage import opened

NAMES = sorted(entry.name for entry in entry_points(group=GROUP))
TEXTS = [
    STATUTE, STATUTE, STATUTE.replace("，", ","), "短", "", "\ufeff第一条\u3000\u3000为了规范。\r\n第二条\u200b",
    "Plain English text that goes on for a while. " * 3, f"身份证{ID_CARD}电话{MOBILE}邮箱{EMAIL}卡号{BANK_CARD}。",
    "e\u0301" * 60, "\U00020000" * 80,
]  # fmt: skip


def judged(name: str, batches: Sequence[DocumentBatch]) -> list[Marks]:
    """The marks on one shard that came in these batches."""
    refiner = build(name, {})
    if not isinstance(refiner, Surveyor):
        return [refiner.judge(each) for each in batches]
    import numpy as np

    notes = [refiner.survey(each) for each in batches]
    (own,) = refiner.settle([{key: np.concatenate([note[key] for note in notes]) for key in notes[0]}])
    return [own.judge(each) for each in batches]


def cut(whole: DocumentBatch, at: int) -> list[DocumentBatch]:
    return [whole.take(range(at)), whole.take(range(at, len(whole)))]


@pytest.mark.parametrize("name", NAMES)
def test_an_operator_is_a_frozen_dataclass_with_its_registered_name(name: str) -> None:
    refiner = build(name, {})
    assert refiner.name == name
    assert refiner.version
    assert dataclasses.is_dataclass(refiner)
    with pytest.raises((dataclasses.FrozenInstanceError, TypeError, AttributeError)):
        refiner.version = "other"  # type: ignore[misc]


@pytest.mark.parametrize("name", NAMES)
def test_an_operator_travels_to_another_process_unchanged(name: str) -> None:
    refiner = build(name, {})
    assert Signature.of(pickle.loads(pickle.dumps(refiner))) == Signature.of(refiner)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20)
@given(texts=st.lists(st.sampled_from(TEXTS) | st.text(), min_size=1, max_size=6), data=st.data())
def test_the_division_into_batches_changes_nothing(name: str, texts: list[str], data: st.DataObject) -> None:
    whole = batch(*texts)
    at = data.draw(st.integers(1, len(texts)))
    (marks,) = judged(name, [whole])
    first, *rest = judged(name, [part for part in cut(whole, at) if len(part)])
    spans, verdicts = dict(first.spans), dict(first.verdicts)
    for other in rest:
        spans |= {row + at: found for row, found in other.spans.items()}
        verdicts |= {row + at: found for row, found in other.verdicts.items()}
    assert (spans, verdicts) == (dict(marks.spans), dict(marks.verdicts))


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_never_changed(name: str) -> None:
    whole = batch(*TEXTS)
    before = copy.deepcopy(whole)
    judged(name, [whole])
    assert whole == before


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20)
@given(texts=st.lists(st.sampled_from(TEXTS) | st.text(), min_size=1, max_size=4))
def test_spans_lie_inside_the_text_and_edits_are_disjoint(name: str, texts: list[str]) -> None:
    (marks,) = judged(name, [batch(*texts)])
    for row, spans in marks.spans.items():
        assert spans, "rows without a remark are absent"
        assert all(0 <= span.start <= span.end <= len(texts[row]) for span in spans)
        apply(texts[row], edits_of(spans))


@pytest.mark.parametrize("name", NAMES)
def test_every_mark_has_a_reason_and_none_quotes_an_identifier(name: str) -> None:
    (marks,) = judged(name, [batch(*TEXTS)])
    reasons = [span.reason for spans in marks.spans.values() for span in spans] + [v.reason for v in marks.verdicts.values()]
    assert all(reasons)
    assert not any(identifier in repr(marks) for identifier in (ID_CARD, MOBILE, EMAIL, BANK_CARD))


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_batch_is_fine(name: str) -> None:
    empty = opened({key: [] for key in batch("x").columns if key not in ("view", "place")}, 0)
    assert judged(name, [empty]) == [Marks()]


def test_an_unknown_operator_is_missing_and_the_nearest_is_named() -> None:
    with pytest.raises(Missing, match="unicod") as error:
        build("unicod", {})
    assert "unicode" in error.value.hint


def test_an_unknown_parameter_is_invalid_and_the_nearest_is_named() -> None:
    with pytest.raises(Invalid) as error:
        build("length", {"min_char": 3})
    assert "min_chars" in error.value.hint


def test_a_fraction_may_come_as_text() -> None:
    assert build("script", {"min_han_share": "0.5"}) == build("script", {"min_han_share": 0.5})


def test_other_parameters_give_another_signature() -> None:
    first, second = build("length", {"min_chars": 3}), build("length", {"min_chars": 4})
    assert Signature.of(first) != Signature.of(second)


def test_an_operator_needs_nothing_but_judge_name_and_version() -> None:
    @dataclasses.dataclass(frozen=True)
    class Nothing:
        name = "nothing"
        version = "1"

        def judge(self, batch: DocumentBatch) -> Marks:
            return Marks()

    operator: Operator = Nothing()
    assert operator.judge(batch("x")) == Marks()
