"""Who meets whom: entries that share a key, found within a stated amount of memory.

Owns the partition by ranges of keys, the groups of equal keys and the pairs in them. Knows nothing about what the keys are.
Invariant: groups and pairs depend on keys and ranks alone, not on the memory allowed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from touyan.core.errors import Invalid
from touyan.corpus.duplicates.spill import Spill

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FIRST_OF_A_GROUP = 32
"""Members of a group that every later one is compared with. Where more documents share a key, either one of the first 32 stands
for them, or a common phrase brought them together and their like is met under another key."""
NO_KEY = 0
"""The key of whoever is to meet nobody."""
PAIRS_A_DOCUMENT = 64
"""Allowed for: each pair of near-duplicates meets under a dozen keys."""

_ENTRY_BYTES = 48  # of a part: key 8, place 8, rank 8, the order 8, sorted keys 8, masks and what is shared 8


@dataclass(frozen=True, slots=True)
class Keyed:
    """Keys of one shard and who bears them; both may be mapped from disk."""

    keys: NDArray[np.uint64]
    """Shape (entries,)."""
    ranks: NDArray[np.int64]
    """Shape (entries,): place of the bearer in the order of precedence."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Entries whose key another entry has too, by key, then by rank, then by place."""

    keys: NDArray[np.uint64]
    ranks: NDArray[np.int64]
    places: NDArray[np.int64]
    """Place of each entry among the entries of all shards."""

    def __len__(self) -> int:
        return len(self.keys)

    def starts(self) -> NDArray[np.int64]:
        """For each entry the index of the first one of its group."""
        import numpy as np

        index = np.arange(len(self))
        is_first = np.concatenate([[True], self.keys[1:] != self.keys[:-1]])[: len(self)]
        return np.maximum.accumulate(np.where(is_first, index, 0))


def require_memory(megabytes: int) -> None:
    """Raises Invalid where nothing is left for an index."""
    if megabytes < 1:
        raise Invalid("no-memory", f"memory_mb is {megabytes}", "give 1 or more")


def groups(shards: Sequence[Keyed], memory_bytes: int) -> Iterator[Groups]:
    """All groups, a range of keys at a time; about `memory_bytes` are held at once, and each range reads all keys once."""
    import numpy as np

    if not shards:
        return
    parts = max(1, math.ceil(sum(len(shard.keys) for shard in shards) * _ENTRY_BYTES / memory_bytes))
    starts = np.cumsum([0, *(len(shard.keys) for shard in shards)]).tolist()
    for part in range(parts):
        found = [_of_part(np.asarray(shard.keys), part, parts) for shard in shards]
        keys = np.concatenate([shard.keys[at] for shard, at in zip(shards, found, strict=True)])
        order = np.argsort(keys)
        keys = keys[order]
        is_again = keys[1:] == keys[:-1]
        is_shared = np.concatenate([is_again, [False]])[: len(keys)]
        is_shared[1:] |= is_again
        keys, chosen = keys[is_shared], order[is_shared]
        places = np.concatenate([at + start for at, start in zip(found, starts, strict=False)])[chosen]
        ranks = np.concatenate([shard.ranks[at] for shard, at in zip(shards, found, strict=True)])[chosen]
        inner = np.lexsort((places, ranks, keys))
        yield Groups(keys[inner], ranks[inner], places[inner])


def meetings(kinds: Iterable[Sequence[Keyed]], documents: int, memory_bytes: int) -> Iterator[NDArray[np.int64]]:
    """Pairs of ranks (later, earlier) that share a key of some kind, each once, by later and then by earlier; shape (n, 2).

    `kinds` gives the keys of all shards, one kind at a time. Ranks lie below `documents`. Pairs wait on disk and are read in
    ranges of about `memory_bytes`.
    """
    with Spill(documents, 2, documents * PAIRS_A_DOCUMENT, memory_bytes) as spill:
        for found in (found for shards in kinds for found in groups(shards, memory_bytes)):
            for pairs in _pairs(found):
                spill.put(pairs)
        yield from spill.ranges()


def _pairs(found: Groups) -> Iterator[NDArray[np.int64]]:
    """Each entry with the first of its group that rank before it."""
    import numpy as np

    starts, index = found.starts(), np.arange(len(found))
    for step in range(FIRST_OF_A_GROUP):
        later = index[starts + step < index]
        if not len(later):
            return
        yield np.column_stack([found.ranks[later], found.ranks[starts[later] + step]])


def _of_part(keys: NDArray[np.uint64], part: int, parts: int) -> NDArray[np.int64]:
    """Which of these keys lie in range `part` of `parts` equal ranges."""
    import numpy as np

    is_in = keys != NO_KEY
    if parts > 1:
        is_in &= (keys >> np.uint64(32)) * np.uint64(parts) >> np.uint64(32) == part
    return np.flatnonzero(is_in)
