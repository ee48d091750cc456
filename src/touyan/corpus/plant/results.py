"""What a refinery made of a planted corpus, document by document: our own runs, or the JSON Lines of any other tool.

Owns how the two are found and read. Knows nothing about defects. Invariant: a result can be walked through more than once, holds
one shard in memory, and never says of a document what its files do not tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from touyan.core.document import LEAVES, RAW, Span, View, replay
from touyan.core.errors import Invalid, Missing
from touyan.corpus.plant.planted import LINE_FILES, json_lines
from touyan.store.formats.corpus import SPANS, VERDICTS, spans_schema, verdicts_schema
from touyan.store.formats.documents import FOLDER, document_shards, read_document_batches
from touyan.store.formats.shards import read_batches, shard_paths

REPAIRS = ("encoding", "unicode", "punctuation", "simplified")
"""Operators that bring a text back to what its author wrote."""
TRIMS = (*REPAIRS, "boilerplate")
"""These, and those that take away what the author did not write. Views after them are cut for other reasons, or masked."""
FIELD = "field:"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one document."""

    text: str | None = None
    """As released; None: it left the corpus."""
    repaired: str | None = None
    """After the repairs, also of a document that left later; None: not told."""
    trimmed: str | None = None
    """After the repairs and the removal of boilerplate; None: not told."""
    operator: str = ""
    """Who took it out."""
    reasons: frozenset[str] = frozenset()
    """Reasons of all verdicts."""
    by: frozenset[str] = frozenset()
    """Operators that had anything to say about it."""
    masks: int | None = None
    """Intervals masked; None: not told."""

    @property
    def is_kept(self) -> bool:
        return self.text is not None


class Result(Protocol):
    """All outcomes; documents that are not among them left the corpus."""

    tells: bool
    """Whether outcomes of documents that left are among them, with the reason."""

    def __iter__(self) -> Iterator[tuple[str, Outcome]]: ...


def find_result(path: Path) -> Result:
    """The result at `path`: OUT of `corpus run`, its folder `corpus`, or JSON Lines {id, text} as a file or a folder of files.

    Raises Missing where there is none of these.
    """
    if path.is_file():
        return Lines((path,))
    if (path / "corpus" / VERDICTS).is_dir():
        return CorpusRun(path / FOLDER, path / "corpus")
    if (path / VERDICTS).is_dir():
        return CorpusRun(path.parent / FOLDER, path)
    files = tuple(sorted(found for pattern in LINE_FILES for found in path.glob(pattern)))
    if not files:
        raise Missing("no-result", f"{path} holds neither a corpus nor JSON Lines", "give OUT of: touyan corpus run IN OUT")
    return Lines(files)


@dataclass(frozen=True, slots=True)
class Lines:
    """Documents that another tool kept: objects with `id` and `text`."""

    files: tuple[Path, ...]
    tells = False

    def __iter__(self) -> Iterator[tuple[str, Outcome]]:
        for path in self.files:
            for number, row in json_lines(path):
                if "id" not in row or not isinstance(row.get("text"), str):
                    raise Invalid("not-a-result", f"{path}, line {number}: no `id` or no `text`", "keep both fields of the input")
                yield str(row["id"]), Outcome(row["text"])


@dataclass(frozen=True, slots=True)
class CorpusRun:
    """An Asset of documents and the corpus that `refine` made from it."""

    documents: Path
    corpus: Path
    tells = True

    def __iter__(self) -> Iterator[tuple[str, Outcome]]:
        sources = document_shards(self.documents)
        parts = [shard_paths(self.corpus / name) for name in (FOLDER, SPANS, VERDICTS)]
        for source, released, spans, verdicts in zip(sources, *parts, strict=True):
            yield from _shard(source, _released(released), _spans(spans), _verdicts(verdicts))


Rows = dict[str, list[dict[str, Any]]]


def _shard(source: Path, released: dict[str, str], spans: Rows, verdicts: Rows) -> Iterator[tuple[str, Outcome]]:
    for batch in read_document_batches(source, columns=("doc_id", "natural_key", "text")):
        for row in batch.to_pylist():
            doc_id = row["doc_id"]
            yield row["natural_key"], _outcome(row["text"], released.get(doc_id), spans[doc_id], verdicts[doc_id])


def _outcome(raw: str, text: str | None, spans: list[dict[str, Any]], verdicts: list[dict[str, Any]]) -> Outcome:
    own = [row for row in spans if not row["view"].startswith(FIELD)]
    edits = [(row["view"], row["operator"], _edit(row)) for row in own if row["replacement"] is not None]
    view = replay(raw, edits)
    return Outcome(
        text,
        _until(view, REPAIRS),
        _until(view, TRIMS),
        next((row["operator"] for row in verdicts if row["outcome"] in LEAVES), ""),
        frozenset(row["reason"] for row in verdicts),
        frozenset(row["operator"] for row in (*own, *verdicts)),
        sum(row["operator"] == "mask" for row in own),
    )


def _edit(row: dict[str, Any]) -> Span:
    return Span(row["start"], row["end"], row["label"], row["reason"], row["replacement"])


def _until(view: View, operators: tuple[str, ...]) -> str:
    """The text before the first edit by anybody else."""
    chain = [view]
    while chain[-1].base is not None:
        chain.append(chain[-1].base)
    text = chain[-1].text
    for each in reversed(chain):
        if each.name != RAW and each.name not in operators:
            break
        text = each.text
    return text


def _released(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for batch in read_document_batches(path, with_split=True, columns=("doc_id", "text")):
        found.update(zip(batch["doc_id"].to_pylist(), batch["text"].to_pylist(), strict=True))
    return found


def _spans(path: Path) -> Rows:
    columns = ["doc_id", "view", "operator", "start", "end", "label", "reason", "replacement"]
    return _by_document(read_batches(path, spans_schema(), columns))


def _verdicts(path: Path) -> Rows:
    return _by_document(read_batches(path, verdicts_schema(), ["doc_id", "operator", "reason", "outcome"]))


def _by_document(batches: Iterator[Any]) -> Rows:
    rows: Rows = defaultdict(list)
    for batch in batches:
        for row in batch.to_pylist():
            rows[row["doc_id"]].append(row)
    return rows
