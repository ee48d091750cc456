"""What the Slurm driver asks of Slurm, whichever way it is asked: slurmrestd or the command line.

Owns the words: an `Ask` goes in, `SlurmJob` comes out. Knows nothing of Attempts. Invariant: every call ends within a time limit,
and `Unreachable` is no news of any job: what was asked may have happened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from touyan.compute.drivers.engine import Unreachable
from touyan.core.errors import Refused

ENDED = frozenset({
    "BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT",
})  # fmt: skip
"""Job states after which a job starts no more (squeue(1), JOB STATE CODES)."""
STILL_BUSY = frozenset(
    {"COMPLETING", "STAGE_OUT", "SIGNALING", "STOPPED", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT"}
)
"""Flags beside such a state that say: something of it still runs, or will run again."""
HOPELESS = frozenset({
    "AccountNotAllowed", "BadConstraints", "DependencyNeverSatisfied", "InvalidAccount", "InvalidQOS", "PartitionConfig",
    "PartitionNodeLimit", "PartitionTimeLimit", "QOSNotAllowed",
})  # fmt: skip
"""Reasons for which a pending job stays pending until an administrator changes the cluster (squeue(1), JOB REASON CODES)."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One batch job."""

    name: str
    comment: str
    script: str
    folder: Path
    """Working directory."""
    log: Path
    """Both streams of the script are appended to it."""
    user: str = ""
    """Local user it runs as; empty: whoever the agent is."""
    account: str = ""
    qos: str = ""
    partition: str = ""
    constraint: str = ""
    nodes: int = 1
    cpus: int = 0
    """On each node; 0: Slurm's default."""
    memory_mib: int = 0
    """On each node; 0: Slurm's default."""
    gres: str = ""
    """Of each node, such as `gpu:a800:4`."""
    limit_min: int = 0


@dataclass(frozen=True, slots=True)
class SlurmJob:
    """A job as slurmctld holds it, or as slurmdbd recorded it."""

    id: int
    name: str
    states: tuple[str, ...]
    """The state, then its flags: `RUNNING`, or `CANCELLED`, `COMPLETING`."""
    reason: str = ""
    comment: str = ""
    status: int = 0
    """Exit status of its script."""
    elapsed_s: int = 0
    """Time allocated until its end, as it is charged."""
    tres: Mapping[str, int] = field(default_factory=dict[str, int])
    """What was allocated: `cpu`, `node`, `gres/gpu:a800` …; empty in what slurmctld says."""

    @property
    def state(self) -> str:
        return self.states[0] if self.states else ""

    @property
    def is_over(self) -> bool:
        return self.state in ENDED and not STILL_BUSY.intersection(self.states)


class SlurmClient(Protocol):
    """The four questions. Each raises Unreachable where Slurm gives no answer in time."""

    def jobs(self) -> list[SlurmJob]:
        """Every job slurmctld still remembers, ended ones included (for MinJobAge)."""
        ...

    def records(self, names: Iterable[str], since_s: int) -> list[SlurmJob]:
        """What slurmdbd has on jobs of these names since then (Unix time); empty where a site keeps no accounts."""
        ...

    def submit(self, ask: Ask) -> int:
        """The new job's id. Raises Refused where Slurm does not take it."""
        ...

    def cancel(self, job: int) -> None:
        """Ends a job; quiet where it has ended."""
        ...


def unreachable(what: str, why: str) -> Unreachable:
    return Unreachable("Slurm", f"{what}: {why}")


def refused(why: str) -> Refused:
    return Refused(
        "slurm-refused", f"Slurm does not take the job: {why}", "see the site's mapping of accounts, partition and GRES"
    )
