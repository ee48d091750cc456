"""The passes of a recipe over all shards: stage by stage, and in a stage each shard on its own.

Owns the folder of what lies between two stages, and knows what is already there. Knows nothing about how a shard passes. Invariant:
a shard that has passed a stage does not pass it again while the folder is there, and a finished part is never made again.

    <folder>/<stage>/<shard>/           the shard's state and survey after a stage, or its part of the corpus after the last
    <folder>/<stage>/settled/<shard>    the operator that the survey came to
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from touyan.corpus.fan_out import FanOut
from touyan.corpus.operator import Operator, Surveyor
from touyan.corpus.personal.mask import Mask
from touyan.corpus.shard import SURVEY, ShardTask, part_files, pass_stage
from touyan.corpus.summary import Tally, tally_part
from touyan.corpus.surveys import Surveys, settled_path, write_settled
from touyan.flow.step import Work
from touyan.store.formats.corpus import part_name


@dataclass(frozen=True, slots=True)
class Stage:
    """Operators between two surveys, and who surveys after them; nobody after the last stage."""

    number: int
    operators: tuple[Operator, ...]
    surveyor: Surveyor | None


@dataclass(frozen=True, slots=True)
class Passes:
    """All stages of a recipe over all shards of a Job."""

    work: Work[Any]
    shards: Sequence[Path]
    stages: Sequence[Stage]
    folder: Path
    excerpt_mask: Mask
    spread: FanOut[Any, Any]

    def run(self) -> list[Tally]:
        """Makes the parts that are missing; the counts of all parts, in order."""
        done = [number for number in range(len(self.shards)) if self.work.is_done(part_name(number))]
        tallies = dict(self.spread(partial(_tally, self.work.out), done))
        if len(done) < len(self.shards):
            self._clear_if_torn(done)
            for stage in self.stages[:-1]:
                self._survey(stage)
            tallies |= self._make_parts(self.stages[-1], done)
            shutil.rmtree(self.folder)
        return [tallies[number] for number in range(len(self.shards))]

    def _clear_if_torn(self, done: Sequence[int]) -> None:
        """Begins anew where a finished part was damaged later: the state that it was made from is gone."""
        settled = [stage for stage in self.stages if self._settled(stage.number).exists()]
        missing = set(range(len(self.shards))).difference(done)
        later = self.stages[settled[-1].number : -1] if settled else ()
        if settled and not all(any(self._state(stage.number, n).exists() for stage in later) for n in missing):
            shutil.rmtree(self.folder)

    def _survey(self, stage: Stage) -> None:
        """Leads all shards through a stage and settles what its surveyor has seen."""
        settled = self._settled(stage.number)
        if settled.exists():
            return
        missing = [task for task in self._tasks(stage) if not task.target.exists()]
        for n, (task, _) in enumerate(self.spread(pass_stage, missing), 1 + len(self.shards) - len(missing)):
            self._tell(stage, n)
            self._forget(stage.number - 1, task.number)
        surveys = Surveys([self._state(stage.number, number) / SURVEY for number in range(len(self.shards))])
        draft = settled.with_name("draft")
        shutil.rmtree(draft, ignore_errors=True)
        assert stage.surveyor is not None, "only the last stage has no survey"
        write_settled(draft, stage.surveyor.settle(surveys), len(self.shards), stage.surveyor.name)
        draft.rename(settled)

    def _make_parts(self, stage: Stage, done: Sequence[int]) -> dict[int, Tally]:
        """Leads the shards whose parts are missing through the last stage."""
        tallies: dict[int, Tally] = {}
        missing = [task for task in self._tasks(stage) if task.number not in set(done)]
        for task in missing:
            shutil.rmtree(task.target, ignore_errors=True)  # moved in part, and not marked
        for n, (task, tally) in enumerate(self.spread(pass_stage, missing), 1 + len(done)):
            tallies[task.number] = tally
            files = part_files(self.work.out, task.number)
            for made, file in zip(part_files(task.target, task.number), files, strict=True):
                file.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(made, file)
            self.work.mark_done(part_name(task.number), files)
            self._tell(stage, n)
            for passed in (stage.number - 1, stage.number):
                self._forget(passed, task.number)
        return tallies

    def _tasks(self, stage: Stage) -> list[ShardTask]:
        """The tasks of a stage, the largest shards first: who works on the last one keeps nobody waiting for long."""
        before = stage.number - 1
        tasks = [
            ShardTask(
                source=shard if before < 0 else self._state(before, number),
                number=number,
                target=self._state(stage.number, number),
                operators=stage.operators,
                settled=None if before < 0 else settled_path(self._settled(before), number),
                surveyor=stage.surveyor,
                excerpt_mask=self.excerpt_mask,
            )
            for number, shard in enumerate(self.shards)
        ]
        return sorted(tasks, key=lambda task: -self.shards[task.number].stat().st_size)

    def _state(self, stage: int, number: int) -> Path:
        return self.folder / str(stage) / str(number)

    def _settled(self, stage: int) -> Path:
        return self.folder / str(stage) / "settled"

    def _forget(self, stage: int, number: int) -> None:
        """Removes the state that a shard has passed on from: the disk holds two of each at most."""
        shutil.rmtree(self._state(stage, number), ignore_errors=True)

    def _tell(self, stage: Stage, passed: int) -> None:
        done, total = stage.number * len(self.shards) + passed, len(self.stages) * len(self.shards)
        self.work.progress(done, total, "shards")


def _tally(out: Path, number: int) -> Tally:
    return tally_part(part_files(out, number))
