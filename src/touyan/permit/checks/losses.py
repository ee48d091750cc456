"""Checks of what was lost on the way: documents that could not be read, and documents that the refinery dropped, by reason.

Knows the files that `read` and `refine` leave. Neither loss is wrong by itself; both are wrong when nobody can see them.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from touyan.core.canonical import Json
from touyan.permit.evidence import Evidence
from touyan.permit.finding import Finding, full_count, missing
from touyan.permit.rulepack import Rule


def dropped_share(evidence: Evidence, rule: Rule) -> Finding:
    """Share of refined documents that were dropped, with the number of each operator and reason."""
    dropped = evidence.dropped()
    reasons = Counter(f"{operator}: {reason}" for operator, reason in dropped.values())
    kept = sum(1 for _ in evidence.rows("doc_id"))
    counts: dict[str, Json] = dict(sorted(reasons.items()))
    return full_count(len(dropped), len(dropped) + kept, reasons=counts)


def unreadable_share(evidence: Evidence, rule: Rule) -> Finding:
    """Share of files or rows of the sources that could not be read, with the number of each reason."""
    if not evidence.readings:
        return missing("the readings of the sources were not given: name them as `documents` of the step")
    reasons: Counter[str] = Counter()
    read = 0
    for folder in evidence.readings:
        lines = (folder / "unreadable.jsonl").read_text(encoding="utf-8").splitlines()
        reasons.update(str(json.loads(line)["reason"]).split(":")[0] for line in lines if line)
        read += _documents(folder)
    counts: dict[str, Json] = dict(sorted(reasons.items()))
    return full_count(reasons.total(), reasons.total() + read, reasons=counts)


def _documents(folder: Path) -> int:
    import pyarrow.parquet as pq

    from touyan.store.formats.documents import document_shards

    return sum(pq.read_metadata(shard).num_rows for shard in document_shards(folder))
