"""One shard through one stage of a recipe: from its file, or from what the stage before left, to a folder of its own.

Owns the order within a shard, the fields that a release shows beside the text, and the excerpts. Knows nothing about other
shards, so that any process may run it. Invariant: what a stage leaves depends on the shard and the operators alone, and its
folder is there whole or not at all; memory is bounded by a batch on the way in and a row group on the way out.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from touyan.corpus.operator import DocumentBatch, Operator, Survey, Surveyor
from touyan.corpus.passage import PLACE, Passage, in_order, opened_arrays, passed, signed
from touyan.corpus.personal.mask import Mask
from touyan.corpus.redaction import redactor, with_masked_fields
from touyan.corpus.state import StateWriter, read_state
from touyan.corpus.summary import Tally
from touyan.corpus.surveys import read_settled, write_survey
from touyan.store.formats.corpus import SPANS, VERDICTS, PartWriter, part_name, spans_schema, verdicts_schema
from touyan.store.formats.documents import EXCLUDED, FOLDER, corpus_schema, documents_schema, read_document_batches

if TYPE_CHECKING:
    import pyarrow as pa

WITHHELD = frozenset({"suspected-mirror"})
"""Reasons that keep a document in the corpus and out of every training: nobody who could have granted it served that page."""
SURVEY = "survey"
"""The folder of a shard's survey, inside that of its state."""


@dataclass(frozen=True, slots=True)
class ShardTask:
    """A shard and the stage that it is to pass."""

    source: Path
    """A shard of the documents table, or the folder that the stage before left."""
    number: int
    target: Path
    """The folder of what this stage leaves: a state with its survey, or after the last stage a part of the corpus."""
    operators: tuple[Operator, ...]
    settled: Path | None
    """The operator that comes before them: what the survey of the stage before came to for this shard."""
    surveyor: Surveyor | None
    """Who surveys the documents after them; None in the last stage."""
    excerpt_mask: Mask
    """Masks every kind of identifier in excerpts, whatever the recipe masks in texts."""


def part_files(out: Path, number: int) -> list[Path]:
    """The files of part `number` of a corpus: documents, spans, verdicts."""
    return [out / folder / f"{part_name(number)}.parquet" for folder in (FOLDER, SPANS, VERDICTS)]


def pass_stage(task: ShardTask) -> Tally | None:
    """Leads the shard through its stage; the counts of the part where it was the last one."""
    task.target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=task.target.parent))
    before = () if task.settled is None else (read_settled(task.settled),)
    whole = replace(task, operators=(*before, *task.operators))
    try:
        tally = _last(whole, draft) if task.surveyor is None else _surveyed(whole, draft, task.surveyor)
        _hand_over(draft, task.target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return tally


def _hand_over(draft: Path, target: Path) -> None:
    try:
        os.rename(draft, target)
    except OSError:
        if not target.exists():  # else another try of the same task was faster, and left the same
            raise


def _surveyed(task: ShardTask, draft: Path, surveyor: Surveyor) -> None:
    notes: list[Survey] = []
    with StateWriter(draft, task.source if task.source.is_dir() else None) as state:
        for passage in _passages(task):
            notes.append(surveyor.survey(passage.kept))
            state.write(passage)
    write_survey(draft / SURVEY, notes)


def _last(task: ShardTask, draft: Path) -> Tally:
    """Writes part N of the corpus."""
    tally = Tally()
    mask = next((operator for operator in task.operators if isinstance(operator, Mask)), None)
    schemas = (corpus_schema(), spans_schema(), verdicts_schema())
    with ExitStack() as stack:
        paths = part_files(draft, task.number)
        parts = [stack.enter_context(PartWriter(path, schema)) for path, schema in zip(paths, schemas, strict=True)]
        for passage in _passages(task):
            released = passage if mask is None else with_masked_fields(passage, mask, redactor(task.excerpt_mask))
            lines = (table.drop_columns([PLACE]) for table in (released.spans, released.verdicts))
            documents = released.kept.columns.replaced("split", _sides(released))  # type: ignore[attr-defined]
            tables = (documents.table(schemas[0]), *lines)
            tally.add(*tables)
            for part, table in zip(parts, tables, strict=True):
                part.write(table)
    return tally


def _sides(passage: Passage) -> list[str | None]:
    """Which side of a split each document is on: not known yet, but what may not be learned from is on none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    withheld = passage.verdicts.filter(pc.is_in(passage.verdicts["reason"], pa.array(sorted(WITHHELD))))
    ids = frozenset(withheld["doc_id"].to_pylist())
    return [EXCLUDED if doc_id in ids else None for doc_id in passage.kept.doc_ids]


def _passages(task: ShardTask) -> Iterator[Passage]:
    """What became of each batch, with all lines about it, those of earlier stages first."""
    chain, redact = signed(task.operators), redactor(task.excerpt_mask)
    for batch, spans, verdicts in _arrivals(task.source):
        passage = passed(batch, chain, redact)
        yield Passage(
            passage.kept,
            in_order([spans, passage.spans], spans_schema()),
            in_order([verdicts, passage.verdicts], verdicts_schema()),
        )


def _arrivals(source: Path) -> Iterator[tuple[DocumentBatch, pa.Table, pa.Table]]:
    """The batches of a shard with the lines about them so far; an empty shard gives one empty batch."""
    import pyarrow as pa

    if source.is_dir():
        yield from read_state(source)
        return
    none = in_order([], spans_schema()), in_order([], verdicts_schema())
    place = 0
    for batch in read_document_batches(source):
        yield opened_arrays(batch, place), *none
        place += batch.num_rows
    if place == 0:
        yield opened_arrays(pa.RecordBatch.from_pylist([], schema=documents_schema()), place), *none
