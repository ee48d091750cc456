"""A Slurm of the test's making: `SlurmClient` over a list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from touyan.compute.drivers.slurm_client import Ask, SlurmJob, refused, unreachable


class FakeSlurm:
    """Holds jobs as slurmctld does, and records as slurmdbd does; may be away, slow, or lose an answer."""

    def __init__(self) -> None:
        self.queue: list[SlurmJob] = []
        self.accounts: list[SlurmJob] = []
        self.asks: list[Ask] = []
        self.cancelled: list[int] = []
        self.lists = 0
        self.is_away = False
        self.loses_answer = False
        self.refusal = ""

    def jobs(self) -> list[SlurmJob]:
        self._reach()
        self.lists += 1
        return list(self.queue)

    def records(self, names: Iterable[str], since_s: int) -> list[SlurmJob]:
        self._reach()
        wanted = set(names)
        return [r for r in self.accounts if r.name in wanted]

    def submit(self, ask: Ask) -> int:
        self._reach()
        if self.refusal:
            raise refused(self.refusal)
        self.asks.append(ask)
        self.queue.append(SlurmJob(len(self.asks), ask.name, ("PENDING",), "Resources", ask.comment))
        if self.loses_answer:
            self.loses_answer = False
            raise unreachable("sbatch", "it took more than 20 s")
        return len(self.asks)

    def cancel(self, job: int) -> None:
        self._reach()
        self.cancelled.append(job)
        self.become(job, "CANCELLED")

    def become(self, job: int, *states: str, reason: str = "None", status: int = 0) -> None:
        """What happens to a job."""
        self.queue = [replace(j, states=states, reason=reason, status=status) if j.id == job else j for j in self.queue]

    def forget(self, job: int, *states: str) -> None:
        """It leaves the queue; the accounts keep it in this state."""
        self.accounts += [replace(j, states=states) for j in self.queue if j.id == job and states]
        self.queue = [j for j in self.queue if j.id != job]

    def _reach(self) -> None:
        if self.is_away:
            raise unreachable("slurmctld", "connection refused")
