"""What a step costs beside its own work: `python bench/flow/step_overhead.py [N]`.

Runs N Jobs of a step that writes one small file on a local site, from `submit` to a published Asset, and as many bare processes
that start the interpreter and import what a payload imports. Prints milliseconds a step: wall time (median) and CPU time of all
processes (mean), which says the same on a busy machine.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from empty_step import STEP, Params

from touyan.compute.local import LocalSite
from touyan.core.job import JobSpec, Need
from touyan.flow.params import to_canonical
from touyan.store.home import Store, open_store

START = "import touyan.compute.wrapper, touyan.flow.worker"


def cpu_ms() -> float:
    """CPU time of this process and of all children it has collected."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in usages) * 1000


def measure(act: Callable[[int], None], times: int) -> tuple[float, float]:
    """Median wall time and mean CPU time of `act`, in milliseconds."""
    taken_ms: list[float] = []
    before_ms = cpu_ms()
    for number in range(times):
        began_s = time.perf_counter()
        act(number)
        taken_ms.append((time.perf_counter() - began_s) * 1000)
    return statistics.median(taken_ms), (cpu_ms() - before_ms) / times


def bare(code: str) -> Callable[[int], None]:
    """Starts Python as the agent does, and runs `code`."""
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONHASHSEED": "0"}

    def act(_: int) -> None:
        subprocess.run([sys.executable, "-P", "-c", code], env=environment, check=True)

    return act


def job(store: Store, site: LocalSite) -> Callable[[int], None]:
    """Runs one empty step."""
    me = store.me()

    def act(number: int) -> None:
        params = to_canonical(Params(number))
        name = f"bench/{number}"
        spec = JobSpec(me.project, name, STEP.name, "1", params, (), "report", "inspect", "python", Need(), me.party)
        identifier = store.jobs.submit(me, spec)
        site.wake()
        while store.jobs.get(identifier).state != "done":
            site.wait(1)

    return act


def main(times: int) -> None:
    os.environ["TOUYAN_STEPS"] = "empty_step:STEP"
    with tempfile.TemporaryDirectory() as home:
        store = open_store(Path(home), create=True)
        with LocalSite(store, threads=1) as site:
            act = job(store, site)
            act(-1)
            step = measure(act, times)
        store.close()
    python, start = measure(bare("pass"), times), measure(bare(START), times)
    print(f"{'':36}{'wall ms':>9}{'CPU ms':>9}")
    for name, (wall, cpu) in (
        ("a step, from submit to published", step),
        ("start of Python", python),
        ("start with imports", start),
    ):
        print(f"{name:36}{wall:9.1f}{cpu:9.1f}")
    print(f"{'beyond the start with imports':36}{step[0] - start[0]:9.1f}{step[1] - start[1]:9.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
