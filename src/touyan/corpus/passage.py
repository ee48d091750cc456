"""How a batch of documents passes through a list of operators, and what is written down on the way.

Owns the order of things: marks are taken, edits define the next view, documents that leave are gone for whoever comes later.
Knows nothing about files, shards or particular operators. Invariant: every mark ends as a row of spans or verdicts, signed by
its operator; nothing else changes a document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from touyan.core.document import LEAVES, RAW, Span, Verdict, apply, edits_of
from touyan.corpus.columns import Columns
from touyan.corpus.operator import DocumentBatch, Marks, Operator, Signature
from touyan.store.formats.corpus import spans_schema, verdicts_schema

if TYPE_CHECKING:
    import pyarrow as pa

VERDICT_COLUMNS = ("doc_id", "operator", "version", "reason", "score", "excerpt", "outcome", "evidence", "parameters")
EXCERPT_CHARS = 200
PLACE = "place"
"""Column of lines and of batches: the row of the document in its shard, by which lines are put in order."""

Signed = tuple[Operator, Signature]
Said = tuple[DocumentBatch, Signature, Mapping[int, Verdict]]
"""The verdicts of an operator on some rows of the batch that it saw."""
Redact = Callable[[Sequence[str]], Sequence[str]]
"""Makes texts fit to be shown: at most EXCERPT_CHARS of each, with identifiers removed."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What became of one batch: the documents kept, in their last view, and the lines to write down."""

    kept: DocumentBatch
    spans: pa.Table
    verdicts: pa.Table


def signed(operators: Sequence[Operator]) -> list[Signed]:
    """Operators with their signatures, which are the same for every batch."""
    return [(operator, Signature.of(operator)) for operator in operators]


def opened(columns: Mapping[str, Sequence[Any]], first_place: int) -> DocumentBatch:
    """A batch as operators see it: the table's columns, `view` (the name of the text's view) and `place` (row in its shard)."""
    n = len(columns["doc_id"])
    return DocumentBatch(Columns({}, {**columns, "view": [RAW] * n, PLACE: range(first_place, first_place + n)}))


def opened_arrays(batch: pa.RecordBatch, first_place: int) -> DocumentBatch:
    """The same of a record batch, whose columns stay arrays until an operator looks into them."""
    n = batch.num_rows
    arrays = dict(zip(batch.schema.names, batch.columns, strict=True))
    return DocumentBatch(Columns(arrays, {"view": [RAW] * n, PLACE: range(first_place, first_place + n)}))


def passed(batch: DocumentBatch, operators: Sequence[Signed], redact: Redact) -> Passage:
    """Leads a batch through `operators` in order."""
    spans: list[pa.Table] = []
    said: list[Said] = []
    quoted: list[str] = []
    for operator, signature in operators:
        marks = operator.judge(batch)
        if marks.spans:
            spans.append(span_lines(batch, signature, marks.spans))
        if marks.verdicts:
            said.append((batch, signature, marks.verdicts))
            quoted += quotable(batch, marks.verdicts)
        batch = advanced(batch, operator.name, marks)
    verdicts = verdict_lines(said, redact(quoted) if quoted else ())
    return Passage(batch, in_order(spans, spans_schema()), in_order(verdicts, verdicts_schema()))


def advanced(batch: DocumentBatch, operator: str, marks: Marks) -> DocumentBatch:
    """The batch after an operator: texts edited, subjects added, documents that leave taken out."""
    edits = {row: edits_of(spans) for row, spans in marks.spans.items()}
    texts = {row: apply(batch.texts[row], changes) for row, changes in edits.items() if changes}
    views = dict.fromkeys(texts, operator)
    return left(edited(batch, {"text": texts, "view": views, "subjects": named_subjects(batch, marks)}), marks)


def named_subjects(batch: DocumentBatch, marks: Marks) -> dict[int, list[str]]:
    """The column `subjects` of the rows in which spans name somebody."""
    named = {row: {span.subject for span in spans if span.subject is not None} for row, spans in marks.spans.items()}
    return {row: sorted(who.union(batch.columns["subjects"][row])) for row, who in named.items() if who}


