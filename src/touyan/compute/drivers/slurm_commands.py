"""Slurm by its command line: sbatch, squeue, sacct and scancel, in their JSON form.

Owns how a command is run and what its failures mean. Knows nothing of Attempts. Invariant: a command sees none of our
environment but where Slurm's configuration is, so that nothing of ours reaches a job.
"""

from __future__ import annotations

import os
import pwd
import re
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from touyan.compute.drivers.slurm_client import Ask, SlurmJob, refused, unreachable
from touyan.compute.drivers.slurm_shapes import Answer, errors_of, read_jobs, read_records
from touyan.core.errors import Missing, Refused

PATH = "/usr/local/bin:/usr/bin:/bin"
PASSING = (
    "unable to contact", "timed out", "zero bytes", "connection refused", "temporarily unable", "communication", "unexpected message",
    "authentication", "slow down", "unable to connect", "failed to fetch config", "configuration source", "backup controller",
)  # fmt: skip
"""Parts of what clients print where Slurm is away or busy (slurm_errno.c). Anything else is Slurm's own word on what was asked."""

GONE = ("Invalid job id", "already completing", "already completed")
"""What scancel says of a job that has ended."""

JOB = re.compile(r"^(\d+)(;.*)?$", re.MULTILINE)
"""What `sbatch --parsable` prints: an id, and with it the cluster where there are several."""
NO_ACCOUNTS = "accounting storage is disabled"
"""What sacct says at a site without slurmdbd."""


class SlurmCommands:
    """`touyan.compute.drivers.slurm_client.SlurmClient` over client commands."""

    def __init__(self, conf: str = "", timeout_s: float = 20.0) -> None:
        path = f"{os.environ.get('PATH', '')}:{PATH}"
        self._environment = {"PATH": path, "LANG": "C.UTF-8", "TZ": "UTC", **({"SLURM_CONF": conf} if conf else {})}
        self._timeout_s = timeout_s

    def jobs(self) -> list[SlurmJob]:
        return read_jobs(self._json(["squeue", "--all", "--states=all", "--json"]))

    def records(self, names: Iterable[str], since_s: int) -> list[SlurmJob]:
        command = [
            "sacct",
            "--json",
            "--allocations",
            "--allusers",
            f"--name={','.join(names)}",
            f"--starttime={day_of(since_s)}",
        ]
        try:
            return read_records(self._json(command))
        except Refused as error:
            if NO_ACCOUNTS not in error.message:
                raise
            return []

    def submit(self, ask: Ask) -> int:
        said = self.run(["sbatch", "--parsable", *options(ask)], ask.script)
        if found := JOB.search(said):
            return int(found[1])
        raise unreachable("sbatch", f"it printed no job id: {said[:80]!r}")

    def cancel(self, job: int) -> None:
        try:
            self.run(["scancel", "--quiet", str(job)])
        except Refused as error:
            if not any(part in error.message for part in GONE):
                raise

    def run(self, command: Sequence[str], text: str = "") -> str:
        """What a command prints. Raises Unreachable, Missing or Refused."""
        try:
            done = subprocess.run(
                command, input=text, env=self._environment, cwd="/", capture_output=True, text=True, timeout=self._timeout_s
            )
        except subprocess.TimeoutExpired as error:
            raise unreachable(command[0], f"it took more than {self._timeout_s:g} s") from error
        except FileNotFoundError as error:
            raise Missing(
                "no-slurm", f"{command[0]} is not installed here", "run the agent on a login node of the cluster"
            ) from error
        if done.returncode == 0:
            return done.stdout
        words = " ".join(done.stderr.split())
        if any(part in words.lower() for part in PASSING):
            raise unreachable(command[0], words)
        raise refused(words or f"{command[0]} ended with status {done.returncode}")

    def _json(self, command: Sequence[str]) -> Answer:
        import orjson

        try:
            answer = orjson.loads(self.run(command))
        except orjson.JSONDecodeError as error:
            raise unreachable(command[0], f"it printed no JSON ({error})") from error
        if trouble := errors_of(answer):
            raise unreachable(command[0], trouble[0][1])
        return answer


def day_of(since_s: int) -> str:
    """The day of a Unix time, which every version reads; a day earlier, since Slurm takes it for a local one."""
    return (datetime.fromtimestamp(since_s, UTC) - timedelta(days=1)).strftime("%Y-%m-%d")


def options(ask: Ask) -> list[str]:
    """The options of sbatch for a job. `singleton`: of two jobs of one name, the second waits until the first has ended."""
    said: dict[str, object] = {
        "job-name": ask.name, "comment": ask.comment, "chdir": ask.folder, "output": ask.log, "open-mode": "append",
        "dependency": "singleton", "nodes": ask.nodes, "ntasks-per-node": 1, "account": ask.account, "qos": ask.qos,
        "partition": ask.partition, "constraint": ask.constraint, "cpus-per-task": ask.cpus or "",
        "mem": f"{ask.memory_mib}M" if ask.memory_mib else "", "gres": ask.gres, "time": ask.limit_min or "",
    }  # fmt: skip
    if ask.user:  # without its group, the job would keep ours
        said |= {"uid": ask.user, "gid": pwd.getpwnam(ask.user).pw_gid}
    return ["--no-requeue", *(f"--{name}={value}" for name, value in said.items() if value != "")]
