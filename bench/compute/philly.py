"""Policies on the Philly trace: `python bench/compute/philly.py TRACE [--plot=FILE.svg]`.

TRACE is the trace of Jeon et al. (ATC 2019) flattened to CSV: timestamp, duration, num_gpus, cluster. Prints the published figure
reproduced, the frontier of mean completion against the p99 wait of gangs of 8 and more (non-preemptive), the same on each half of
the trace, the pool with shares (preemptive, 5 minutes lost per stop), and who was served late.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from touyan.compute.shares import Shares, read_shares
from touyan.compute.simulation.engine import Course
from touyan.compute.simulation.figures import Figures, figures
from touyan.compute.simulation.guarantee import check
from touyan.compute.simulation.plan import Plan
from touyan.compute.simulation.plot import Series, plot
from touyan.compute.simulation.trace import TraceJob, in_order, read_philly

GPUS = 640
PATIENCES_H = (12, 24, 30, 36, 48, 72, 96, float("inf"))
FRONTIERS = ("backfill", "shortest-median", "shortest", "oracle")
SHARES = Path(__file__).parent / "philly_shares.json"


def row(name: str, plan: Plan, jobs: Sequence[TraceJob]) -> tuple[Figures, list[Course]]:
    """Runs and prints one line."""
    began_s = time.process_time()
    courses = plan.run(jobs)
    found = figures(courses, plan.devices)
    print(
        f"{name:34}{found.completion_mean_h:10.3f}{found.wait_mean_h:9.3f}{found.large_wait_p99_h:9.1f}{found.stops:7}"
        f"{found.lost_device_h:8.0f}{time.process_time() - began_s:8.1f}",
        flush=True,
    )
    return found, courses


def by_duration(jobs: Iterable[TraceJob]) -> list[TraceJob]:
    """Jobs of one second in order of their duration, as in the published replay."""
    rows = sorted((j.ask.arrived_s, j.duration_s, j.ask.devices, j.ask.owner) for j in jobs)
    return in_order((owner, devices, at_s, ran_s) for at_s, ran_s, devices, owner in rows)


def frontier(jobs: Sequence[TraceJob]) -> list[Series]:
    drawn: list[Series] = []
    for policy in FRONTIERS:
        points: list[tuple[float, float, str]] = []
        for hours in PATIENCES_H:
            name = f"{policy}, patience {hours:g} h"
            found, _ = row(name, Plan(GPUS, policy, patience_s=hours * 3600), jobs)
            points.append((found.large_wait_p99_h, found.completion_mean_h, name))
        drawn.append(Series(policy, points))
    return drawn


def halves(jobs: Sequence[TraceJob]) -> None:
    """The choice of the quantile, on each half of the trace by itself."""
    middle = len(jobs) // 2
    for name, part in (("first half", jobs[:middle]), ("second half", jobs[middle:])):
        for policy in ("fifo", "shortest-median", "shortest", "oracle"):
            row(f"{name}, {policy}", Plan(GPUS, policy), part)


def promise(jobs: Sequence[TraceJob], shares: Shares) -> Series:
    """The pool with shares, beside those of one queue; prints who was served later than alone plus the delay."""
    print("\nowners and jobs served later than alone plus the reclaim delay")
    lines: list[str] = []
    point = Series("shares (preemptive)", [])
    for policy in ("fifo", "shortest", "shares"):
        found, courses = row(policy, Plan(GPUS, policy, shares), jobs)
        kept = check(courses, shares)
        late = [k for k in kept if k.late]
        lines.append(f"{policy:34}{len(late):4} of {len(kept)} owners,{sum(k.late for k in late):7} jobs")
        point = Series("shares (preemptive)", [(found.large_wait_p99_h, found.completion_mean_h, policy)])
    for reclaim_s in (0.0, 1800.0):
        row(f"shares, reclaim delay {reclaim_s:.0f} s", Plan(GPUS, "shares", replace(shares, reclaim_s=reclaim_s)), jobs)
    print("\n".join(lines))
    return point


def main(arguments: list[str]) -> None:
    options = dict(a.removeprefix("--").split("=", 1) for a in arguments if a.startswith("--") and "=" in a)
    traces = [a for a in arguments if not a.startswith("--")]
    if not traces:
        print("skipped: give the flattened Philly trace")
        return
    jobs = read_philly(Path(traces[0]))
    print(f"{'':34}{'JCT h':>10}{'wait h':>9}{'p99 8+ h':>9}{'stops':>7}{'lost h':>8}{'CPU s':>8}")
    row("fifo, ties by duration", Plan(GPUS), by_duration(jobs))
    plain, _ = row("fifo", Plan(GPUS), jobs)
    drawn = [Series("fifo", [(plain.large_wait_p99_h, plain.completion_mean_h, "fifo")]), *frontier(jobs)]
    halves(jobs)
    drawn.append(promise(jobs, read_shares(SHARES)))
    if "plot" in options:
        Path(options["plot"]).write_text(plot(drawn, "p99 wait of gangs of 8 GPUs and more, h", "mean completion, h"))


if __name__ == "__main__":
    main(sys.argv[1:])
