"""The process that runs one step: `python -m touyan.flow.worker ATTEMPT_DIR`.

Reads the spec and the staged inputs, runs the step, and leaves `out/` with `done.json`, or `error.json`. Knows nothing of the
store, of keys or of the network: the agent has checked and staged before, and publishes after. Invariant: `done.json` is the
last word of a step that succeeded, and nothing under `out/` changes after it.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from touyan.compute.folder import (
    FOLDER_VERSION,
    MARK,
    AttemptFolder,
    marked,
    newest_checkpoint,
    read_json,
    remove,
    write_json,
    write_mark,
)
from touyan.compute.plugins import load
from touyan.core.asset import check_path
from touyan.core.canonical import parse
from touyan.core.dsse import read_envelope
from touyan.core.errors import Broken, Conflict, Invalid, Missing, TouyanError, error_record
from touyan.core.job import JobSpec, read_spec
from touyan.flow.params import from_canonical
from touyan.flow.step import InputAsset, StepSpec

PROGRESS_INTERVAL_S = 0.2
FAILED = 1
"""Exit status of a step that left `error.json`."""
MEASURED_PACKAGES = ("numpy", "pyarrow", "safetensors", "sklearn", "tokenizers", "torch", "transformers")


class AttemptWork:
    """`touyan.flow.step.Work` over the folder of an Attempt."""

    def __init__(
        self, folder: AttemptFolder, step: StepSpec, spec: JobSpec, inputs: list[tuple[str, InputAsset]], threads: int
    ) -> None:
        self.params = from_canonical(step.params, spec.params)
        self.out = folder.out
        self.scratch = folder.scratch
        self.threads = min(step.threads or threads, threads)
        self.counts: dict[str, int] = {}
        self.figures: dict[str, str] = {}
        self._folder = folder
        self._step = step
        self._inputs = inputs
        self._told_s = 0.0
        self._speaks = speaks()

    def one(self, role: str) -> InputAsset:
        """The single Asset given for `role`. Raises Missing where an optional one was not given."""
        found = self.many(role)
        if not found:
            raise Missing(
                "no-input", f"{self._step.name} was given no {role}", f"give {role} in the flow, or see: touyan flow steps"
            )
        return found[0]

    def many(self, role: str) -> list[InputAsset]:
        """All Assets given for `role`, in the order of the flow."""
        if role not in self._step.inputs:
            raise Invalid("no-role", f"{self._step.name} declares no input {role!r}", "declare it in the step's inputs")
        return [asset for r, asset in self._inputs if r == role]

    def progress(self, done: float, total: float | None, unit: str) -> None:
        """Says how far the step is; written at most five times a second, and always at the end."""
        now_s, is_last = time.monotonic(), total is not None and done >= total
        if self._speaks and (is_last or now_s - self._told_s >= PROGRESS_INTERVAL_S):
            self._told_s = now_s
            write_json(self._folder.file("progress"), {"done": done, "total": total, "unit": unit})

    def measure(self, name: str, value: float | str) -> None:
        """Records a figure of this machine; a number is kept as its decimal string."""
        self.figures[name] = value if isinstance(value, str) else repr(value)

    def count(self, name: str, n: int) -> None:
        """Adds to a named count."""
        self.counts[name] = self.counts.get(name, 0) + n

    def log(self, message: str) -> None:
        """A line in the Attempt's log."""
        print(message, flush=True)

    def checkpoint(self) -> Path | None:
        """Folder of the newest checkpoint of this Job that is whole, or None."""
        newest = newest_checkpoint(self._folder.checkpoints)
        return newest[1] if newest else None

    def save_checkpoint(self, folder: Path, position: int) -> None:
        """Hands over a checkpoint by rename, then marks it; older ones are dropped once it stands."""
        target = self._folder.checkpoints / str(position)
        remove(target)
        folder.rename(target)
        write_mark(self._folder.checkpoints / f"{position}{MARK}", target, [p for p in target.rglob("*") if p.is_file()])
        for old in self._folder.checkpoints.iterdir():
            if old.is_dir() and old != target:
                old.with_name(f"{old.name}{MARK}").unlink(missing_ok=True)
                remove(old)

    def is_done(self, part: str) -> bool:
        """Whether `out` holds the finished shard `part` with matching digests."""
        return marked(self._mark(part), self.out) is not None

    def mark_done(self, part: str, files: list[Path]) -> None:
        """Marks a shard finished."""
        write_mark(self._mark(part), self.out, files)

    def _mark(self, part: str) -> Path:
        return self.out / f"{check_path(part)}{MARK}"


