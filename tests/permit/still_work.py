"""A Work for tests of the step `check`: input folders by role, an output folder, and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from touyan.core.errors import Missing
from touyan.flow.step import InputAsset
from touyan.permit.check import CheckParams


@dataclass
class StillWork:
    """What the step may use, and nothing else."""

    params: CheckParams
    out: Path
    inputs: Mapping[str, Sequence[Path]]
    threads: int = 1
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.out.mkdir(parents=True)

    @property
    def scratch(self) -> Path:
        return self.out.parent / f"{self.out.name}-scratch"

    def many(self, role: str) -> list[InputAsset]:
        return [InputAsset(f"{role}-{i}", role, role, path) for i, path in enumerate(self.inputs.get(role, ()))]

    def one(self, role: str) -> InputAsset:
        given = self.many(role)
        if not given:
            raise Missing("no-input", f"nothing was given for {role}", "name it in the flow")
        return given[0]

    def progress(self, done: float, total: float | None, unit: str) -> None: ...

    def count(self, name: str, n: int) -> None:
        self.counts[name] += n
