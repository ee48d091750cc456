"""What a step is, and what it may use while it works.

A step is a function from input Assets and parameters to one output Asset. It runs in a process of its own, in the folder
of an Attempt, and touches nothing else: no store, no network, no clock in its output. Rooms register a `StepSpec` under the
entry point group `touyan.steps`; the module that holds it must be cheap to import (heavy imports go inside `run`).

Invariant: the files under `work.out` are a pure function of (version, params, inputs, environment class). Times, rates and
host names go to `work.measure`, which is recorded beside the Asset and never inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from touyan.core.rights import Purpose

P_co = TypeVar("P_co", covariant=True)


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One named input of a step."""

    kind: str
    """Asset kind that fits: source, documents, corpus, tokens, tokenizer, model, evaluation, checks, exclusions, feedback."""
    many: bool = False
    """Takes a list of Assets instead of one."""
    optional: bool = False
    label: str = ""
    """One sentence for `touyan flow steps` and error messages."""


@dataclass(frozen=True, slots=True)
class StepSpec:
    """A step as the planner sees it."""

    name: str
    version: str
    """Raised whenever the same inputs and parameters give other output; a golden test fails when it was forgotten."""
    output: str
    """Kind of the Asset it makes."""
    inputs: Mapping[str, InputSpec]
    params: type
    """A frozen dataclass with defaults for every field; the flow file is validated against it."""
    purpose: Purpose
    """The purpose for which its inputs are opened: the rights gate asks for it."""
    run: Callable[[Work[Any]], None]
    summary: str = ""
    """One sentence, English."""
    environment: str = "python"
    """Environment class, part of the step key: 'python', or 'torch-cpu' where results depend on the engine."""
    threads: int = 0
    """CPU threads the step may use; 0 means all that the Job was given."""
    memory_bytes: int = 4 << 30
    limit_s: int = 24 * 3600
    extras: tuple[str, ...] = field(default=())
    """Optional-dependency groups of touyan that the step needs, for the error that prints the install command."""


@dataclass(frozen=True, slots=True)
class InputAsset:
    """An input as the step sees it: a read-only folder with verified bytes."""

    id: str
    kind: str
    name: str
    """Name of the step or source that made it, such as 'read/laws'."""
    path: Path


class Work(Protocol[P_co]):
    """What a running step may use."""

    @property
    def params(self) -> P_co: ...

    out: Path
    """Write the Asset's files here, and nothing that depends on time or host."""
    scratch: Path
    """Free use; not published, wiped after the Attempt."""
    threads: int

    def one(self, role: str) -> InputAsset:
        """The single Asset given for `role`. Raises Missing where an optional one was not given."""
        ...

    def many(self, role: str) -> list[InputAsset]:
        """All Assets given for `role`, in the order of the flow; empty where none was given."""
        ...

    def progress(self, done: float, total: float | None, unit: str) -> None:
        """Says how far the step is; call it as often as you like, it is throttled."""
        ...

    def measure(self, name: str, value: float | str) -> None:
        """Records a figure that depends on the machine (seconds, rate); kept beside the Asset, never in it."""
        ...

    def count(self, name: str, n: int) -> None:
        """Adds to a named count; the counts of a Job go into its one Event."""
        ...

    def log(self, message: str) -> None:
        """A line in the Attempt's log. Never personal data, never secrets."""
        ...

    def checkpoint(self) -> Path | None:
        """Folder of the newest checkpoint that an earlier Attempt of this Job handed over, or None."""
        ...

    def save_checkpoint(self, folder: Path, position: int) -> None:
        """Hands over a finished checkpoint folder (under scratch), made after `position` units of work."""
        ...

    def is_done(self, part: str) -> bool:
        """Whether `out` already holds the finished shard `part` with matching digests (after a restart)."""
        ...

    def mark_done(self, part: str, files: list[Path]) -> None:
        """Marks a shard finished: `out/<part>.done` with the digests of its files."""
        ...
