"""The quality filter: documents that a trained model thinks nobody should learn from.

Owns the thresholds. Knows nothing about features and training (`touyan.corpus.quality.model`, `touyan.corpus.quality.train`).
Invariant: the verdict carries the score, so that another threshold can be tried on the reject file alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from touyan.core.document import Verdict
from touyan.corpus.operator import DocumentBatch, Marks
from touyan.corpus.quality.model import Model
from touyan.corpus.quality.packs import pack_path, pinned

_SUFFIX = ".weights"


@dataclass(frozen=True, slots=True)
class Quality:
    """Drops documents of at least `min_chars` that score below `min_score`; flags those below `flag_below`.

    The default threshold lies where 95 of 100 adverts, menus and stuffed keywords are below it, and 3 of 1,000 pages of
    running text at most, measured on eleven kinds of Chinese text (docs/design/refinery-quality.md).
    """

    name: ClassVar[str] = "quality"
    version: ClassVar[str] = "1"

    model: str = "quality-zh"
    """A shipped model by name, or the path of a file that touyan.corpus.quality.train wrote."""
    digest: str = ""
    """Of the model's file. May be pinned; filled in where it is not, so that the signature tells one model from another."""
    min_score: float = 0.15
    flag_below: float = 0.0
    min_chars: int = 40

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", pinned(pack_path(self.model, _SUFFIX), self.digest))

    def judge(self, batch: DocumentBatch) -> Marks:
        """Verdicts 'low-quality' and, as a flag, 'doubtful-quality', both with the score between 0 and 1."""
        rows = [row for row, text in enumerate(batch.texts) if len(text) >= self.min_chars]
        scores = _model(self.model, self.digest).scores([batch.texts[row] for row in rows]).tolist()
        verdicts: dict[int, Verdict] = {}
        for row, score in zip(rows, scores, strict=True):
            if score < self.min_score:
                verdicts[row] = Verdict("drop", "low-quality", score)
            elif score < self.flag_below:
                verdicts[row] = Verdict("flag", "doubtful-quality", score)
        return Marks(verdicts=verdicts)


@cache
def _model(model: str, digest: str) -> Model:
    """Read once in a process; another digest is another model."""
    return Model.load(pack_path(model, _SUFFIX))
