"""What an operator of the refinery is: one method over a batch of documents.

Owns the batch, the marks that come back, the two protocols and the registry (entry point group `touyan.refiners`). Knows
nothing about shards, processes or files. Invariant: an operator is a frozen dataclass whose fields are its parameters; it
never changes a batch, and its marks depend on nothing but batch and fields.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias, get_type_hints, runtime_checkable

from touyan.core.canonical import canonical
from touyan.core.document import Span, Verdict
from touyan.core.errors import Invalid, Missing
from touyan.core.names import nearest
from touyan.corpus.columns import Columns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GROUP = "touyan.refiners"

Setting: TypeAlias = "bool | int | str | tuple[str, ...]"
"""A parameter as a flow file gives it. Fractions come as text, '0.3': signed parameters hold no floats (RFC 8785)."""
Survey: TypeAlias = "Mapping[str, NDArray[np.generic]]"
"""What one shard tells about itself: named arrays, joined along their first axis when a shard comes in several batches."""


@dataclass(frozen=True, slots=True)
class DocumentBatch:
    """Documents side by side: the columns of the documents table, with `text` in the view that the operator is to judge."""

    columns: Mapping[str, Sequence[Any]]

    @property
    def doc_ids(self) -> Sequence[str]:
        return self.columns["doc_id"]

    @property
    def texts(self) -> Sequence[str]:
        return self.columns["text"]

    def __len__(self) -> int:
        return len(self.doc_ids)

    def take(self, rows: Sequence[int]) -> DocumentBatch:
        """The batch of these rows, in this order."""
        if isinstance(self.columns, Columns):
            return DocumentBatch(self.columns.take(rows))
        return DocumentBatch({name: [column[i] for i in rows] for name, column in self.columns.items()})


@dataclass(frozen=True, slots=True)
class Marks:
    """What an operator has to say about a batch, by row number. Rows without a remark are absent.

    The edits among the spans of one row must be disjoint: see `touyan.core.document.settle`.
    """

    spans: Mapping[int, Sequence[Span]] = field(default_factory=dict)
    verdicts: Mapping[int, Verdict] = field(default_factory=dict)


class Operator(Protocol):
    """Judges documents one batch at a time, each on its own."""

    name: ClassVar[str]
    version: ClassVar[str]
    """Raised whenever the same batch gets other marks."""

    def judge(self, batch: DocumentBatch) -> Marks:
        """Marks on the texts of `batch`. Row order and the division into batches do not change what a document gets."""
        ...


@runtime_checkable
class Surveyor(Protocol):
    """An operator that must have seen the whole corpus before it can judge: duplicates, lines that a site repeats.

    `survey` runs on every shard, in any process. `settle` runs once, over all shards in order, and gives for each shard the
    Operator that will judge it, carrying only what that shard needs. The engine keeps surveys and settled operators on disk:
    `surveys` is a sequence whose members are mapped into memory when asked for, as often as wanted, and operators that are
    yielded one by one are written down one by one.
    """

    name: ClassVar[str]
    version: ClassVar[str]

    def survey(self, batch: DocumentBatch) -> Survey: ...

    def settle(self, surveys: Sequence[Survey]) -> Iterable[Operator]: ...


Refiner: TypeAlias = Operator | Surveyor


@dataclass(frozen=True, slots=True)
class Signature:
    """Who made a mark: it stands beside every span and verdict."""

    operator: str
    version: str
    parameters: str
    """First 16 hex digits of the sha256 of the operator's parameters; summary.json spells them out."""

    @classmethod
    def of(cls, refiner: Refiner) -> Signature:
        """The signature of an operator as configured."""
        digest = hashlib.sha256(canonical(parameters_of(refiner))).hexdigest()
        return cls(refiner.name, refiner.version, digest[:16])


def parameters_of(refiner: Refiner) -> dict[str, str]:
    """The operator's fields as canonical strings. Fields that are marked private (`repr=False`) are left out."""
    public = (each.name for each in fields(refiner) if each.repr)  # type: ignore[arg-type]
    return {name: str(getattr(refiner, name)) for name in public}


def operator_names() -> tuple[str, ...]:
    """Names of all installed operators."""
    return tuple(sorted(_installed()))


def operator_class(name: str) -> type[Refiner]:
    """The operator registered as `name`. Raises Missing, with the nearest name, where nobody registered it."""
    if name not in _installed():
        raise Missing("no-such-operator", f"no operator is called {name!r}", nearest(name, list(operator_names())))
    return _installed()[name].load()


@cache
def _installed() -> dict[str, EntryPoint]:
    """Looking through the installed packages takes 100 ms, and a recipe asks for fifteen operators."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


@dataclass(frozen=True, slots=True)
class Description:
    """An operator as a user sees it in a list: its parameters with their defaults."""

    name: str
    version: str
    parameters: tuple[tuple[str, str], ...]


def described(name: str) -> Description:
    """The description of an installed operator. Raises Missing as `operator_class` does."""
    cls = operator_class(name)
    public = [each for each in fields(cls) if each.repr]  # type: ignore[arg-type]
    return Description(name, cls.version, tuple((each.name, str(each.default)) for each in public))


def build(name: str, settings: Mapping[str, Any]) -> Refiner:
    """The operator registered as `name`, with these parameters.

    Raises Missing for a name that nobody registered and Invalid for a parameter that it does not have; both name the nearest.
    """
    cls = operator_class(name)
    known = list(cls.__dataclass_fields__)  # type: ignore[union-attr]
    unknown = sorted(set(settings) - set(known))
    if unknown:
        raise Invalid("no-such-parameter", f"{name} has no parameter {unknown[0]!r}", nearest(unknown[0], known))
    return cls(**{key: _typed(cls, key, value) for key, value in settings.items()})


def _typed(cls: type, key: str, value: object) -> object:
    """The value as its field wants it: text becomes a number where the field is a fraction."""
    is_fraction = get_type_hints(cls)[key] is float
    return float(value) if is_fraction and isinstance(value, int | str) else value
