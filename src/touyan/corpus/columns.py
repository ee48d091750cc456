"""The columns of a batch: Arrow arrays on the outside, lists where somebody looks into them.

Owns the step between the two, and what was done to the arrays since they came: which rows are left, what was edited. Knows nothing
about what a column means. Invariant: a column that nobody asks for is never turned into Python objects, and one that nobody edits
leaves as the buffers that it came in.
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
            column, edits = _listed(self._arrays[name]), self._edits.get(name, {})
            rows = range(len(column)) if self._rows is None else self._rows.tolist()
            is_whole = self._rows is None and not edits
            self._lists[name] = column if is_whole else [edits.get(row, column[row]) for row in rows]
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
        return self._chosen(_replaced(array, self._edits[name]) if name in self._edits else array)

    def table(self, schema: pa.Schema) -> pa.Table:
        """The columns of a schema as they are now."""
        import pyarrow as pa

        return pa.table([self.array(field.name, field.type) for field in schema], schema=schema)

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

    def changes(self) -> tuple[pa.Table, pa.Table]:
        """What was done to the arrays since they came: the rows left, and the values edited. `changed` takes them back."""
        import numpy as np
        import pyarrow as pa

        n = len(next(iter(self._arrays.values())))
        rows = np.arange(n) if self._rows is None else self._rows
        left = set(rows.tolist())
        edits = [(name, row, value) for name, own in self._edits.items() for row, value in own.items() if row in left]
        texts = [value if isinstance(value, str) else None for _, _, value in edits]
        lists = [None if isinstance(value, str) else value for _, _, value in edits]
        names, places = [name for name, _, _ in edits], [row for _, row, _ in edits]
        return tuple(
            pa.table(dict(zip(schema.names, columns, strict=True)), schema=schema)
            for schema, columns in zip(changes_schemas(), ([rows], [names, places, texts, lists]), strict=True)
        )

    @classmethod
    def changed(cls, arrays: Mapping[str, pa.Array], rows: pa.RecordBatch, edits: pa.RecordBatch) -> Self:
        """Arrays with the `changes` that were made to them."""
        columns = cls(arrays)
        columns._rows = rows["row"].to_numpy()
        for edit in edits.to_pylist():
            value = edit["text"] if edit["list"] is None else edit["list"]
            columns._edits.setdefault(edit["column"], {})[edit["row"]] = value
        return columns

    def _chosen(self, array: pa.Array) -> pa.Array:
        import pyarrow as pa

        return array if self._rows is None else array.take(pa.array(self._rows))

    def _copy(self) -> Self:
        copy = type(self)(self._arrays, self._lists)
        copy._rows, copy._edits = self._rows, dict(self._edits)
        return copy


def changes_schemas() -> tuple[pa.Schema, pa.Schema]:
    """Columns of the two tables of `Columns.changes`."""
    import pyarrow as pa

    row = pa.field("row", pa.int64())
    values = [pa.field("text", pa.string()), pa.field("list", pa.list_(pa.string()))]
    return pa.schema([row]), pa.schema([pa.field("column", pa.string()), row, *values])


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
