"""Surveys and settled operators on disk, so that neither grows with the corpus in anybody's memory.

Owns their files: `<array>.npy` for each array of a shard's survey, one file for each shard's settled operator. Knows nothing
about what they mean. Invariant: the files belong to one Attempt and never leave it; whoever could change them could change the
program as well, which is why an operator may be pickled.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from touyan.core.errors import Broken
from touyan.corpus.operator import Operator, Survey

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAPPED_BYTES = 1 << 16
"""Smaller arrays are read: a process may map some 65,000 files (vm.max_map_count), and an empty one not at all."""


def write_survey(folder: Path, notes: Sequence[Survey]) -> None:
    """The survey of a shard, from the notes on its batches in order."""
    import numpy as np

    folder.mkdir()
    for name in notes[0]:
        np.save(folder / f"{name}.npy", np.concatenate([note[name] for note in notes]), allow_pickle=False)


class Surveys(Sequence[Survey]):
    """The surveys of all shards, in order, each loaded when it is asked for."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders

    @overload
    def __getitem__(self, index: int) -> Survey: ...
    @overload
    def __getitem__(self, index: slice) -> Surveys: ...
    def __getitem__(self, index: int | slice) -> Survey | Surveys:
        if isinstance(index, slice):
            return Surveys(self._folders[index])
        return {path.stem: _load(path) for path in sorted(self._folders[index].glob("*.npy"))}

    def __len__(self) -> int:
        return len(self._folders)


def _load(path: Path) -> NDArray[np.generic]:
    import numpy as np

    is_large = path.stat().st_size > MAPPED_BYTES
    return np.load(path, mmap_mode="r" if is_large else None, allow_pickle=False)


def write_settled(folder: Path, operators: Iterable[Operator], shards: int, surveyor: str) -> None:
    """Writes down the operators of all shards one by one. Raises Broken where there are not as many."""
    folder.mkdir(parents=True)
    n = 0
    for n, operator in enumerate(operators, 1):
        settled_path(folder, n - 1).write_bytes(pickle.dumps(operator, pickle.HIGHEST_PROTOCOL))
    if n != shards:
        raise Broken("surveyor", f"{surveyor} settled {n} shards of {shards}", "let settle() give one operator a survey")


def read_settled(path: Path) -> Any:
    """The operator that `write_settled` wrote in this Attempt."""
    return pickle.loads(path.read_bytes())


def settled_path(folder: Path, number: int) -> Path:
    """Where the operator for shard `number` is."""
    return folder / f"{number}.pickle"
