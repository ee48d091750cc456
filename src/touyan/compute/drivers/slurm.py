"""Slurm: a payload is a batch job whose name is the id of its Attempt, and whose comment holds its fencing token.

Owns what a job's state means for a payload. Knows nothing of Attempts beyond their Order, nor of how Slurm is asked. Invariant:
of two jobs of one name never two run: each is submitted with `singleton`, and only the first launcher finds the start unclaimed.
Source: squeue(1), sacct(1), sbatch(1) of Slurm 22.05 and 25.05.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from touyan.compute.driver import Exit, Order
from touyan.compute.drivers.engine import EngineDriver, Seen, Unreachable
from touyan.compute.drivers.settings import read_settings
from touyan.compute.drivers.slurm_client import HOPELESS, SlurmClient, SlurmJob
from touyan.compute.drivers.slurm_commands import SlurmCommands
from touyan.compute.drivers.slurm_script import ask_of
from touyan.compute.drivers.slurm_terms import SlurmTerms
from touyan.compute.launch import Keep

FRESH_S = 2.0
"""Before a submission the queue is looked at; one look serves all submissions of this time."""
REST, LONGEST_REST_S = 10, 30.0
"""Slurm is left alone for so many times as long as its last list took, but no longer: a busy slurmctld, or a queue of 10,000 jobs,
of which `squeue --json` takes 2 s of CPU, is asked for it rarely."""
RECORDS_S = 10.0
"""Between two questions to slurmdbd about one Attempt that the queue does not hold."""
WINDOW_S = 30 * 86_400
"""How far back slurmdbd is asked for a name: sacct alone would begin at midnight."""
UNCERTAIN = frozenset({"NODE_FAIL", "BOOT_FAIL", "REVOKED"})
"""Ends of which Slurm has not seen the processes end."""

NO_VALUE = 1 << 63
"""Beyond it a count is Slurm's NO_VAL64: energy that no sensor measured."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What Slurm charged for an Attempt (sacct(1): Elapsed, AllocTRES)."""

    attempt: str
    elapsed_s: int
    """Of all its jobs together, should it have had two."""
    devices: int
    gres: str
    """Slurm's name for the model, such as `gpu:a800`; empty: no devices."""
    cpus: int
    nodes: int
    energy_wh: int | None
    """None where the site measures none."""


