"""The step `refine`: documents in, a corpus out, every drop and every mask written down with its reason.

Owns the recipe, the passes over the shards and their fan-out over processes. Knows nothing about what an operator looks for.
Invariant: the corpus is the same for any number of processes and any division into Attempts; memory is bounded by a shard,
beside 56 bytes per document for exact duplicates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from touyan.core.errors import Invalid
from touyan.corpus.exclusions import Exclusions
from touyan.corpus.mask import Mask, pseudonym_key
from touyan.corpus.operator import Refiner, Setting, Surveyor, build
from touyan.flow.step import InputSpec, StepSpec, Work
from touyan.store.formats.corpus import part_name

if TYPE_CHECKING:
    from touyan.corpus.shard import ShardTask

BYTES_A_PROCESS = 4 << 20
"""Parquet bytes that keep a process busy for a second or two; about 16 MB of Chinese text."""
DEFAULT_OPERATORS = ("unicode", "exact-duplicates", "length", "script", "mask")


@dataclass(frozen=True, slots=True)
class RefineParams:
    """What `refine` does, in order."""

    operators: tuple[str, ...] = DEFAULT_OPERATORS
    """Names from the entry point group touyan.refiners, in order."""
    min_chars: int = 10
    """Shorter documents are dropped; code points without white space."""
    max_chars: int = 2_000_000
    min_han_share: float = 0.3
    """Han characters among letters, in documents longer than `script_min_chars` code points."""
    script_min_chars: int = 50
    mask: tuple[str, ...] = ("email", "id-card", "bank-card", "mobile")
    pseudonym_salt_id: str = ""
    """Name of the pseudonym key, so that a new key makes a new corpus. Never the key itself."""
    settings: Mapping[str, Mapping[str, Setting]] = field(default_factory=dict)
    """Parameters of further operators, by operator name; fractions as text, such as "0.3"."""


def recipe(params: RefineParams, key: bytes | None) -> list[Refiner]:
    """The operators that `params` name, configured. Raises Missing or Invalid as `build` does."""
    again = sorted(name for name, n in Counter(params.operators).items() if n > 1)
    if again:
        raise Invalid(
            "repeated-operator", f"the recipe names {again[0]!r} twice", "name each operator once: views bear their names"
        )
    own: dict[str, dict[str, Any]] = {
        "length": {"min_chars": params.min_chars, "max_chars": params.max_chars},
        "script": {"min_han_share": params.min_han_share, "min_chars": params.script_min_chars},
        "mask": {"kinds": tuple(params.mask), "key": key},
    }
    return [build(name, {**own.get(name, {}), **params.settings.get(name, {})}) for name in params.operators]


def run(work: Work[RefineParams]) -> None:
    """Refines every shard of the input documents; part N of the corpus is made from shard N of the input, in order."""
    from touyan.corpus.shard import ShardTask
    from touyan.corpus.summary import summarise
    from touyan.store.formats.documents import document_shards

    key = pseudonym_key()
    refiners = _with_exclusions(work, recipe(work.params, key), Mask(key=key))
    shards = [shard for asset in work.many("documents") for shard in document_shards(asset.path)]
    tasks = [ShardTask(shard, n, (), work.out, Mask()) for n, shard in enumerate(shards)]
    if not all(work.is_done(part_name(task.number)) for task in tasks):
        with _pool(_processes(work.threads, shards)) as fan_out:
            _refine_all(work, tasks, refiners, fan_out)
    summarise(work, refiners, len(tasks), has_key=key is not None)


def _with_exclusions(work: Work[RefineParams], refiners: list[Refiner], mask: Mask) -> list[Refiner]:
    """Withdrawn documents leave after the repair of their text, which finds hidden identifiers, and before all else."""
    given = work.many("exclusions")
    found = [Exclusions.read(asset.path, mask) for asset in given]
    place = 1 if refiners and refiners[0].name == "unicode" else 0
    return [*refiners[:place], *found, *refiners[place:]]


def _refine_all(work: Work[RefineParams], tasks: Sequence[ShardTask], refiners: Sequence[Refiner], fan_out: FanOut) -> None:
    from touyan.corpus import shard

    chains: list[ShardTask] = list(tasks)
    passes = 1 + sum(isinstance(refiner, Surveyor) for refiner in refiners)
    done = 0
    for refiner in refiners:
        if isinstance(refiner, Surveyor):
            surveys = []
            for note in fan_out(partial(shard.survey, surveyor=refiner), chains):
                surveys.append(note)
                work.progress(done := done + 1, passes * len(tasks), "shards")
            settled = refiner.settle(surveys)
            chains = [replace(task, operators=(*task.operators, own)) for task, own in zip(chains, settled, strict=True)]
        else:
            chains = [replace(task, operators=(*task.operators, refiner)) for task in chains]
    missing = [task for task in chains if not work.is_done(part_name(task.number))]
    done += len(chains) - len(missing)
    for task, _ in zip(missing, fan_out(shard.refine, missing), strict=True):
        work.mark_done(part_name(task.number), shard.part_files(work.out, task.number))
        work.progress(done := done + 1, passes * len(tasks), "shards")


def _processes(threads: int, shards: Sequence[Path]) -> int:
    """As many as there is work for: a process costs nearly a CPU second to start."""
    worth = sum(shard.stat().st_size for shard in shards) // BYTES_A_PROCESS
    return max(1, min(threads, len(shards), worth))


FanOut = Callable[[Callable[["ShardTask"], Any], Sequence["ShardTask"]], Iterable[Any]]
"""Runs a function over shards and gives the results in their order."""


@contextmanager
def _pool(processes: int) -> Generator[FanOut]:
    """A fan-out over this process, or over several."""
    if processes <= 1:
        yield map
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Spawned, not forked: pyarrow's threads do not survive a fork.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as executor:
        yield executor.map


STEP = StepSpec(
    name="refine",
    version="1",
    output="corpus",
    inputs={
        "documents": InputSpec("documents", many=True, label="what `read` made of the sources, in order of precedence"),
        "exclusions": InputSpec("exclusions", optional=True, label="withdrawn documents, sources and subjects"),
    },
    params=RefineParams,
    purpose="refine",
    run=run,
    summary="Repairs text, drops duplicates and what does not fit, masks identifiers of persons.",
)
