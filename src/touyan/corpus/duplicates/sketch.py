"""Sketches of documents: one-permutation MinHash of their 5-grams, and the keys by which alike ones meet.

Owns the shingles, the densification and the bands. Knows nothing about documents beyond their units. Invariant: a sketch
depends on the set of 5-grams alone, and two sketches agree in a share of bins that estimates the Jaccard index of the sets.

Li, Owen and Zhang 2012 (one permutation), Shrivastava 2017 (optimal densification), Broder 1997 (resemblance).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from touyan.corpus.windows import distinct, mixed, stretches, window_hashes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from touyan.corpus.normal import NormalForms

SKETCH_VERSION = "1"
"""Raised with every change by which the same text gets another sketch: an index of an earlier release would find nothing."""
SHINGLE_UNITS = 5
"""Of Chinese, two or three words; with fewer, all statutes resemble each other."""
BIN_BITS = 7
BINS = 1 << BIN_BITS
ROWS, BANDS = 4, 32
"""Two documents with Jaccard index s meet in some band with odds 1 - (1 - s^4)^32: 0.9998 at 0.7, 0.87 at 0.5, 0.05 at 0.2."""

_EMPTY = 0xFFFFFFFF
_SEED = 20170806


def shingles(units: NDArray[np.uint16]) -> NDArray[np.uint64]:
    """The set of 5-grams of one document as ascending 64-bit hashes."""
    import numpy as np

    return distinct(mixed(window_hashes(units, SHINGLE_UNITS, np.uint64)))


def jaccard(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> float:
    """Shared elements over all elements of two ascending sets; 0 for two empty ones."""
    import numpy as np

    both = np.concatenate([one, other])
    both.sort()
    shared = int(np.count_nonzero(both[1:] == both[:-1]))
    return shared / max(1, len(one) + len(other) - shared)


def sketches(forms: NormalForms) -> NDArray[np.uint32]:
    """For each document the least hash in each of 128 bins, shape (documents, 128); all ones below five units."""
    import numpy as np

    n = len(forms.sizes)
    least = np.full(n * BINS, _EMPTY, dtype=np.uint32)
    # Windows that begin in one document and end in the next count for none.
    across = np.sort((forms.bounds[1:, None] - np.arange(1, SHINGLE_UNITS)).ravel())
    owners = np.repeat(np.arange(n, dtype=np.int64) * BINS, forms.sizes)
    for part in stretches(max(0, len(forms.units) - SHINGLE_UNITS + 1)):
        hashes = mixed(window_hashes(forms.units[part.start : part.stop + SHINGLE_UNITS - 1], SHINGLE_UNITS, np.uint32))
        hashes[across[np.searchsorted(across, part.start) : np.searchsorted(across, part.stop)] - part.start] = _EMPTY
        np.minimum.at(least, owners[part] + (hashes >> np.uint32(32 - BIN_BITS)), hashes)
    return _densified(least.reshape(n, BINS))


def _densified(least: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Empty bins take the value of another bin, each by its own fixed random order of the others; in place."""
    import numpy as np

    rows, bins = np.nonzero((least == _EMPTY) & (least != _EMPTY).any(axis=1, keepdims=True))
    attempt = 0
    full = least.copy()
    while len(rows):
        found = least[rows, _detours()[bins, attempt]]
        full[rows, bins] = found
        rows, bins = rows[found == _EMPTY], bins[found == _EMPTY]
        attempt += 1
    return full


@cache
def _detours() -> NDArray[np.int64]:
    """For each bin an order of all bins in which to look for a value, shape (128, 128)."""
    import numpy as np

    return np.random.default_rng(_SEED).random((BINS, BINS)).argsort(axis=1)


def band_keys(sketch: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """One 64-bit key for each band of four bins, shape (documents, 32): equal where all four agree."""
    import numpy as np

    rows = sketch[:, : BANDS * ROWS].reshape(-1, BANDS, ROWS).astype(np.uint64)
    weights = np.random.default_rng(_SEED).integers(1 << 63, size=(BANDS, ROWS), dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    return mixed((rows * weights).sum(axis=2, dtype=np.uint64))
