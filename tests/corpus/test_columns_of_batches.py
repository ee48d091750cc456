"""Columns of a batch behave as lists do, whatever of them is still an array."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from touyan.corpus.columns import Columns

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
ROW = st.tuples(TEXT, st.none() | TEXT, st.lists(TEXT, max_size=2))
NAMES = ("text", "title", "subjects")
KINDS = {"text": pa.string(), "title": pa.string(), "subjects": pa.list_(pa.string())}


def arrays(rows: list[tuple[Any, ...]]) -> dict[str, pa.Array]:
    return {name: pa.array([row[i] for row in rows], KINDS[name]) for i, name in enumerate(NAMES)}


def columns(rows: list[tuple[Any, ...]]) -> Columns:
    return Columns(arrays(rows))


def batch_of(table: pa.Table) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(table.to_pylist(), schema=table.schema)


@given(rows=st.lists(ROW, max_size=8), data=st.data())
def test_edits_and_choices_do_to_arrays_what_they_do_to_lists(rows: list[tuple[Any, ...]], data: st.DataObject) -> None:
    held = columns(rows)
    plain = {name: [row[i] for row in rows] for i, name in enumerate(NAMES)}
    for _ in range(data.draw(st.integers(0, 5))):
        n = len(plain["text"])
        if data.draw(st.booleans()) and n:
            name = data.draw(st.sampled_from(NAMES))
            row, value = data.draw(st.integers(0, n - 1)), data.draw(st.lists(TEXT) if name == "subjects" else TEXT)
            held = held.edited(name, {row: value})
            plain[name][row] = value
        else:
            kept = sorted(data.draw(st.sets(st.integers(0, n - 1)))) if n else []
            held = held.take(kept)
            plain = {name: [column[row] for row in kept] for name, column in plain.items()}
        if data.draw(st.booleans()):
            assert list(held["text"]) == plain["text"]
        if data.draw(st.booleans()):
            rows_left, edits = (batch_of(table) for table in held.changes())
            held = Columns.changed(arrays(rows), rows_left, edits)
    assert {name: held.array(name).to_pylist() for name in NAMES} == plain
    assert {name: list(held[name]) for name in NAMES} == plain


def test_an_edit_leaves_the_columns_before_it_as_they_were() -> None:
    before = columns([("a", None, []), ("b", None, [])])
    after = before.edited("text", {1: "c"}).take([1])
    assert (list(before["text"]), before.array("text").to_pylist()) == (["a", "b"], ["a", "b"])
    assert (list(after["text"]), list(after["title"])) == (["c"], [None])


def test_a_column_that_nobody_touched_leaves_in_the_buffers_that_it_came_in() -> None:
    array = pa.array(["第一条", "第二条"])
    held = Columns({"text": array, "title": pa.array(["x", "y"])}).edited("title", {0: "z"})
    assert held.array("text").buffers()[2].address == array.buffers()[2].address
    assert held.replaced("text", ["1", "2"]).array("text", pa.string()).to_pylist() == ["1", "2"]
    assert (len(held), sorted(held)) == (2, ["text", "title"])
