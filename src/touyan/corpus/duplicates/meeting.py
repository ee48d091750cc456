"""Who meets whom: pairs of documents that share a key, found within a stated amount of memory.

Owns the partition by ranges of keys, the groups of equal keys and the pairs spilled to disk. Knows nothing about what the keys
are. Invariant: the pairs depend on the keys and ranks alone, not on the memory allowed.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from touyan.corpus.windows import distinct

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
_PAIR_BYTES = 24  # as read 8, sorted 8, distinct 8


@dataclass(frozen=True, slots=True)
class Keyed:
    """Keys of one shard and who bears them; both may be mapped from disk."""

    keys: NDArray[np.uint64]
    """Shape (entries,)."""
    ranks: NDArray[np.int64]
    """Shape (entries,): place of the bearer in the order of precedence."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Entries whose key another entry has too, by key and then by rank."""

    keys: NDArray[np.uint64]
    ranks: NDArray[np.int64]
    places: NDArray[np.int64]
    """Place of each entry among the entries of all shards."""

    def starts(self) -> NDArray[np.int64]:
        """For each entry the index of the first one of its group."""
        import numpy as np

        index = np.arange(len(self.keys))
        is_first = np.concatenate([[True], self.keys[1:] != self.keys[:-1]])[: len(index)]
        return np.maximum.accumulate(np.where(is_first, index, 0))


def groups(shards: Sequence[Keyed], memory_bytes: int) -> Iterator[Groups]:
    """All groups, a range of keys at a time; about `memory_bytes` are held at once, and each range reads all keys once."""
    import numpy as np

    parts = max(1, math.ceil(sum(len(shard.keys) for shard in shards) * _ENTRY_BYTES / memory_bytes))
    starts = np.cumsum([0, *(len(shard.keys) for shard in shards)])
    for part in range(parts):
        found = [_of_part(np.asarray(shard.keys), part, parts) for shard in shards]
        keys = _joined([shard.keys[at] for shard, at in zip(shards, found, strict=True)])
        order = np.argsort(keys)
        keys = keys[order]
        is_again = keys[1:] == keys[:-1]
        is_shared = np.concatenate([is_again, [False]])[: len(keys)]
        is_shared[1:] |= is_again
        chosen = order[is_shared]
        places = _joined([at + start for at, start in zip(found, starts.tolist(), strict=False)])[chosen]
        ranks = _joined([shard.ranks[at] for shard, at in zip(shards, found, strict=True)])[chosen]
        inner = np.lexsort((places, ranks, keys[is_shared]))
        yield Groups(keys[is_shared][inner], ranks[inner], places[inner])


def _of_part(keys: NDArray[np.uint64], part: int, parts: int) -> NDArray[np.int64]:
    """Which of these keys lie in range `part` of `parts` equal ranges."""
    import numpy as np

    is_in = keys != NO_KEY
    if parts > 1:
        is_in &= (keys >> np.uint64(32)) * np.uint64(parts) >> np.uint64(32) == part
    return np.flatnonzero(is_in)


def _joined(arrays: Sequence[NDArray[np.generic]]) -> NDArray[np.generic]:
    import numpy as np

    return np.concatenate(arrays) if arrays else np.zeros(0, dtype=np.uint64)


def meetings(kinds: Iterable[Sequence[Keyed]], documents: int, memory_bytes: int) -> Iterator[tuple[list[int], list[int]]]:
    """Pairs of ranks (later, earlier) that share a key of some kind, each once, by later and then by earlier.

    `kinds` gives the keys of all shards, one kind at a time. Ranks lie below `documents`, at most 2^32. Pairs wait on disk in
    parts of about `memory_bytes`, of which one is held at a time.
    """
    import numpy as np

    with tempfile.TemporaryDirectory(prefix="touyan-meetings-") as folder:
        parts = 1 + documents * PAIRS_A_DOCUMENT * _PAIR_BYTES // memory_bytes
        files = [Path(folder, str(part)) for part in range(parts)]
        edges = np.linspace(0, documents, parts + 1)[1:-1].astype(np.uint64)
        for shards in kinds:
            for found in groups(shards, memory_bytes):
                _spill(_pairs(found), edges << np.uint64(32), files)
        for file in filter(Path.exists, files):
            pairs = distinct(np.fromfile(file, dtype=np.uint64))
            yield (pairs >> np.uint64(32)).tolist(), (pairs & np.uint64(0xFFFFFFFF)).tolist()


def _pairs(found: Groups) -> NDArray[np.uint64]:
    """Each entry with the first of its group that rank before it, as later << 32 | earlier; each pair once."""
    import numpy as np

    starts, index = found.starts(), np.arange(len(found.keys))
    pairs: list[NDArray[np.uint64]] = []
    for step in range(FIRST_OF_A_GROUP):
        later = index[starts + step < index]
        if not len(later):
            break
        earlier = found.ranks[starts[later] + step]
        pairs.append(found.ranks[later].astype(np.uint64) << np.uint64(32) | earlier.astype(np.uint64))
    return distinct(_joined(pairs))


def _spill(pairs: NDArray[np.uint64], edges: NDArray[np.uint64], files: Sequence[Path]) -> None:
    import numpy as np

    for part, file in zip(np.split(pairs, np.searchsorted(pairs, edges)), files, strict=True):
        if len(part):
            with file.open("ab") as spilled:
                part.tofile(spilled)
