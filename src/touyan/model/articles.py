"""Documents of a corpus as the models read them: id, text, label and group of one split.

Knows nothing about columns beyond these. Invariant: the order is the corpus's own, and the test is never read for training.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from touyan.core.errors import Invalid
from touyan.store.formats.documents import document_shards, read_document_batches

COLUMNS = ("doc_id", "text", "label", "group", "split")


@dataclass(frozen=True, slots=True)
class Articles:
    """Parallel lists, one entry a document."""

    ids: list[str]
    texts: list[str]
    labels: list[str | None]
    groups: list[str]
    """Documents of one group are not independent; a document without a group is its own."""

    @property
    def characters(self) -> int:
        return sum(map(len, self.texts))

    def labelled(self) -> Articles:
        """Those that have a label."""
        keep = [i for i, label in enumerate(self.labels) if label is not None]
        return self.take(keep)

    def take(self, indexes: list[int]) -> Articles:
        """Those at `indexes`, in that order."""
        columns = (self.ids, self.texts, self.labels, self.groups)
        return Articles(*([column[i] for i in indexes] for column in columns))  # type: ignore[arg-type]


def read_articles(corpus: Path, split: Literal["train", "test"]) -> Articles:
    """Non-empty documents of a split. A corpus without any split is all train. Raises Invalid where nothing is left."""
    articles = Articles([], [], [], [])
    for doc_id, text, label, group, where in _rows(corpus):
        if text and (where or "train") == split:
            articles.ids.append(doc_id)
            articles.texts.append(text)
            articles.labels.append(label)
            articles.groups.append(group or doc_id)
    if not articles.ids:
        hint = "put a split step before this one, or change its test_share"
        raise Invalid("empty-split", f"the corpus holds no {split} documents", hint)
    return articles


def _rows(corpus: Path) -> Iterator[tuple[str, str, str | None, str | None, str | None]]:
    for shard in document_shards(corpus):
        for batch in read_document_batches(shard, with_split=True, columns=COLUMNS):
            yield from zip(*(batch.column(name).to_pylist() for name in COLUMNS), strict=True)
