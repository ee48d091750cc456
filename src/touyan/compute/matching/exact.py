"""The best batch by integer programming (HiGHS), and how far from the best the answer can be.

First the linear relaxation: its value is a bound that no choice can undercut. Then every variable whose reduced cost alone would
lift the bound above the best choice known is fixed at zero, which loses nothing, and what is left is solved exactly. Knows nothing
of sites. Invariant: what is returned is allowed and never dearer than the choice it was given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from touyan.compute.matching.batch import Batch, Choice, fill, improve
from touyan.core.errors import missing_extra

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
GAP = 1e-3
"""Relative: a tenth of what is asked for; a closer answer costs time and no site would notice."""
NODES = 500
"""Of the search tree. The same batch gives the same answer as long as this ends the search and not the clock."""


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


def solve(batch: Batch, known: Choice, limit_s: float) -> tuple[Choice, float]:
    """The best choice found, and a lower bound on any. Raises Missing where HiGHS is not installed."""
    columns = columns_of(batch)
    jobs = len(batch.options)
    relaxed = _run(columns, jobs, np.ones(len(columns.cost)), limit_s, is_whole=False)
    if relaxed is None:
        return known, batch.least()
    value, bound, reduced = relaxed
    best = min((known, _rounded(batch, columns, value)), key=batch.cost)
    if batch.cost(best) <= bound * (1 + GAP):
        return best, bound
    open_ = (reduced <= batch.cost(best) - bound).astype(float)
    found = _run(columns, jobs, open_, limit_s, is_whole=True)
    if found is not None:
        best = min((best, improve(batch, fill(batch, _choice(jobs, columns, found[0])))), key=batch.cost)
    return best, bound


def columns_of(batch: Batch) -> Columns:
    numbers = {row: len(batch.options) + n for n, row in enumerate(batch.rooms)}
    job, option, cost, starts, rows, amounts = [], [], [], [0], list[int](), list[float]()
    for j, options in enumerate(batch.options):
        for position, each in enumerate(options):
            job.append(j)
            option.append(position)
            cost.append(each.cost)
            rows += [j, *(numbers[row] for row, _ in each.uses)]
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
        np.array(list(batch.rooms.values()), f),
    )  # fmt: skip


def _run(columns: Columns, jobs: int, open_: Floats, limit_s: float, is_whole: bool) -> tuple[Floats, float, Floats] | None:
    """Values, objective and reduced costs; None where the time was over before there was an answer."""
    highs, h = _highs()
    for name, value in (
        ("output_flag", False),
        ("threads", 1),
        ("time_limit", limit_s),
        ("mip_rel_gap", GAP),
        ("mip_max_nodes", NODES),
    ):
        highs.setOptionValue(name, value)
    count = len(columns.cost)
    lower = np.concatenate([np.ones(jobs), np.full(len(columns.rooms), -h.kHighsInf)])
    upper = np.concatenate([np.ones(jobs), np.maximum(columns.rooms, 0.0)])
    kinds = np.full(count, int(h.HighsVarType.kInteger if is_whole else h.HighsVarType.kContinuous), np.int32)
    hessian = (np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0))
    forms = (int(h.MatrixFormat.kColwise), int(h.HessianFormat.kTriangular), int(h.ObjSense.kMinimize))
    highs.passModel(
        count, len(upper), len(columns.rows), 0, *forms, 0.0, columns.cost, np.zeros(count), open_, lower, upper,
        columns.starts[:-1], columns.rows, columns.amounts, *hessian, kinds,
    )  # fmt: skip
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


def _rounded(batch: Batch, columns: Columns, value: Floats) -> Choice:
    """Who is whole in the relaxation keeps its option; the few others take what is left. An optimal corner has no more of them
    than there are scarce rows that bind."""
    return improve(batch, fill(batch, _choice(len(batch.options), columns, np.where(value > 1 - 1e-6, value, 0.0))))
