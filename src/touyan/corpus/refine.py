"""The step `refine`: documents in, a corpus out, every drop and every mask written down with its reason.

Owns the recipe and its stages: a surveyor ends one, since it must have seen all shards before the next can begin. Knows nothing
about what an operator looks for. Invariant: every operator sees every document once; the corpus is the same wherever its shards
were refined and however often the work was interrupted; memory is bounded by a shard, beside what a surveyor says that it needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from touyan.core.canonical import digest
from touyan.core.document import pseudonym
from touyan.core.errors import Invalid
from touyan.corpus.exclusions import Exclusions
from touyan.corpus.fan_out import Place, fan_out
from touyan.corpus.operator import Operator, Refiner, Setting, Surveyor, build
from touyan.corpus.personal.mask import Mask, pseudonym_key
from touyan.corpus.personal.policy import IDENTIFIERS
from touyan.flow.params import to_canonical
from touyan.flow.step import InputSpec, StepSpec, Work

if TYPE_CHECKING:
    from touyan.corpus.passes import Stage

BYTES_A_PROCESS = 8 << 20
"""Parquet bytes that keep a process busy for a few seconds: one shard, about 20 MB of Chinese text."""
DEFAULT_OPERATORS = ("unicode", "exact-duplicates", "length", "script", "mask")
REPAIRS = frozenset({"encoding", "unicode"})
"""Operators that stand before the exclusions where a recipe begins with them: repaired text shows identifiers that were hidden."""


@dataclass(frozen=True, slots=True)
class RefineParams:
    """What `refine` does, in order."""

    recipe: str = ""
    """A shipped recipe; it takes the place of all operators and parameters below but `settings`, which change it."""
    operators: tuple[str, ...] = DEFAULT_OPERATORS
    """Names from the entry point group touyan.refiners, in order."""
    min_chars: int = 10
    """Shorter documents are dropped; code points without white space."""
    max_chars: int = 2_000_000
    min_han_share: float = 0.3
    """Han characters among letters, in documents longer than `script_min_chars` code points."""
    script_min_chars: int = 50
    mask: tuple[str, ...] = ("email", "id-card", "bank-card", "mobile")
    """Kinds of identifiers that are masked; empty: all that the operator knows."""
    pseudonym_salt_id: str = ""
    """Name of the pseudonym key, so that a new key makes a new corpus. Never the key itself."""
    settings: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)
    """Parameters of further operators, by operator name; fractions as text, such as "0.3"."""
    fan_out: Place = "processes"
    """Where shards are refined; it changes nothing in the corpus."""


def recipe(params: RefineParams, key: bytes | None) -> list[Refiner]:
    """The operators that `params` name, configured. Raises Missing or Invalid as `build` does."""
    names, settings = _named(params)
    again = sorted(name for name, n in Counter(names).items() if n > 1)
    if again:
        raise Invalid(
            "repeated-operator", f"the recipe names {again[0]!r} twice", "name each operator once: views bear their names"
        )
    secrets: dict[str, dict[str, Any]] = {"mask": {"key": key}}
    return [build(name, {**settings.get(name, {}), **params.settings.get(name, {}), **secrets.get(name, {})}) for name in names]


def _named(params: RefineParams) -> tuple[tuple[str, ...], Mapping[str, Mapping[str, Any]]]:
    """Operators in order and their parameters, before `settings`."""
    if params.recipe:
        from touyan.corpus.recipe import read_recipe

        shipped = read_recipe(params.recipe)
        return shipped.names, shipped.settings
    return params.operators, {
        "length": {"min_chars": params.min_chars, "max_chars": params.max_chars},
        "script": {"min_han_share": params.min_han_share, "min_chars": params.script_min_chars},
        "mask": {"kinds": tuple(params.mask)} if params.mask else {},
    }


def run(work: Work[RefineParams]) -> None:
    """Refines every shard of the input documents; part N of the corpus is made from shard N of the input, in order."""
    from touyan.corpus.passes import Passes
    from touyan.corpus.summary import summarise
    from touyan.store.formats.documents import document_shards

    key = pseudonym_key()
    refiners = with_exclusions(
        recipe(work.params, key), [asset.path for asset in work.many("exclusions")], Mask(kinds=IDENTIFIERS, key=key)
    )
    shards = [shard for asset in work.many("documents") for shard in document_shards(asset.path)]
    with fan_out(work.params.fan_out, _processes(work.threads, shards)) as spread:
        tallies = Passes(work, shards, list(stages(refiners)), _folder(work, key), excerpt_mask(refiners), spread).run()
    summarise(work, refiners, tallies, has_key=key is not None)


def with_exclusions(refiners: Sequence[Refiner], folders: Sequence[Path], mask: Mask) -> list[Refiner]:
    """Withdrawn documents leave after the repair of their text and before all else."""
    place = len(list(takewhile(lambda refiner: refiner.name in REPAIRS, refiners)))
    return [*refiners[:place], *(Exclusions.read(folder, mask) for folder in folders), *refiners[place:]]


def excerpt_mask(refiners: Sequence[Refiner]) -> Mask:
    """Masks every kind of identifier in excerpts, and whatever else the recipe masks in texts."""
    own = (kind for refiner in refiners if isinstance(refiner, Mask) for kind in refiner.kinds)
    return Mask(kinds=tuple(dict.fromkeys((*IDENTIFIERS, *own))))


def stages(refiners: Sequence[Refiner]) -> Iterator[Stage]:
    """The recipe cut after each surveyor, which must have seen all shards before the next operator may begin."""
    from touyan.corpus.passes import Stage

    number = 0
    operators: list[Operator] = []
    for refiner in refiners:
        if isinstance(refiner, Surveyor):
            yield Stage(number, tuple(operators), refiner)
            number, operators = number + 1, []
        else:
            operators.append(refiner)
    yield Stage(number, tuple(operators), None)


def _folder(work: Work[RefineParams], key: bytes | None) -> Path:
    """Where this work lies between two stages. Its name says all that it depends on, for a scratch folder that outlives a Job."""
    inputs = {role: [asset.id for asset in work.many(role)] for role in STEP.inputs}
    facts = {"version": STEP.version, "params": to_canonical(work.params), "inputs": inputs}
    return work.scratch / f"refine-{pseudonym(key or b'', digest(facts))[:16]}"


def _processes(threads: int, shards: Sequence[Path]) -> int:
    """As many as there is work for: a process costs nearly a CPU second to start."""
    worth = sum(shard.stat().st_size for shard in shards) // BYTES_A_PROCESS
    return max(1, min(threads, len(shards), worth))


STEP = StepSpec(
    name="refine",
    version="2",
    output="corpus",
    inputs={
        "documents": InputSpec("documents", many=True, label="what `read` made of the sources, in order of precedence"),
        "exclusions": InputSpec("exclusions", optional=True, label="withdrawn documents, sources and subjects"),
    },
    params=RefineParams,
    purpose="refine",
    run=run,
    summary="Repairs text, drops duplicates and what does not fit, masks identifiers of persons.",
    extras=("refinery",),
)
