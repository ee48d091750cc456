"""Traces: jobs that once arrived, with how long they ran.

Owns the readers of trace files. Knows nothing of policies. Invariant: jobs are in order of arrival, then of the file, which says
nothing of their durations; times are seconds since the first arrival.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO, cast

from touyan.compute.scheduling.policy import Ask
from touyan.core.errors import Invalid, Missing

PHILLY_COLUMNS = ("timestamp", "duration", "num_gpus", "cluster")


@dataclass(frozen=True, slots=True)
class TraceJob:
    """A job of a trace. The policy is shown the Ask alone."""

    ask: Ask
    duration_s: float


def read_philly(path: Path) -> list[TraceJob]:
    """The Philly trace (Jeon et al., ATC 2019) flattened to CSV, plain or gzip: timestamp, duration (s), num_gpus, cluster.

    The virtual cluster is the owner. Jobs without devices or duration are left out. Raises Missing, Invalid with the line.
    """
    with _opened(path) as lines:
        reader = csv.DictReader(lines)
        absent = [name for name in PHILLY_COLUMNS if name not in (reader.fieldnames or ())]
        if absent:
            raise Invalid(
                "bad-trace", f"{path.name} lacks the columns {', '.join(absent)}", "give a flattened Philly trace as CSV"
            )
        rows = [_row(path, number, row) for number, row in enumerate(reader, 2)]
    return in_order((owner, devices, at_s, ran_s) for owner, devices, at_s, ran_s in rows if devices > 0 and ran_s > 0)


def in_order(rows: Iterable[tuple[str, int, float, float]]) -> list[TraceJob]:
    """Jobs from (owner, devices, arrival in s, duration in s), sorted and counted from the first arrival."""
    listed = sorted(rows, key=lambda row: row[2])
    first_s = listed[0][2] if listed else 0.0
    return [TraceJob(Ask(str(n), who, devices, at_s - first_s), ran_s) for n, (who, devices, at_s, ran_s) in enumerate(listed)]


def _row(path: Path, number: int, row: dict[str, str]) -> tuple[str, int, float, float]:
    try:
        at_s = datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC).timestamp()
        return row["cluster"], int(row["num_gpus"]), at_s, float(row["duration"])
    except (TypeError, ValueError) as error:
        raise Invalid("bad-trace", f"{path.name}, line {number}: {error}", "correct the line, or leave it out") from error


def _opened(path: Path) -> TextIO:
    if not path.is_file():
        raise Missing("no-trace", f"there is no file {path}", "give the path of a trace")
    if path.suffix == ".gz":
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8", newline=""))
    return path.open(encoding="utf-8", newline="")
