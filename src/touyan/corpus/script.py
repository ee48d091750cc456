"""The script filter: is this Chinese text at all?

Owns the count of Han characters among letters, over a whole batch at once. Knows nothing about languages: Japanese kanji count
as Han. Invariant: digits, punctuation and spaces are no evidence either way, and short documents are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from touyan.core.document import Verdict
from touyan.corpus.operator import DocumentBatch, Marks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HAN = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF))
"""Blocks of CJK unified and compatibility ideographs, first and last code point."""
OTHER_LETTERS = (
    (0x41, 0x5A), (0x61, 0x7A), (0xC0, 0x1FFF), (0x2C00, 0x2DFF), (0x3041, 0x30FF), (0x3105, 0x318F), (0xA000, 0xD7FF),
    (0xFB00, 0xFDFF), (0xFE70, 0xFEFC), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A), (0xFF66, 0xFFDC),
)  # fmt: skip
"""Blocks that are letters of other scripts, full-width Latin among them."""


@dataclass(frozen=True, slots=True)
class Script:
    """Drops documents of more than `min_chars` code points whose letters are Han by less than `min_han_share`.

    One Chinese character says about as much as two to three Latin letters, so that 0.3 is well below half in meaning.
    """

    name: ClassVar[str] = "script"
    version: ClassVar[str] = "1"

    min_han_share: float = 0.3
    min_chars: int = 50

    def judge(self, batch: DocumentBatch) -> Marks:
        """Verdict 'not-han', scored by the share; a text without any letter has the share 0."""
        rows = [row for row, text in enumerate(batch.texts) if len(text) > self.min_chars]
        shares = han_shares([batch.texts[row] for row in rows])
        found = zip(rows, shares.tolist(), strict=True)
        return Marks(verdicts={row: Verdict("drop", "not-han", share) for row, share in found if share < self.min_han_share})


def han_shares(texts: list[str]) -> NDArray[np.float64]:
    """Han characters among the letters of each text, shape (len(texts),). No text may be empty."""
    import numpy as np

    if not texts:
        return np.zeros(0)
    starts = np.cumsum([0, *map(len, texts[:-1])])
    points = np.frombuffer("".join(texts).encode("utf-32-le"), dtype="<u4")
    han = np.add.reduceat(_within(points, HAN), starts, dtype=np.int64)
    letters = han + np.add.reduceat(_within(points, OTHER_LETTERS), starts, dtype=np.int64)
    return han / np.maximum(letters, 1)


def _within(points: NDArray[np.uint32], blocks: tuple[tuple[int, int], ...]) -> NDArray[np.bool_]:
    """Whether each code point lies in one of the blocks, found by table for the first plane."""
    import numpy as np

    table = np.zeros(0x10000, dtype=bool)
    astral = np.zeros(len(points), dtype=bool)
    for first, last in blocks:
        if last < 0x10000:
            table[first : last + 1] = True
        else:
            astral |= (points >= first) & (points <= last)
    return np.where(points < 0x10000, table[np.minimum(points, 0xFFFF)], astral)
