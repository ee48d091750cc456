"""How a batch of documents passes through a list of operators, and what is written down on the way.

Owns the order of things: marks are taken, edits define the next view, documents that leave are gone for whoever comes later.
Knows nothing about files, shards or particular operators. Invariant: every mark ends as a row of spans or verdicts, signed by
its operator; nothing else changes a document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from touyan.core.document import LEAVES, RAW, Span, Verdict, apply, edits_of
from touyan.corpus.operator import DocumentBatch, Marks, Operator, Signature

SPAN_COLUMNS = (
    "doc_id", "view", "start", "end", "operator", "version", "label", "replacement", "reason", "score", "subject", "evidence",
    "parameters",
)  # fmt: skip
VERDICT_COLUMNS = ("doc_id", "operator", "version", "reason", "score", "excerpt", "outcome", "evidence", "parameters")
EXCERPT_CHARS = 200

Columns = dict[str, list[Any]]
Line = tuple[int, tuple[Any, ...]]
"""A row of a table, and the place in the shard of the document that it speaks of."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What became of one batch: the documents kept, in the release view, and the lines to write down."""

    kept: DocumentBatch
    spans: list[Line] = field(default_factory=list)
    verdicts: list[Line] = field(default_factory=list)

    def note_spans(self, batch: DocumentBatch, row: int, view: str, signature: Signature, spans: Iterable[Span]) -> None:
        """Adds the lines of one document's spans on one view."""
        for span in spans:
            line = (
                batch.doc_ids[row], view, span.start, span.end, signature.operator, signature.version, span.label,
                span.replacement, span.reason, span.score, span.subject, span.evidence, signature.parameters,
            )  # fmt: skip
            self.spans.append((batch.columns["place"][row], line))

    def note_verdict(self, batch: DocumentBatch, row: int, signature: Signature, verdict: Verdict, excerpt: str | None) -> None:
        """Adds the line of one verdict."""
        line = (
            batch.doc_ids[row], signature.operator, signature.version, verdict.reason, verdict.score, excerpt, verdict.outcome,
            verdict.evidence, signature.parameters,
        )  # fmt: skip
        self.verdicts.append((batch.columns["place"][row], line))


def columns_of(names: Sequence[str], lines: Iterable[Line]) -> Columns:
    """Lines as columns, by document and, within one, in the order of the operators: however the shard was cut into batches."""
    rows = [values for _, values in sorted(lines, key=lambda line: line[0])]
    return {name: [values[i] for values in rows] for i, name in enumerate(names)}


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
            passage.note_spans(batch, row, batch.columns["view"][row], signature, spans)
        for row, verdict in marks.verdicts.items():
            quoted = excerpt(batch.texts[row])[:EXCERPT_CHARS] if verdict.may_quote else None
            passage.note_verdict(batch, row, signature, verdict, quoted)
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
