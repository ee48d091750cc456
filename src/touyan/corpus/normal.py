"""The form of a text in which two texts count as the same: width, case and white space do not matter.

Owns that one comparison, which exact duplicates and the split share, for many texts at once. Knows nothing about documents.
Invariant: it is used to compare and never to rewrite, because folding the width of ，：（） would damage Chinese text.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DIGEST_BYTES = 16
"""Of BLAKE2b: among 10^12 texts, two that differ share a digest with odds below 10^-14."""

_DROPPED = 0


@dataclass(frozen=True, slots=True)
class NormalForms:
    """The normal forms of several texts, one after another."""

    points: NDArray[np.uint32]
    """Code points of all of them, shape (total,)."""
    bounds: NDArray[np.int64]
    """Where each form begins, and at last where the last one ends, shape (texts + 1,)."""

    def digests(self) -> list[bytes]:
        """DIGEST_BYTES bytes for each text: equal for texts that count as the same."""
        return [self.digest(start, end) for start, end in zip(self.bounds[:-1].tolist(), self.bounds[1:].tolist(), strict=True)]

    def digest(self, start: int, end: int) -> bytes:
        """The digest of a passage, by its place among all points."""
        return hashlib.blake2b(self.points[start:end].tobytes(), digest_size=DIGEST_BYTES).digest()


def normal_forms(texts: Sequence[str]) -> NormalForms:
    """Folds every code point on its own (NFKC, then case, where that gives one code point) and drops white space."""
    import numpy as np

    points = np.frombuffer("".join(texts).encode("utf-32-le"), dtype="<u4")
    folded = np.where(points < 0x10000, _folding()[np.minimum(points, 0xFFFF)], points)
    is_kept = folded != _DROPPED
    ends = np.cumsum([0, *map(len, texts)])
    bounds = np.concatenate([[0], np.cumsum(is_kept)])[ends]
    return NormalForms(folded[is_kept], bounds)


@cache
def _folding() -> NDArray[np.uint32]:
    """What each code point of the first plane becomes, shape (65536,)."""
    import numpy as np

    return np.array([_folded(chr(point)) for point in range(0x10000)], dtype="<u4")


def _folded(character: str) -> int:
    form = unicodedata.normalize("NFKC", character).casefold()
    if character.isspace() or form.isspace():
        return _DROPPED
    return ord(form) if len(form) == 1 else ord(character)
