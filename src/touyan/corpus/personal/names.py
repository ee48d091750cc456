"""Names of persons in Chinese text: where they stand.

Owns the public call, its modes and their thresholds. Knows nothing about masks. Invariant: what is found in a text depends on
that text and the mode alone, not on its neighbours in the batch. How well it works, and what was tried: docs/design/names.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from touyan.corpus.personal.identifier import Identifier
from touyan.corpus.personal.names_foreign import dots, dotted
from touyan.corpus.personal.names_network import LENGTHS, windows
from touyan.corpus.personal.names_spread import Reading, names_of
from touyan.corpus.personal.names_text import JoinedTexts, joined
from touyan.corpus.personal.names_weights import recogniser

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Mode = Literal["balanced", "cover"]
"""balanced: the best F1. cover: finds more, where a name that stays costs more than a word that goes."""
_LEAST: dict[Mode, float] = {"balanced": 0.5, "cover": 0.15}
_DOUBT = 0.1
"""Less likely readings are forgotten at once; from here on a reading may be confirmed by the rest of its document."""


def find_names(texts: Sequence[str], mode: Mode = "balanced") -> list[list[Identifier]]:
    """The names in each text, in order and disjoint, as Identifiers of the kind 'person'.

    A name is what the text calls somebody: 王小明, 李某某, 小王, 约翰·史密斯. A title after it is no part of it, unless it
    stands for the given name (王先生).
    """
    readings: list[list[Reading]] = [[] for _ in texts]
    for row, reading in _readings(texts):
        readings[row].append(reading)
    spans = [names_of(text, own, _LEAST[mode]) if own else () for text, own in zip(texts, readings, strict=True)]
    return [[_identifier(text, *span) for span in own] for text, own in zip(texts, spans, strict=True)]


def _readings(texts: Sequence[str]) -> Iterator[tuple[int, Reading]]:
    """Row and reading of whatever may be a name, by one forward pass for the whole batch."""
    import numpy as np

    gate, network = recogniser().gate, recogniser().network
    places: list[tuple[JoinedTexts, NDArray[np.int64]]] = []
    seen: list[NDArray[np.uint32]] = []
    for some in joined(texts):
        at = gate.candidates(some.units)
        places.append((some, at))
        seen.append(windows(some.units, at, gate.numbers))
        for row in {some.place(int(dot))[0] for dot in dots(some.units)}:
            yield from ((row, reading) for reading in dotted(texts[row]))
    if not any(len(at) for _, at in places):
        return
    chances = network.probabilities(np.concatenate(seen, axis=1))
    for (some, at), own in zip(places, np.split(chances, np.cumsum([len(at) for _, at in places])[:-1]), strict=True):
        for i in np.flatnonzero(1 - own[:, 0] >= _DOUBT):
            row, start = some.place(int(at[i]))
            yield row, Reading(start, start + LENGTHS[int(own[i, 1:].argmax())], float(1 - own[i, 0]))


def _identifier(text: str, start: int, end: int) -> Identifier:
    return Identifier(start, end, "person", "".join(text[start:end].split()))
