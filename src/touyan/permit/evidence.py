"""What a check may look at: the released corpus, the evaluation, and the readings before it.

Streams columns of Parquet and draws random samples. Knows nothing of rules. Invariant: the same corpus, seed and size
give the same sample on any machine and in any order of shards; who doubts a sample can draw it again.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any, cast

from touyan.core.canonical import Json
from touyan.core.errors import Broken


@dataclass(frozen=True, slots=True)
class Sample:
    """A simple random sample of the released documents, without replacement."""

    ids: frozenset[str]
    seed: int
    frame: int
    """Documents it was drawn from."""
    frame_sha256: str
    """Over the sorted doc_ids of the frame, a line each: names exactly what could have been drawn."""

    def to_json(self) -> dict[str, Json]:
        return {"seed": self.seed, "frame": self.frame, "frame_sha256": self.frame_sha256, "sampled": len(self.ids)}


@dataclass(frozen=True, slots=True)
class Evidence:
    """The folders of the Assets that are checked."""

    corpus: Path
    evaluation: Path
    readings: tuple[Path, ...] = ()
    """Documents Assets as `read` made them."""
    seed: int = 0

    def rows(self, *columns: str) -> Iterator[tuple[Any, ...]]:
        """Streams the given columns of every released document: those in train or test, or of a corpus that is not split."""
        from touyan.store.formats.documents import document_shards, read_document_batches

        wanted = tuple(dict.fromkeys((*columns, "split")))
        for shard in document_shards(self.corpus):
            for batch in read_document_batches(shard, with_split=True, columns=wanted):
                values = batch.to_pydict()
                rows = zip(values["split"], *(values[n] for n in columns), strict=True)
                yield from (tuple(row) for split, *row in rows if split != "excluded")

    def sample(self, least: int, share: float = 0.0) -> Sample:
        """Draws at least `least` documents and at least `share` of them all; everything where there are fewer.

        A document's rank is a hash of seed and doc_id, and the lowest ranks are drawn.
        """
        ids = sorted(str(doc_id) for (doc_id,) in self.rows("doc_id"))
        frame = hashlib.sha256("\n".join(ids).encode()).hexdigest()
        size = min(len(ids), max(least, ceil(share * len(ids))))
        drawn = heapq.nsmallest(size, ids, key=lambda i: hashlib.blake2b(f"{self.seed}:{i}".encode(), digest_size=16).digest())
        return Sample(frozenset(drawn), self.seed, len(ids), frame)

    def dropped(self) -> dict[str, tuple[str, str]]:
        """The first (operator, reason) against each document that the refinery dropped."""
        import pyarrow.parquet as pq

        found: dict[str, tuple[str, str]] = {}
        for shard in sorted((self.corpus / "verdicts").glob("part-*.parquet")):
            for row in pq.read_table(shard, columns=["doc_id", "operator", "reason", "outcome"]).to_pylist():
                if row["outcome"] == "drop":
                    found.setdefault(row["doc_id"], (row["operator"], row["reason"]))
        return found

    def evaluated(self) -> dict[str, Any]:
        """The content of the evaluation's `metrics.json`. Raises Broken where it cannot be read."""
        path = self.evaluation / "metrics.json"
        try:
            return cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise Broken(
                "no-metrics", f"{path.name} of the evaluation cannot be read: {error}", "run the step `evaluate` again"
            ) from error
