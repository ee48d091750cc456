"""The edit algebra: what applying, composing, carrying and settling promise, checked against a character-by-character model."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.core.document import EditMap, Span, View, apply, compose, document_id, edits_of, pseudonym, replay, settle
from touyan.core.errors import Broken, Invalid

Origin = tuple[int, int]


@st.composite
def edits_on(draw: st.DrawFn, length: int) -> tuple[Span, ...]:
    cuts = sorted(draw(st.lists(st.integers(0, length), max_size=8)))
    edits: list[Span] = []
    for start, end in zip(cuts[::2], cuts[1::2], strict=False):
        replacement = draw(st.text("甲乙丙", max_size=3))
        if start < end or replacement:
            edits.append(Span(start, end, "edit", "drawn", replacement))
    return tuple(edits)


@st.composite
def two_stages(draw: st.DrawFn) -> tuple[str, tuple[Span, ...], tuple[Span, ...]]:
    text = draw(st.text("abcdefghij", max_size=14))
    first = draw(edits_on(len(text)))
    return text, first, draw(edits_on(len(apply(text, first))))


def origins(edits: Sequence[Span], length: int) -> list[Origin]:
    """The model: for every code point of the view after the edits, the base interval that it came from."""
    result: list[Origin] = []
    position = 0
    for edit in edits:
        result += [(i, i + 1) for i in range(position, edit.start)]
        result += [(edit.start, edit.end)] * len(edit.replacement or "")
        position = edit.end
    return result + [(i, i + 1) for i in range(position, length)]


def hull(parts: Sequence[Origin]) -> Origin:
    return min(p[0] for p in parts), max(p[1] for p in parts)


@given(two_stages(), st.data())
def test_an_interval_is_carried_back_to_all_that_its_characters_came_from_and_no_more(
    stages: tuple[str, tuple[Span, ...], tuple[Span, ...]], data: st.DataObject
) -> None:
    text, first, second = stages
    view = View("raw", text).edited("one", first).edited("two", second)
    if not view.text:
        return
    start = data.draw(st.integers(0, len(view.text) - 1))
    end = data.draw(st.integers(start + 1, len(view.text)))
    of_first = origins(first, len(text))
    of_second = origins(second, len(of_first))
    middle = hull(of_second[start:end])
    expected = hull(of_first[slice(*middle)]) if middle[0] < middle[1] else EditMap.of(first).back(*middle)
    assert view.origin(start, end) == expected


@given(two_stages())
def test_composed_edits_do_what_the_two_stages_do(stages: tuple[str, tuple[Span, ...], tuple[Span, ...]]) -> None:
    text, first, second = stages
    composed = compose(first, second)
    assert edits_of(composed) == composed
    assert apply(text, composed) == apply(apply(text, first), second)


@given(two_stages(), st.data())
def test_a_composed_map_never_loses_ground_and_is_exact_where_nothing_was_joined(
    stages: tuple[str, tuple[Span, ...], tuple[Span, ...]], data: st.DataObject
) -> None:
    text, first, second = stages
    composed = compose(first, second)
    length = len(apply(text, composed))
    start = data.draw(st.integers(0, length))
    end = data.draw(st.integers(start, length))
    in_turn = EditMap.of(first).back(*EditMap.of(second).back(start, end))
    at_once = EditMap.of(composed).back(start, end)
    if start < end:
        assert at_once[0] <= in_turn[0]
        assert at_once[1] >= in_turn[1]
    if len(composed) == len(first) + len(second):
        assert at_once == in_turn


@given(st.text("abcdefghij", max_size=14), st.data())
def test_carrying_there_and_back_loses_nothing_but_what_was_deleted_at_the_rim(text: str, data: st.DataObject) -> None:
    edits = data.draw(edits_on(len(text)))
    carried = EditMap.of(edits)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    deleted = {i for edit in edits if not edit.replacement for i in range(edit.start, edit.end)}
    survivors = set(range(start, end)) - deleted
    assert survivors <= set(range(*carried.back(*carried.forward(start, end))))


@given(st.text("abcdefghij", max_size=14), st.data())
def test_text_outside_every_edit_is_carried_exactly(text: str, data: st.DataObject) -> None:
    edits = data.draw(edits_on(len(text)))
    after, carried = apply(text, edits), EditMap.of(edits)
    for i, character in enumerate(text):
        if not any(edit.start <= i < edit.end for edit in edits):
            start, end = carried.forward(i, i + 1)
            assert after[start:end] == character
            assert carried.back(start, end) == (i, i + 1)


def test_an_empty_interval_is_carried_to_what_was_deleted_there() -> None:
    carried = EditMap.of((Span(2, 5, "cut", "boilerplate", ""),))
    assert carried.back(2, 2) == (2, 5)
    assert carried.back(1, 1) == (1, 1)
    assert carried.forward(2, 5) == (2, 2)


spans = st.builds(
    lambda start, length, label: Span(start, start + length, label, "found", f"[{label}]"),
    st.integers(0, 20),
    st.integers(1, 8),
    st.sampled_from(["id-card", "bank-card", "mobile"]),
)
PRIORITY = {"id-card": 0, "bank-card": 1, "mobile": 2}


@given(st.lists(spans, max_size=12), st.randoms(use_true_random=False))
def test_settling_does_not_depend_on_the_order_of_discovery(found: list[Span], chance: random.Random) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)
    assert settle(found, PRIORITY) == settle(shuffled, PRIORITY)


@given(st.lists(spans, max_size=12))
def test_every_span_left_out_overlaps_a_winner_that_ranks_no_lower(found: list[Span]) -> None:
    winners = settle(found, PRIORITY)
    assert edits_of(winners) == winners
    for span in set(found) - set(winners):
        rivals = [w for w in winners if w.start < span.end and span.start < w.end]
        assert min(PRIORITY[w.label] for w in rivals) <= PRIORITY[span.label]


def test_overlapping_edits_are_refused() -> None:
    with pytest.raises(Invalid, match="overlaps"):
        edits_of([Span(0, 3, "a", "x", ""), Span(2, 4, "b", "x", "")])


def test_an_edit_past_the_end_is_refused() -> None:
    with pytest.raises(Invalid, match="code points"):
        apply("ab", [Span(1, 3, "a", "x", "")])


def test_the_last_view_is_rebuilt_from_the_rows_of_the_spans_table() -> None:
    rows = [
        ("raw", "unicode", Span(0, 1, "byte-order-mark", "invisible", "")),
        ("unicode", "mask", Span(2, 13, "mobile", "pattern", "[手机号]")),
        ("unicode", "names", Span(0, 2, "person", "surname")),
    ]
    view = replay("\ufeff电话13812345678。", rows)
    assert (view.name, view.text) == ("mask", "电话[手机号]。")
    assert view.origin(2, 7) == (3, 14)


def test_a_row_on_a_view_that_nobody_defined_is_broken() -> None:
    with pytest.raises(Broken, match="nowhere"):
        replay("text", [("nowhere", "mask", Span(0, 1, "a", "x", ""))])


def test_the_identity_of_a_document_is_frozen() -> None:
    assert document_id("demo/laws", "民法典-1", "2020-05-28") == document_id("demo/laws", "民法典-1", "2020-05-28")
    assert document_id("demo/laws", "a", "b") == "62a75468449d1ef33d01ecc3d2c77c19257cea53fd6b6970f01a5aead41ba056"


def test_a_pseudonym_needs_its_key() -> None:
    assert pseudonym(b"k1", "13812345678") != pseudonym(b"k2", "13812345678")
    assert len(pseudonym(b"k1", "13812345678")) == 32
