"""The columns of a batch: Arrow arrays on the outside, lists where somebody looks into them.

Owns the step between the two. Knows nothing about what a column means. Invariant: a column that nobody asks for is never turned
into Python objects, and one that nobody edits leaves as the buffers that it came in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


class Columns(Mapping[str, Sequence[Any]]):
    """Equally long columns by name; immutable."""

    __slots__ = ("_arrays", "_edits", "_lists", "_rows")

    def __init__(self, arrays: Mapping[str, pa.Array], lists: Mapping[str, Sequence[Any]] | None = None) -> None:
        self._arrays = dict(arrays)
        self._rows: NDArray[np.int64] | None = None
        """Rows of the arrays that are left, in order; None: all of them."""
        self._lists = dict(lists or {})
        """Columns without an array, and arrays that somebody has looked into; as long as the batch."""
        self._edits: dict[str, dict[int, Any]] = {}
        """Column -> row of the array -> what stands there now."""

    def __getitem__(self, name: str) -> Sequence[Any]:
        if name not in self._lists:
            self._lists[name] = _listed(self.array(name))
        return self._lists[name]

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys((*self._arrays, *self._lists))

    def __len__(self) -> int:
        return len(self._arrays.keys() | self._lists.keys())

    def array(self, name: str, kind: pa.DataType | None = None) -> pa.Array:
        """The column as an array; of `kind` where it was a list so far."""
        import pyarrow as pa

        if name not in self._arrays:
            return pa.array(self._lists[name], kind)
        array = self._arrays[name]
        if name in self._edits:
            array = _replaced(array, self._edits[name])
        return array if self._rows is None else array.take(pa.array(self._rows))

    def edited(self, name: str, values: Mapping[int, Any]) -> Self:
        """The columns with `values` in these rows of one of them."""
        column = list(self[name])
        for row, value in values.items():
            column[row] = value
        changed = self._copy()
        changed._lists[name] = column
        if name in self._arrays:
            own = values if self._rows is None else {int(self._rows[row]): value for row, value in values.items()}
            changed._edits[name] = {**self._edits.get(name, {}), **own}
        return changed

    def replaced(self, name: str, values: Sequence[Any]) -> Self:
        """The columns with a list of as many values in place of one of them."""
        changed = self._copy()
        changed._arrays = {other: array for other, array in self._arrays.items() if other != name}
        changed._lists[name] = values
        return changed

    def take(self, rows: Sequence[int]) -> Self:
        """The columns of these rows, in this order."""
        import numpy as np

        chosen = np.fromiter(rows, np.int64, len(rows))
        taken = self._copy()
        taken._rows = chosen if self._rows is None else self._rows[chosen]
        taken._lists = {name: [column[row] for row in rows] for name, column in self._lists.items()}
        return taken

    def _copy(self) -> Self:
        copy = type(self)(self._arrays, self._lists)
        copy._rows, copy._edits = self._rows, dict(self._edits)
        return copy


def _listed(array: pa.Array) -> list[Any]:
    import pyarrow as pa

    # Of strings, `to_numpy` makes Python objects in C++; `to_pylist` would make a scalar of each first.
    return array.to_numpy(zero_copy_only=False).tolist() if pa.types.is_string(array.type) else array.to_pylist()


def _replaced(array: pa.Array, values: Mapping[int, Any]) -> pa.Array:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_string(array.type):
        column = array.to_pylist()
        return pa.array([values.get(row, value) for row, value in enumerate(column)], array.type)
    rows = sorted(values)
    mask = np.zeros(len(array), dtype=bool)
    mask[rows] = True
    return pc.replace_with_mask(array, pa.array(mask), pa.array([values[row] for row in rows], array.type))
