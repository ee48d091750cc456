"""Texts of a batch as one array of UTF-16 code units, in which windows never reach from one text into the next.

Owns the joining and the way back to a text and its offset. Knows nothing about names. Invariant: one unit for each code point;
what lies beyond the basic plane stands there as one unit that means nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MARGIN = 8
"""Blank units before, between and after texts: no window is wider on either side."""
BATCH_CHARS = 1 << 18
"""So many characters are judged at a time: arrays that stay in a core's second cache are read twice as fast."""
_LAST_UNIT = 0xFFFF


@dataclass(frozen=True, slots=True)
class JoinedTexts:
    """Some texts, one after another."""

    units: NDArray[np.uint16]
    """(n,) code points; 0 in the margins, 0xFFFF beyond the basic plane."""
    starts: NDArray[np.int64]
    """(texts,) where each text begins in `units`."""
    first: int
    """Row of the first of these texts in the batch."""

    def place(self, at: int) -> tuple[int, int]:
        """Row of the text that holds this position, and the offset in it."""
        row = int(self.starts.searchsorted(at, side="right")) - 1
        return self.first + row, at - int(self.starts[row])


def joined(texts: Sequence[str]) -> Iterator[JoinedTexts]:
    """The texts in parts of about BATCH_CHARS; a text is never divided."""
    first = 0
    while first < len(texts):
        last, size = first, 0
        while last < len(texts) and (last == first or size + len(texts[last]) <= BATCH_CHARS):
            size += len(texts[last]) + MARGIN
            last += 1
        yield _join(texts[first:last], first)
        first = last


def _join(texts: Sequence[str], first: int) -> JoinedTexts:
    import numpy as np

    blank = "\0" * MARGIN
    whole = blank + blank.join(texts) + blank
    sizes = np.fromiter((len(text) + MARGIN for text in texts), dtype=np.int64, count=len(texts))
    return JoinedTexts(units_of(whole), MARGIN + np.cumsum(sizes) - sizes, first)


def units_of(text: str) -> NDArray[np.uint16]:
    """(len(text),) one unit for each code point."""
    import numpy as np

    encoded = text.encode("utf-16-le", "surrogatepass")
    if len(encoded) == 2 * len(text):
        return np.frombuffer(encoded, dtype="<u2")
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    return np.minimum(points, _LAST_UNIT).astype(np.uint16)
