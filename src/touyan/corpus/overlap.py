"""Finds texts that appear verbatim inside other texts, without holding either.

Owns the anchors: a rolling hash of the first characters of each text that is looked for, and a digest that proves a hit. Knows
nothing about splits. Invariant: every text found is really there (digests of the whole text agree), and every one that is there
is found, except that texts shorter than an anchor are only found as whole documents.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from touyan.corpus.normal import DIGEST_BYTES, normalised

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
        """Looks for these texts too, in their normalised form."""
        for doc_id, text in zip(doc_ids, map(normalised, texts), strict=True):
            self._whole[_digest(text)].append(doc_id)
            if len(text) >= ANCHOR_CHARS:
                anchor = int(_rolling(_points(text[:ANCHOR_CHARS]))[0])
                self._anchored[anchor].append((len(text), _digest(text), doc_id))

    def hits(self, doc_ids: Sequence[str], texts: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Pairs (doc_id of a wanted text, doc_id of a text here that holds it)."""
        forms = [normalised(text) for text in texts]
        for doc_id, form in zip(doc_ids, forms, strict=True):
            yield from ((wanted, doc_id) for wanted in self._whole.get(_digest(form), ()))
        yield from self._inside(doc_ids, forms)

    def _inside(self, doc_ids: Sequence[str], forms: Sequence[str]) -> Iterator[tuple[str, str]]:
        import numpy as np

        joined = "".join(forms)
        if len(joined) < ANCHOR_CHARS or not self._anchored:
            return
        anchors = np.sort(np.fromiter(self._anchored, dtype=np.uint64))
        windows = _rolling(_points(joined))
        nearest = anchors[np.minimum(np.searchsorted(anchors, windows), len(anchors) - 1)]
        places = np.flatnonzero(nearest == windows)
        ends = np.cumsum([len(form) for form in forms])
        owners = np.searchsorted(ends, places, side="right")
        for place, owner, anchor in zip(places.tolist(), owners.tolist(), windows[places].tolist(), strict=True):
            for length, digest, wanted in self._anchored[anchor]:
                # A window may reach into the next document; a text that is really inside one ends within it.
                if place + length <= ends[owner] and _digest(joined[place : place + length]) == digest:
                    yield wanted, doc_ids[owner]


def _digest(form: str) -> bytes:
    return hashlib.blake2b(form.encode(), digest_size=DIGEST_BYTES).digest()


def _points(text: str) -> NDArray[np.uint64]:
    import numpy as np

    return np.frombuffer(text.encode("utf-32-le"), dtype="<u4").astype(np.uint64)


def _rolling(points: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Polynomial hash modulo 2^64 of every window of ANCHOR_CHARS code points, shape (n - ANCHOR_CHARS + 1,).

    With prefix sums H[i] = sum of c[j] B^j over j < i, the window at i is (H[i + k] - H[i]) B^-i.
    """
    import numpy as np

    n = len(points)
    prefix = np.zeros(n + 1, dtype=np.uint64)
    np.cumsum(points * _powers(_BASE, n), out=prefix[1:])
    windows = n - ANCHOR_CHARS + 1
    return (prefix[ANCHOR_CHARS:] - prefix[:windows]) * _powers(_INVERSE, windows)


def _powers(base: int, n: int) -> NDArray[np.uint64]:
    import numpy as np

    powers = np.full(n, base, dtype=np.uint64)
    powers[:1] = 1
    return np.cumprod(powers, dtype=np.uint64)
