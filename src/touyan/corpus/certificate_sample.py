"""The sample of a certificate: released documents drawn by stratum, the same ones for the same corpus and seed.

Owns the frame, the drawing and the reading of what was drawn. Knows nothing about what is measured. Invariant: every document
has the same chance, and every stratum its share to within one document; memory holds 20 bytes for a document of the corpus.

Source: systematic sampling of an ordered list, Cochran, Sampling Techniques (1977), chapter 8. Strata make it rather more exact
than simple random sampling, so that an interval for the latter is safe.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from touyan.core.canonical import digest
from touyan.store.formats.corpus import SPANS, spans_schema
from touyan.store.formats.documents import corpus_schema, document_shards
from touyan.store.formats.shards import read_batches

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

TREATMENTS = ("plain", "edited", "masked")
"""What the refinery did to a document: no edit, edits, masks among them."""
_MIX = 0xBF58476D1CE4E5B9  # of splitmix64 (Steele, Lea and Flood 2014)


@dataclass(frozen=True, slots=True)
class Drawn:
    """One document of the sample."""

    doc_id: str
    natural_key: str
    stratum: str
    text: str


class Frame:
    """The released documents of a corpus, in order, with the stratum of each: source and treatment."""

    def __init__(self, corpus: Path) -> None:
        import numpy as np

        self.shards = document_shards(corpus)
        self.strata: list[str] = []
        self.has: dict[str, int] = {}
        """How many documents have a title, a date, a source of their own, a rights record."""
        parts = [self._part(shard, corpus / SPANS / shard.name) for shard in self.shards]
        self.sizes = [len(part[0]) for part in parts]
        self._stratum = np.concatenate([part[0] for part in parts])
        self._id = np.concatenate([part[1] for part in parts])

    def __len__(self) -> int:
        return len(self._id)

    @cached_property
    def digest(self) -> str:
        """sha256 hex over the digests of the shards: another text or another order makes another frame."""
        return digest([sha256_of(shard) for shard in self.shards])

    def counts(self) -> dict[str, int]:
        """Documents by stratum."""
        import numpy as np

        counts = np.bincount(self._stratum, minlength=len(self.strata))
        return {name: int(n) for name, n in sorted(zip(self.strata, counts.tolist(), strict=True))}

    def draw(self, size: int, seed: str) -> NDArray[np.int64]:
        """Places of at most `size` documents, ascending: every so many-th of the frame, ordered by stratum and then at random."""
        import numpy as np

        rng = Random(f"{seed}:{self.digest}")
        salt = np.uint64(rng.getrandbits(64))
        mixed = (self._id ^ salt) * np.uint64(_MIX)
        order = np.lexsort((mixed ^ (mixed >> np.uint64(31)), self._stratum))
        n = min(size, len(self))
        places = ((rng.random() + np.arange(n)) * (len(self) / max(n, 1))).astype(np.int64)
        return np.sort(order[np.minimum(places, len(self) - 1)])

    def stratum(self, place: int) -> str:
        return self.strata[self._stratum[place]]

    def _part(self, shard: Path, spans: Path) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        import numpy as np
        import pyarrow as pa

        names = ["doc_id", "source", "title", "meta", "rights"]
        batches = list(read_batches(shard, corpus_schema(), names, 1 << 16))
        table = pa.Table.from_batches(batches) if batches else corpus_schema().empty_table().select(names)
        noted = _noted(spans, table["doc_id"].combine_chunks())
        self._count(table, noted)
        treatment = np.where(noted["masked"], 2, np.where(noted["edited"], 1, 0))
        pairs = zip(table["source"].to_pylist(), treatment.tolist(), strict=True)
        codes = np.array([self._code(f"{source} · {TREATMENTS[done]}") for source, done in pairs], dtype=np.int64)
        ids = np.frombuffer(bytes.fromhex("".join(table["doc_id"].to_pylist())), dtype=">u8").reshape(-1, 4)[:, 0]
        return codes, ids.astype(np.uint64)

    def _code(self, stratum: str) -> int:
        if stratum not in self.strata:
            self.strata.append(stratum)
        return self.strata.index(stratum)

    def _count(self, table: pa.Table, noted: dict[str, NDArray[np.bool_]]) -> None:
        import pyarrow.compute as pc

        title = pc.greater(pc.utf8_length(pc.fill_null(table["title"], "")), 0).to_numpy()
        dated = pc.match_substring_regex(
            table["meta"], r'"(date|published|publication_date|pub_?date|publish_?time|发布日期)":"[^"]'
        ).to_numpy()
        placed = pc.match_substring_regex(table["meta"], r'"(url|link|source|source_url|origin)":"[^"]').to_numpy()
        rights = pc.greater(pc.utf8_length(table["rights"]), 0).to_numpy()
        told = {"title": title | noted["title"], "date": dated | noted["date"], "source": placed | noted["source"]}
        for name, has in {**told, "rights": rights}.items():
            self.has[name] = self.has.get(name, 0) + int(has.sum())


def _noted(spans: Path, ids: pa.StringArray) -> dict[str, NDArray[np.bool_]]:
    """What the spans tell of each document: edits, masks, and the title, date and source that were marked in its text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = ["doc_id", "operator", "label", "replacement"]
    batches = list(read_batches(spans, spans_schema(), columns, 1 << 16))
    table = pa.Table.from_batches(batches) if batches else spans_schema().empty_table().select(columns)
    chosen = {
        "edited": pc.is_valid(table["replacement"]),
        "masked": pc.equal(table["operator"], "mask"),
        **{name: pc.equal(table["label"], f"meta.{name}") for name in ("title", "date", "source")},
    }
    return {name: pc.is_in(ids, table.filter(which)["doc_id"].combine_chunks()).to_numpy(False) for name, which in chosen.items()}


def read_sample(frame: Frame, places: NDArray[np.int64]) -> list[Drawn]:
    """The documents at `places`, ascending. One pass over the texts; those that were not drawn stay columns."""
    import numpy as np

    found: list[Drawn] = []
    first = 0
    for shard in frame.shards:
        for batch in read_batches(shard, corpus_schema(), ["doc_id", "natural_key", "text"]):
            low, high = np.searchsorted(places, (first, first + batch.num_rows))
            here = places[low:high]
            rows = batch.take(here - first).to_pylist() if len(here) else []
            found += [Drawn(**row, stratum=frame.stratum(place)) for row, place in zip(rows, here.tolist(), strict=True)]
            first += batch.num_rows
    return found


def read_others(frame: Frame, chars: int, seed: str) -> Iterator[list[tuple[str, str]]]:
    """Whole runs of documents (doc_id, text) at random places, until they have about `chars` code points; 0: all of them."""
    import pyarrow.parquet as pq

    groups = [(shard, number) for shard in frame.shards for number in range(pq.read_metadata(shard).num_row_groups)]
    Random(f"{seed}:others:{frame.digest}").shuffle(groups)
    seen = 0
    for run in (run for shard, number in groups for run in _runs(shard, number)):
        yield run
        seen += sum(len(text) for _, text in run)
        if 0 < chars <= seen:
            return


def _runs(shard: Path, group: int) -> Iterator[list[tuple[str, str]]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(shard) as file:
        for batch in file.iter_batches(256, [group], ["doc_id", "text"], use_threads=False):
            yield list(zip(batch["doc_id"].to_pylist(), batch["text"].to_pylist(), strict=True))


def sha256_of(path: Path) -> str:
    """sha256 hex of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
