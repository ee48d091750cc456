"""Texts of a batch as one array of character numbers, in which windows never reach from one text into the next.

Owns the joining, the numbering by a vocabulary (traditional characters and full-width letters share the number of their plain
form) and the way back to the text and its offsets. Knows nothing about names. Invariant: one number for each code point.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MARGIN = 8
"""Blank characters before, between and after texts: no window is wider on either side."""
BATCH_CHARS = 1 << 20
"""So many characters are judged at a time: 2 MB of numbers, whatever the batch holds."""
_PLANE = 1 << 16


@dataclass(frozen=True, slots=True)
class NumberedTexts:
    """Some texts, one after another."""

    numbers: NDArray[np.int32]
    """(n,) numbers of characters, 0 in the margins and for whatever the vocabulary lacks."""
    starts: NDArray[np.int64]
    """(texts,) where each text begins in `numbers`."""
    first: int
    """Row of the first of these texts in the batch."""

    def place(self, at: int) -> tuple[int, int]:
        """Row of the text that holds this position, and the offset in it."""
        row = int(self.starts.searchsorted(at, side="right")) - 1
        return self.first + row, at - int(self.starts[row])


def numbered(texts: Sequence[str], table: NDArray[np.uint16]) -> Iterator[NumberedTexts]:
    """The texts in parts of about BATCH_CHARS. `table` (65536,) gives each code point of the basic plane its number."""
    first = 0
    while first < len(texts):
        last, size = first, 0
        while last < len(texts) and (last == first or size + len(texts[last]) <= BATCH_CHARS):
            size += len(texts[last]) + MARGIN
            last += 1
        yield _joined(texts[first:last], table, first)
        first = last


def _joined(texts: Sequence[str], table: NDArray[np.uint16], first: int) -> NumberedTexts:
    import numpy as np

    blank = "\0" * MARGIN
    joined = blank + blank.join(texts) + blank * 2
    points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    sizes = np.fromiter((len(text) + MARGIN for text in texts), dtype=np.int64, count=len(texts))
    numbers = table[np.minimum(points, _PLANE - 1)].astype(np.int32)
    return NumberedTexts(numbers, MARGIN + np.cumsum(sizes) - sizes, first)
