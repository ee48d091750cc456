"""The gate before the network: which characters may begin a name at all.

Owns a linear model over neighbours, hashed into tables, in three looks. Knows nothing about lengths or about contexts beyond
three characters. Invariants: only integers are added; characters that stand together in the tables can only speak against a
name, so that a name whose characters never met in training passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LOOKS: tuple[tuple[tuple[int, ...], ...], ...] = (
    ((0,), (0, 1)),
    ((-1, 0), (1,), (-1,)),
    ((2,), (3,), (-2, -1), (1, 2), (0, 1, 2), (-1, 0, 1)),
)
"""Offsets of the characters that each table looks at; after each look most of what is left goes."""
PATTERNS = tuple(pattern for look in LOOKS for pattern in look)
TABLE_BITS = 16
BEGINS, COLON, HAN = 1, 2, 4
"""Bits of `Gate.flags`."""
FACTORS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F)  # odd constants of xxHash (Collet): multiply-shift hashing


def slots(characters: Sequence[NDArray[np.uint32]]) -> NDArray[np.uint32]:
    """(n,) places in a table of 2**TABLE_BITS for characters side by side."""
    import numpy as np

    mixed = characters[0] * np.uint32(FACTORS[0])
    for column, factor in zip(characters[1:], FACTORS[1:], strict=False):
        mixed += column * np.uint32(factor)
    mixed >>= np.uint32(32 - TABLE_BITS)
    return mixed


@dataclass(frozen=True, slots=True)
class Gate:
    """Weights of the linear model, in steps of 1/16 of a logit."""

    flags: NDArray[np.uint8]
    """(65536,) by code unit: begins names, is a colon (after which a form has a name, whatever it begins with), is Han."""
    numbers: NDArray[np.uint16]
    """(65536,) the number of each unit in the vocabulary."""
    tables: NDArray[np.int8]
    """(looks, 2**TABLE_BITS) weights, in the order of PATTERNS."""
    floors: tuple[int, ...]
    """The least sums that stay after each look."""

    def candidates(self, units: NDArray[np.uint16]) -> NDArray[np.int64]:
        """Positions that may begin a name, in order."""
        import numpy as np

        at = starts(self.flags, units)
        total = np.zeros(len(at), dtype=np.int16)
        tables = iter(self.tables)
        for look, floor in zip(LOOKS, self.floors, strict=True):
            columns = {offset: self._numbers_at(units, at + offset) for offset in {o for pattern in look for o in pattern}}
            for pattern, table in zip(look, tables, strict=False):
                total += table.take(slots([columns[offset] for offset in pattern]), mode="clip")
            stays = np.flatnonzero(total >= floor)
            at, total = at.take(stays), total.take(stays)
        return at

    def _numbers_at(self, units: NDArray[np.uint16], at: NDArray[np.int64]) -> NDArray[np.uint32]:
        import numpy as np

        return self.numbers.take(units.take(at, mode="clip"), mode="clip").astype(np.uint32)


def starts(flags: NDArray[np.uint8], units: NDArray[np.uint16]) -> NDArray[np.int64]:
    """Positions whose character alone may begin a name, or that stand after a colon."""
    import numpy as np

    kinds = flags.take(units, mode="clip")  # 'clip' spares take a pass over its indices; none is ever out of bounds
    may = (kinds & BEGINS).view(np.bool_)
    after = np.flatnonzero((kinds & COLON).astype(np.bool_)) + 1
    may[after] |= (kinds[after] & HAN).astype(np.bool_)
    return np.flatnonzero(may)
