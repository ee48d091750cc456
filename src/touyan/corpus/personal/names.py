"""Names of persons in Chinese text: where they stand.

Owns the thresholds, the choice among overlapping readings and what a found name tells about the rest of its document. Knows
nothing about masks. Invariant: what is found in a text depends on that text and the mode alone, not on its neighbours in the
batch. How well it works, and what was tried before: docs/design/names.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from touyan.corpus.personal.identifier import Identifier
from touyan.corpus.personal.names_network import LENGTHS
from touyan.corpus.personal.names_text import NumberedTexts, numbered
from touyan.corpus.personal.names_weights import recogniser

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Mode = Literal["balanced", "cover"]
"""balanced: the best F1. cover: masks more, where a name that stays costs more than a word that goes."""
_LEAST: dict[Mode, float] = {"balanced": 0.5, "cover": 0.15}
_Found: TypeAlias = tuple[float, int, int]
"""Probability, start, end."""


def find_names(texts: Sequence[str], mode: Mode = "balanced") -> list[list[Identifier]]:
    """The names in each text, in order and disjoint, as Identifiers of the kind 'person'.

    A name is what the text calls somebody: 王小明, 李某某, 小王, 约翰·史密斯. A title after it is no part of it, unless it
    stands for the given name (王先生).
    """
    found: list[list[_Found]] = [[] for _ in texts]
    least = _LEAST[mode]
    parts = recogniser()
    for some in numbered(texts, parts.table):
        at = parts.gate.candidates(some.numbers)
        if len(at):
            for row, name in _names(some, at, parts.network.probabilities(some.numbers, at), least):
                found[row].append(name)
    return [[_identifier(text, start, end) for start, end in _disjoint(names)] for text, names in zip(texts, found, strict=True)]


def _names(
    texts: NumberedTexts, at: NDArray[np.int64], chances: NDArray[np.float32], least: float
) -> Iterator[tuple[int, _Found]]:
    import numpy as np

    for i in np.flatnonzero(1 - chances[:, 0] >= least):
        row, start = texts.place(int(at[i]))
        length = LENGTHS[int(chances[i, 1:].argmax())]
        yield row, (float(1 - chances[i, 0]), start, start + length)


def _disjoint(names: list[_Found]) -> list[tuple[int, int]]:
    """Of names that overlap the likelier stays, and of equally likely ones the first."""
    kept: list[tuple[int, int]] = []
    for _, start, end in sorted(names, key=lambda name: (-name[0], name[1])):
        if all(end <= other or last <= start for other, last in kept):
            kept.append((start, end))
    return sorted(kept)


def _identifier(text: str, start: int, end: int) -> Identifier:
    return Identifier(start, end, "person", "".join(text[start:end].split()))
