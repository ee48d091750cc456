"""Exact duplicates: documents whose normalised texts are equal; the first in order is kept.

Owns the survey of digests and the choice of the one that stays. Knows nothing about similarity. Invariant: what is dropped
does not depend on batches or processes, only on the order of documents; 56 bytes of memory per document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from touyan.core.document import Verdict
from touyan.corpus.normal import DIGEST_BYTES, normal_forms
from touyan.corpus.operator import DocumentBatch, Marks, Survey

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ExactDuplicates:
    """Keeps the first document of every normalised text, and of every document id."""

    name: ClassVar[str] = "exact-duplicates"
    version: ClassVar[str] = "1"

    def survey(self, batch: DocumentBatch) -> Survey:
        """`digest` (n, 16) uint8 of the normalised texts, `doc_id` (n, 32) uint8 and `place` (n,) int64 in the shard."""
        import numpy as np

        digests = np.frombuffer(b"".join(normal_forms(batch.texts).digests()), dtype=np.uint8)
        ids = np.frombuffer(bytes.fromhex("".join(batch.doc_ids)), dtype=np.uint8)
        places = np.asarray(batch.columns["place"], dtype=np.int64)
        return {"digest": digests.reshape(-1, DIGEST_BYTES), "doc_id": ids.reshape(-1, 32), "place": places}

    def settle(self, surveys: Sequence[Survey]) -> Sequence[KeptElsewhere]:
        """For each shard, its duplicates and the document that each of them repeats."""
        import numpy as np

        shards = list(surveys)
        ids, digests, places = (_joined(shards, name) for name in ("doc_id", "digest", "place"))
        if not len(places):
            return [KeptElsewhere({}) for _ in shards]
        kept = _first_alike(ids)
        distinct = np.flatnonzero(kept == np.arange(len(kept)))
        again = kept != np.arange(len(kept))
        kept[distinct] = distinct[_first_alike(digests[distinct])]
        repeated = np.flatnonzero(kept != np.arange(len(kept)))
        parts = np.split(repeated, np.searchsorted(repeated, np.cumsum([len(shard["place"]) for shard in shards])[:-1]))
        return [
            KeptElsewhere(
                {int(places[i]): (ids[kept[i]].tobytes().hex(), "repeated-id" if again[i] else "exact-duplicate") for i in part}
            )
            for part in parts
        ]


@dataclass(frozen=True, slots=True)
class KeptElsewhere:
    """Drops the documents of one shard that repeat another; the verdict names the one that was kept."""

    name: ClassVar[str] = ExactDuplicates.name
    version: ClassVar[str] = ExactDuplicates.version

    kept: Mapping[int, tuple[str, str]] = field(repr=False)
    """Place of the duplicate in its shard -> doc_id of the document that stays, and the reason."""

    def judge(self, batch: DocumentBatch) -> Marks:
        """Verdicts 'exact-duplicate', and 'repeated-id' where the same document was read twice."""
        verdicts: dict[int, Verdict] = {}
        for row, place in enumerate(batch.columns["place"]):
            if place in self.kept:
                doc_id, reason = self.kept[place]
                verdicts[row] = Verdict("drop", reason, evidence=f"doc:{doc_id}")
        return Marks(verdicts=verdicts)


def _joined(shards: Sequence[Survey], name: str) -> NDArray[np.generic]:
    import numpy as np

    return np.concatenate([shard[name] for shard in shards]) if shards else np.zeros(0)


def _first_alike(rows: NDArray[np.generic]) -> NDArray[np.int64]:
    """For each row of a (n, k) uint8 array, the index of the first row that equals it."""
    import numpy as np

    keys = np.ascontiguousarray(rows).view(f"V{rows.shape[1]}").ravel()
    _, first, value = np.unique(keys, return_index=True, return_inverse=True)
    return first[value.ravel()]
