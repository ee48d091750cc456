"""Near-duplicates: documents whose sets of 5-grams are nearly the same; of those that are alike, the best is kept.

Owns the survey of sketches and texts, the order of precedence and the choice. Knows nothing about how sketches are made or keys
meet. Invariant: whatever is dropped has, counted on the texts themselves, at least the stated Jaccard index with a document that
stays, and no two that have it both stay if they have met; batches, shards, processes and memory change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from touyan.core.document import Verdict
from touyan.core.errors import Invalid
from touyan.corpus.duplicates.meeting import NO_KEY, Keyed, meetings, require_memory
from touyan.corpus.duplicates.sketch import BANDS, SHINGLE_UNITS, band_keys, jaccard, shingles, sketches
from touyan.corpus.duplicates.surveyed import Surveyed, verdicts_by_place
from touyan.corpus.duplicates.versions import version_keys
from touyan.corpus.normal import normal_forms
from touyan.corpus.operator import DocumentBatch, Marks, Survey

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REASON, OLDER, VERSION = "near-duplicate", "older-version", "version-of"
SETS_BYTES = 32 << 20
"""Of sets of 5-grams held while pairs are compared: those of 4,000 ordinary pages."""

_CHOICES = {"keep": ("longest", "first"), "versions": ("newest", "keep")}


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """Keeps one of the documents that are nearly the same, and the newest of the versions of one document."""

    name: ClassVar[str] = "near-duplicates"
    version: ClassVar[str] = "1"

    min_similarity: float = 0.7
    """Jaccard index of the sets of 5-grams from which two documents are the same."""
    keep: Literal["longest", "first"] = "longest"
    """Which one stays: the longest, and of equally long ones the first; or always the first in order."""
    versions: Literal["newest", "keep"] = "newest"
    """newest: of the versions of one work the newest stays. keep: they all stay, and each but one is told of another."""
    version_similarity: float = 0.5
    """Jaccard index from which documents of one title and different dates are versions of one work."""
    memory_mb: int = field(default=128, repr=False)
    """For the index of keys; more memory saves passes over the disk and changes nothing else."""
    verdicts: Mapping[int, Verdict] = field(default_factory=dict, repr=False)
    """Of one shard, by place, once it is settled."""

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise Invalid("no-such-choice", f"{name} cannot be {getattr(self, name)!r}", f"one of {', '.join(choices)}")
        require_memory(self.memory_mb)

    def survey(self, batch: DocumentBatch) -> Survey:
        """For n documents: `place`, `doc_id` (n, 32) uint8, `size` and all their `units` (uint16) in normal form, `keys` (n, 33)
        uint64 of the bands and of the title, and `date` (n,) of the version."""
        import numpy as np

        forms = normal_forms(batch.texts)
        bands = band_keys(sketches(forms))
        bands[forms.sizes < SHINGLE_UNITS] = NO_KEY
        stems, dates = version_keys(batch)
        return {
            "place": np.asarray(batch.columns["place"], dtype=np.int64),
            "doc_id": np.frombuffer(bytes.fromhex("".join(batch.doc_ids)), dtype=np.uint8).reshape(-1, 32),
            "size": forms.sizes,
            "units": forms.units,
            "keys": np.column_stack([bands, stems]),
            "date": dates,
        }

    def settle(self, surveys: Sequence[Survey]) -> Sequence[NearDuplicates]:
        """For each shard, what leaves it and which document stays instead."""
        corpus = Surveyed(list(surveys))
        order = self._precedence(corpus)
        verdicts = self._choice(corpus, order)
        return [replace(self, verdicts=own) for own in verdicts_by_place(corpus, verdicts)]

    def judge(self, batch: DocumentBatch) -> Marks:
        """The verdicts of a settled shard."""
        places = enumerate(batch.columns["place"])
        return Marks(verdicts={row: self.verdicts[place] for row, place in places if place in self.verdicts})

    def _precedence(self, corpus: Surveyed) -> NDArray[np.int64]:
        """Rows of the corpus from the one to be kept before all others to the last."""
        import numpy as np

        rows = np.arange(len(corpus))
        size = -corpus.column("size") if self.keep == "longest" else np.zeros(len(rows), dtype=np.int64)
        date = -corpus.column("date") if self.versions == "newest" else np.zeros(len(rows), dtype=np.int64)
        return np.lexsort((rows, size, date))

    def _choice(self, corpus: Surveyed, order: NDArray[np.int64]) -> dict[int, Verdict]:
        """By row, what is said of it. A document is compared with those kept before it, best first, until one is alike."""
        verdicts: dict[int, Verdict] = {}
        alike = _Likeness(corpus)
        for row, better in _met(corpus, order, self.memory_mb << 20):
            if any(known in verdicts and verdicts[known].outcome == "drop" for known in (row, better)):
                continue
            verdict = self._verdict(alike, row, better)
            if verdict is not None and (verdict.outcome == "drop" or row not in verdicts):
                verdicts[row] = verdict
        return verdicts

    def _verdict(self, alike: _Likeness, row: int, better: int) -> Verdict | None:
        are_versions = alike.are_versions(row, better)
        similarity = alike.similarity(row, better)
        if similarity < (min(self.version_similarity, self.min_similarity) if are_versions else self.min_similarity):
            return None
        evidence = f"doc:{alike.corpus.doc_id(better)}"
        if not are_versions:
            return Verdict("drop", REASON, similarity, evidence)
        if self.versions == "newest":
            return Verdict("drop", OLDER, similarity, evidence)
        return Verdict("flag", VERSION, similarity, evidence)


def _met(corpus: Surveyed, order: NDArray[np.int64], memory_bytes: int) -> Iterator[tuple[int, int]]:
    """Pairs (row, row that ranks before it) that share a key."""
    import numpy as np

    ranks = np.empty_like(order)
    ranks[order] = np.arange(len(order))
    own = corpus.divided(ranks)
    kinds = (
        [Keyed(shard["keys"][:, kind], of_shard) for shard, of_shard in zip(corpus.shards, own, strict=True)]
        for kind in range(BANDS + 1)
    )
    for pairs in meetings(kinds, len(order), memory_bytes):
        yield from map(tuple, order[pairs].tolist())


class _Likeness:
    """Compares documents of a corpus by their texts."""

    def __init__(self, corpus: Surveyed) -> None:
        self.corpus = corpus
        self._dates = corpus.column("date")
        self._stems = corpus.column("keys", BANDS)
        self._sets: dict[int, NDArray[np.uint64]] = {}
        self._sets_bytes = 0

    def similarity(self, one: int, other: int) -> float:
        """The Jaccard index of their sets of 5-grams."""
        return jaccard(self._set(one), self._set(other))

    def are_versions(self, one: int, other: int) -> bool:
        """Whether they bear one title and different dates."""
        return bool(self._stems[one] == self._stems[other] != NO_KEY and self._dates[one] != self._dates[other])

    def _set(self, row: int) -> NDArray[np.uint64]:
        if row not in self._sets:
            found = shingles(self.corpus.units(row))
            self._sets_bytes += found.nbytes
            if self._sets_bytes > SETS_BYTES:
                self._sets.clear()
                self._sets_bytes = found.nbytes
            self._sets[row] = found
        return self._sets[row]
