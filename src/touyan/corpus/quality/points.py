"""Texts as numbers: many texts laid end to end as one array of code points, with the places where each begins.

Owns the division of a batch into blocks that fit a processor's cache, sums over texts, and the hashing of neighbours. Knows
nothing about languages or quality. Invariant: what is said of a text depends on that text alone: line feeds stand after each,
so that no n-gram reaches into the next one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK_POINTS = 1 << 16
"""Arrays of 256 KB, of which several fit a second-level cache, and large enough to make the cost of a call negligible."""

MIXES = (0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35)
"""Odd multipliers with well mixed high bits: 2^32 over the golden ratio (Knuth, TAOCP 3, 6.4), two of MurmurHash3."""
_SPREAD = 0x27D4EB2F
"""The fourth multiplier of xxHash32."""


@dataclass(frozen=True, slots=True)
class Points:
    """The code points of some rows of a batch, each text followed by line feeds. No text among them is empty."""

    rows: Sequence[int]
    points: NDArray[np.uint32]
    """Shape (total,), line feeds included."""
    starts: NDArray[np.int64]
    """Where each text begins, shape (rows,)."""
    lengths: NDArray[np.int64]
    """Of each text without its line feeds, shape (rows,)."""
    line_feeds: int

    def count(self, is_counted: NDArray[np.bool_]) -> NDArray[np.int32]:
        """How many points of each text are marked, shape (rows,)."""
        import numpy as np

        return np.add.reduceat(is_counted, self.starts, dtype=np.int32)

    def clear(self, values: NDArray[np.generic]) -> None:
        """Sets to zero what was computed for the line feeds behind texts: n-grams that begin there reach into the next text."""
        places = (self.starts + self.lengths)[:, None] + range(self.line_feeds)
        values[places[places < len(values)]] = 0


def blocks(
    texts: Sequence[str] | Mapping[int, str], rows: Sequence[int] | None = None, *, line_feeds: int = 1
) -> Iterator[Points]:
    """The texts of these rows (all of them by default) that are not empty, in blocks of about BLOCK_POINTS."""
    chosen: list[int] = []
    size = 0
    for row in range(len(texts)) if rows is None else rows:
        if texts[row]:
            chosen.append(row)
            size += len(texts[row])
        if size >= BLOCK_POINTS:
            yield _laid_out([texts[row] for row in chosen], chosen, line_feeds)
            chosen, size = [], 0
    if chosen:
        yield _laid_out([texts[row] for row in chosen], chosen, line_feeds)


def _laid_out(texts: Sequence[str], rows: Sequence[int], line_feeds: int) -> Points:
    import numpy as np

    gap = "\n" * line_feeds
    # Lone surrogates are code points too: a reader may have let one through.
    points = np.frombuffer((gap.join(texts) + gap).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    ends = np.cumsum(lengths + line_feeds)
    return Points(rows, points, ends - lengths - line_feeds, lengths, line_feeds)


def hashed(first: NDArray[np.uint32], second: NDArray[np.uint32], mix: int) -> NDArray[np.uint32]:
    """Hash of each `first` followed by its `second`, shapes equal. The high bits are the good ones.

    The sum is multiplied once more: code points are small, and without it the high bits would hardly know the second one.
    Longer n-grams are hashed from the hashes of their parts, each time with another of MIXES: with one multiplier alone
    the polynomial of a pair of pairs would not tell its second member from its third.
    """
    import numpy as np

    found = first * np.uint32(mix)
    found += second
    found *= np.uint32(_SPREAD)
    return found


def doubled(points: NDArray[np.uint32], times: int) -> NDArray[np.uint32]:
    """Hash of each n-gram of 2, 4 or 8 points (`times` 1, 2 or 3), shape (len(points) - n + 1,); there must be n points."""
    grams = points
    for step, mix in enumerate(MIXES[:times]):
        width = 1 << step
        grams = hashed(grams[:-width], grams[width:], mix)
    return grams
