"""The best batch by integer programming (HiGHS), and how far from the best the answer can be.

First the linear relaxation: its value is a bound that no choice can undercut, and all but a few Jobs are whole in it. Those few
take what is left, and Jobs exchange places. Where that is not close enough, the options with a small reduced cost are searched in
whole numbers, first few of them, then more. Knows nothing of sites. Invariant: what is returned is allowed, and never dearer than
the greedy choice unless it is within CLOSE of the bound.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from touyan.compute.matching.batch import CLOSE, Batch, Choice, fill, greedy
from touyan.compute.matching.exchange import Exchange
from touyan.core.errors import missing_extra

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
TREE_GAP = 0.0025
"""At which a search tree ends: below CLOSE, as its own bound is higher than that of the relaxation."""
KERNELS = (0.03, 0.1)
"""Which options are tried: those whose reduced cost is at most so many times the mean cost of a Job. The narrow kernel has three or
four options a Job; batches of 200 Jobs and 30 sites that fill the sites end within 1.5 % in it, in a fifth of the time of all."""
WHOLE = 1e-6
NODES = 200
"""Of a search tree. The same batch gives the same answer as long as this ends the search, and not the clock."""


@dataclass(frozen=True, slots=True)
class Columns:
    """All options of all Jobs as columns, after them one for waiting for each Job; sparse by column."""

    job: Ints
    option: Ints
    """Position among its Job's options; -1: waits."""
    cost: Floats
    starts: Ints
    rows: Ints
    amounts: Floats
    rooms: Floats
    """Of the scarce rows; one row for each Job comes before them."""


def solve(batch: Batch, limit_s: float) -> tuple[Choice, float]:
    """The best choice found, and a lower bound on any. Raises Missing where HiGHS is not installed."""
    ends_s = time.monotonic() + limit_s
    jobs, columns = len(batch.options), columns_of(batch)
    relaxed = _run(columns, jobs, np.ones(len(columns.cost)), limit_s)
    if relaxed is None:
        return Exchange(batch, greedy(batch)).run(), batch.least()
    value, bound, reduced = relaxed
    best = Exchange(batch, fill(batch, _choice(jobs, columns, np.floor(value + WHOLE)))).run()
    if batch.cost(best) > bound * (1 + CLOSE):
        best = min((best, Exchange(batch, greedy(batch)).run()), key=batch.cost)
    for kernel in KERNELS:
        left_s = ends_s - time.monotonic()
        if batch.cost(best) <= bound * (1 + CLOSE) or left_s <= 0:
            break
        widest = min(kernel * bound / jobs, batch.cost(best) - bound)
        is_open = (reduced <= widest) | (columns.option < 0)
        best = min((best, *_searched(batch, columns, is_open, best, left_s)), key=batch.cost)
    return best, bound


def _searched(batch: Batch, columns: Columns, is_open: NDArray[np.bool_], best: Choice, limit_s: float) -> list[Choice]:
    """What the search tree finds among the open columns, beginning with the best known; none where its time was too short."""
    jobs = len(batch.options)
    start = (columns.option == np.array(best)[columns.job]).astype(float)
    found = _run(columns, jobs, (is_open | (start > 0)).astype(float), limit_s, start)
    return [Exchange(batch, fill(batch, _choice(jobs, columns, found[0]))).run()] if found else []


def columns_of(batch: Batch) -> Columns:
    first = len(batch.options)
    job, option, cost, starts, rows, amounts = [], [], [], [0], list[int](), list[float]()
    for j, options in enumerate(batch.options):
        for position, each in enumerate(options):
            job.append(j)
            option.append(position)
            cost.append(each.cost)
            rows += [j, *(first + row for row, _ in each.uses)]
            amounts += [1.0, *(amount for _, amount in each.uses)]
            starts.append(len(rows))
        job.append(j)
        option.append(-1)
        cost.append(batch.waiting[j])
        rows.append(j)
        amounts.append(1.0)
        starts.append(len(rows))
    i, f = np.int32, np.float64
    return Columns(
        np.array(job, i), np.array(option, i), np.array(cost, f), np.array(starts, i), np.array(rows, i), np.array(amounts, f),
        np.array(batch.rooms, f),
    )  # fmt: skip


def _run(
    columns: Columns, jobs: int, upper: Floats, limit_s: float, start: Floats | None = None
) -> tuple[Floats, float, Floats] | None:
    """Values, objective and reduced costs: of the relaxation, or from `start` on in whole numbers; None where the time was over
    before there was an answer."""
    highs, h = _highs()
    settings = {"output_flag": False, "threads": 1, "time_limit": limit_s, "mip_rel_gap": TREE_GAP, "mip_max_nodes": NODES}
    for name, setting in settings.items():
        highs.setOptionValue(name, setting)
    count = len(columns.cost)
    least = np.concatenate([np.ones(jobs), np.full(len(columns.rooms), -h.kHighsInf)])
    most = np.concatenate([np.ones(jobs), np.maximum(columns.rooms, 0.0)])
    kinds = np.full(count, int(h.HighsVarType.kContinuous if start is None else h.HighsVarType.kInteger), np.int32)
    hessian = (np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0))
    forms = (int(h.MatrixFormat.kColwise), int(h.HessianFormat.kTriangular), int(h.ObjSense.kMinimize))
    highs.passModel(
        count, len(most), len(columns.rows), 0, *forms, 0.0, columns.cost, np.zeros(count), upper, least, most,
        columns.starts[:-1], columns.rows, columns.amounts, *hessian, kinds,
    )  # fmt: skip
    if start is not None:
        highs.setSolution(count, np.arange(count, dtype=np.int32), start)
    highs.run()
    solution = highs.getSolution()
    if not solution.value_valid:
        return None
    return np.array(solution.col_value), highs.getInfo().objective_function_value, np.array(solution.col_dual)


def _highs() -> tuple[Any, Any]:
    try:
        import highspy
    except ImportError as error:
        raise missing_extra("highspy", "compute") from error
    return highspy.Highs(), highspy


def _choice(jobs: int, columns: Columns, value: Floats) -> Choice:
    choice = [-1] * jobs
    for column in np.flatnonzero(value > 0.5):
        choice[columns.job[column]] = int(columns.option[column])
    return choice
