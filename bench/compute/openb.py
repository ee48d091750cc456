"""How much of a GPU cluster a placer gives out, and how fast: `python bench/compute/openb.py [--seeds=N] [FOLDER]`.

FOLDER holds the public openb trace (alibaba/clusterdata, cluster-trace-gpu-v2023/csv: node and pod lists, plain or gzipped);
without it, TOUYAN_OPENB. The conditions are those of Weng et al., USENIX ATC'23, section 6: the 1,213 GPU nodes, tasks drawn from
a pod list with replacement, none ends; counted is the GPU given out when as much was asked for as the cluster has. The published
means stand beside ours. Speed is CPU time of one core on the nodes repeated to 10,000, with every table kept up to date.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from touyan.compute.placement.balance import Balance
from touyan.compute.placement.cluster import Cluster
from touyan.compute.placement.fragmentation import Fragmentation
from touyan.compute.placement.placer import NodePlacer
from touyan.compute.placement.score import BestFit, Score
from touyan.compute.placement.task import WHOLE, Node, Task

PUBLISHED = {"default": (92.86, 95.23), "gpushare100": (84.62, 86.64), "multigpu50": (95.62, 97.09), "cpu200": (92.15, 94.82),
             "gpuspec33": (80.39, 87.84), "gpushare80": (86.66, 89.08), "multigpu20": (93.73, 95.53)}  # fmt: skip
"""Best fit and FGD, mean of 10 seeds in % (the simulator of the paper, expected_results/analysis_allo_discrete.csv)."""

Maker = Callable[[Cluster, list[Task]], Score]
SCORES: dict[str, Maker] = {
    "best fit": lambda cluster, tasks: BestFit(cluster),
    "FGD": lambda cluster, tasks: Fragmentation(cluster, Counter(tasks)),
    "balance, known": lambda cluster, tasks: Balance(cluster, Counter(tasks)),
    "balance, learnt": lambda cluster, tasks: Balance(cluster),
}


@dataclass(frozen=True, slots=True)
class Replay:
    """One run: % of the GPUs given out, placements a second of CPU time, the slowest 1 % in milliseconds."""

    share: float
    rate: float
    p99_ms: float


def rows(folder: Path, name: str) -> Iterator[dict[str, str]]:
    """The lines of a list of the trace, gzipped or not."""
    path = next(iter(sorted(folder.glob(f"openb_{name}.csv*"))))
    raw = path.read_bytes()
    yield from csv.DictReader(io.StringIO((gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()))


def nodes_of(folder: Path) -> list[Node]:
    return [
        Node(row["sn"], int(row["cpu_milli"]), int(row["memory_mib"]) << 20, int(row["gpu"]), row["model"])
        for row in rows(folder, "node_list_gpu_node")
    ]


def tasks_of(folder: Path, workload: str) -> list[Task]:
    return [task_of(row) for row in rows(folder, f"pod_list_{workload}")]


def task_of(row: dict[str, str]) -> Task:
    count = int(row["num_gpu"])
    milli = WHOLE * (count > 1) or (int(row["gpu_milli"]) if count else 0)
    models = frozenset((row.get("gpu_spec") or "").split("|")) - {""}
    return Task(int(row["cpu_milli"]), int(row["memory_mib"]) << 20, milli, count, models)


def replay(nodes: list[Node], tasks: list[Task], make: Maker, seed: int) -> Replay:
    """Draws tasks until as much GPU was asked for as there is."""
    dice, cluster = np.random.default_rng(seed), Cluster(nodes)
    capacity = int(cluster.gpus.sum())
    placer = NodePlacer(cluster, make(cluster, tasks))
    asked, given, taken_s = 0, 0, list[float]()
    while asked < capacity:
        task = tasks[int(dice.integers(len(tasks)))]
        began_s = time.process_time()
        placement = placer.place(task)
        taken_s.append(time.process_time() - began_s)
        asked += task.gpu_count * task.gpu_milli
        given += task.gpu_count * task.gpu_milli * (placement is not None)
    return Replay(100 * given / capacity, len(taken_s) / sum(taken_s), 1000 * float(np.quantile(taken_s, 0.99)))


def one(folder: Path, workload: str, name: str, seed: int, copies: int = 1) -> Replay:
    return replay(nodes_of(folder) * copies, tasks_of(folder, workload), SCORES[name], seed)


def print_shares(folder: Path, seeds: int, pool: ProcessPoolExecutor) -> None:
    found = (re.fullmatch(r"openb_pod_list_(\w+)\.csv.*", path.name) for path in sorted(folder.iterdir()))
    workloads = [match[1] for match in found if match]
    print(f"% of the GPUs given out when 100 % is asked for: mean and deviation of {seeds} seeds; published best fit / FGD\n")
    print(f"{'':14}" + "".join(f"{name:>18}" for name in SCORES) + f"{'published':>18}")
    for workload in workloads:
        waiting = {name: [pool.submit(one, folder, workload, name, seed) for seed in range(seeds)] for name in SCORES}
        cells = [[job.result().share for job in jobs] for jobs in waiting.values()]
        line = "".join(f"{f'{statistics.mean(cell):.2f} ({statistics.pstdev(cell):.2f})':>18}" for cell in cells)
        published = "{:.2f} / {:.2f}".format(*PUBLISHED[workload]) if workload in PUBLISHED else ""
        print(f"{workload:14}{line}{published:>18}", flush=True)


def print_speed(folder: Path) -> None:
    """In this process: what runs beside it in others would share its caches."""
    print(f"\n{'9,704 nodes':18}{'placements/s':>14}{'p99 ms':>10}{'given %':>10}")
    for name in SCORES:
        run = one(folder, "default", name, 0, copies=8)
        print(f"{name:18}{run.rate:14,.0f}{run.p99_ms:10.2f}{run.share:10.2f}", flush=True)


def main(arguments: list[str]) -> None:
    folder = next((a for a in arguments if not a.startswith("-")), os.environ.get("TOUYAN_OPENB", ""))
    if not folder:
        print("no trace: give its folder, or set TOUYAN_OPENB; it is public, see the top of this file")
        return
    seeds = next((int(a.removeprefix("--seeds=")) for a in arguments if a.startswith("--seeds=")), 10)
    os.nice(10)
    with ProcessPoolExecutor(max(1, len(os.sched_getaffinity(0)) // 2)) as pool:
        print_shares(Path(folder), seeds, pool)
    print_speed(Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
