"""Finds texts that appear verbatim inside other texts, without holding either.

Owns the anchors: a rolling hash of the first characters of each text that is looked for, and a digest that proves a hit. Knows
nothing about splits. Invariant: every text found is really there (digests of the whole text agree), and every one that is there
is found, except that texts shorter than an anchor are only found as whole documents.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from touyan.corpus.normal import NormalForms, normal_forms
from touyan.corpus.windows import window_hashes

ANCHOR_CHARS = 24
"""Long enough that a shared phrase of statutes seldom fills it, short enough for a one-line article."""


class Wanted:
    """Texts to look for. Add them all, then pass the haystack through `hits`."""

    def __init__(self) -> None:
        self._whole: dict[bytes, list[str]] = defaultdict(list)
        self._anchored: dict[int, list[tuple[int, bytes, str]]] = defaultdict(list)

    def add(self, doc_ids: Sequence[str], texts: Sequence[str]) -> None:
        """Looks for these texts too, in their normal form."""
        import numpy as np

        forms = normal_forms(texts)
        starts, lengths = forms.bounds[:-1].tolist(), forms.sizes.tolist()
        anchors = window_hashes(forms.units, ANCHOR_CHARS, np.uint64)
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

        windows = window_hashes(forms.units, ANCHOR_CHARS, np.uint64)
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
