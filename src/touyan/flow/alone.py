"""A step run alone: over folders that the caller names, in this process, without a store.

Owns what an Attempt would own otherwise: where files go, what is already there, who hears of progress. Knows nothing of rights,
keys or evidence: what is made so is a folder, not an Asset. Invariant: a folder made from other inputs, parameters or another
version of the step is never taken up again, and one that this module did not make is never touched.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from touyan.compute.folder import MARK, marked, read_json, write_json, write_mark
from touyan.core.asset import check_path
from touyan.core.canonical import Json, digest
from touyan.core.errors import Conflict, Invalid, Missing
from touyan.flow.params import to_canonical
from touyan.flow.step import InputAsset, StepSpec

Listener = Callable[[float, "float | None", str], None]
"""Hears done, total and unit."""
RECORDS = ".touyan"
"""Folder beside the outputs, with what each was made from."""


def _silent(done: float, total: float | None, unit: str) -> None:
    """Nobody listens."""


@dataclass(slots=True)
class FolderWork:
    """`touyan.flow.step.Work` over plain folders."""

    step: StepSpec
    params: Any
    out: Path
    scratch: Path
    threads: int
    inputs: Mapping[str, Sequence[InputAsset]]
    listener: Listener = _silent
    counts: dict[str, int] = field(default_factory=dict)
    figures: dict[str, str] = field(default_factory=dict)

    def one(self, role: str) -> InputAsset:
        """The single input given for `role`. Raises Missing where there is none."""
        found = self.many(role)
        if not found:
            raise Missing("no-input", f"{self.step.name} was given no {role}", f"give {role}, or see: touyan flow steps")
        return found[0]

    def many(self, role: str) -> list[InputAsset]:
        """All inputs given for `role`, in order. Raises Invalid for a role that the step does not have."""
        if role not in self.step.inputs:
            raise Invalid("no-role", f"{self.step.name} declares no input {role!r}", "declare it in the step's inputs")
        return list(self.inputs.get(role, ()))

    def progress(self, done: float, total: float | None, unit: str) -> None:
        """Tells the listener."""
        self.listener(done, total, unit)

    def measure(self, name: str, value: float | str) -> None:
        """Keeps a figure of this machine."""
        self.figures[name] = str(value)

    def count(self, name: str, n: int) -> None:
        """Adds to a named count."""
        self.counts[name] = self.counts.get(name, 0) + n

    def log(self, message: str) -> None:
        """A line of `log.txt` in the scratch folder."""
        with (self.scratch / "log.txt").open("a", encoding="utf-8") as log:
            log.write(message + "\n")

    def checkpoint(self) -> Path | None:
        """None: a step run alone has no earlier Attempt."""
        return None

    def save_checkpoint(self, folder: Path, position: int) -> None:
        """Checkpoints of a step run alone are not kept."""

    def is_done(self, part: str) -> bool:
        """Whether `out` holds the finished shard `part` with matching digests."""
        return marked(self._mark(part), self.out) is not None

    def mark_done(self, part: str, files: list[Path]) -> None:
        """Marks a shard finished."""
        write_mark(self._mark(part), self.out, files)

    def _mark(self, part: str) -> Path:
        return self.out / f"{check_path(part)}{MARK}"


def run_alone(
    step: StepSpec,
    params: object,
    inputs: Mapping[str, Sequence[InputAsset]],
    out: Path,
    threads: int,
    listener: Listener = _silent,
) -> bool:
    """Runs `step` into the folder `out`, or finds it done already: then True.

    An interrupted run goes on where it stopped. Raises Conflict where `out` holds something else, and whatever the step raises.
    """
    key = digest({"step": step.name, "version": step.version, "params": to_canonical(params), "inputs": _ids(inputs)})
    records = out.parent / RECORDS
    record, scratch = records / f"{out.name}.json", records / f"{out.name}.scratch"
    known = read_json(record) if record.exists() else None
    if known is None and out.exists():
        raise Conflict("folder-exists", f"{out} is there already and is none of ours", "choose another folder, or remove it")
    if known is not None and known["key"] == key and known["done"]:
        return True
    if known is not None and known["key"] != key:
        shutil.rmtree(out, ignore_errors=True)
        shutil.rmtree(scratch, ignore_errors=True)
    for folder in (out, scratch):
        folder.mkdir(parents=True, exist_ok=True)
    write_json(record, {"key": key, "done": False})
    work = FolderWork(step, params, out, scratch, threads, inputs, listener)
    step.run(work)
    write_json(record, {"key": key, "done": True, "counts": work.counts})
    shutil.rmtree(scratch)
    return False


def folder_id(path: Path) -> str:
    """What a folder or file of inputs is known by: sizes and times of its files, not their bytes. 64 hex digits."""
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    facts: list[Json] = [[str(p.relative_to(path.parent)), p.stat().st_size, str(p.stat().st_mtime_ns)] for p in files]
    return digest(facts)


def _ids(inputs: Mapping[str, Sequence[InputAsset]]) -> dict[str, Json]:
    return {role: [asset.id for asset in assets] for role, assets in sorted(inputs.items())}
