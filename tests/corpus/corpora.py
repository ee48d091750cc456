"""What the tests of the corpus room share: a Work without a store, an agent or a clock, and folders of documents.

Identifiers are synthetic: their checksums hold, and nobody was ever given them.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from touyan.core.document import document_id
from touyan.core.errors import Missing
from touyan.corpus.operator import DocumentBatch
from touyan.corpus.passage import opened
from touyan.flow.step import InputAsset
from touyan.store.formats.documents import DocumentRow, DocumentWriter, read_documents
from touyan.store.formats.shards import ShardLimits

ID_CARD, BANK_CARD, MOBILE, EMAIL = "310104200611240258", "6222028491137578046", "15913305356", "user21296@mail.example.com"
STATUTE = "为了保护专利权人的合法权益，鼓励发明创造，推动发明创造的应用，提高创新能力，促进科学技术进步和经济社会发展，制定本法。"


@dataclass
class FakeWork:
    """Holds inputs by role; remembers counts, and finished parts by the digests of their files."""

    params: Any
    out: Path
    inputs: dict[str, list[Path]] = field(default_factory=dict)
    threads: int = 1
    counts: Counter[str] = field(default_factory=Counter)
    finished: dict[str, dict[Path, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.out.mkdir(parents=True, exist_ok=True)

    @property
    def scratch(self) -> Path:
        return self.out.parent / "scratch"

    def many(self, role: str) -> list[InputAsset]:
        return [InputAsset(f"id-{i}", role, f"test/{role}", path) for i, path in enumerate(self.inputs.get(role, []))]

    def one(self, role: str) -> InputAsset:
        given = self.many(role)
        if not given:
            raise Missing("no-input", f"nothing was given for {role}", "name it in the flow")
        return given[0]

    def progress(self, done: float, total: float | None, unit: str) -> None:
        assert total is None or done <= total

    def measure(self, name: str, value: float | str) -> None: ...

    def count(self, name: str, n: int) -> None:
        self.counts[name] += n

    def log(self, message: str) -> None: ...

    def checkpoint(self) -> Path | None:
        return None

    def save_checkpoint(self, folder: Path, position: int) -> None: ...

    def is_done(self, part: str) -> bool:
        digests = self.finished.get(part)
        return digests is not None and all(path.exists() and _digest(path) == digest for path, digest in digests.items())

    def mark_done(self, part: str, files: list[Path]) -> None:
        self.finished[part] = {path: _digest(path) for path in files}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def row(key: str, text: str, **fields: Any) -> DocumentRow:
    """A document of the source test/laws, told apart by `key`."""
    source = fields.pop("source", "test/laws")
    base = dict(title=None, group=None, label=None, meta="{}", rights="r", subjects=())
    return DocumentRow(document_id(source, key, "1"), source, key, "1", "0" * 64, text, **{**base, **fields})


def folder(path: Path, rows: Iterable[DocumentRow], shard_rows: int = 1000, *, with_split: bool = False) -> Path:
    """An Asset folder of documents, in shards of `shard_rows`."""
    with DocumentWriter(path, with_split=with_split, limits=ShardLimits(shard_rows=shard_rows, group_rows=shard_rows)) as writer:
        for each in rows:
            writer.add(each)
    return path


def batch(*texts: str) -> DocumentBatch:
    """A batch as operators see it."""
    rows = [row(str(i), text) for i, text in enumerate(texts)]
    names = ("doc_id", "source", "natural_key", "text", "title", "group", "meta", "subjects")
    return opened({name: [getattr(each, name) for each in rows] for name in names}, 0)


def texts_of(corpus: Path) -> list[str]:
    return [each.text for each in read_documents(corpus, with_split=True)]


def table(corpus: Path, name: str) -> list[dict[str, Any]]:
    """All rows of one of the tables beside a corpus."""
    import pyarrow.parquet as pq

    return [line for path in sorted((corpus / name).glob("*.parquet")) for line in pq.read_table(path).to_pylist()]


def bytes_of(asset: Path) -> dict[str, bytes]:
    return {str(path.relative_to(asset)): path.read_bytes() for path in sorted(asset.rglob("*")) if path.is_file()}
