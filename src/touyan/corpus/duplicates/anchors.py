"""Anchors of passages: places chosen by the text itself, so that two copies of a passage have an anchor at the same place in it.

Owns the choice (winnowing) and the keys. Knows nothing about who else has a passage. Invariant: every passage of at least
`min_units` units that lies in one document has an anchor chosen by its own units, wherever it stands.

Schleimer, Wilkerson and Aiken 2003 (winnowing).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from touyan.corpus.windows import mixed, stretches, window_hashes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from touyan.corpus.normal import NormalForms

KEY_UNITS = 32
"""What the key of an anchor is made of: copies of a passage agree in so many units, and phrases of the law seldom do."""
_CHOICE_UNITS = 8
"""What the choice is made by."""
_SEED = 20030609


def anchors(forms: NormalForms, min_units: int) -> NDArray[np.int64]:
    """Places among all units, ascending: of each `min_units` - 31 places in a row the one that hashes lowest, ties included.

    About one in (`min_units` - 31) / 2 places. Documents below `min_units` have none.
    """
    import numpy as np

    reach = min_units - KEY_UNITS + 1
    n = len(forms.units) - _CHOICE_UNITS + 1
    if n < reach:
        return np.zeros(0, dtype=np.int64)
    # A run of places counts if it and the key of its last lie in one document.
    across = np.sort((forms.bounds[1:, None] - np.arange(1, min_units)).ravel())
    return np.concatenate([_chosen(forms.units, across, part, reach) for part in stretches(n)])


def _chosen(units: NDArray[np.uint16], across: NDArray[np.int64], part: slice, reach: int) -> NDArray[np.int64]:
    """The anchors in a part of the units. Whoever is lowest of some run is the greatest of what is lowest in its runs."""
    import numpy as np

    first, last = max(0, part.start - reach + 1), part.stop + reach - 1
    order = np.maximum(mixed(window_hashes(units[first : last + _CHOICE_UNITS - 1], _CHOICE_UNITS, np.uint16)), 1)
    lowest = _extreme(np.minimum, order, reach)
    low, high = np.searchsorted(across, (first, first + len(lowest)))
    lowest[across[low:high] - first] = 0
    padding = np.zeros(reach - 1, dtype=np.uint16)
    best = _extreme(np.maximum, np.concatenate([padding, lowest, padding]), reach)
    inner = slice(part.start - first, part.stop - first)
    return np.flatnonzero(best[inner] == order[inner]) + part.start


def anchor_keys(forms: NormalForms, places: NDArray[np.int64]) -> NDArray[np.uint64]:
    """A 64-bit key of the 32 units from each place on."""
    import numpy as np

    if not len(places):
        return np.zeros(0, dtype=np.uint64)
    words = np.lib.stride_tricks.sliding_window_view(forms.units, KEY_UNITS)[places].view(np.uint64)
    weights = np.random.default_rng(_SEED).integers(1 << 63, size=words.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    # Mixed before they are weighed: a difference in the high bits of one word would else reach the high bits alone.
    return mixed((mixed(words) * weights).sum(axis=1, dtype=np.uint64))


def _extreme(best_of: np.ufunc, values: NDArray[np.uint16], reach: int) -> NDArray[np.uint16]:
    """The least or greatest of each `reach` values in a row, shape (n - reach + 1,), by doubling."""
    width = 1
    while 2 * width <= reach:
        values = best_of(values[:-width], values[width:])
        width *= 2
    rest = reach - width
    return best_of(values[:-rest], values[rest:]) if rest else values
