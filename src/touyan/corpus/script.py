"""The script filter: is this Chinese text at all?

Owns the count of Han characters among letters, over a whole batch at once. Knows nothing about languages: Japanese kanji count
as Han. Invariant: digits, punctuation and spaces are no evidence either way, and short documents are left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from touyan.core.document import Verdict
from touyan.corpus.operator import DocumentBatch, Marks
from touyan.corpus.quality.points import blocks

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

_HAN_KIND = 2


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
    """Han characters among the letters of each text, shape (len(texts),)."""
    import numpy as np

    if not texts:
        return np.zeros(0)
    shares = np.zeros(len(texts))
    for block in blocks(texts):
        kinds = np.take(_kinds(), block.points, mode="clip")
        han, letters = block.count(kinds == _HAN_KIND), block.count(kinds > 0)
        shares[block.rows] = han / np.maximum(letters, 1)
    return shares


@cache
def _kinds() -> NDArray[np.uint8]:
    """Of each code point up to the last ideograph, and of all beyond in the last place: 0 no letter, 1 another one, 2 Han."""
    import numpy as np

    table = np.zeros(HAN[-1][1] + 2, dtype=np.uint8)
    for kind, ranges in ((1, OTHER_LETTERS), (_HAN_KIND, HAN)):
        for first, last in ranges:
            table[first : last + 1] = kind
    return table
