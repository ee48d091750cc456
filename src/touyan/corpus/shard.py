"""One shard of documents through the refinery, from its file to the three files beside each other in the corpus.

Owns reading in batches, the fields that a release shows beside the text, and the files of part N. Knows nothing about other
shards, so that any process may run it. Invariant: the files depend on the shard and the operators alone; memory is bounded by
a batch on the way in and a row group on the way out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from touyan.core.document import Span, apply
from touyan.corpus.mask import FIELDS, Mask
from touyan.corpus.operator import DocumentBatch, Operator, Signature, Survey, Surveyor
from touyan.corpus.passage import SPAN_COLUMNS, VERDICT_COLUMNS, Passage, columns_of, opened, passed
from touyan.store.formats.corpus import SPANS, VERDICTS, PartWriter, part_name, spans_schema, verdicts_schema
from touyan.store.formats.documents import FOLDER, corpus_schema, documents_schema, read_document_batches


@dataclass(frozen=True, slots=True)
class ShardTask:
    """A shard, the operators that it passes, and where its part of the corpus goes."""

    source: Path
    number: int
    operators: tuple[Operator, ...]
    out: Path
    excerpt_mask: Mask
    """Masks every kind of identifier in excerpts, whatever the recipe masks in texts."""


def part_files(out: Path, number: int) -> list[Path]:
    """The files of part `number` of a corpus: documents, spans, verdicts."""
    return [out / folder / f"{part_name(number)}.parquet" for folder in (FOLDER, SPANS, VERDICTS)]


def survey(task: ShardTask, surveyor: Surveyor) -> Survey:
    """What `surveyor` notes about the documents of a shard that the task's operators have left in it."""
    import numpy as np

    batches = (passed(batch, task.operators, _unseen).kept for batch in _batches(task.source))
    notes = [surveyor.survey(batch) for batch in batches]
    return {name: np.concatenate([note[name] for note in notes]) for name in notes[0]}


def refine(task: ShardTask) -> int:
    """Writes part N of the corpus; the number of documents kept."""
    documents, spans, verdicts = part_files(task.out, task.number)
    mask = next((operator for operator in task.operators if isinstance(operator, Mask)), None)
    kept = 0
    with (
        PartWriter(documents, corpus_schema()) as documents_part,
        PartWriter(spans, spans_schema()) as spans_part,
        PartWriter(verdicts, verdicts_schema()) as verdicts_part,
    ):
        for batch in _batches(task.source):
            passage = passed(batch, task.operators, task.excerpt_mask.masked)
            released = passage.kept if mask is None else _release_fields(passage, mask)
            kept += len(released)
            documents_part.extend({**released.columns, "split": [None] * len(released)})
            spans_part.extend(columns_of(SPAN_COLUMNS, passage.spans))
            verdicts_part.extend(columns_of(VERDICT_COLUMNS, passage.verdicts))
    return kept


def _batches(source: Path) -> Iterator[DocumentBatch]:
    """The documents of a shard; an empty shard gives one empty batch."""
    place = 0
    for batch in read_document_batches(source):
        yield opened(batch.to_pydict(), place)
        place += batch.num_rows
    if place == 0:
        yield opened({name: [] for name in documents_schema().names}, place)


def _release_fields(passage: Passage, mask: Mask) -> DocumentBatch:
    """The documents kept, with the identifiers in their fields masked too and noted as spans."""
    columns = {name: list(column) for name, column in passage.kept.columns.items()}
    signature = Signature.of(mask)
    for name in FIELDS:
        for row, value in enumerate(columns[name]):
            spans = mask.spans(value) if value else ()
            if spans:
                passage.note_spans(passage.kept, row, f"field:{name}", signature, spans)
                columns[name][row] = apply(value, [span for span in spans if span.replacement is not None])
                columns["subjects"][row] = sorted({*columns["subjects"][row], *_named(spans)})
    return DocumentBatch(columns)


def _named(spans: Sequence[Span]) -> Iterator[str]:
    return (span.subject for span in spans if span.subject is not None)


def _unseen(text: str) -> str:
    """The excerpt of a survey, which nobody reads."""
    return ""
