"""Small steps for the tests of Attempts: each does one thing, well or badly."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import dataclass
from typing import Any

from touyan.core.errors import Invalid
from touyan.flow.step import InputSpec, StepSpec, Work


@dataclass(frozen=True, slots=True)
class Params:
    text: str = "hello"
    rate: float = 0.5
    n: int = 3


def write(work: Work[Params]) -> None:
    """Writes its inputs and its text."""
    found = [f"{i.name}:{p.read_text()}" for i in work.many("given") for p in sorted(i.path.rglob("*")) if p.is_file()]
    (work.out / "out.txt").write_text("\n".join([*found, work.params.text, repr(work.params.rate)]))
    work.progress(1, 1, "texts")
    work.count("texts", 1)
    work.measure("speed", 1.5)
    work.log("written")


def refuse(work: Work[Params]) -> None:
    raise Invalid("too-short", f"{work.params.text} is too short", "write more")


def crash(work: Work[Params]) -> None:
    raise ValueError("a secret of a document")


def hog(work: Work[Params]) -> None:
    held = []
    while True:
        held.append(b"x" * (16 << 20))


def spin(work: Work[Params]) -> None:
    while True:
        pass


def sleep(work: Work[Params]) -> None:
    work.progress(0, 1, "naps")
    time.sleep(600)


def breed(work: Work[Params]) -> None:
    """Leaves children behind that ignore SIGTERM, one of them in a session of its own."""
    for number in range(3):
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            if number == 0:
                os.setsid()
            time.sleep(600)
            os._exit(0)
    if work.params.text == "stay":
        time.sleep(600)
    (work.out / "out.txt").write_text("bred")


def die(work: Work[Params]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def chatter(work: Work[Params]) -> None:
    for _ in range(200):
        print("x" * (1 << 20))
    (work.out / "out.txt").write_text("said")


def shards(work: Work[Params]) -> None:
    """Writes n shards, slowly; says in a file of its own which it had to write."""
    for number in range(work.params.n):
        part = f"part-{number:05d}"
        if not work.is_done(part):
            (work.out / f"{part}.txt").write_text(f"{work.params.text} {number}")
            work.log(f"wrote {part}")
            work.mark_done(part, [work.out / f"{part}.txt"])
        work.progress(number + 1, work.params.n, "shards")
        time.sleep(work.params.rate)


def count_up(work: Work[Params]) -> None:
    """Counts to n with a checkpoint at each number."""
    saved = work.checkpoint()
    number = int((saved / "number").read_text()) if saved else 0
    work.log(f"from {number}")
    while number < work.params.n:
        number += 1
        folder = work.scratch / f"at-{number}"
        folder.mkdir()
        (folder / "number").write_text(str(number))
        work.save_checkpoint(folder, number)
        work.progress(number, work.params.n, "numbers")
        time.sleep(work.params.rate)
    (work.out / "number").write_text(str(number))


def show_environment(work: Work[Params]) -> None:
    lines = [f"{k}={v}" for k, v in sorted(os.environ.items())]
    (work.out / "environment").write_text("\n".join([*lines, f"path0={sys.path[0]}", f"cpus={len(os.sched_getaffinity(0))}"]))


def meddle(work: Work[Params]) -> None:
    """Writes over what the worker tells the agent: `text` names the file."""
    (work.out.parent / work.params.text).write_text('{"counts": 3}')
    (work.out / "made").write_text("x")
    if work.params.text == "done.json":
        (work.out.parent / "telemetry.json").write_text("{}")
        os._exit(0)


def _step(run: Any) -> StepSpec:
    given = InputSpec("source", many=True, optional=True)
    return StepSpec(run.__name__, "1", "report", {"given": given}, Params, "refine", run)


RUNS = (write, refuse, crash, hog, spin, sleep, breed, die, chatter, shards, count_up, show_environment, meddle)
STEPS = {run.__name__: _step(run) for run in RUNS}
WRITE, REFUSE, CRASH, HOG, SPIN, SLEEP = (STEPS[n] for n in ("write", "refuse", "crash", "hog", "spin", "sleep"))
BREED, DIE, CHATTER, SHARDS, COUNT_UP = (STEPS[n] for n in ("breed", "die", "chatter", "shards", "count_up"))
SHOW_ENVIRONMENT, MEDDLE = STEPS["show_environment"], STEPS["meddle"]
TOUYAN_STEPS = ",".join(f"sample_steps:{name.upper()}" for name in STEPS)
