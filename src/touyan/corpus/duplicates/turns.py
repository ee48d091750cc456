"""The way back from a normal form to its text: where the two get out of step.

Owns the turns of a document: places in the form from which on the text is one code point further ahead (white space was dropped)
or further behind (a character of two units). Knows nothing about passages. Invariant: the text is not needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from touyan.corpus.normal import NormalForms
    from touyan.corpus.operator import Survey


def turns_of(forms: NormalForms) -> Survey:
    """For n documents `turns` (n,), how many each has, and of all turns `turn_at` uint32 and `turn_by` int8."""
    import numpy as np

    low = np.flatnonzero(forms.is_low())
    owners = np.concatenate(
        [
            np.searchsorted(forms.text_bounds, forms.dropped, side="right") - 1,
            np.searchsorted(forms.bounds, low, side="right") - 1,
        ]
    )
    at = np.concatenate([forms.dropped - np.arange(len(forms.dropped)), low]) - forms.bounds[owners]
    by = np.repeat(np.array([1, -1], dtype=np.int8), [len(forms.dropped), len(low)])
    order = np.lexsort((at, owners)) if len(low) else slice(None)
    turns = np.bincount(owners, minlength=len(forms.sizes))
    return {"turns": turns, "turn_at": at[order].astype(np.uint32), "turn_by": by[order]}


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns of one document."""

    at: NDArray[np.uint32]
    by: NDArray[np.int8]

    def in_text(self, start: int, end: int) -> tuple[int, int]:
        """The interval of code points of the text that became units [start, end), which is not empty."""
        return self._place(start), self._place(end - 1) + 1

    def _place(self, unit: int) -> int:
        import numpy as np

        return unit + int(self.by[: np.searchsorted(self.at, unit, side="right")].sum(dtype=np.int64))
