"""Duplicates that are left in a release: each document of a sample against all that it is compared with.

Owns an index of hashed 5-grams and the exact comparison of whoever meets in it. Knows nothing about the sketches, bands and
normal forms by which the refinery looks for duplicates: no line is shared. Invariant: what is counted was compared gram by gram.

Source: FracMinHash, the grams whose hash is small (Irber et al. 2022, 10.1101/2022.01.11.475838); a pair that shares 0.7 of
300 grams is missed less than once in 10^9.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GRAM_CHARS = 5
KEPT_OF = 8
"""One gram of so many is kept in the index."""
MIN_CHARS = 24
"""Shorter texts are only looked at for exact duplicates: a form letter of one line says nothing."""
MIN_MEETING = 0.3
"""Share of the kept grams of the smaller text that two texts must have in common to be compared."""
_ODD = 0x9E3779B97F4A7C15  # 2^64 / golden ratio: Fibonacci hashing, Knuth vol. 3, 6.4


@dataclass(frozen=True, slots=True)
class Twins:
    """For each document of the sample whether another one has the same text, or nearly the same."""

    exact: tuple[bool, ...]
    near: tuple[bool, ...]
    """True also where an exact one was found."""


def twins(sample: Sequence[tuple[str, str]], others: Sequence[tuple[str, str]], min_similarity: float) -> Twins:
    """Compares (doc_id, text) of `sample` with one another and with `others`; a document is not its own twin.

    `min_similarity`: the Jaccard index of the sets of 5-grams of texts without white space from which two are nearly the same.
    """
    known = {doc_id for doc_id, _ in sample}
    corpus = [*sample, *((doc_id, text) for doc_id, text in others if doc_id not in known)]
    folded = ["".join(text.split()) for _, text in corpus]
    exact = _exact(folded, len(sample))
    near = list(exact)
    for row, other in _meetings(folded, len(sample)):
        if not near[row] and _jaccard(_grams(folded[row]), _grams(folded[other])) >= min_similarity:
            near[row] = True
            if other < len(sample):
                near[other] = True
    return Twins(tuple(exact), tuple(near))


def _exact(texts: Sequence[str], n: int) -> list[bool]:
    digests = [hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts]
    seen: dict[bytes, int] = {}
    for each in digests:
        seen[each] = seen.get(each, 0) + 1
    return [seen[each] > 1 for each in digests[:n]]


def _meetings(texts: Sequence[str], n: int) -> Iterator[tuple[int, int]]:
    """Pairs (one of the first n texts, another one) that share enough of the kept grams."""
    import numpy as np

    keys, owners, sizes = _index(texts)
    mine = owners < n
    order = np.argsort(keys[mine], kind="stable")
    own_keys, own = keys[mine][order], owners[mine][order]
    low, high = np.searchsorted(own_keys, keys, "left"), np.searchsorted(own_keys, keys, "right")
    counts = high - low
    starts = np.repeat(low - np.concatenate(([0], np.cumsum(counts)[:-1])), counts)
    pairs = own[starts + np.arange(len(starts))] * len(texts) + np.repeat(owners, counts)
    distinct, shared = np.unique(pairs, return_counts=True)
    rows, others = distinct // len(texts), distinct % len(texts)
    enough = (rows != others) & (shared >= MIN_MEETING * np.minimum(sizes[rows], sizes[others]))
    yield from zip(rows[enough].tolist(), others[enough].tolist(), strict=True)


def _index(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]:
    """Kept grams with their owners, each once for an owner, and how many each text has."""
    import numpy as np

    keys, owners = [], []
    for row, text in enumerate(texts):
        if len(text) >= MIN_CHARS:
            found = _hashes(text)
            kept = np.unique(found[found < np.uint64(2**64 // KEPT_OF)])
            keys.append(kept)
            owners.append(np.full(len(kept), row))
    if not keys:
        return np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros(len(texts), np.int64)
    joined = np.concatenate(owners)
    return np.concatenate(keys), joined, np.bincount(joined, minlength=len(texts))


def _grams(text: str) -> NDArray[np.uint64]:
    """The set of 5-grams of a text as sorted hashes."""
    import numpy as np

    return np.unique(_hashes(text))


def _hashes(text: str) -> NDArray[np.uint64]:
    """The hash of the 5-gram that begins at each code point but the last four."""
    import numpy as np

    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    if len(points) < GRAM_CHARS:
        return np.zeros(0, dtype=np.uint64)
    width = len(points) - GRAM_CHARS + 1
    mixed = np.zeros(width, dtype=np.uint64)
    for step in range(GRAM_CHARS):
        mixed = (mixed ^ points[step : step + width]) * np.uint64(_ODD)
        mixed ^= mixed >> np.uint64(32)
    return mixed * np.uint64(_ODD)


def _jaccard(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    import numpy as np

    both = len(np.intersect1d(one, other, assume_unique=True))
    return both / max(1, len(one) + len(other) - both)
