"""Duplicates that are left in a release: each document of a sample against all that it is compared with.

Owns an index of hashed 5-grams and the exact comparison of whoever meets in it. Knows nothing about the sketches, bands and
normal forms by which the refinery looks for duplicates: no line is shared. Invariant: what is counted was compared gram by gram.

Source: FracMinHash, the grams whose hash is small (Irber et al. 2022, 10.1101/2022.01.11.475838); a pair that shares 0.7 of
300 grams is missed less than once in a million.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GRAM_CHARS = 5
KEPT_OF = 8
"""One gram of so many is kept in the index."""
MIN_CHARS = 24
"""Shorter texts are only looked at for exact duplicates: a form letter of one line says nothing."""
MIN_MEETING = 0.5
"""Share of the kept grams of the smaller text that two texts must have in common to be compared. Of a pair with the Jaccard
index 0.7 it is at least 0.82 on average."""
_ODD = 0x9E3779B97F4A7C15  # 2^64 / golden ratio: Fibonacci hashing, Knuth vol. 3, 6.4


class Twins:
    """For each document of a sample whether another one has the same text, or nearly the same: `exact` and `near`.

    `min_similarity`: the Jaccard index of the sets of 5-grams of texts without white space from which two are nearly the same.
    What is `exact` is `near` too. Memory holds the sample and one run of others.
    """

    def __init__(self, sample: Sequence[tuple[str, str]], min_similarity: float) -> None:
        import numpy as np

        self._ids = [doc_id for doc_id, _ in sample]
        self._texts = [_folded(text) for _, text in sample]
        self._min = min_similarity
        self._same: dict[bytes, list[int]] = {}
        for row, text in enumerate(self._texts):
            self._same.setdefault(_digest(text), []).append(row)
        keys, owners = _index(self._texts)
        order = np.argsort(keys, kind="stable")
        self._keys, self._owners = keys[order], owners[order]
        self._sizes = np.bincount(owners, minlength=len(sample))
        self.exact, self.near = [False] * len(sample), [False] * len(sample)
        self.compared = set(self._ids)
        """Ids of all that the sample was compared with, itself included."""
        self.add(sample)

    def add(self, run: Sequence[tuple[str, str]]) -> None:
        """Compares the sample with some other documents (doc_id, text); a document is not its own twin."""
        ids, texts = [doc_id for doc_id, _ in run], [_folded(text) for _, text in run]
        self.compared.update(ids)
        for doc_id, text in zip(ids, texts, strict=True):
            for row in self._same.get(_digest(text), ()):
                if self._ids[row] != doc_id:
                    self.exact[row] = self.near[row] = True
        for row, other in self._meetings(texts):
            if not self.near[row] and self._ids[row] != ids[other]:
                self.near[row] = _jaccard(_grams(self._texts[row]), _grams(texts[other])) >= self._min

    def _meetings(self, texts: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Pairs (one of the sample, one of `texts`) that share enough of the kept grams."""
        import numpy as np

        keys, others = _index(texts)
        sizes = np.bincount(others, minlength=len(texts))
        low, high = np.searchsorted(self._keys, keys, "left"), np.searchsorted(self._keys, keys, "right")
        counts = high - low
        starts = np.repeat(low - np.concatenate(([0], np.cumsum(counts)[:-1])), counts)
        pairs = self._owners[starts + np.arange(len(starts))] * len(texts) + np.repeat(others, counts)
        distinct, shared = np.unique(pairs, return_counts=True)
        mine, met = distinct // len(texts), distinct % len(texts)
        enough = shared >= MIN_MEETING * np.minimum(self._sizes[mine], sizes[met])
        yield from zip(mine[enough].tolist(), met[enough].tolist(), strict=True)


def _folded(text: str) -> str:
    return "".join(text.split())


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _index(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Kept grams with their owners, each once for an owner."""
    import numpy as np

    keys, owners = [np.zeros(0, dtype=np.uint64)], [np.zeros(0, dtype=np.int64)]
    for row, text in enumerate(texts):
        if len(text) >= MIN_CHARS:
            found = _hashes(text)
            keys.append(np.unique(found[found < np.uint64(2**64 // KEPT_OF)]))
            owners.append(np.full(len(keys[-1]), row))
    return np.concatenate(keys), np.concatenate(owners)


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
