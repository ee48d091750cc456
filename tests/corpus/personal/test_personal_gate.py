"""The gate: whatever stands around an identifier, and wherever its text lies in a batch, it is looked at."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
from corpora import BANK_CARD, EMAIL, ID_CARD, MOBILE, STATUTE
from hotline import look_alike, record
from hypothesis import given, settings
from hypothesis import strategies as st

from touyan.corpus.personal import gate
from touyan.corpus.personal.find import RECOGNISERS, find, find_all, settled
from touyan.corpus.personal.gate import windows
from touyan.corpus.personal.homes import homes
from touyan.corpus.personal.identifier import folded
from touyan.corpus.plant.persons import decoy, mention, person

PROBES = [
    ID_CARD,
    BANK_CARD,
    MOBILE,
    EMAIL,
    "微信zhang_san",
    "京A12345",
    "114.114.114.114",
    "1M8GDM9AXKP042788",
    "1990年5月1日出生",
]
filler = st.text(st.sampled_from("的了在是，。\n 一二\U00020000\U0001f600abc（#"), max_size=60)


def test_a_statute_has_no_window() -> None:
    assert windows([STATUTE, "第一条\u3000为了规范，根据2019年12月31日修订的《专利法》，制定本法。", "", "短"]) == {}


@settings(max_examples=40)
@given(st.lists(st.tuples(filler, st.sampled_from(PROBES), filler), min_size=1, max_size=5))
def test_what_is_found_in_a_text_does_not_depend_on_its_neighbours(parts: list[tuple[str, str, str]]) -> None:
    texts = [f"{before}。{probe}，{after}" for before, probe, after in parts]
    assert find_all(texts) == [find(text) for text in texts]
    for text, (_, probe, _), some in zip(texts, parts, find_all(texts), strict=True):
        assert any(text[each.start : each.end] in probe for each in some)


@pytest.mark.parametrize("probe", PROBES)
def test_an_identifier_may_stand_at_either_end_of_a_text(probe: str) -> None:
    texts = [probe, f"{probe}。的", f"的。{probe}", "的", probe]
    assert [len(some) for some in find_all(texts)] == [1, 1, 1, 0, 1]


def test_a_batch_larger_than_a_chunk_is_cut_between_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [STATUTE, MOBILE, STATUTE + MOBILE, "", MOBILE] * 3
    whole = find_all(texts)
    monkeypatch.setattr(gate, "_CHUNK_CHARS", 40)
    assert find_all(texts) == whole


@settings(max_examples=40)
@given(st.lists(filler | st.sampled_from(PROBES), max_size=12).map("".join))
def test_windows_of_a_trace_are_in_order_and_apart(text: str) -> None:
    for rows in windows([text]).values():
        for found in rows.values():
            assert all(0 <= low < high <= len(text) for low, high in found)
            assert all(one[1] < other[0] for one, other in pairwise(found))


def test_the_gate_loses_nothing_that_a_recogniser_would_find() -> None:
    rng = Random(77)
    texts = [draw(rng)[0] for draw in (record, lambda r: mention(person(r), r)) for _ in range(300)]
    texts += [draw(rng) for draw in (look_alike, decoy) for _ in range(150)]
    texts += ["。".join(texts[i : i + 20]) for i in range(0, len(texts), 20)]
    every = {recognise for recognisers in RECOGNISERS.values() for recognise in recognisers}
    for text, some in zip(texts, find_all(texts), strict=True):
        plain = folded(text)
        assert some == homes(text, settled(found for recognise in every for found in recognise(plain)))
