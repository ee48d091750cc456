"""The repetition filter: texts that say the same again and again, measured on characters without cutting words.

Owns the gate, four measures and their thresholds. Knows nothing about what a text says, nor about other documents. Invariant:
measures look at windows of WINDOW_CHARS, so that a long statute is judged like a short one; the calibration of the thresholds
stands in docs/design/refinery-quality.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from touyan.core.document import Verdict
from touyan.corpus.operator import DocumentBatch, Marks
from touyan.corpus.quality.alphabets import Script, scripts_of
from touyan.corpus.quality.points import MIXES, Points, blocks, doubled, hashed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WINDOW_CHARS = 4096
_GATE_SHARE = 0.5
"""Of 4-grams that repeat. One clean statute in a hundred is above it; of what the thresholds catch nearly all is above 0.6."""
_SHORT_CHARS = 256
_SAMPLED, _SHORT_SAMPLED = 1 << 29, 1 << 31
"""4-grams are looked at whose first pair hashes below it: one in eight, of short texts one in two; of equal ones all or none."""
_LINE_CHARS = 30
"""Lines are compared in texts whose mean line is shorter: articles and statutes have 50 characters, page chrome has 8."""
_GRAM = 8


@dataclass(frozen=True, slots=True)
class Measures:
    """How much of a text repeats."""

    lines: float
    """Characters in lines that an earlier line already said, among all characters."""
    grams: float
    """8-grams of letters that occurred before within a window, among all 8-grams of letters."""
    top: float
    """Letters covered by the commonest pair of letters."""
    entropy: float
    """Of a letter, in bits: ordinary Chinese has 6 to 8, a text of one repeated sentence half of that."""


@dataclass(frozen=True, slots=True)
class Repetition:
    """Drops documents of at least `min_letters` letters that repeat themselves more than a threshold allows."""

    name: ClassVar[str] = "repetition"
    version: ClassVar[str] = "1"

    max_line_share: float = 0.5
    max_gram_share: float = 0.6
    max_top_share: float = 0.3
    min_entropy: float = 3.0
    min_letters: int = 60

    def judge(self, batch: DocumentBatch) -> Marks:
        """Verdicts 'repeated-lines', 'repeated-passages', 'repeated-words' and 'little-said', scored by the measure."""
        verdicts: dict[int, Verdict] = {}
        for row, text in enumerate(batch.texts):
            has_short_lines = len(text) >= self.min_letters and text.count("\n") * _LINE_CHARS > len(text)
            if has_short_lines and (share := _line_share(text)) > self.max_line_share:
                verdicts[row] = Verdict("drop", "repeated-lines", share)
        for row in _suspects(batch.texts, self.min_letters):
            said = None if row in verdicts else self._said(batch.texts[row])
            if said:
                verdicts[row] = said
        return Marks(verdicts=verdicts)

    def _said(self, text: str) -> Verdict | None:
        """The verdict of the first measure of letters that is out of bounds."""
        letters = _letters(text)
        if len(letters) < self.min_letters:
            return None
        if (grams := _gram_share(letters)) > self.max_gram_share:
            return Verdict("drop", "repeated-passages", grams)
        if (top := _top_share(letters)) > self.max_top_share:
            return Verdict("drop", "repeated-words", top)
        entropy = _entropy(letters)
        return Verdict("drop", "little-said", entropy) if entropy < self.min_entropy else None


def measures(text: str) -> Measures:
    """The exact measures of one text; a text with fewer than eight letters repeats nothing."""
    letters = _letters(text)
    return Measures(_line_share(text), _gram_share(letters), _top_share(letters), _entropy(letters))


def _letters(text: str) -> NDArray[np.uint32]:
    """The letters of a text: without digits, signs and spaces the leaders and cells of a table are no repetition."""
    import numpy as np

    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    scripts = scripts_of(points)
    return points[(scripts != Script.NONE) & (scripts != Script.STOP)]


def _line_share(text: str) -> float:
    lines = [line for line in map(str.strip, text.split("\n")) if line]
    total = sum(map(len, lines))
    return 1 - sum(map(len, set(lines))) / total if total else 0.0


def _gram_share(letters: NDArray[np.uint32]) -> float:
    windows = (letters[start : start + WINDOW_CHARS] for start in range(0, len(letters), WINDOW_CHARS))
    grams = [doubled(window, 3) for window in windows if len(window) >= _GRAM]
    total = sum(map(len, grams))
    return 1 - sum(len(_counts(found)) for found in grams) / total if total else 0.0


def _top_share(letters: NDArray[np.uint32]) -> float:
    if len(letters) < _GRAM:
        return 0.0
    # In a run of one letter the pairs overlap: each letter is in two of them.
    return min(1.0, 2 * int(_counts(doubled(letters, 1)).max()) / len(letters))


def _entropy(letters: NDArray[np.uint32]) -> float:
    import numpy as np

    if not len(letters):
        return 0.0
    shares = _counts(letters) / len(letters)
    return float(-(shares * np.log2(shares)).sum())


def _counts(values: NDArray[np.uint32]) -> NDArray[np.int64]:
    """How often each distinct value occurs."""
    import numpy as np

    ordered = np.sort(values)
    changes = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    return np.diff(np.concatenate([[0], changes, [len(ordered)]]))


def _suspects(texts: Sequence[str], min_chars: int) -> Iterator[int]:
    """The rows of texts that may repeat themselves: by a sample of their 4-grams, many texts at once."""
    short = [row for row, text in enumerate(texts) if min_chars <= len(text) < _SHORT_CHARS]
    long = [row for row, text in enumerate(texts) if len(text) >= max(min_chars, _SHORT_CHARS)]
    for rows, sampled in ((short, _SHORT_SAMPLED), (long, _SAMPLED)):
        for block in blocks(texts, rows, line_feeds=3):
            yield from (block.rows[i] for i in _may_repeat(block, sampled).nonzero()[0].tolist())


def _may_repeat(block: Points, sampled: int) -> NDArray[np.bool_]:
    """Whether the 4-grams of each text repeat by more than the gate's share, or too few kinds of them were met to tell."""
    import numpy as np

    pairs = doubled(block.points, 1)
    is_sampled = pairs < np.uint32(sampled)
    block.clear(is_sampled)
    met = block.count(is_sampled)
    places = np.flatnonzero(is_sampled)
    grams = hashed(np.take(pairs, places), np.take(pairs, places + 2), MIXES[1])
    keys = np.sort((_windows(block, places, met) << np.uint64(32)) | grams)
    repeated = keys[1:][keys[1:] == keys[:-1]]
    again = np.bincount((repeated >> np.uint64(32)).astype(np.int64) % len(met), minlength=len(met))
    return (again > _GATE_SHARE * met) | (met * 32 < block.lengths)


def _windows(block: Points, places: NDArray[np.int64], met: NDArray[np.int32]) -> NDArray[np.uint64]:
    """A number for the window of each place, which modulo the number of texts is that of its text."""
    import numpy as np

    texts = len(met)
    offset = places - np.repeat(block.starts, met)
    return (offset // WINDOW_CHARS * texts + np.repeat(np.arange(texts), met)).astype(np.uint64)
