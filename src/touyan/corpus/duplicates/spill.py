"""Records that wait on disk until those that belong together are all there.

Owns the files and their division by owner. Knows nothing about what a record says. Invariant: parts come in the order of owners,
and whoever reads holds one part at a time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


MAX_PARTS = 256
"""A part beyond it is larger than was allowed for, instead of one file among very many."""


class Spill:
    """Rows of numbers, each filed by its owner, who is the first number: put them all in, then read part by part."""

    def __init__(self, owners: int, columns: int, parts: int) -> None:
        """For owners below `owners` and rows of `columns` numbers, in about `parts` files."""
        import numpy as np

        parts = max(1, min(parts, owners, MAX_PARTS))
        self._columns = columns
        self._edges = np.linspace(0, owners, parts + 1)[1:-1].astype(np.int64)
        self._folder = tempfile.TemporaryDirectory(prefix="touyan-spill-")
        self._files = [Path(self._folder.name, str(part)) for part in range(parts)]

    def __enter__(self) -> Spill:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._folder.cleanup()

    def put(self, rows: NDArray[np.int64]) -> None:
        """Files rows, shape (n, columns)."""
        import numpy as np

        part_of = np.searchsorted(self._edges, rows[:, 0], side="right")
        for part in np.flatnonzero(np.bincount(part_of)).tolist():
            with self._files[part].open("ab") as file:
                rows[part_of == part].tofile(file)

    def parts(self) -> Iterator[NDArray[np.int64]]:
        """The rows of each part that has any: different ones, ascending by their numbers in turn."""
        import numpy as np

        for file in filter(Path.exists, self._files):
            rows = np.fromfile(file, dtype=np.int64).reshape(-1, self._columns)
            rows = rows[np.lexsort(rows.T[::-1])]
            is_new = np.concatenate([[True], (rows[1:] != rows[:-1]).any(axis=1)])
            yield rows[is_new]
