"""The index that a release leaves beside it: who was released, told by digests and sketches, without a word of the texts.

Owns the folder and its look-up. Knows nothing about what is done with whoever is found. Invariant: the arrays are mapped from
disk, so that a look-up costs the pages it touches, and an index is readable by the sketch that made it alone.

    index.json    {"documents": n, "sketch": "1"}
    doc_id.npy    (n, 32) uint8      digest.npy  (n, 16) uint8      sketch.npy  (n, 128) uint32
    key.npy       (m,) uint64, ascending: of bands and digests      row.npy     (m,) uint32, whose key it is
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from touyan.core.errors import Invalid
from touyan.corpus.duplicates.meeting import FIRST_OF_A_GROUP
from touyan.corpus.duplicates.sketch import SHINGLE_UNITS, SKETCH_VERSION, band_keys, sketches
from touyan.corpus.normal import DIGEST_BYTES, normal_forms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

INDEX = "index.json"
_ARRAYS = ("doc_id", "digest", "sketch", "key", "row")


@dataclass(frozen=True, slots=True)
class Prints:
    """What an index holds of some documents."""

    digest: NDArray[np.uint8]
    sketch: NDArray[np.uint32]
    keys: NDArray[np.uint64]
    """Shape (n, 33): of the bands and of the digest. Those without a 5-gram have the last alone."""

    @classmethod
    def of(cls, texts: Sequence[str]) -> Prints:
        import numpy as np

        forms = normal_forms(texts)
        digest = np.frombuffer(b"".join(forms.digests()), dtype=np.uint8).reshape(-1, DIGEST_BYTES)
        sketch = sketches(forms)
        whole = digest.view(np.uint64)[:, 0]
        bands = np.where((forms.sizes < SHINGLE_UNITS)[:, None], whole[:, None], band_keys(sketch))
        return cls(digest, sketch, np.column_stack([bands, whole]))


@dataclass(frozen=True, slots=True)
class Index:
    """An index in the hand."""

    doc_id: NDArray[np.uint8]
    digest: NDArray[np.uint8]
    sketch: NDArray[np.uint32]
    key: NDArray[np.uint64]
    row: NDArray[np.uint32]

    @classmethod
    def of(cls, documents: Iterable[tuple[Sequence[str], Sequence[str]]]) -> Index:
        """The index of documents that come as batches of (doc_ids, texts)."""
        import numpy as np

        ids: list[NDArray[np.uint8]] = [np.zeros((0, 32), dtype=np.uint8)]
        prints = [Prints.of(())]
        for doc_ids, texts in documents:
            ids.append(np.frombuffer(bytes.fromhex("".join(doc_ids)), dtype=np.uint8).reshape(-1, 32))
            prints.append(Prints.of(texts))
        keys = np.concatenate([each.keys for each in prints])
        rows = np.repeat(np.arange(len(keys), dtype=np.uint32), keys.shape[1])
        order = np.lexsort((rows, keys.ravel()))
        digest, sketch = (np.concatenate([getattr(each, name) for each in prints]) for name in ("digest", "sketch"))
        return cls(np.concatenate(ids), digest, sketch, keys.ravel()[order], rows[order])

    @classmethod
    def open(cls, folder: Path) -> Index:
        """The index in `folder`. Raises Invalid for one of another sketch."""
        import numpy as np

        version = json.loads((folder / INDEX).read_text(encoding="utf-8"))["sketch"]
        if version != SKETCH_VERSION:
            hint = f"make it again with this release, or read it with the one that knows sketch {version}"
            raise Invalid("foreign-index", f"{folder} holds sketches of version {version}, not {SKETCH_VERSION}", hint)
        return cls(*(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS))

    def write(self, folder: Path) -> None:
        """Writes the index; `index.json` comes last."""
        import numpy as np

        folder.mkdir(parents=True, exist_ok=True)
        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name), allow_pickle=False)
        body = {"documents": len(self.doc_id), "sketch": SKETCH_VERSION}
        (folder / INDEX).write_text(json.dumps(body, sort_keys=True) + "\n", encoding="utf-8")

    def alike(self, prints: Prints, min_similarity: float) -> dict[int, tuple[int, float]]:
        """For each of these documents that is here: the row most like it and how like it is.

        1 for the same normal form; else the share of bins in which the sketches agree, an estimate of the Jaccard index with a
        standard error below 0.04.
        """
        found: dict[int, tuple[int, float]] = {}
        for theirs, ours in self._met(prints):
            likeness = 1.0 if self.is_same(ours, prints, theirs) else float((prints.sketch[theirs] == self.sketch[ours]).mean())
            if likeness >= min_similarity and likeness > found.get(theirs, (0, 0.0))[1]:
                found[theirs] = (ours, likeness)
        return found

    def is_same(self, ours: int, prints: Prints, theirs: int) -> bool:
        """Whether two documents have one normal form."""
        return bool((prints.digest[theirs] == self.digest[ours]).all())

    def _met(self, prints: Prints) -> Iterator[tuple[int, int]]:
        """Pairs (theirs, ours) that share a key, each once and in order; of those here under one key the first 32."""
        import numpy as np

        if not len(self.key):
            return
        keys = prints.keys.ravel()
        starts = np.searchsorted(self.key, keys)
        pairs: list[NDArray[np.int64]] = []
        for step in range(FIRST_OF_A_GROUP):
            at = starts + step
            hit = np.flatnonzero((at < len(self.key)) & (self.key[np.minimum(at, len(self.key) - 1)] == keys))
            if not len(hit):
                break
            pairs.append(np.column_stack([hit // prints.keys.shape[1], self.row[at[hit]]]))
        if pairs:
            yield from map(tuple, np.unique(np.concatenate(pairs), axis=0).tolist())


def write_index(corpus: Path, folder: Path) -> None:
    """Leaves the index of a documents or corpus Asset in `folder`."""
    Index.of(_documents(corpus)).write(folder)


def open_index(path: Path) -> Index:
    """The index in a folder, or that of the documents or corpus Asset there, made on the spot."""
    return Index.open(path) if (path / INDEX).exists() else Index.of(_documents(path))


def _documents(asset: Path) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    import pyarrow.parquet as pq

    from touyan.store.formats.documents import document_shards, read_document_batches

    for shard in document_shards(asset):
        has_split = "split" in pq.read_schema(shard).names
        for batch in read_document_batches(shard, with_split=has_split, columns=("doc_id", "text")):
            yield batch["doc_id"].to_pylist(), batch["text"].to_pylist()
