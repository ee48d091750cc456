"""The summary of a corpus: the funnel, the masks and samples of both, for the report.

Owns `summary.json`. Knows nothing about how the corpus was made: every figure is read back from its tables, so that what the
report says and what the tables hold cannot differ. Invariant: samples come from text whose identifiers are masked.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from touyan.core.document import LEAVES
from touyan.corpus.operator import Refiner, Signature, parameters_of
from touyan.corpus.shard import part_files
from touyan.flow.step import Work
from touyan.store.formats.corpus import spans_schema, verdicts_schema
from touyan.store.formats.documents import corpus_schema
from touyan.store.formats.shards import read_batches

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLES, CONTEXT_CHARS = 5, 30


@dataclass(slots=True)
class Tally:
    """Counts and samples, gathered part by part."""

    documents: int = 0
    characters: int = 0
    subjects: set[str] = field(default_factory=set)
    reasons: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    flags: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    edits: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    dropped: dict[str, list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))
    masked: dict[str, list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))

    def add_part(self, out: Path, number: int) -> None:
        """Reads the three files of one part."""
        documents, spans, verdicts = part_files(out, number)
        for batch in read_batches(verdicts, verdicts_schema()):
            for row in batch.to_pylist():
                self._add_verdict(row)
        wanted = self._add_spans(spans)
        for batch in read_batches(documents, corpus_schema(), ["doc_id", "text", "subjects"]):
            self._add_documents(batch, wanted)

    def _add_verdict(self, row: dict[str, Any]) -> None:
        leaves = row["outcome"] in LEAVES
        (self.reasons if leaves else self.flags)[row["operator"]][row["reason"]] += 1
        samples = self.dropped[row["reason"]]
        if len(samples) < SAMPLES and row["excerpt"] is not None:
            samples.append({"doc_id": row["doc_id"], "excerpt": row["excerpt"], "evidence": row["evidence"] or ""})

    def _add_spans(self, path: Path) -> dict[str, list[tuple[str, str]]]:
        """Counts the spans of a part; for the samples: doc_id -> (label, replacement) of masks to be found in the text."""
        wanted: dict[str, list[tuple[str, str]]] = defaultdict(list)
        promised: Counter[str] = Counter()
        for batch in read_batches(path, spans_schema(), ["doc_id", "view", "operator", "label", "replacement"]):
            for row in batch.to_pylist():
                if row["replacement"] is None:
                    continue
                self.edits[row["operator"]][row["label"]] += 1
                is_shown = row["operator"] == "mask" and not row["view"].startswith("field:")
                if is_shown and len(self.masked[row["label"]]) + promised[row["label"]] < SAMPLES:
                    promised[row["label"]] += 1
                    wanted[row["doc_id"]].append((row["label"], row["replacement"]))
        return wanted

    def _add_documents(self, batch: pa.RecordBatch, wanted: dict[str, list[tuple[str, str]]]) -> None:
        self.documents += batch.num_rows
        texts = batch["text"].to_pylist()
        self.characters += sum(map(len, texts))
        self.subjects.update(batch["subjects"].flatten().to_pylist())
        hits = (i for i, doc_id in enumerate(batch["doc_id"].to_pylist()) if doc_id in wanted) if wanted else iter(())
        for i in hits:
            doc_id = batch["doc_id"][i].as_py()
            for label, replacement in wanted.pop(doc_id):
                self.masked[label].append({"doc_id": doc_id, "excerpt": _around(texts[i], replacement)})


def summarise(work: Work[Any], refiners: Sequence[Refiner], parts: int, *, has_key: bool) -> None:
    """Writes `summary.json` of a corpus of `parts` parts, and counts its drops and masks for the Job's Event."""
    tally = Tally()
    for number in range(parts):
        tally.add_part(work.out, number)
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