def left(batch: DocumentBatch, marks: Marks) -> DocumentBatch:
    """The documents that no verdict takes out."""
    gone = {row for row, verdict in marks.verdicts.items() if verdict.outcome in LEAVES}
    return batch.take([row for row in range(len(batch)) if row not in gone]) if gone else batch


def edited(batch: DocumentBatch, values: Mapping[str, Mapping[int, Any]]) -> DocumentBatch:
    """The batch with other values in some rows of some columns."""
    columns = batch.columns
    assert isinstance(columns, Columns), "a batch is opened before it is edited"
    for name, changed in values.items():
        columns = columns.edited(name, changed) if changed else columns
    return DocumentBatch(columns)


def span_lines(
    batch: DocumentBatch, signature: Signature, spans: Mapping[int, Sequence[Span]], view: str | None = None
) -> pa.Table:
    """The lines of the spans of some rows, on the view of each row's text or on `view`."""
    rows = [row for row, found in spans.items() for _ in found]
    marks = zip(*chain.from_iterable(spans.values()), strict=True)
    views = batch.columns["view"]
    own = {"view": [view or views[row] for row in rows]}
    return _lines(batch, signature, rows, own | dict(zip(Span._fields, marks, strict=True)), spans_schema())


def quotable(batch: DocumentBatch, verdicts: Mapping[int, Verdict]) -> list[str]:
    """The texts that may be quoted beside verdicts, in the order of the verdicts."""
    return [batch.texts[row] for row, verdict in verdicts.items() if verdict.may_quote]


def verdict_lines(said: Sequence[Said], excerpts: Iterable[str]) -> list[pa.Table]:
    """The lines of verdicts; `excerpts` of the texts that may be quoted, of all verdicts one after another."""
    excerpts = iter(excerpts)
    tables = []
    for batch, signature, verdicts in said:
        values = list(verdicts.values())
        own = {name: [getattr(verdict, name) for verdict in values] for name in ("reason", "score", "outcome", "evidence")}
        own["excerpt"] = [next(excerpts) if verdict.may_quote else None for verdict in values]
        tables.append(_lines(batch, signature, list(verdicts), own, verdicts_schema()))
    return tables


def in_order(lines: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    """Lines by document and, within one, in the order given: however the shard was cut into batches and stages."""
    import numpy as np
    import pyarrow as pa

    lines = [table for table in lines if table.num_rows]
    if not lines:
        return with_place(schema).empty_table()
    joined = pa.concat_tables(lines).combine_chunks() if len(lines) > 1 else lines[0]
    places = joined[PLACE].to_numpy()
    is_in_order = bool((places[1:] >= places[:-1]).all())
    return joined if is_in_order else joined.take(pa.array(np.argsort(places, kind="stable")))


def _lines(
    batch: DocumentBatch, signature: Signature, rows: Sequence[int], own: Mapping[str, Sequence[Any]], schema: pa.Schema
) -> pa.Table:
    import pyarrow as pa

    ids, places = batch.doc_ids, batch.columns[PLACE]
    common = {"operator": signature.operator, "version": signature.version, "parameters": signature.parameters}
    columns: dict[str, pa.Array] = {name: pa.repeat(pa.scalar(value, pa.string()), len(rows)) for name, value in common.items()}
    columns["doc_id"] = pa.array([ids[row] for row in rows], pa.string())
    columns |= {name: pa.array(values, schema.field(name).type) for name, values in own.items()}
    columns[PLACE] = pa.array([places[row] for row in rows], pa.int64())
    return pa.table([columns[name] for name in (*schema.names, PLACE)], schema=with_place(schema))


def with_place(schema: pa.Schema) -> pa.Schema:
    """The columns of a table together with PLACE, which only the engine sees."""
    import pyarrow as pa

    return schema.append(pa.field(PLACE, pa.int64()))
