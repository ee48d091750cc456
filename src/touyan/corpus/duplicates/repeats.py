"""Passages of documents that stand in earlier documents: from shared anchors to whole passages, unit by unit.

Owns the pairing of anchors and the exact extension to both sides. Knows nothing about marks or cuts. Invariant: a passage reported
is equal to the one it names, is as long as it can be, and lies in an earlier document; those of one document are disjoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from touyan.corpus.duplicates.anchors import KEY_UNITS
from touyan.corpus.duplicates.meeting import Groups, Keyed, groups
from touyan.corpus.duplicates.spill import Spill
from touyan.corpus.duplicates.surveyed import Surveyed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SOURCES = 4
"""Bearers of an anchor that a later one is compared with, and the last one before it."""
_HITS_AT_ONCE = 1 << 11
_HITS_A_DOCUMENT = 64
_STEP_UNITS = 256


@dataclass(frozen=True, slots=True)
class Repeat:
    """A passage of one document and where it stood before; in units of the normal forms."""

    start: int
    end: int
    source_row: int
    source_start: int


def repeats(corpus: Surveyed, min_units: int, min_documents: int, memory_bytes: int) -> Iterator[tuple[int, list[Repeat]]]:
    """For each document that has any, its row and its passages in order; anchors of fewer documents are passed over.

    `corpus` was surveyed with `anchors` (how many each document has), `anchor_key` and `anchor_at` too.
    """
    with Spill(len(corpus), 4, len(corpus) * _HITS_A_DOCUMENT, memory_bytes) as spill:
        for found in groups(_keyed(corpus), memory_bytes):
            for hits in _hits(corpus, found, min_documents):
                spill.put(hits)
        every = (hit for part in spill.ranges() for hit in _promising(corpus, part, min_units))
        for row, hits in groupby(every, key=itemgetter(0)):
            passages = _passages(corpus, row, hits, min_units)
            if passages:
                yield row, passages


def _keyed(corpus: Surveyed) -> list[Keyed]:
    import numpy as np

    rows = corpus.divided(np.arange(len(corpus)))
    return [Keyed(shard["anchor_key"], np.repeat(own, shard["anchors"])) for shard, own in zip(corpus.shards, rows, strict=True)]


def _hits(corpus: Surveyed, found: Groups, min_documents: int) -> Iterator[NDArray[np.int64]]:
    """Anchors with the same anchor of an earlier document: (row, place in it, earlier row, place in that), shape (n, 4)."""
    import numpy as np

    index, starts = np.arange(len(found)), found.starts()
    is_first = np.concatenate([[True], (found.ranks[1:] != found.ranks[:-1]) | (starts[1:] != starts[:-1])])[: len(found)]
    documents = np.bincount(starts, weights=is_first, minlength=len(found))
    own = np.maximum.accumulate(np.where(is_first, index, 0))  # first entry of the same document in the group
    at = corpus.entries("anchor_at", found.places)
    is_wanted = (own > starts) & (documents[starts] >= min_documents)
    for source in (*(starts + step for step in range(SOURCES)), own - 1):
        later = index[is_wanted & (source < own)]
        earlier = source[later]
        yield np.column_stack([found.ranks[later], at[later], found.ranks[earlier], at[earlier]])


def _promising(corpus: Surveyed, hits: NDArray[np.int64], min_units: int) -> Iterator[Sequence[int]]:
    """The hits around which enough units agree; of statutes one in seven does, and the others are told from them all at once."""
    import numpy as np

    for some in np.array_split(hits, 1 + len(hits) // _HITS_AT_ONCE):
        own, source = (corpus.around(some[:, k], some[:, k + 1], min_units) for k in (0, 2))
        differs = np.pad(own != source, ((0, 0), (1, 1)), constant_values=True)
        before, after = differs[:, min_units::-1].argmax(axis=1), differs[:, min_units + 1 :].argmax(axis=1)
        yield from some[before + after >= min_units].tolist()


def _passages(corpus: Surveyed, row: int, hits: Iterable[Sequence[int]], min_units: int) -> list[Repeat]:
    """The passages that these hits, in order, belong to; where two overlap, the one that begins later is what it adds."""
    own = corpus.units(row)
    found: list[Repeat] = []
    end = 0
    for _, at, source_row, source_at in hits:
        if at + KEY_UNITS <= end:
            continue
        source = corpus.units(source_row)
        before = _agreement(own[:at][::-1], source[:source_at][::-1])
        after = _agreement(own[at:], source[source_at:])
        if before + after >= min_units:
            start = max(end, at - before)
            end = at + after
            found.append(Repeat(start, end, source_row, source_at - at + start))
    return found


def _agreement(one: NDArray[np.uint16], other: NDArray[np.uint16]) -> int:
    """How many units two texts have in common from their beginning on."""
    done, step, length = 0, _STEP_UNITS, min(len(one), len(other))
    while done < length:
        stop = min(length, done + step)
        differs = one[done:stop] != other[done:stop]
        if differs.any():
            return done + int(differs.argmax())
        done, step = stop, 4 * step
    return length
