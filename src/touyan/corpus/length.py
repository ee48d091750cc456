"""The length filter: documents with too little text to learn from, or too much to be one document.

Owns two bounds in code points. Knows nothing about what the text says. Invariant: white space does not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from touyan.core.document import Verdict
from touyan.corpus.operator import DocumentBatch, Marks

_PROBE_CHARS = 64
"""Nearly every text has enough in its first line."""


@dataclass(frozen=True, slots=True)
class Length:
    """Drops what is shorter than `min_chars` or longer than `max_chars` code points without white space."""

    name: ClassVar[str] = "length"
    version: ClassVar[str] = "1"

    min_chars: int = 10
    max_chars: int = 2_000_000

    def judge(self, batch: DocumentBatch) -> Marks:
        """Verdicts 'too-short' and 'too-long', scored by the length."""
        verdicts: dict[int, Verdict] = {}
        for row, text in enumerate(batch.texts):
            if len(text) <= self.max_chars and sum(map(len, text[:_PROBE_CHARS].split())) >= self.min_chars:
                continue
            characters = sum(map(len, text.split()))
            if characters < self.min_chars:
                verdicts[row] = Verdict("drop", "too-short", float(characters))
            elif characters > self.max_chars:
                verdicts[row] = Verdict("drop", "too-long", float(characters))
        return Marks(verdicts=verdicts)
