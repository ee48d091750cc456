"""The small network that says whether a name begins at a character, and how long it is.

Owns the features of a window (characters, pairs of characters, words of the lexicon), the weights and the forward pass in
numpy. Knows nothing about texts. Invariant: a window's answer depends on that window alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHARS = tuple(range(-6, 8))
PAIRS = tuple(range(-3, 5))
WORDS: tuple[tuple[int, int], ...] = (
    *((at, 2) for at in range(-2, 5)), *((at, 3) for at in range(-2, 4)), *((at, 4) for at in range(-3, 3)),
)  # fmt: skip
"""Offsets and lengths of the stretches that are looked up in the lexicon."""
WORD_CLASSES = 6
"""No word; a word of high, middle and low frequency; a place or body; a person."""
LENGTHS = (2, 3, 4, 5, 6, 7, 8)
"""What the network tells apart, beside 'no name begins here'."""
PAIR_BITS = 14
_FACTORS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F)


def windows(numbers: NDArray[np.int32], at: NDArray[np.int64]) -> NDArray[np.int32]:
    """(n, len(CHARS)) characters around each position."""
    import numpy as np

    return numbers[at[:, None] + np.asarray(CHARS)]


def pairs_of(window: NDArray[np.int32]) -> NDArray[np.uint32]:
    """(n, len(PAIRS)) places of the pairs of neighbours in their table."""
    import numpy as np

    mixed = window.astype(np.uint32)
    left = PAIRS[0] - CHARS[0]
    first, second = mixed[:, left : left + len(PAIRS)], mixed[:, left + 1 : left + 1 + len(PAIRS)]
    return (first * np.uint32(_FACTORS[0]) + second * np.uint32(_FACTORS[1])) >> np.uint32(32 - PAIR_BITS)


def word_keys(window: NDArray[np.int32], offset: int, length: int) -> NDArray[np.uint32]:
    """(n,) keys in the lexicon of the stretches of `length` characters at `offset`."""
    import numpy as np

    key = np.zeros(len(window), dtype=np.uint32)
    for i in range(length):
        key += (window[:, offset - CHARS[0] + i].astype(np.uint32) + np.uint32(1)) * np.uint32(_FACTORS[i])
    key ^= key >> np.uint32(15)
    return key * np.uint32(_FACTORS[3])


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words by a 32-bit key: in a window of twenty look-ups a foreign word passes for one of 10**5 once in 2,000 windows."""

    keys: NDArray[np.uint32]
    """(words,) sorted."""
    classes: NDArray[np.uint8]

    def look_up(self, window: NDArray[np.int32]) -> NDArray[np.uint8]:
        """(n, len(WORDS)) class of each stretch."""
        import numpy as np

        found = np.zeros((len(window), len(WORDS)), dtype=np.uint8)
        for column, (offset, length) in enumerate(WORDS):
            key = word_keys(window, offset, length)
            place = np.minimum(self.keys.searchsorted(key), len(self.keys) - 1)
            found[:, column] = np.where(self.keys[place] == key, self.classes[place], 0)
        return found


@dataclass(frozen=True, slots=True)
class Network:
    """Embeddings and three layers; all float32."""

    lexicon: Lexicon
    chars: NDArray[np.float32]
    """(vocabulary, d)."""
    pairs: NDArray[np.float32]
    """(2**PAIR_BITS, e)."""
    words: NDArray[np.float32]
    """(len(WORDS), WORD_CLASSES, hidden): already multiplied by the first layer."""
    first: tuple[NDArray[np.float32], NDArray[np.float32]]
    second: tuple[NDArray[np.float32], NDArray[np.float32]]
    last: tuple[NDArray[np.float32], NDArray[np.float32]]

    def probabilities(self, numbers: NDArray[np.int32], at: NDArray[np.int64]) -> NDArray[np.float32]:
        """(n, 1 + len(LENGTHS)) for each position: no name, then a name of each length."""
        import numpy as np

        window = windows(numbers, at)
        inputs = np.concatenate(
            [self.chars[window].reshape(len(at), -1), self.pairs[pairs_of(window)].reshape(len(at), -1)], axis=1
        )
        hidden = inputs @ self.first[0] + self.first[1]
        for table, column in zip(self.words, self.lexicon.look_up(window).T, strict=True):
            hidden += table[column]
        hidden = np.maximum(np.maximum(hidden, 0) @ self.second[0] + self.second[1], 0)
        logits = hidden @ self.last[0] + self.last[1]
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)
