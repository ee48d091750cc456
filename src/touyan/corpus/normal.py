"""The form of a text in which two texts count as the same: width, case and white space do not matter.

Owns that one comparison, which duplicates and the split share, for many texts at once. Knows nothing about documents.
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
"""Of SHA-256: among 10^12 texts, two that differ share a digest with odds below 10^-14."""

_DROPPED = 0
_SURROGATE_MASK, _LOW_SURROGATE = 0xFC00, 0xDC00


@dataclass(frozen=True, slots=True)
class NormalForms:
    """The normal forms of several texts, one after another, in UTF-16: a character beyond the first plane is two units."""

    units: NDArray[np.uint16]
    """Code units of all of them, shape (total,)."""
    bounds: NDArray[np.int64]
    """Where each form begins, and at last where the last one ends, shape (texts + 1,)."""
    text_bounds: NDArray[np.int64]
    """The bounds of the texts themselves, in units, before anything was dropped."""
    dropped: NDArray[np.int64]
    """Places of the units dropped, among all units of the texts, ascending."""

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Units of each form, shape (texts,)."""
        return self.bounds[1:] - self.bounds[:-1]

    def digests(self) -> list[bytes]:
        """DIGEST_BYTES bytes for each text: equal for texts that count as the same."""
        return [self.digest(start, end) for start, end in zip(self.bounds[:-1].tolist(), self.bounds[1:].tolist(), strict=True)]

    def digest(self, start: int, end: int) -> bytes:
        """The digest of a passage, by its place among all units."""
        return hashlib.sha256(self.units[start:end].data).digest()[:DIGEST_BYTES]

    def is_low(self) -> NDArray[np.bool_]:
        """Which units are the second half of a character, shape (total,)."""
        return (self.units & _SURROGATE_MASK) == _LOW_SURROGATE


def normal_forms(texts: Sequence[str]) -> NormalForms:
    """Folds every code point on its own (NFKC, then case, where that gives one code point) and drops white space."""
    import numpy as np

    joined = "".join(texts)
    raw = np.frombuffer(joined.encode("utf-16-le"), dtype="<u2")
    ends = np.cumsum([0, *map(len, texts)])
    if len(raw) > len(joined):
        ends = _in_units(ends, raw)
    units = np.take(_folding(), raw)
    dropped = np.flatnonzero(units == _DROPPED)
    kept = units[units != _DROPPED] if len(dropped) else units
    return NormalForms(kept, ends - np.searchsorted(dropped, ends), ends, dropped)


def _in_units(ends: NDArray[np.int64], raw: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Places counted in code points, counted in units: one more for each character of two units before them."""
    import numpy as np

    low = np.flatnonzero((raw & _SURROGATE_MASK) == _LOW_SURROGATE)
    return ends + np.searchsorted(low - 1 - np.arange(len(low)), ends)


@cache
def _folding() -> NDArray[np.uint16]:
    """What each code unit becomes, shape (65536,). Halves of characters beyond the first plane stay as they are."""
    import numpy as np

    return np.array([_folded(chr(point)) for point in range(0x10000)], dtype="<u2")


def _folded(character: str) -> int:
    form = unicodedata.normalize("NFKC", character).casefold()
    if character.isspace() or form.isspace():
        return _DROPPED
    return ord(form) if len(form) == 1 and ord(form) <= 0xFFFF else ord(character)
