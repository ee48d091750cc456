"""The ledger held against what the engines recorded: sacct, Ray, Kubernetes.

Owns the comparison and the reading of their records. Asks no engine: an owner exports the records and hands them over. Invariant:
an Attempt is compared by its own id, so that foreign jobs of a shared cluster are never ours.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from sqlalchemy import ColumnElement, Connection, and_, select

from touyan.compute.drivers.slurm_shapes import read_records
from touyan.compute.ledger.charge import Facts, read_facts
from touyan.core.errors import Invalid, Missing
from touyan.core.seam import from_iso
from touyan.store import tables as t

BOUND_MS = 1_000
"""Engines count whole seconds; more than this apart is listed."""
BATCH = 500
REVISIONS = 5
"""An Attempt that was charged anew more often than this is for people to look at."""
Verdict: TypeAlias = Literal["agrees", "elapsed", "devices", "not-ours", "not-theirs"]
"""elapsed: more than a second apart · devices: another number of them · not-ours, not-theirs: only the other side has it."""
ATTEMPT = re.compile(r"[0-9a-f]{16}-\d{1,6}")
"""How an Attempt is called: the id of its Job and the number of the try."""


@dataclass(frozen=True, slots=True)
class Record:
    """One Attempt as one side counted it."""

    attempt: str
    elapsed_ms: int
    devices: int | None
    """None where the engine does not tell."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One Attempt in both books."""

    attempt: str
    verdict: Verdict
    ours_ms: int | None
    theirs_ms: int | None
    ours_devices: int | None
    theirs_devices: int | None


def reconcile(ours: Iterable[Record], theirs: Iterable[Record]) -> list[Compared]:
    """Every Attempt of either side, by its id. An engine's several records of one Attempt count together."""
    left, right = _summed(ours), _summed(theirs)
    return [_compared(attempt, left.get(attempt), right.get(attempt)) for attempt in sorted(left.keys() | right.keys())]


def _compared(attempt: str, ours: Record | None, theirs: Record | None) -> Compared:
    verdict: Verdict = "agrees"
    if ours is None or theirs is None:
        verdict = "not-ours" if ours is None else "not-theirs"
    elif abs(ours.elapsed_ms - theirs.elapsed_ms) > BOUND_MS:
        verdict = "elapsed"
    elif ours.devices is not None and theirs.devices is not None and ours.devices != theirs.devices:
        verdict = "devices"
    sides = [(r.elapsed_ms, r.devices) if r else (None, None) for r in (ours, theirs)]
    return Compared(attempt, verdict, sides[0][0], sides[1][0], sides[0][1], sides[1][1])


def _summed(records: Iterable[Record]) -> dict[str, Record]:
    by_attempt: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_attempt[record.attempt].append(record)
    return {
        attempt: Record(attempt, sum(r.elapsed_ms for r in found), max(found, key=lambda r: r.elapsed_ms).devices)
        for attempt, found in by_attempt.items()
    }


def ours(connection: Connection, project: str, theirs: Sequence[Record]) -> list[Record]:
    """What the ledger has of the Attempts that an engine's records name, whether charged or not; of this project alone."""
    names = sorted({r.attempt for r in theirs})
    found: list[Record] = []
    for some in (names[n : n + BATCH] for n in range(0, len(names), BATCH)):
        found += _counted(connection, project, t.attempt.c.id.in_(some))
    return found


def at_site(connection: Connection, project: str, site: str, from_at: str, until_at: str) -> list[Record]:
    """What the ledger has of the Attempts that ended at a site in a span of time: all that its engine should have a record of."""
    a = t.attempt.c
    return _counted(connection, project, and_(a.site == site, a.ended_at >= from_at, a.ended_at < until_at))


def _counted(connection: Connection, project: str, which: ColumnElement[bool]) -> list[Record]:
    """The newest revision of each Attempt counts."""
    a, c = t.attempt.c, t.ledger.c
    charged = [f"{row.id}/{row.token}" for row in connection.execute(select(a.id, a.token).where(which))]
    found: dict[str, Record] = {}
    for some in (charged[n : n + BATCH] for n in range(0, len(charged), BATCH)):
        keys = [key + revision for key in some for revision in ("", *(f"/{n}" for n in range(1, REVISIONS)))]
        rows = connection.execute(select(c.facts).where(c.key.in_(keys), c.line == 0, c.project == project).order_by(c.seq))
        found |= {record.attempt: record for record in (_record(read_facts(row.facts)) for row in rows)}
    return list(found.values())


def _record(facts: Facts) -> Record:
    return Record(facts.attempt, facts.elapsed_ms, facts.devices)


def read_engine(path: Path) -> list[Record]:
    """Records from `sacct --json`, from Ray's `GET /api/jobs/`, or from `kubectl get jobs -o json`; jobs that are no Attempts are
    left out. Raises Missing, and Invalid on anything else."""
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise Missing("no-records", f"there is no file {path}", "write one: sacct --json -S 2026-11-01 > records.json") from error
    except (ValueError, RecursionError) as error:
        raise _bad(path, str(error)) from error
    try:
        return [r for r in _read(value) if ATTEMPT.fullmatch(r.attempt)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _bad(path, f"{type(error).__name__}: {error}") from error


def _read(value: Any) -> Iterator[Record]:
    if isinstance(value, list):
        return _ray(cast("list[Mapping[str, Any]]", value))
    if "items" in value:
        return _kubernetes(value["items"])
    return _slurm(value)


def _slurm(value: Mapping[str, Any]) -> Iterator[Record]:
    """The name of a job is its Attempt. Devices are what a typed GRES counts; sacct tells none for a job without."""
    for job in read_records(value):
        devices = [n for name, n in job.tres.items() if name.startswith("gres/") and ":" in name]
        yield Record(job.name, job.elapsed_s * 1000, max(devices, default=0))


def _ray(jobs: Sequence[Mapping[str, Any]]) -> Iterator[Record]:
    """`submission_id` is the Attempt; times are milliseconds."""
    for job in jobs:
        if job.get("start_time") and job.get("end_time"):
            yield Record(str(job.get("submission_id")), int(job["end_time"]) - int(job["start_time"]), None)


def _kubernetes(jobs: Sequence[Mapping[str, Any]]) -> Iterator[Record]:
    """The annotation `touyan.attempt/id` is the Attempt; times are ISO seconds."""
    for job in jobs:
        meta, status = job["metadata"], job.get("status") or {}
        ended = status.get("completionTime") or next((c["lastTransitionTime"] for c in status.get("conditions") or []), None)
        if status.get("startTime") and ended:
            name = str((meta.get("annotations") or {}).get("touyan.attempt/id", ""))
            yield Record(name, from_iso(ended) - from_iso(status["startTime"]), None)


def _bad(path: Path, why: str) -> Invalid:
    return Invalid(
        "bad-records",
        f"{path.name}: {why[:200]}",
        "hand over the output of: sacct --json; kubectl get jobs -o json; or Ray's /api/jobs/",
    )
