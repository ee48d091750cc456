"""The quality model: a weight for every hashed character 1-, 2- and 3-gram, one addition per gram.

Owns the features, the score and the file of weights. Knows nothing about what the weights were learned from. Invariant: sums
are whole numbers, so that a text has the same score in any batch and on any machine.

A text is judged by at most PIECES samples of PIECE_CHARS: its beginning, middle and end (Joulin et al. 2016, arXiv:1607.01759,
with one output and without words).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from touyan.core.errors import Invalid
from touyan.corpus.quality.points import MIXES, Points, blocks, hashed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT = "touyan-quality/1"
PIECES, PIECE_CHARS = 3, 128
BITS = 18
"""2^18 weights of one byte fit a second-level cache; the default model uses 30,000 of them."""


@dataclass(frozen=True, slots=True)
class Model:
    """Weights and what was said about them when they were learned."""

    weights: NDArray[np.int8]
    """Shape (2^BITS,)."""
    scale: float
    """What one unit of the mean weight adds to the logit."""
    bias: float
    about: Mapping[str, str] = field(default_factory=dict)
    """Name, version, language, origin, licence."""

    def scores(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """How likely each text is worth keeping, shape (len(texts),); of an empty text nothing is known: 0.5."""
        import numpy as np

        logits = np.zeros(len(texts))
        for block in blocks([sample(text) for text in texts], line_feeds=2):
            logits[block.rows] = self.bias + self.scale * self._means(block)
        return 1 / (1 + np.exp(-np.clip(logits, -30, 30)))

    def _means(self, block: Points) -> NDArray[np.float64]:
        """Mean weight of the grams of each text, shape (rows,)."""
        import numpy as np

        first, *others = (np.take(self.weights, places, mode="wrap") for places in features(block.points))
        total = first.astype(np.int16)
        for other in others:
            total[: len(other)] += other
        block.clear(total)
        return np.add.reduceat(total, block.starts, dtype=np.int64) / block.lengths

    def save(self, path: Path) -> None:
        """One line of JSON, then the weights, deflated."""
        header = {"format": FORMAT, "bits": BITS, "scale": self.scale, "bias": self.bias, **self.about}
        line = json.dumps(header, ensure_ascii=False, sort_keys=True).encode()
        path.write_bytes(line + b"\n" + zlib.compress(self.weights.tobytes(), 9))

    @classmethod
    def load(cls, path: Path) -> Model:
        """The model of a file. Raises Invalid for a file of another kind."""
        import numpy as np

        line, _, body = path.read_bytes().partition(b"\n")
        try:
            header = json.loads(line)
            weights = np.frombuffer(zlib.decompress(body), dtype=np.int8)
            known = (header.pop("format"), header.pop("bits"), len(weights)) == (FORMAT, BITS, 1 << BITS)
            scale, bias = float(header.pop("scale")), float(header.pop("bias"))
        except (ValueError, KeyError, AttributeError, zlib.error) as error:
            raise _foreign(path) from error
        if not known:
            raise _foreign(path)
        return cls(weights, scale, bias, header)


def _foreign(path: Path) -> Invalid:
    hint = "give a file that touyan.corpus.quality.train wrote, or learn the weights anew"
    return Invalid("not-a-quality-model", f"{path} holds no weights of the form {FORMAT}", hint)


def sample(text: str) -> str:
    """The beginning, the middle and the end of a long text; a text of PIECES * PIECE_CHARS or less as it is."""
    if len(text) <= PIECES * PIECE_CHARS:
        return text
    middle = (len(text) - PIECE_CHARS) // 2
    return "\n".join([text[:PIECE_CHARS], text[middle : middle + PIECE_CHARS], text[-PIECE_CHARS:]])


def features(points: NDArray[np.uint32]) -> Iterator[NDArray[np.uint32]]:
    """Places in the table of weights: of each point, each pair and each three in a row, shapes (n,), (n - 1,), (n - 2,)."""
    import numpy as np

    pairs = hashed(points[:-1], points[1:], MIXES[0])
    for grams in (points * np.uint32(MIXES[2]), pairs, hashed(pairs[:-1], points[2:], MIXES[1])):
        yield grams >> np.uint32(32 - BITS)
