"""Sketches: equal for equal sets, an unbiased estimate of the Jaccard index, and exact counts where it is said to be exact."""

from __future__ import annotations

import random
import unicodedata

import numpy as np
from copies import prose, reworded
from hypothesis import given, settings
from hypothesis import strategies as st

from touyan.corpus.duplicates.sketch import BANDS, BINS, ROWS, SHINGLE_UNITS, band_keys, jaccard, shingles, sketches
from touyan.corpus.normal import normal_forms
from touyan.corpus.windows import distinct, mixed, window_hashes

texts = st.lists(st.text("甲乙丙丁\U00020000 Ａ", max_size=40), max_size=6)


def grams(text: str) -> set[bytes]:
    """The 5-grams of UTF-16 units of a text's normal form, one by one."""
    units = "".join(unicodedata.normalize("NFKC", text).casefold().split()).encode("utf-16-le")
    return {units[at : at + 2 * SHINGLE_UNITS] for at in range(0, len(units) - 2 * SHINGLE_UNITS + 1, 2)}


@given(texts)
def test_forms_lie_between_their_bounds_whatever_planes_characters_are_of(given_texts: list[str]) -> None:
    forms = normal_forms(given_texts)
    expected = ["".join(unicodedata.normalize("NFKC", text).casefold().split()).encode("utf-16-le") for text in given_texts]
    found = [forms.units[a:b].tobytes() for a, b in zip(forms.bounds[:-1], forms.bounds[1:], strict=True)]
    assert found == expected


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(1, 20))
def test_windows_have_equal_hashes_just_where_they_are_equal(numbers: list[int], width: int) -> None:
    units = np.array(numbers, dtype=np.uint16)
    windows = [tuple(numbers[at : at + width]) for at in range(len(numbers) - width + 1)]
    for word in (np.uint32, np.uint64):
        hashes = mixed(window_hashes(units, width, word)).tolist()
        assert len(hashes) == len(windows)
        assert len(set(hashes)) == len(set(windows))


@given(st.lists(st.integers(0, 2**64 - 1)))
def test_distinct_hashes_ascend(numbers: list[int]) -> None:
    assert distinct(np.array(numbers, dtype=np.uint64)).tolist() == sorted(set(numbers))


@given(st.text("甲乙 Ａ", max_size=30), st.text("甲乙 a", max_size=30))
def test_the_jaccard_index_is_that_of_the_sets_counted_one_by_one(one: str, other: str) -> None:
    first, second = grams(one), grams(other)
    forms = normal_forms([one, other])
    found = jaccard(shingles(forms.units[: forms.bounds[1]]), shingles(forms.units[forms.bounds[1] :]))
    assert found == len(first & second) / max(1, len(first | second))


@settings(max_examples=40)
@given(texts)
def test_a_sketch_does_not_depend_on_the_neighbours(given_texts: list[str]) -> None:
    together = sketches(normal_forms(given_texts))
    assert together.shape == (len(given_texts), BINS)
    for text, sketch in zip(given_texts, together, strict=True):
        assert (sketches(normal_forms([text]))[0] == sketch).all()


def test_a_sketch_depends_on_the_set_alone() -> None:
    text = prose(1, 300)
    once, twice = sketches(normal_forms([text[:-1] + text[:4], text[:-1] * 2 + text[:4]]))
    assert (once == twice).all()


def test_sketches_agree_in_a_share_that_estimates_the_jaccard_index_without_bias() -> None:
    draw = random.Random(5)
    errors: list[float] = []
    for seed in range(300):
        text = prose(seed, draw.randrange(60, 900))
        forms = normal_forms([text, reworded(text, seed, draw.randrange(len(text) // 8))])
        one, other = sketches(forms)
        exact = jaccard(shingles(forms.units[: forms.bounds[1]]), shingles(forms.units[forms.bounds[1] :]))
        errors.append(float((one == other).mean()) - exact)
    standard_error = 0.044 / len(errors) ** 0.5  # of one sketch: sqrt(1/4 / 128)
    assert abs(np.mean(errors)) < 3 * standard_error
    assert np.std(errors) < 0.05


def test_alike_documents_share_a_band_and_strangers_none() -> None:
    text = prose(7, 600)
    keys = band_keys(sketches(normal_forms([text, reworded(text, 1, 20), prose(8, 600)])))
    assert keys.shape == (3, BANDS)
    assert BANDS * ROWS <= BINS
    assert (keys[0] == keys[1]).any()
    assert not (keys[0] == keys[2]).any()
