"""The step that `step_overhead.py` runs: one small file. In a module of its own, which imports no more than a step must."""

from __future__ import annotations

from dataclasses import dataclass

from touyan.flow.step import StepSpec, Work


@dataclass(frozen=True, slots=True)
class Params:
    n: int = 0


def run(work: Work[Params]) -> None:
    (work.out / "n").write_text(str(work.params.n))


STEP = StepSpec("bench-empty", "1", "report", {}, Params, "inspect", run)
