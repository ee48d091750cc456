"""What happened to one document, step by step, read back from the tables of a corpus.

Owns finding the document and putting its spans and verdicts in order. Knows nothing about operators. Invariant: everything is
rebuilt from the raw text and the tables, so that what is shown is what anybody can check.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from touyan.core.document import Span, apply, edits_of
from touyan.core.errors import Conflict, Missing
from touyan.store.formats.corpus import SPANS, VERDICTS, spans_schema, verdicts_schema
from touyan.store.formats.documents import FOLDER, DocumentRow, corpus_schema, document_shards, documents_schema
from touyan.store.formats.shards import read_batches, shard_paths

if TYPE_CHECKING:
    import pyarrow as pa

Rows: TypeAlias = "dict[str, list[dict[str, Any]]]"
"""Rows of a table by operator."""
FIELD = "field:"
"""Views of the columns beside the text begin so."""
_SPAN_FIELDS = ("start", "end", "label", "reason", "replacement", "score", "subject", "evidence")


@dataclass(frozen=True, slots=True)
class Deed:
    """What one operator did: its spans on the text that it saw, and its verdict."""

    operator: str
    version: str
    before: str
    """The text that it saw."""
    after: str
    spans: tuple[Span, ...]
    beside: tuple[tuple[str, Span], ...]
    """Spans in the columns beside the text, each with its column."""
    verdict: dict[str, Any] | None
    """The row of the verdicts table, or None."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A document, what was done to it in order, and whether it is in the corpus."""

    document: DocumentRow
    deeds: tuple[Deed, ...]
    is_kept: bool


def explain(documents: Path, corpus: Path, wanted: str) -> Explanation:
    """The history of the document that `wanted` names: its key, or the first digits of its id.

    Raises Missing where there is none and Conflict where several begin so.
    """
    document = _document(documents, wanted)
    spans = _by_operator(corpus / SPANS, spans_schema(), document.doc_id)
    verdicts = _by_operator(corpus / VERDICTS, verdicts_schema(), document.doc_id)
    order = [each["name"] for each in json.loads((corpus / "summary.json").read_bytes())["operators"]]
    is_kept = any(True for _ in _rows(corpus / FOLDER, corpus_schema(), document.doc_id))
    return Explanation(document, tuple(_deeds(document.text, order, spans, verdicts)), is_kept)


def _deeds(text: str, order: Sequence[str], spans: Rows, verdicts: Rows) -> Iterator[Deed]:
    for name in (name for name in order if name in spans or name in verdicts):
        rows = spans.get(name, [])
        found = tuple(_span(row) for row in rows if not row["view"].startswith(FIELD))
        beside = tuple((row["view"].removeprefix(FIELD), _span(row)) for row in rows if row["view"].startswith(FIELD))
        after = apply(text, edits_of(found))
        verdict = next(iter(verdicts.get(name, [])), None)
        yield Deed(name, (rows or verdicts[name])[0]["version"], text, after, found, beside, verdict)
        text = after


def _span(row: dict[str, Any]) -> Span:
    return Span(**{name: row[name] for name in _SPAN_FIELDS})


def _document(documents: Path, wanted: str) -> DocumentRow:
    ids: dict[str, Path] = {}
    for shard in document_shards(documents):
        for batch in read_batches(shard, documents_schema(), ["doc_id", "natural_key"]):
            pairs = zip(batch["doc_id"].to_pylist(), batch["natural_key"].to_pylist(), strict=True)
            ids |= {doc_id: shard for doc_id, key in pairs if key == wanted or (len(wanted) >= 6 and doc_id.startswith(wanted))}
    if len(ids) > 1:
        shown = ", ".join(sorted(doc_id[:12] for doc_id in ids)[:8])
        raise Conflict("several-documents", f"{len(ids)} documents are called {wanted}: {shown}", "give more digits of the id")
    for doc_id, shard in ids.items():
        for row in _matching(shard, documents_schema(), doc_id):
            return DocumentRow(**row | {"subjects": tuple(row["subjects"])})
    raise Missing("no-document", f"no document is called {wanted}", "give its key, or six digits of its id or more")


def _by_operator(folder: Path, schema: pa.Schema, doc_id: str) -> Rows:
    found: Rows = {}
    for row in _rows(folder, schema, doc_id):
        found.setdefault(row["operator"], []).append(row)
    return found


def _rows(folder: Path, schema: pa.Schema, doc_id: str) -> Iterator[dict[str, Any]]:
    for shard in shard_paths(folder):
        yield from _matching(shard, schema, doc_id)


def _matching(shard: Path, schema: pa.Schema, doc_id: str) -> Iterator[dict[str, Any]]:
    import pyarrow.compute as pc

    for batch in read_batches(shard, schema):
        yield from batch.filter(pc.equal(batch["doc_id"], doc_id)).to_pylist()
