"""Records that wait on disk until those that belong together are all there.

Owns the files and their division by owner. Knows nothing about what a record says. Invariant: records come back in the order of
owners, each once, and whoever reads holds those of one range of owners at a time, about as many as fit the memory allowed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_FILES = 256
COPIES = 4
"""Of the records of a range: as read, in order, the different ones, and the order itself."""


class Spill:
    """Rows of numbers, each filed by its owner, who is the first number: put them all in, then read range by range."""

    def __init__(self, owners: int, columns: int, rows_expected: int, memory_bytes: int) -> None:
        """For owners below `owners` and rows of `columns` numbers. With more rows than expected, reading takes longer."""
        import numpy as np

        self._columns, self._memory_bytes = columns, memory_bytes
        files = min(1 + rows_expected * columns * 8 * COPIES // memory_bytes, MAX_FILES)
        self._edges = np.linspace(0, owners, files + 1).astype(np.int64)
        self._folder = tempfile.TemporaryDirectory(prefix="touyan-spill-")
        self._files = [Path(self._folder.name, str(number)) for number in range(files)]

    def __enter__(self) -> Spill:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._folder.cleanup()

    def put(self, rows: NDArray[np.int64]) -> None:
        """Files rows, shape (n, columns)."""
        import numpy as np

        file_of = np.searchsorted(self._edges[1:-1], rows[:, 0], side="right")
        for number in np.flatnonzero(np.bincount(file_of)).tolist():
            with self._files[number].open("ab") as file:
                rows[file_of == number].tofile(file)

    def ranges(self) -> Iterator[NDArray[np.int64]]:
        """The rows of each range of owners that has any: different ones, ascending by their numbers in turn."""
        import numpy as np

        for file, bounds in zip(self._files, pairwise(self._edges.tolist()), strict=True):
            size = file.stat().st_size if file.exists() else 0
            edges = np.linspace(*bounds, 2 + size * COPIES // self._memory_bytes).astype(np.int64).tolist()
            for low, high in pairwise(edges) if size else ():
                rows = self._read(file, low, high)
                rows = rows[np.lexsort(rows.T[::-1])]
                yield rows[np.concatenate([[True], (rows[1:] != rows[:-1]).any(axis=1)])[: len(rows)]]

    def _read(self, file: Path, low: int, high: int) -> NDArray[np.int64]:
        """The rows of owners from `low` to below `high`."""
        import numpy as np

        rows = np.memmap(file, dtype=np.int64, mode="r").reshape(-1, self._columns)
        step = max(1, self._memory_bytes // (8 * self._columns))
        parts = [np.asarray(rows[at : at + step]) for at in range(0, len(rows), step)]
        return np.concatenate([part[(part[:, 0] >= low) & (part[:, 0] < high)] for part in parts])