class SlurmEngine:
    """`touyan.compute.drivers.engine.Engine` over one Slurm cluster. All accounts are one place: one list shows all jobs."""

    keep: Keep = "devices"

    def __init__(self, client: SlurmClient, terms: SlurmTerms, python: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.environment = terms.environment
        self._client = client
        self._terms = terms
        self._python = python
        self._clock = clock
        self._lock = threading.Lock()
        self._jobs: dict[str, list[SlurmJob]] = {}
        self._looked_s = -math.inf
        self._took_s = 0.0
        self._recorded: dict[str, tuple[float, SlurmJob | None]] = {}

    def place(self, account: str) -> str:
        """The one place. Raises Refused for an account that the owner did not list."""
        self._terms.association(account)
        self._terms.user(account)
        return ""

    def places(self) -> Sequence[str]:
        return [""]

    def submit(self, order: Order, place: str) -> None:
        """Submits the job of an Order, unless the queue holds one of its name. Raises Refused or Unreachable."""
        ask = ask_of(order, self._terms, self._python)
        if order.attempt in self._queue(FRESH_S):
            return
        try:
            job = self._client.submit(ask)
        except Unreachable:
            self._looked_s = -math.inf  # Slurm may have taken it: the next list must be a new one
            raise
        with self._lock:
            self._jobs[order.attempt] = [SlurmJob(job, order.attempt, ("PENDING",))]

    def seen(self, place: str) -> Mapping[str, Seen]:
        """All jobs by name; one that the queue has forgotten is looked for in the accounts."""
        return Seens(self._queue(0.0), self._record)

    def cancel(self, attempt: str, place: str) -> None:
        """Ends every job of that name."""
        for job in self._queue(0.0).get(attempt, []):
            if not job.is_over:
                self._client.cancel(job.id)

    def forget(self, attempt: str, place: str) -> None:
        """Takes out of the queue what will never start; Slurm itself forgets the rest."""
        self.cancel(attempt, place)
        self._recorded.pop(attempt, None)

    def usage(self, attempts: Sequence[str]) -> dict[str, Usage]:
        """What was charged for each Attempt that slurmdbd knows, in one question. Raises Unreachable."""
        found = by_name(self._client.records(attempts, int(time.time()) - WINDOW_S))
        return {name: usage_of(name, found[name]) for name in attempts if name in found}

    def _queue(self, age_s: float) -> dict[str, list[SlurmJob]]:
        """The queue by name, as it was at most `age_s` ago, or as long ago as Slurm is to be left alone."""
        with self._lock:
            began_s = self._clock()
            if began_s - self._looked_s >= max(age_s, min(REST * self._took_s, LONGEST_REST_S)):
                self._jobs = by_name(self._client.jobs())
                self._looked_s = self._clock()
                self._took_s = self._looked_s - began_s
            return dict(self._jobs)

    def _record(self, attempt: str) -> SlurmJob | None:
        """The end, as the accounts tell it, of an Attempt that the queue does not hold. They also hold jobs without an end that
        slurmctld has lost (`sacctmgr show runawayjobs`): those run nowhere."""
        asked_s, record = self._recorded.get(attempt, (-math.inf, None))
        if record is None and self._clock() - asked_s >= RECORDS_S:
            found = by_name(self._client.records([attempt], int(time.time()) - WINDOW_S)).get(attempt)
            record = found[0] if found and found[0].is_over else None
            self._recorded[attempt] = (self._clock(), record)
        return record


class Seens(Mapping[str, Seen]):
    """Jobs by name as an EngineDriver reads them. squeue, then sacct: Slurm forgets an ended job after MinJobAge, 300 s."""

    def __init__(self, jobs: Mapping[str, list[SlurmJob]], record: Callable[[str], SlurmJob | None]) -> None:
        self._jobs = jobs
        self._record = record

    def __getitem__(self, attempt: str) -> Seen:
        job = self._jobs[attempt][0] if attempt in self._jobs else self._record(attempt)
        if job is None:
            raise KeyError(attempt)
        return seen_of(job)

    def __iter__(self) -> Iterator[str]:
        return iter(self._jobs)

    def __len__(self) -> int:
        return len(self._jobs)


def by_name(jobs: Sequence[SlurmJob]) -> dict[str, list[SlurmJob]]:
    """Jobs by name. Of several of one name those that are not over come first, then the oldest, which claimed the start."""
    found: dict[str, list[SlurmJob]] = defaultdict(list)
    for job in sorted(jobs, key=lambda job: (job.is_over, job.id)):
        found[job.name].append(job)
    return dict(found)


def seen_of(job: SlurmJob) -> Seen:
    """What a job's state says of its payload. One that began and is pending again was requeued, which ends its Attempt."""
    if job.is_over:
        return Seen("ended", replace(end_of(job), elapsed_s=float(job.elapsed_s)), job.state not in UNCERTAIN)
    if job.state == "PENDING" and job.reason in HOPELESS:
        return Seen("ended", Exit("vanished", 0, f"would never start at this site: {job.reason}"), is_certain=False)
    return Seen("suspended" if job.state == "PENDING" else "running")


def end_of(job: SlurmJob) -> Exit:
    """How a job ended, as Slurm tells it. Where a wrapper wrote its own word, that one tells more."""
    match job.state:
        case "TIMEOUT" | "DEADLINE":
            return Exit("time", 0, "exceeded its time limit in Slurm")
        case "OUT_OF_MEMORY":
            return Exit("memory", 0, "exceeded its memory limit in Slurm")
        case "CANCELLED" | "PREEMPTED" | "REVOKED":
            return Exit("vanished", 0, f"was {job.state.lower()} at the site")
        case "NODE_FAIL" | "BOOT_FAIL":
            return Exit("vanished", 0, "lost its node")
        case _:
            words = f"ended in Slurm as {job.state} with status {job.status}, without a word of its own: see its log.txt"
            return Exit("vanished", job.status, words)


def usage_of(attempt: str, records: Sequence[SlurmJob]) -> Usage:
    """The sum over an Attempt's jobs: of several only the first ran for more than a moment, and its devices count."""
    longest = max(records, key=lambda r: r.elapsed_s)
    typed = {name.removeprefix("gres/"): n for name, n in longest.tres.items() if name.startswith("gres/") and ":" in name}
    gres, devices = max(typed.items(), key=lambda item: item[1], default=("", 0))
    energy_j = longest.tres.get("energy", 0)
    energy_wh = round(energy_j / 3600) if 0 < energy_j < NO_VALUE else None
    elapsed_s = sum(r.elapsed_s for r in records)
    return Usage(attempt, elapsed_s, devices, gres, longest.tres.get("cpu", 0), longest.tres.get("node", 0), energy_wh)


def open_client(terms: SlurmTerms) -> SlurmClient:
    """slurmrestd where the owner named one, else the command line."""
    commands = SlurmCommands(terms.conf, terms.timeout_s)
    if not terms.url:
        return commands
    from touyan.compute.drivers.slurm_rest import SlurmRest  # brings an HTTP client

    return SlurmRest(terms, commands)


def open_driver(settings: Mapping[str, object], python: str = "") -> EngineDriver:
    """The driver for a site. `python`: the nodes' interpreter; it must find Touyan. Raises Invalid."""
    terms = read_settings(SlurmTerms, settings)
    return EngineDriver(SlurmEngine(open_client(terms), terms, python or sys.executable))
