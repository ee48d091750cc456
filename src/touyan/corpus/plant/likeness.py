"""How alike two texts are, exactly: 5-grams of code points, Jaccard and containment.

Owns the folding under which two texts count as the same, and the search for the nearest of many. Knows nothing about labels.
Invariant: nothing is estimated; a candidate is found by a sample of its grams and then compared with all of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Grams = NDArray[np.uint64]

GRAM_CHARS = 5
SAMPLED_ABOVE, SAMPLE_STEP = 256, 8
"""Of a text with more grams every eighth is enough to be found by: sharing half of 256 grams, it shares 16 of 32 on average."""
MIN_FOUND_SHARE = 0.25
_SPACE = re.compile(r"[\s\u00ad\u200b-\u200f\u2060-\u2064\ufeff\ue000-\uf8ff]+")
_MIX = 0x9E3779B97F4A7C15  # 2^64 / golden ratio: Fibonacci hashing, Knuth vol. 3, 6.4


def folded(text: str) -> str:
    """`text` in NFKC without white space, invisible and private-use characters: width, line ends and indents make no difference."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", text))


def grams(text: str) -> Grams:
    """The set of 5-grams of a folded text, as sorted distinct 64-bit hashes; empty for fewer than five code points."""
    import numpy as np

    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    if len(points) < GRAM_CHARS:
        return np.zeros(0, dtype=np.uint64)
    width = len(points) - GRAM_CHARS + 1
    mixed = points[:width].copy()
    for step in range(1, GRAM_CHARS):
        mixed *= np.uint64(_MIX)
        mixed ^= points[step : step + width] ^ (mixed >> np.uint64(29))
    return np.unique(mixed * np.uint64(_MIX))


def jaccard(one: Grams, other: Grams) -> float:
    """Shared grams over all grams; 0 where there are none."""
    both = _shared(one, other)
    return both / max(1, len(one) + len(other) - both)


def containment(inner: Grams, outer: Grams) -> float:
    """The share of `inner`'s grams that `outer` has."""
    return _shared(inner, outer) / max(1, len(inner))


def _shared(one: Grams, other: Grams) -> int:
    import numpy as np

    return len(np.intersect1d(one, other, assume_unique=True))


@dataclass(frozen=True, slots=True)
class Nearest:
    """How near the nearest of many texts came."""

    jaccard: float = 0.0
    containment: float = 0.0


def nearest(lost: Sequence[str], kept: Iterable[str]) -> list[Nearest]:
    """For each text of `lost`, the greatest Jaccard similarity to and the greatest containment in one text of `kept`.

    Texts are folded here. Memory holds the grams of `lost`, and one text of `kept` at a time.
    """
    import numpy as np

    if not lost:
        return []
    sets = [grams(folded(text)) for text in lost]
    samples = [each[:: SAMPLE_STEP if len(each) > SAMPLED_ABOVE else 1] for each in sets]
    keys, owners = np.concatenate(samples), np.repeat(np.arange(len(sets)), [len(each) for each in samples])
    order = np.argsort(keys, kind="stable")
    keys, owners = keys[order], owners[order]
    enough = np.maximum(1, [len(each) * MIN_FOUND_SHARE for each in samples])
    best = [Nearest()] * len(sets)
    for text in kept:
        other = grams(folded(text))
        hits = _owners(keys, owners, other)
        found = np.bincount(hits, minlength=len(sets)) >= enough
        for i in np.flatnonzero(found):
            best[i] = Nearest(
                max(best[i].jaccard, jaccard(sets[i], other)), max(best[i].containment, containment(sets[i], other))
            )
    return best


def _owners(keys: Grams, owners: NDArray[np.int64], wanted: Grams) -> NDArray[np.int64]:
    """The owners of every key that is among `wanted`; keys are sorted and may repeat."""
    import numpy as np

    low, high = np.searchsorted(keys, wanted, "left"), np.searchsorted(keys, wanted, "right")
    counts = high - low
    starts = np.repeat(low - np.concatenate(([0], np.cumsum(counts)[:-1])), counts)
    return owners[starts + np.arange(len(starts))]
