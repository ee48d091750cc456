"""How a batch of documents passes through a list of operators, and what is written down on the way.

Owns the order of things: marks are taken, edits define the next view, documents that leave are gone for whoever comes later.
Knows nothing about files, shards or particular operators. Invariant: every mark ends as a row of spans or verdicts, signed by
its operator; nothing else changes a document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from touyan.core.document import LEAVES, RAW, Span, apply, edits_of
from touyan.corpus.operator import DocumentBatch, Marks, Operator, Signature

SPAN_COLUMNS = (
    "doc_id", "view", "start", "end", "operator", "version", "label", "replacement", "reason", "score", "subject", "evidence",
    "parameters",
)  # fmt: skip
VERDICT_COLUMNS = ("doc_id", "operator", "version", "reason", "score", "excerpt", "outcome", "evidence", "parameters")
EXCERPT_CHARS = 200

Columns = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Passage:
    """What became of one batch: the documents kept, in the release view, and the rows to write down."""

    kept: DocumentBatch
    spans: Columns = field(default_factory=lambda: {name: [] for name in SPAN_COLUMNS})
    verdicts: Columns = field(default_factory=lambda: {name: [] for name in VERDICT_COLUMNS})

    def note_spans(self, doc_id: str, view: str, signature: Signature, spans: Iterable[Span]) -> None:
        """Adds the rows of one document's spans on one view."""
        for span in spans:
            row = (
                doc_id, view, span.start, span.end, signature.operator, signature.version, span.label, span.replacement,
                span.reason, span.score, span.subject, span.evidence, signature.parameters,
            )  # fmt: skip
            _append(self.spans, row)


def opened(columns: Columns, first_place: int) -> DocumentBatch:
    """A batch as operators see it: the table's columns, `view` (the name of the text's view) and `place` (row in its shard)."""
    n = len(columns["doc_id"])
    return DocumentBatch({**columns, "view": [RAW] * n, "place": list(range(first_place, first_place + n))})


def passed(batch: DocumentBatch, operators: Sequence[Operator], excerpt: Callable[[str], str]) -> Passage:
    """Leads a batch through `operators` in order. `excerpt` makes text fit to be shown: it removes identifiers."""
    passage = Passage(batch)
    for operator in operators:
        signature, marks = Signature.of(operator), operator.judge(batch)
        for row, spans in marks.spans.items():
            passage.note_spans(batch.doc_ids[row], batch.columns["view"][row], signature, spans)
        for row, verdict in marks.verdicts.items():
            quoted = None if verdict.reason.startswith("withdrawn") else excerpt(batch.texts[row])[:EXCERPT_CHARS]
            line = (
                batch.doc_ids[row], signature.operator, signature.version, verdict.reason, verdict.score, quoted,
                verdict.outcome, verdict.evidence, signature.parameters,
            )  # fmt: skip
            _append(passage.verdicts, line)
        batch = advanced(batch, operator.name, marks)
    return Passage(batch, passage.spans, passage.verdicts)


def advanced(batch: DocumentBatch, operator: str, marks: Marks) -> DocumentBatch:
    """The batch after an operator: texts edited, subjects added, documents that leave taken out."""
    texts, views, subjects = (list(batch.columns[name]) for name in ("text", "view", "subjects"))
    for row, spans in marks.spans.items():
        edits = edits_of(spans)
        if edits:
            texts[row], views[row] = apply(texts[row], edits), operator
        named = {span.subject for span in spans if span.subject is not None}
        if named:
            subjects[row] = sorted(named.union(subjects[row]))
    changed = DocumentBatch({**batch.columns, "text": texts, "view": views, "subjects": subjects})
    gone = {row for row, verdict in marks.verdicts.items() if verdict.outcome in LEAVES}
    return changed.take([row for row in range(len(batch)) if row not in gone]) if gone else changed


def _append(columns: Columns, row: Sequence[Any]) -> None:
    for column, value in zip(columns.values(), row, strict=True):
        column.append(value)
