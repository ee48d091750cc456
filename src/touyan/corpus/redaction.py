"""Identifiers beside the text: in the fields that a release shows, and in the excerpts that stand beside verdicts.

Owns which strings those are and how they pass through a Mask, which judges them as if they were texts. Knows nothing about what
an identifier looks like. Invariant: an identifier that reaches into an excerpt is in it as a whole, and so is masked.
"""

from __future__ import annotations

from collections.abc import Sequence

from touyan.core.document import apply, edits_of
from touyan.corpus.operator import DocumentBatch, Marks, Signature
from touyan.corpus.passage import (
    EXCERPT_CHARS,
    Passage,
    Redact,
    edited,
    in_order,
    left,
    named_subjects,
    quotable,
    span_lines,
    verdict_lines,
)
from touyan.corpus.personal.mask import FIELDS, Mask
from touyan.store.formats.corpus import spans_schema, verdicts_schema

WINDOW_CHARS = EXCERPT_CHARS + 312
"""What is looked at for an excerpt: an e-mail address, the longest identifier, has at most 254 characters (RFC 5321)."""


def redactor(mask: Mask) -> Redact:
    """What makes excerpts with a mask: the beginnings of texts, their identifiers replaced."""

    def excerpts(texts: Sequence[str]) -> list[str]:
        windows = [text[:WINDOW_CHARS] for text in texts]
        marks = mask.judge(DocumentBatch({"text": windows}))
        return [_beginning(window, marks, row) for row, window in enumerate(windows)]

    return excerpts


def _beginning(window: str, marks: Marks, row: int) -> str:
    edits = [edit for edit in edits_of(marks.spans.get(row, ())) if edit.start < EXCERPT_CHARS]
    end = max([EXCERPT_CHARS, *(edit.end for edit in edits)])
    return apply(window[:end], edits)[:EXCERPT_CHARS]


def with_masked_fields(passage: Passage, mask: Mask, redact: Redact) -> Passage:
    """The documents kept with the identifiers in their fields masked too, and the spans that say so."""
    kept, signature = passage.kept, Signature.of(mask)
    spans, said, quoted = [passage.spans], [], []
    for field in FIELDS:
        values = kept.columns[field]
        marks = _field_marks(values, mask)
        if marks.spans:
            spans.append(span_lines(kept, signature, marks.spans, f"field:{field}"))
        if marks.verdicts:
            said.append((kept, signature, marks.verdicts))
            quoted += quotable(kept, marks.verdicts)
        kept = _after(kept, field, values, marks)
    verdicts = [passage.verdicts, *verdict_lines(said, redact(quoted) if quoted else ())]
    return Passage(kept, in_order(spans, spans_schema()), in_order(verdicts, verdicts_schema()))


def _field_marks(values: Sequence[str | None], mask: Mask) -> Marks:
    """The marks on the values of a field. Each is judged once: most documents share group and meta with others."""
    rows_of: dict[str, list[int]] = {}
    for row, value in enumerate(values):
        if value:
            rows_of.setdefault(value, []).append(row)
    found = mask.judge(DocumentBatch({"text": list(rows_of)}))
    places = list(rows_of.values())
    spans = {row: marks for at, marks in found.spans.items() for row in places[at]}
    return Marks(spans, {row: verdict for at, verdict in found.verdicts.items() for row in places[at]})


def _after(batch: DocumentBatch, field: str, values: Sequence[str | None], marks: Marks) -> DocumentBatch:
    edits = {row: edits_of(spans) for row, spans in marks.spans.items()}
    masked = {row: apply(values[row] or "", changes) for row, changes in edits.items() if changes}
    return left(edited(batch, {field: masked, "subjects": named_subjects(batch, marks)}), marks)
