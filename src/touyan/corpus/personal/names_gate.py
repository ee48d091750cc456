"""The gate before the network: which characters may begin a name at all.

Owns a linear model over hashed neighbours, in two passes of table look-ups. Knows nothing about lengths or contexts beyond
three characters. Invariant: only integers are added, so the same text passes the same characters on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FIRST_PASS: tuple[tuple[int, ...], ...] = ((0,), (0, 1), (-1, 0))
SECOND_PASS: tuple[tuple[int, ...], ...] = ((1,), (2,), (-1,), (1, 2), (0, 1, 2), (-2, -1), (2, 3), (-1, 0, 1))
"""Offsets of the characters that each table looks at."""
TABLE_BITS = 15
_FACTORS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)  # odd constants of xxHash (Collet): multiply-shift hashing needs no more


def slots(numbers: NDArray[np.int32], at: NDArray[np.int64], offsets: Sequence[int]) -> NDArray[np.uint32]:
    """(len(at),) places in a table of 2**TABLE_BITS for the characters at these offsets."""
    import numpy as np

    mixed = np.zeros(len(at), dtype=np.uint32)
    for offset, factor in zip(offsets, _FACTORS, strict=False):
        mixed += numbers[at + offset].astype(np.uint32) * np.uint32(factor)
    return mixed >> np.uint32(32 - TABLE_BITS)


@dataclass(frozen=True, slots=True)
class Gate:
    """Weights of the linear model, in steps of 1/16 of a logit."""

    begins: NDArray[np.bool_]
    """(vocabulary,) whether a name was ever seen to begin with the character."""
    colons: NDArray[np.bool_]
    """(vocabulary,) marks after which a form has a name, whatever it begins with."""
    han: NDArray[np.bool_]
    """(vocabulary,) Han characters."""
    tables: NDArray[np.int8]
    """(passes, 2**TABLE_BITS) weights, in the order of FIRST_PASS and SECOND_PASS."""
    floors: tuple[int, int]
    """The least sums that stay after either pass."""

    def candidates(self, numbers: NDArray[np.int32]) -> NDArray[np.int64]:
        """Positions that may begin a name, in order."""
        import numpy as np

        may = self.begins[numbers]
        may[1:] |= self.colons[numbers[:-1]] & self.han[numbers[1:]]
        at = np.flatnonzero(may)
        total = np.zeros(len(at), dtype=np.int16)
        rest = iter(self.tables)
        for offsets, floor in ((FIRST_PASS, self.floors[0]), (SECOND_PASS, self.floors[1])):
            for pattern, table in zip(offsets, rest, strict=False):
                total += table[slots(numbers, at, pattern)]
            at, total = at[total >= floor], total[total >= floor]
        return at
