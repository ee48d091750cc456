"""The quality filter: documents that a trained model thinks nobody should learn from.

Owns the thresholds. Knows nothing about features and training (`touyan.corpus.quality.model`, `touyan.corpus.quality.train`).
Invariant: the verdict carries the score, so that another threshold can be tried on the reject file alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from touyan.core.document import Verdict
from touyan.corpus.operator import DocumentBatch, Marks
from touyan.corpus.quality.model import Model
from touyan.corpus.quality.packs import pack_path, pinned

_SUFFIX = ".weights"


_SENTENCE = re.compile(r"^.{14,}?[。！？；].*$", re.MULTILINE)
"""A line of 15 characters or more that ends a sentence."""
_RUNNING_SHARE = 0.2
_LIST_CHARS = 100


@dataclass(frozen=True, slots=True)
class Quality:
    """Drops documents that score below `min_score`; those that are no running text, below `min_list_score`.

    Running text is what has a fifth of its characters in lines with whole sentences. A page without any is a menu, an advert
    or a list, and has more to prove. The calibration of both thresholds stands in docs/design/refinery-quality.md.
    """

    name: ClassVar[str] = "quality"
    version: ClassVar[str] = "1"

    model: str = "quality-zh"
    """A shipped model by name, or the path of a file that touyan.corpus.quality.train wrote."""
    digest: str = ""
    """Of the model's file. May be pinned; filled in where it is not, so that the signature tells one model from another."""
    min_score: float = 0.1
    min_list_score: float = 0.25
    flag_below: float = 0.0
    """Documents that stay and score below it are flagged."""
    min_chars: int = 40

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", pinned(pack_path(self.model, _SUFFIX), self.digest))

    def judge(self, batch: DocumentBatch) -> Marks:
        """Verdicts 'low-quality', 'no-running-text' and, as a flag, 'doubtful-quality', all with the score from 0 to 1."""
        rows = [row for row, text in enumerate(batch.texts) if len(text) >= self.min_chars]
        scores = _model(self.model, self.digest).scores([batch.texts[row] for row in rows]).tolist()
        verdicts: dict[int, Verdict] = {}
        for row, score in zip(rows, scores, strict=True):
            if score < self.min_score:
                verdicts[row] = Verdict("drop", "low-quality", score)
            elif score < self.min_list_score and not _is_running(batch.texts[row]):
                verdicts[row] = Verdict("drop", "no-running-text", score)
            elif score < self.flag_below:
                verdicts[row] = Verdict("flag", "doubtful-quality", score)
        return Marks(verdicts=verdicts)


def _is_running(text: str) -> bool:
    """Whether a text has sentences; of one too short to tell it is taken for granted."""
    sentences = sum(map(len, _SENTENCE.findall(text)))
    return len(text) < _LIST_CHARS or sentences >= _RUNNING_SHARE * len(text)


@cache
def _model(model: str, digest: str) -> Model:
    """Read once in a process; another digest is another model."""
    return Model.load(pack_path(model, _SUFFIX))
