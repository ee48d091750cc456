"""What each operator of a recipe costs, and a digest of all it said: `python bench/refinery/operators.py DOCUMENTS [--recipe=zh-web]`.

DOCUMENTS is the folder `documents` of an OUT of `touyan corpus run`. CPU milliseconds a megabyte of text as it was read, in one
process, after a first batch that opens tables and models. A change that is only to make an operator faster leaves its digest.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from touyan.corpus.operator import DocumentBatch, Marks, Operator, Refiner, Surveyor
from touyan.corpus.passage import advanced, opened_arrays
from touyan.corpus.refine import RefineParams, recipe
from touyan.store.formats.documents import document_shards, documents_schema
from touyan.store.formats.shards import read_batches

Shards = list[list[DocumentBatch]]


def read(documents: Path) -> Shards:
    """The batches of every shard."""
    shards: Shards = []
    for shard in document_shards(documents):
        place, batches = 0, []
        for batch in read_batches(shard, documents_schema()):
            batches.append(opened_arrays(batch, place))
            place += batch.num_rows
        shards.append(batches)
    return shards


def settled(refiner: Refiner, shards: Shards) -> Sequence[Operator]:
    """The operator of each shard: a surveyor looks through all of them first."""
    if not isinstance(refiner, Surveyor):
        return [refiner] * len(shards)
    surveys = []
    for batches in shards:
        notes = [refiner.survey(batch) for batch in batches]
        surveys.append({name: np.concatenate([note[name] for note in notes]) for name in notes[0]})
    return list(refiner.settle(surveys))


def passed(refiner: Refiner, shards: Shards) -> tuple[list[Marks], Shards]:
    """All marks of an operator, and the batches behind it."""
    marks: list[Marks] = []
    after: Shards = []
    for operator, batches in zip(settled(refiner, shards), shards, strict=True):
        own = [operator.judge(batch) for batch in batches]
        after.append([advanced(batch, refiner.name, said) for batch, said in zip(batches, own, strict=True)])
        marks += own
    return marks, after


def digest(marks: Iterable[Marks]) -> str:
    """12 hex digits over every span and verdict, in order."""
    said = hashlib.sha256()
    for each in marks:
        spans = sorted((row, [*map(repr, found)]) for row, found in each.spans.items())
        said.update(repr((spans, sorted((row, repr(verdict)) for row, verdict in each.verdicts.items()))).encode())
    return said.hexdigest()[:12]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", type=Path)
    parser.add_argument("--recipe", default="zh-web")
    asked = parser.parse_args()
    shards = read(asked.documents)
    megabytes = sum(pq.ParquetFile(path).read(["text"]).nbytes for path in document_shards(asked.documents)) / 1e6
    refiners = recipe(RefineParams(recipe=asked.recipe), None)
    first: Shards = [shards[0][:1]]
    for refiner in refiners:
        _, first = passed(refiner, first)
    print(f"{megabytes:.1f} MB\n\n| operator | ms / MB | digest of its marks |\n|---|---|---|")
    for refiner in refiners:
        began = time.process_time()
        marks, shards = passed(refiner, shards)
        print(f"| {refiner.name} | {1000 * (time.process_time() - began) / megabytes:.1f} | {digest(marks)} |", flush=True)


if __name__ == "__main__":
    main()
