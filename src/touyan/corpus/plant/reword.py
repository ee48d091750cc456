"""Further documents of the same kind: words exchanged for others of their class, the same way throughout one copy of a corpus.

Owns the exchange. Knows nothing about documents. Invariant: copy 0 is the text itself; two copies share about a third of
their 5-grams, so that none is a near-duplicate of another (measured on laws: Jaccard 0.2 to 0.4), while documents that are
alike within one copy stay alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from touyan.corpus.plant.draws import word_classes


def rewording(seed: int, copy: int) -> Callable[[str], str]:
    """The exchange of copy number `copy`: a function of a text."""
    if copy == 0:
        return str
    other: dict[str, str] = {}
    rng = Random(f"reword:{seed}:{copy}")
    for words in word_classes():
        own = [word for word in words if word not in other]
        other.update(zip(own, _deranged(own, rng), strict=True))
    firsts, seconds = (re.escape("".join(sorted({word[at] for word in other}))) for at in (0, 1))
    pattern = re.compile(f"[{firsts}][{seconds}]")

    def exchanged(match: re.Match[str]) -> str:
        return other.get(match[0], match[0])

    return lambda text: pattern.sub(exchanged, text)


def _deranged(words: list[str], rng: Random) -> list[str]:
    """The words in a random order in which none stands in its own place: a rotation of a shuffle (Sattolo's cycle)."""
    shuffled = rng.sample(words, len(words))
    following = dict(zip(shuffled, shuffled[1:] + shuffled[:1], strict=True))
    return [following[word] for word in words]
