"""Who holds a Claim: an agent's process, named so that another process on the same host can see whether it still lives.

`<kernel>/<pid>/<start>`: the running kernel and its process namespace, the pid, and the tick at which it began. Knows nothing of
leases. Invariant: a process is called dead only by one that sees the same pids.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from touyan.compute.processes import start_time


@cache
def kernel() -> str:
    """The boot of this machine and the pid namespace we see."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}.{os.stat('/proc/self/ns/pid').st_ino}"


def this_process() -> str:
    """The owner string of the running process."""
    return named(os.getpid())


def named(pid: int) -> str:
    """The owner string of a process of this host: another process that gets its pid later has another one."""
    return f"{kernel()}/{pid}/{start_time(pid)}"


def is_dead(owner: str) -> bool:
    """Whether the process is known to have ended. False where we cannot see it: then only its lease decides."""
    place, _, process = owner.partition("/")
    pid, _, began = process.partition("/")
    return place == kernel() and pid.isdecimal() and start_time(int(pid)) != began
