"""The surveys of all shards as one corpus: rows counted through, columns joined, texts read where they lie.

Owns the arithmetic between rows of the corpus and places in shards. Knows nothing about what is looked for. Invariant: columns
of one number a document are held, texts are not: `units` may be mapped from disk, and a text costs one read.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from touyan.core.document import Verdict
from touyan.corpus.operator import Survey

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


READS_HELD = 64
"""Texts read from mapped surveys before their pages are let go: a read maps 64 KB around it and more where the kernel likes."""


class Surveyed:
    """Shards that were surveyed with at least `place`, `doc_id`, `size` and `units`."""

    def __init__(self, shards: Sequence[Survey]) -> None:
        import numpy as np

        self.shards = shards
        self._starts: list[int] = np.cumsum([0, *(len(shard["place"]) for shard in shards)]).tolist()
        self._bounds = cache(lambda counts, number: np.concatenate([[0], np.cumsum(shards[number][counts])]))
        self._reads = 0

    def __len__(self) -> int:
        return self._starts[-1]

    def at(self, row: int) -> tuple[int, int]:
        """Number of the shard, and the row within its survey."""
        number = bisect_right(self._starts, row) - 1
        return number, row - self._starts[number]

    def doc_id(self, row: int) -> str:
        number, inner = self.at(row)
        return self.shards[number]["doc_id"][inner].tobytes().hex()

    def units(self, row: int) -> NDArray[np.uint16]:
        """The normal form of a text."""
        return self.of_row("units", "size", row)

    def of_row(self, name: str, counts: str, row: int) -> NDArray[np.generic]:
        """The entries of one document in a column that has `counts` entries for each."""
        import numpy as np

        number, inner = self.at(row)
        bounds = self._bounds(counts, number)
        self._reads += 1
        if self._reads % READS_HELD == 0:
            self._let_go()
        # Plain arrays: every result of arithmetic on numpy.memmap pays for being one too.
        return np.asarray(self.shards[number][name])[bounds[inner] : bounds[inner + 1]]

    def column(self, name: str, at: int | None = None) -> NDArray[np.generic]:
        """A column of all shards, or column `at` of a table."""
        import numpy as np

        parts = [shard[name] if at is None else shard[name][:, at] for shard in self.shards]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)

    def entries(self, name: str, places: NDArray[np.int64]) -> NDArray[np.generic]:
        """Entries of a column of any length, by their place among those of all shards."""
        import numpy as np

        starts = np.cumsum([0, *(len(shard[name]) for shard in self.shards)])
        numbers = np.searchsorted(starts, places, side="right") - 1
        found = np.zeros(len(places), dtype=np.int64)
        for number in np.flatnonzero(np.bincount(numbers)).tolist():
            is_here = numbers == number
            found[is_here] = self.shards[number][name][places[is_here] - starts[number]]
        return found

    def around(self, rows: NDArray[np.int64], at: NDArray[np.int64], reach: int) -> NDArray[np.uint16]:
        """The `reach` units on either side of places in texts, shape (n, 2 reach); past the end of a text stands anything."""
        import numpy as np

        numbers = np.searchsorted(self._starts, rows, side="right") - 1
        found = np.zeros((len(rows), 2 * reach), dtype=np.uint16)
        for number in np.flatnonzero(np.bincount(numbers)).tolist():
            is_here = numbers == number
            starts = self._bounds("size", number)[rows[is_here] - self._starts[number]] + at[is_here]
            found[is_here] = np.asarray(self.shards[number]["units"]).take(
                starts[:, None] + np.arange(-reach, reach), mode="clip"
            )
        self._let_go()
        return found

    def divided(self, values: NDArray[np.generic]) -> list[NDArray[np.generic]]:
        """One value a row, shard by shard."""
        return [values[start:end] for start, end in zip(self._starts, self._starts[1:], strict=False)]

    def _let_go(self) -> None:
        """Gives back the memory of mapped pages; what is read again comes from the disk again."""
        import mmap

        mapped = (array.base for shard in self.shards for array in shard.values())
        for pages in (base for base in mapped if isinstance(base, mmap.mmap)):
            pages.madvise(mmap.MADV_DONTNEED)


def verdicts_by_place(corpus: Surveyed, verdicts: Mapping[int, Verdict]) -> list[dict[int, Verdict]]:
    """For each shard, its verdicts by place."""
    divided: list[dict[int, Verdict]] = [{} for _ in corpus.shards]
    for row, verdict in verdicts.items():
        number, inner = corpus.at(row)
        divided[number][int(corpus.shards[number]["place"][inner])] = verdict
    return divided
