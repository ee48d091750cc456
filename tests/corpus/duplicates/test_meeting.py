"""Meetings: all who share a key, whatever memory there is."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from touyan.corpus.duplicates.meeting import FIRST_OF_A_GROUP, NO_KEY, Keyed, groups, meetings
from touyan.corpus.duplicates.spill import Spill

keys = st.sampled_from([NO_KEY, 1, 2, 2**31, 2**40, 2**63, 2**64 - 1])
shards = st.lists(st.lists(keys, max_size=8), max_size=4)
memory = st.sampled_from([100, 1000, 1 << 20])


def keyed(shards: list[list[int]]) -> list[Keyed]:
    ranks = np.arange(sum(map(len, shards)))[::-1]
    ends = np.cumsum([0, *map(len, shards)])
    return [Keyed(np.array(own, dtype=np.uint64), ranks[a:][: len(own)]) for own, a in zip(shards, ends, strict=False)]


def by_key(shards: list[list[int]]) -> dict[int, list[int]]:
    """The ranks under each key, counted one by one: the last has rank 0."""
    every = [key for own in shards for key in own]
    found: dict[int, list[int]] = defaultdict(list)
    for place, key in enumerate(every):
        if key != NO_KEY:
            found[key].append(len(every) - 1 - place)
    return {key: sorted(ranks) for key, ranks in found.items() if len(ranks) > 1}


@settings(max_examples=50)
@given(shards, memory)
def test_groups_hold_all_who_share_a_key(given_shards: list[list[int]], memory_bytes: int) -> None:
    found: dict[int, list[int]] = defaultdict(list)
    last = len([key for own in given_shards for key in own]) - 1
    for group in groups(keyed(given_shards), memory_bytes):
        assert (last - group.places == group.ranks).all()
        for key, rank in zip(group.keys.tolist(), group.ranks.tolist(), strict=True):
            found[key].append(rank)
    assert found == by_key(given_shards)


@settings(max_examples=30)
@given(st.lists(shards, max_size=3), memory)
def test_each_pair_meets_once_in_the_order_of_precedence(kinds: list[list[list[int]]], memory_bytes: int) -> None:
    documents = max((sum(map(len, kind)) for kind in kinds), default=0)
    met = [tuple(pair) for pairs in meetings(map(keyed, kinds), documents, memory_bytes) for pair in pairs.tolist()]
    expected = {(b, a) for kind in kinds for ranks in by_key(kind).values() for a in ranks for b in ranks if a < b}
    assert met == sorted(expected)


def test_in_a_crowd_everyone_meets_the_first_of_it() -> None:
    crowd = FIRST_OF_A_GROUP + 10
    (pairs,) = meetings([keyed([[5] * crowd])], crowd, 1 << 20)
    assert {earlier for _, earlier in pairs.tolist()} == set(range(FIRST_OF_A_GROUP))
    assert len(pairs) == sum(min(later, FIRST_OF_A_GROUP) for later in range(crowd))


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3)), max_size=30), st.integers(0, 60), memory)
def test_what_is_spilled_comes_back_in_order_and_once(rows: list[tuple[int, int]], expected: int, memory_bytes: int) -> None:
    with Spill(21, 2, expected, memory_bytes) as spill:
        for row in rows:
            spill.put(np.array([row], dtype=np.int64))
        assert [tuple(row) for part in spill.ranges() for row in part.tolist()] == sorted(set(rows))
