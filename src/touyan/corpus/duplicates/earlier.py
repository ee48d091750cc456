"""What was released before: documents of older corpora, found again by the index that each of them left.

Owns the operator. Knows nothing about how an index is built. Invariant: every verdict names the released document; one that is
only nearly the same is told by an estimate, because an index keeps no texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, Literal

from touyan.core.document import Verdict
from touyan.core.errors import Invalid, Missing
from touyan.corpus.duplicates.index import Index, Prints, open_index
from touyan.corpus.operator import DocumentBatch, Marks

SAME, NEAR = "released-before", "nearly-released-before"
INDEXES_HELD = 16


@dataclass(frozen=True, slots=True)
class Earlier:
    """Drops or flags documents that an older release has, or has nearly."""

    name: ClassVar[str] = "earlier"
    version: ClassVar[str] = "1"

    releases: tuple[str, ...] = ()
    """Paths of indexes, or of documents or corpus Assets, which take longer. Without any, nothing was released before."""
    outcome: Literal["drop", "flag"] = "drop"
    min_similarity: float = 0.7
    """Estimated Jaccard index of the sets of 5-grams, standard error below 0.04; 1 finds equal normal forms alone."""

    def __post_init__(self) -> None:
        if self.outcome not in ("drop", "flag"):
            raise Invalid("no-such-choice", f"outcome cannot be {self.outcome!r}", "one of drop, flag")

    def judge(self, batch: DocumentBatch) -> Marks:
        """Verdicts 'released-before' and 'nearly-released-before'; the first release that has a document is named.

        Raises Missing where a release is not at its path.
        """
        verdicts: dict[int, Verdict] = {}
        if not self.releases or not len(batch):
            return Marks()
        prints = Prints.of(batch.texts)
        for path in self.releases:
            index = _opened(path)
            for row, (known, likeness) in index.alike(prints, self.min_similarity).items():
                reason = SAME if index.is_same(known, prints, row) else NEAR
                evidence = f"doc:{index.doc_id[known].tobytes().hex()}"
                verdicts.setdefault(row, Verdict(self.outcome, reason, likeness, evidence))
        return Marks(verdicts=verdicts)


@lru_cache(INDEXES_HELD)
def _opened(path: str) -> Index:
    if not Path(path).is_dir():
        raise Missing("no-release", f"no release is at {path}", "give the folder of its index or of its documents")
    return open_index(Path(path))
