"""The summary of a corpus: the funnel, the masks and samples of both, for the report.

Owns `summary.json`. Knows nothing about how the corpus was made: every figure is taken from the rows of its tables, as they are
written or read back, so that what the report says and what the tables hold cannot differ. Invariant: samples come from text
whose identifiers are masked; how the rows were cut into batches changes nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from touyan.core.document import LEAVES
from touyan.corpus.operator import Refiner, Signature, parameters_of
from touyan.flow.step import Work

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLES, CONTEXT_CHARS = 5, 30


@dataclass(slots=True)
class Tally:
    """Counts and samples of some rows; those of later rows are merged into it in order."""

    documents: int = 0
    characters: int = 0
    subjects: set[str] = field(default_factory=set)
    reasons: dict[str, Counter[str]] = field(default_factory=dict)
    """Operator -> reason -> documents that left."""
    flags: dict[str, Counter[str]] = field(default_factory=dict)
    edits: dict[str, Counter[str]] = field(default_factory=dict)
    dropped: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    masked: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def add(self, documents: pa.Table, spans: pa.Table, verdicts: pa.Table) -> None:
        """Counts rows of the three tables; `spans` and `verdicts` speak of these `documents` and of ones that left."""
        import pyarrow.compute as pc

        self.documents += documents.num_rows
        self.characters += pc.sum(pc.utf8_length(documents["text"])).as_py() or 0
        self.subjects.update(documents["subjects"].combine_chunks().flatten().to_pylist())
        self._add_verdicts(verdicts)
        self._add_edits(spans.filter(pc.is_valid(spans["replacement"])), documents)

    def merge(self, later: Tally) -> None:
        """Adds what was counted in rows that come after these."""
        self.documents += later.documents
        self.characters += later.characters
        self.subjects |= later.subjects
        for mine, theirs in ((self.reasons, later.reasons), (self.flags, later.flags), (self.edits, later.edits)):
            for name, counts in theirs.items():
                mine.setdefault(name, Counter()).update(counts)
        for samples, more in ((self.dropped, later.dropped), (self.masked, later.masked)):
            for reason, found in more.items():
                known = samples.setdefault(reason, [])
                known += found[: SAMPLES - len(known)]

    def _add_verdicts(self, verdicts: pa.Table) -> None:
        import pyarrow.compute as pc

        for (outcome, operator, reason), n in _counted(verdicts, "outcome", "operator", "reason"):
            counts = self.reasons if outcome in LEAVES else self.flags
            counts.setdefault(operator, Counter())[reason] += n
        for (reason,), _ in _counted(verdicts, "reason"):
            samples = self.dropped.setdefault(reason, [])
            if len(samples) < SAMPLES:
                quoted = verdicts.filter((pc.field("reason") == reason) & pc.field("excerpt").is_valid())
                rows = quoted.slice(0, SAMPLES - len(samples)).select(["doc_id", "excerpt", "evidence"]).to_pylist()
                samples += [{**row, "evidence": row["evidence"] or ""} for row in rows]

    def _add_edits(self, edits: pa.Table, documents: pa.Table) -> None:
        import pyarrow.compute as pc

        for (operator, label), n in _counted(edits, "operator", "label"):
            self.edits.setdefault(operator, Counter())[label] += n
            if operator == "mask" and len(self.masked.setdefault(label, [])) < SAMPLES:
                own = (pc.field("operator") == operator) & (pc.field("label") == label)
                shown = edits.filter(own & ~pc.starts_with(pc.field("view"), "field:"))
                self._show(label, shown, documents)

    def _show(self, label: str, masks: pa.Table, documents: pa.Table) -> None:
        """Samples of masks in texts that were kept."""
        import pyarrow.compute as pc

        samples = self.masked[label]
        kept = masks.filter(pc.is_in(masks["doc_id"], documents["doc_id"].combine_chunks()))
        for row in kept.slice(0, SAMPLES - len(samples)).to_pylist():
            at = pc.index(documents["doc_id"], row["doc_id"]).as_py()
            text = documents["text"][at].as_py()
            samples.append({"doc_id": row["doc_id"], "excerpt": _around(text, row["replacement"])})


def _counted(rows: pa.Table, *names: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """How often each combination of values occurs, in the order in which they first occur."""
    if not rows.num_rows:
        return
    groups = rows.group_by(list(names), use_threads=False).aggregate([([], "count_all")])
    for row in groups.to_pylist():
        yield tuple(row[name] for name in names), row["count_all"]


def tally_part(files: Sequence[Path]) -> Tally:
    """The counts of a part of a corpus, read back from its three files: documents, spans, verdicts."""
    import pyarrow.parquet as pq

    tally = Tally()
    tally.add(*(pq.read_table(path, use_threads=False) for path in files))
    return tally


def summarise(work: Work[Any], refiners: Sequence[Refiner], tallies: Sequence[Tally], *, has_key: bool) -> None:
    """Writes `summary.json` of a corpus from the tallies of its parts, and counts its drops and masks for the Job's Event."""
    tally = Tally()
    for later in tallies:
        tally.merge(later)
    masks = dict(tally.edits.get("mask", {}))
    body = {
        "documents": tally.documents,
        "characters": tally.characters,
        "subjects": len(tally.subjects),
        "funnel": list(_funnel(refiners, tally)),
        "flags": {name: dict(reasons) for name, reasons in tally.flags.items()},
        "masks": masks,
        "edits": {name: dict(labels) for name, labels in tally.edits.items()},
        "operators": [_described(refiner) for refiner in refiners],
        "samples": {"dropped": tally.dropped, "masked": tally.masked},
        "pseudonyms": "keyed" if has_key else "none: no key was set",
    }
    write_summary(work.out, body)
    work.count("documents", tally.documents)
    for reasons in tally.reasons.values():
        for reason, n in sorted(reasons.items()):
            work.count(f"dropped.{reason}", n)
    for label, n in sorted(masks.items()):
        work.count(f"masked.{label}", n)


def write_summary(out: Path, body: dict[str, Any]) -> None:
    """`summary.json` with sorted keys: the same facts give the same bytes."""
    text = json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    (out / "summary.json").write_text(text, encoding="utf-8")


def _funnel(refiners: Sequence[Refiner], tally: Tally) -> Iterator[dict[str, Any]]:
    remaining = tally.documents + sum(n for reasons in tally.reasons.values() for n in reasons.values())
    for refiner in refiners:
        reasons = tally.reasons.get(refiner.name, Counter[str]())
        kept = remaining - reasons.total()
        yield {"operator": refiner.name, "in": remaining, "kept": kept, "reasons": dict(reasons)}
        remaining = kept


def _described(refiner: Refiner) -> dict[str, Any]:
    signature = Signature.of(refiner)
    return {
        "name": signature.operator,
        "version": signature.version,
        "parameters": parameters_of(refiner),
        "digest": signature.parameters,
    }


def _around(text: str, replacement: str) -> str:
    at = max(text.find(replacement), 0)
    return text[max(0, at - CONTEXT_CHARS) : at + len(replacement) + CONTEXT_CHARS]
