"""Finds texts that appear verbatim inside other texts, without holding either.

Owns the anchors: a rolling hash of the first characters of each text that is looked for, and a digest that proves a hit. Knows
nothing about splits. Invariant: every text found is really there (digests of the whole text agree), and every one that is there
is found, except that texts shorter than an anchor are only found as whole documents.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from touyan.corpus.normal import NormalForms, normal_forms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ANCHOR_CHARS = 24
"""Long enough that a shared phrase of statutes seldom fills it, short enough for a one-line article."""

_BASE = 0x9E3779B97F4A7C15  # odd, hence invertible modulo 2^64
_INVERSE = pow(_BASE, -1, 1 << 64)


class Wanted:
    """Texts to look for. Add them all, then pass the haystack through `hits`."""

    def __init__(self) -> None:
        self._whole: dict[bytes, list[str]] = defaultdict(list)
        self._anchored: dict[int, list[tuple[int, bytes, str]]] = defaultdict(list)

    def add(self, doc_ids: Sequence[str], texts: Sequence[str]) -> None:
        """Looks for these texts too, in their normal form."""
        forms = normal_forms(texts)
        starts, lengths = forms.bounds[:-1].tolist(), (forms.bounds[1:] - forms.bounds[:-1]).tolist()
        anchors = _rolling(forms.points)
        for doc_id, digest, start, length in zip(doc_ids, forms.digests(), starts, lengths, strict=True):
            self._whole[digest].append(doc_id)
            if length >= ANCHOR_CHARS:
                self._anchored[int(anchors[start])].append((length, digest, doc_id))

    def hits(self, doc_ids: Sequence[str], texts: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Pairs (doc_id of a wanted text, doc_id of a text here that holds it)."""
        forms = normal_forms(texts)
        for doc_id, digest in zip(doc_ids, forms.digests(), strict=True):
            yield from ((wanted, doc_id) for wanted in self._whole.get(digest, ()))
        yield from self._inside(doc_ids, forms)

    def _inside(self, doc_ids: Sequence[str], forms: NormalForms) -> Iterator[tuple[str, str]]:
        import numpy as np

        windows = _rolling(forms.points)
        if not len(windows) or not self._anchored:
            return
        anchors = np.sort(np.fromiter(self._anchored, dtype=np.uint64))
        nearest = anchors[np.minimum(np.searchsorted(anchors, windows), len(anchors) - 1)]
        places = np.flatnonzero(nearest == windows)
        owners = np.searchsorted(forms.bounds[1:], places, side="right")
        ends = forms.bounds[1:][owners]
        for place, owner, end in zip(places.tolist(), owners.tolist(), ends.tolist(), strict=True):
            for length, digest, wanted in self._anchored[int(windows[place])]:
                # A window may reach into the next document; a text that is really inside one ends within it.
                if place + length <= end and forms.digest(place, place + length) == digest:
                    yield wanted, doc_ids[int(owner)]


def _rolling(points: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Polynomial hash modulo 2^64 of every window of ANCHOR_CHARS code points, shape (max(0, n - ANCHOR_CHARS + 1),).

    With prefix sums H[i] = sum of c[j] B^j over j < i, the window at i is (H[i + k] - H[i]) B^-i.
    """
    import numpy as np

    n = len(points)
    prefix = np.zeros(n + 1, dtype=np.uint64)
    np.cumsum(points.astype(np.uint64) * _powers(_BASE, n), out=prefix[1:])
    windows = max(0, n - ANCHOR_CHARS + 1)
    return (prefix[ANCHOR_CHARS:] - prefix[:windows]) * _powers(_INVERSE, windows)


def _powers(base: int, n: int) -> NDArray[np.uint64]:
    import numpy as np

    powers = np.full(n, base, dtype=np.uint64)
    powers[:1] = 1
    return np.cumprod(powers, dtype=np.uint64)