def run(root: Path) -> int:
    """Runs the step of an Attempt; returns the exit status."""
    folder, began_s = AttemptFolder(root), time.monotonic()
    try:
        work, step = prepare(folder)
        step.run(cast(Any, work))
    except Exception as error:  # whatever a step raises must reach the submitter as an error with a family
        return _failed(folder, error)
    if not speaks():
        return 0
    write_json(folder.file("telemetry"), {"telemetry": work.figures | _usage(began_s), "environment": environment()})
    write_json(folder.file("done"), {"done": 1, "counts": work.counts})
    return 0


def speaks() -> bool:
    """Whether this process tells how the step went: of those that torchrun starts together, the first."""
    return os.environ.get("RANK", "0") == "0"


def prepare(folder: AttemptFolder) -> tuple[AttemptWork, StepSpec]:
    """The step of the spec and what it works on. Raises Conflict where the installed step is another version."""
    spec = read_spec(read_envelope(parse(folder.file("spec").read_bytes())).payload)
    staged = read_json(folder.file("inputs"))
    if staged["folder"] != FOLDER_VERSION:
        raise Conflict(
            "other-folder", f"the Attempt's folder is of version {staged['folder']}", "run agent and steps of one Touyan"
        )
    step = load(str(staged["entry"]))
    if not isinstance(step, StepSpec):
        raise Broken(
            "bad-entry-point", f"{staged['entry']} is no StepSpec", "correct the entry point of the package that offers it"
        )
    if (step.name, step.version) != (spec.step, spec.version):
        raise Conflict(
            "other-version",
            f"{spec.step} {spec.version} was asked for, {step.name} {step.version} is installed",
            "run the flow again",
        )
    listed = cast("list[Mapping[str, str]]", staged["inputs"])
    inputs = [(i["role"], InputAsset(i["asset"], i["kind"], i["name"], folder.root / check_path(i["path"]))) for i in listed]
    threads = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    return AttemptWork(folder, step, spec, inputs, threads), step


def _crash(error: Exception) -> TouyanError:
    """An error nobody planned. Its words stay in the log: they may quote a document."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "an unknown place"
    code = "resources" if isinstance(error, (OSError, MemoryError)) else "step-crashed"
    return Broken(
        code, f"the step ended with {type(error).__name__} at {where}", "its traceback is at the end of the Attempt's log.txt"
    )


def _failed(folder: AttemptFolder, error: Exception) -> int:
    sys.excepthook(type(error), error, error.__traceback__)
    write_json(folder.file("error"), error_record(error if isinstance(error, TouyanError) else _crash(error)))
    return FAILED


def environment() -> dict[str, str]:
    """What the result was made with: recorded beside it, no part of its key."""
    loaded = {n: str(getattr(sys.modules[n], "__version__", "")) for n in MEASURED_PACKAGES if n in sys.modules}
    return {"python": sys.version.split()[0], "machine": os.uname().machine, "system": os.uname().sysname} | loaded


def _usage(began_s: float) -> dict[str, int]:
    """Wall and CPU time of the step and its children, and the peak of the largest one (getrusage counts KiB on Linux)."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu_s = sum(u.ru_utime + u.ru_stime for u in usages)
    peak_bytes = max(u.ru_maxrss for u in usages) * 1024
    return {"wall_ms": round((time.monotonic() - began_s) * 1000), "cpu_ms": round(cpu_s * 1000), "peak_bytes": peak_bytes}


if __name__ == "__main__":
    exit_status = run(Path(sys.argv[1]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(
        exit_status
    )  # all that counts is on disk, and the wrapper ends what is left: taking the interpreter apart costs 10 ms
