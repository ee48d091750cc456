"""Finding many terms in many texts at once: pairs of characters first, then three in a row, then the term itself.

Owns the tables of hashes and the spelling in which terms are compared. Knows nothing about what the terms mean. Invariant: hits
are what a search for each term in the folded text would find, of two that overlap the one that begins first, then the longer.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from touyan.core.errors import Invalid
from touyan.corpus.quality.points import MIXES, blocks, hashed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FULL_WIDTH = 0xFEE0
"""Distance of the full-width forms from ASCII."""


def folded(text: str) -> str:
    """Lower case and ASCII width, character by character: as many characters as before."""
    return text.translate(_FOLDING)


_FOLDING = {
    **{upper: upper + 32 for upper in range(0x41, 0x5B)},
    **{wide: ord(unicodedata.normalize("NFKC", chr(wide)).lower()) for wide in range(0xFF01, 0xFF5F)},
}


@dataclass(frozen=True, slots=True)
class Finder:
    """The terms of some packs, ready to be found."""

    by_pair: Mapping[str, tuple[str, ...]]
    """First two characters of a folded term -> the terms that begin so, the longest first."""
    pairs: NDArray[np.bool_]
    """Hashes of first pairs in every width and case, shape (65536,): in a first cache."""
    threes: NDArray[np.bool_]
    """The same of the first three characters of terms that have as many."""
    twos: NDArray[np.bool_]
    """The same of terms of two characters."""
    longest: int
    """Characters of the longest term."""

    @classmethod
    def of(cls, terms: Iterable[str]) -> Finder:
        """A finder of these terms. Raises Invalid for one of fewer than two characters."""
        by_pair: dict[str, list[str]] = {}
        for term in sorted({folded(term) for term in terms}, key=lambda term: (-len(term), term)):
            if len(term) < 2:
                raise Invalid("short-term", "a term of a lexicon has fewer than two characters", "leave it out: it is everywhere")
            by_pair.setdefault(term[:2], []).append(term)
        every = [term for found in by_pair.values() for term in found]
        return cls(
            {pair: tuple(found) for pair, found in by_pair.items()},
            _marked(spelling[:2] for term in every for spelling in _spellings(term[:2])),
            _marked(spelling for term in every if len(term) > 2 for spelling in _spellings(term[:3])),
            _marked(spelling for term in every if len(term) == 2 for spelling in _spellings(term)),
            max(map(len, every), default=0),
        )

    def hits(self, texts: Sequence[str]) -> Iterator[tuple[int, list[tuple[int, str]]]]:
        """Rows of texts in which terms stand, each with their places and terms in order."""
        for row, places in self._candidates(texts):
            found = list(self._confirmed(texts[row], places))
            if found:
                yield row, found

    def _candidates(self, texts: Sequence[str]) -> Iterator[tuple[int, list[int]]]:
        """Rows with places at which a term may begin, by hash."""
        import numpy as np

        for block in blocks(texts, line_feeds=2):
            pairs = hashed(block.points[:-1], block.points[1:], MIXES[0])
            places = np.flatnonzero(np.take(self.pairs, _high(pairs), mode="wrap"))
            places = places[places < len(pairs) - 1]
            first = pairs[places]
            is_three = self.threes[_high(hashed(first, block.points[places + 2], MIXES[1]))]
            places = places[is_three | self.twos[_high(first)]]
            owners = np.searchsorted(block.starts, places, "right") - 1
            for i in np.unique(owners).tolist():
                yield block.rows[i], (places[owners == i] - block.starts[i]).tolist()

    def _confirmed(self, text: str, places: Iterable[int]) -> Iterator[tuple[int, str]]:
        """Of the places those at which a term stands, free of overlaps."""
        end = 0
        for place in places:
            if place < end:
                continue
            # Only what a term may cover is folded: a whole text takes fifty times as long as all the rest.
            window = folded(text[place : place + self.longest])
            term = next((term for term in self.by_pair.get(window[:2], ()) if window.startswith(term)), None)
            if term:
                yield place, term
                end = place + len(term)


def _spellings(start: str) -> Iterator[str]:
    """A folded piece in every width and case."""
    return map("".join, product(*map(_forms, start)))


def _forms(character: str) -> str:
    if not 0x21 <= ord(character) <= 0x7E:
        return character
    both = {character, character.upper()}
    return "".join(sorted(both | {chr(ord(form) + _FULL_WIDTH) for form in both}))


def _marked(pieces: Iterable[str]) -> NDArray[np.bool_]:
    """A table in which the hashes of these pieces, all of two or all of three characters, are true."""
    import numpy as np

    table = np.zeros(1 << 16, dtype=bool)
    distinct = sorted(set(pieces))
    if distinct:
        points = np.array([[ord(character) for character in piece] for piece in distinct], dtype=np.uint32)
        hashes = hashed(points[:, 0], points[:, 1], MIXES[0])
        if points.shape[1] == 3:
            hashes = hashed(hashes, points[:, 2], MIXES[1])
        table[_high(hashes)] = True
    return table


def _high(hashes: NDArray[np.uint32]) -> NDArray[np.uint16]:
    """The high halves of hashes, seen in place on a little-endian machine: a shift would take as long as the hash."""
    import numpy as np

    return hashes.view(np.uint16)[1::2] if sys.byteorder == "little" else (hashes >> np.uint32(16)).astype(np.uint16)
