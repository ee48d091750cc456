"""Code points: blocks, sums and hashes say of a text what the text alone says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touyan.corpus.quality import points
from touyan.corpus.quality.points import MIXES, blocks, doubled, hashed

TEXTS = st.lists(st.text(max_size=30), max_size=8)


@given(TEXTS, st.integers(1, 3))
def test_every_text_that_is_not_empty_stands_in_one_block(texts: list[str], line_feeds: int) -> None:
    found = {
        row: "".join(map(chr, block.points[start : start + length + line_feeds]))
        for block in blocks(texts, line_feeds=line_feeds)
        for row, start, length in zip(block.rows, block.starts.tolist(), block.lengths.tolist(), strict=True)
    }
    assert found == {row: text + "\n" * line_feeds for row, text in enumerate(texts) if text}


def test_a_long_batch_comes_in_several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "BLOCK_POINTS", 10)
    assert [list(block.rows) for block in blocks(["甲" * 6, "", "乙" * 6, "丙"])] == [[0, 2], [3]]


def test_marks_are_counted_text_by_text() -> None:
    (block,) = blocks(["a中b", "中中", "x"])
    assert block.count(block.points == ord("中")).tolist() == [1, 2, 0]


@given(TEXTS)
def test_a_hash_depends_on_its_points_alone(texts: list[str]) -> None:
    for block in blocks(texts, line_feeds=3):
        grams = doubled(block.points, 2)
        block.clear(grams)
        alone = [doubled(only.points, 2) for text in texts if text for only in blocks([text], line_feeds=3)]
        kept = [g[:n] for g, n in zip(alone, block.lengths.tolist(), strict=True)]
        assert [grams[s : s + len(k)].tolist() for s, k in zip(block.starts.tolist(), kept, strict=True)] == [
            k.tolist() for k in kept
        ]


def test_every_member_of_a_gram_moves_the_high_bits() -> None:
    points = np.arange(0x4E00, 0x9E00, dtype=np.uint32)
    for pair in (
        hashed(points, points[:1].repeat(len(points)), MIXES[0]),
        hashed(points[:1].repeat(len(points)), points, MIXES[0]),
    ):
        assert len(np.unique(pair >> np.uint32(16))) > 0.6 * len(points)  # by lot 0.86
    swapped = [np.array([ord(c) for c in text], dtype=np.uint32) for text in ("甲乙丙丁", "甲丙乙丁")]
    assert doubled(swapped[0], 2) != doubled(swapped[1], 2)
