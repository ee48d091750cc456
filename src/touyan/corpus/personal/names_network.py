"""The small network that says whether a name begins at a character, and how long it is.

Owns the features of a window (characters, pairs of characters, words of the lexicon), the weights and the forward pass in
numpy. Knows nothing about texts. Invariant: a window's answer depends on that window alone.

The first layer is a sum of rows, looked up in tables that were multiplied by its weights beforehand: 30 rows of 16-bit
integers instead of 75,000 multiplications, a tenth of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from touyan.corpus.personal.names_gate import FACTORS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHARS = tuple(range(-6, 8))
PAIRS = tuple(range(-3, 5))
WORD_STARTS = tuple(range(-3, 5))
WORD_LENGTHS = (2, 3, 4)
"""Offsets and lengths of the stretches that are looked up in the lexicon."""
WORD_CLASSES = 6
"""No word; a word of high, middle and low frequency; a place or a body; a person."""
LENGTHS = (2, 3, 4, 5, 6, 7, 8)
"""What the network tells apart, beside 'no name begins here'."""
PAIR_BITS = 13
STEPS = 256
"""Steps of one unit of the first layer's sums; a sum stays well within the 128 units of 16 bits."""
_AT_ONCE = 1 << 14
"""Windows in memory at a time, 25 MB of them: a list of a million people comes in parts."""
_ROWS = 32
"""Windows a product: OpenBLAS spins up its threads beyond 2**18 multiplications, which here costs more than it gives."""


def windows(units: NDArray[np.uint16], at: NDArray[np.int64], numbers: NDArray[np.uint16]) -> NDArray[np.uint32]:
    """(len(CHARS), n) numbers of the characters around each position."""
    import numpy as np

    return numbers.take(units.take(at + np.asarray(CHARS)[:, None], mode="clip"), mode="clip").astype(np.uint32)


def pairs_of(window: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """(len(PAIRS), n) places of the pairs of neighbours in their table."""
    import numpy as np

    left = PAIRS[0] - CHARS[0]
    first, second = window[left : left + len(PAIRS)], window[left + 1 : left + 1 + len(PAIRS)]
    return (first * np.uint32(FACTORS[0]) + second * np.uint32(FACTORS[1])) >> np.uint32(32 - PAIR_BITS)


def word_keys(characters: Sequence[NDArray[np.uint32]]) -> NDArray[np.uint32]:
    """Keys in the lexicon of characters side by side: `characters` are as many arrays as the words are long."""
    import numpy as np

    key = np.zeros_like(characters[0])
    for column, factor in zip(characters, FACTORS, strict=False):
        key += (column + np.uint32(1)) * np.uint32(factor)
    key ^= key >> np.uint32(15)
    return key * np.uint32(FACTORS[3])


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words by a 32-bit key: with 10**5 words, one look-up in 40,000 takes a stretch for a word that it is not."""

    keys: NDArray[np.uint32]
    """(words,) sorted."""
    classes: NDArray[np.uint8]

    def look_up(self, window: NDArray[np.uint32]) -> NDArray[np.int64]:
        """(len(WORD_STARTS), n) what the lexicon says at each offset: the classes by length, as digits to WORD_CLASSES."""
        import numpy as np

        left = WORD_STARTS[0] - CHARS[0]
        found = np.zeros((len(WORD_STARTS), window.shape[1]), dtype=np.int64)
        for digit, length in enumerate(WORD_LENGTHS):
            key = word_keys([window[left + i : left + i + len(WORD_STARTS)] for i in range(length)])
            place = np.minimum(self.keys.searchsorted(key), len(self.keys) - 1)
            found += np.where(self.keys.take(place) == key, self.classes.take(place), 0) * np.int64(WORD_CLASSES**digit)
        return found


@dataclass(frozen=True, slots=True)
class Network:
    """Tables of the first layer, (rows, hidden) int16 in STEPS, one for each offset; then two layers of float32."""

    lexicon: Lexicon
    chars: NDArray[np.int16]
    """(len(CHARS), vocabulary, hidden)."""
    pairs: NDArray[np.int16]
    """(len(PAIRS), 2**PAIR_BITS, hidden)."""
    words: NDArray[np.int16]
    """(len(WORD_STARTS), WORD_CLASSES**3, hidden)."""
    bias: NDArray[np.int16]
    second: tuple[NDArray[np.float32], NDArray[np.float32]]
    last: tuple[NDArray[np.float32], NDArray[np.float32]]

    def probabilities(self, window: NDArray[np.uint32]) -> NDArray[np.float32]:
        """(n, 1 + len(LENGTHS)) for each window: no name, then a name of each length."""
        import numpy as np

        parts = range(0, max(window.shape[1], 1), _AT_ONCE)
        return np.concatenate([self._chances(window[:, start : start + _AT_ONCE]) for start in parts])

    def _chances(self, window: NDArray[np.uint32]) -> NDArray[np.float32]:
        import numpy as np

        hidden = np.maximum(self._first_layer(window), 0).astype(np.float32) / STEPS
        hidden = np.maximum(_product(hidden, *self.second), 0)
        logits = _product(hidden, *self.last)
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances: NDArray[np.float32] = odds / odds.sum(axis=1, keepdims=True)
        return chances

    def _first_layer(self, window: NDArray[np.uint32]) -> NDArray[np.int16]:
        import numpy as np

        total = np.repeat(self.bias[None], window.shape[1], axis=0)
        rows = ((self.chars, window), (self.pairs, pairs_of(window)), (self.words, self.lexicon.look_up(window)))
        for tables, places in rows:
            for table, place in zip(tables, places, strict=True):
                total += table.take(place, axis=0, mode="clip")
        return total


def _product(inputs: NDArray[np.float32], weight: NDArray[np.float32], bias: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, out) inputs @ weight + bias, in products of _ROWS rows each: a row's result does not depend on the rows beside it."""
    import numpy as np

    padded = np.zeros((-(-len(inputs) // _ROWS) * _ROWS, inputs.shape[1]), dtype=np.float32)
    padded[: len(inputs)] = inputs
    product = np.matmul(padded.reshape(-1, _ROWS, inputs.shape[1]), weight)
    return product.reshape(len(padded), weight.shape[1])[: len(inputs)] + bias
