"""`rejected.jsonl`: one line for each document that left a corpus, with who took it out, why, and on what evidence.

Owns the lines and their order, which is that of the documents. Knows nothing about operators. Invariant: as many lines as the
funnel counts; what was withdrawn is known by its id alone, and no identifier of a person stands in a key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from touyan.core.document import LEAVES
from touyan.corpus.personal.mask import Mask
from touyan.corpus.personal.policy import IDENTIFIERS
from touyan.corpus.redaction import redactor
from touyan.store.formats.corpus import VERDICTS, verdicts_schema
from touyan.store.formats.documents import document_shards, documents_schema
from touyan.store.formats.shards import read_batches, shard_paths

REJECTED = "rejected.jsonl"
WITHDRAWN = "withdrawn-"
"""So begin the reasons of documents that nobody is to be reminded of."""
FIELDS = ("operator", "outcome", "reason", "score", "evidence", "excerpt")


def write_rejects(documents: Path, corpus: Path, target: Path) -> int:
    """Writes the lines to `target`, whole or not at all; returns how many. Raises Broken where a shard is damaged."""
    draft, n = target.with_name(f".{target.name}"), 0
    with draft.open("w", encoding="utf-8", errors="surrogatepass") as file:
        for line in rejects(documents, corpus):
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            n += 1
    draft.replace(target)
    return n


def rejects(documents: Path, corpus: Path) -> Iterator[dict[str, Any]]:
    """The documents that left, in order: `key`, `doc_id` and FIELDS. Holds what left one shard in memory."""
    for source, verdicts in zip(document_shards(documents), shard_paths(corpus / VERDICTS), strict=True):
        gone = list(_gone(verdicts))
        keys = _keys(source, {row["doc_id"] for row in gone if not row["reason"].startswith(WITHDRAWN)})
        for row in gone:
            yield {"key": keys.get(row["doc_id"]), "doc_id": row["doc_id"], **{name: row[name] for name in FIELDS}}


def _gone(verdicts: Path) -> Iterator[dict[str, Any]]:
    for batch in read_batches(verdicts, verdicts_schema(), ["doc_id", *FIELDS]):
        yield from (row for row in batch.to_pylist() if row["outcome"] in LEAVES)


def _keys(source: Path, wanted: set[str]) -> dict[str, str]:
    """The keys of the documents wanted, by id, their identifiers masked."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not wanted:
        return {}
    chosen = pa.array(sorted(wanted))
    found: dict[str, str] = {}
    for batch in read_batches(source, documents_schema(), ["doc_id", "natural_key"]):
        rows = batch.filter(pc.is_in(batch["doc_id"], chosen))
        found |= zip(rows["doc_id"].to_pylist(), rows["natural_key"].to_pylist(), strict=True)
    return dict(zip(found, redactor(Mask(kinds=IDENTIFIERS))(list(found.values())), strict=True))
