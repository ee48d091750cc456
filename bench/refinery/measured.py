"""What a command takes: CPU seconds and peak memory of its whole process tree, and the time on the wall.

CPU is what the kernel counts for the command and all descendants that were waited for, or what was sampled where that is more
(a daemon left behind is not waited for). Memory is the sum of resident sets, sampled: pages that processes share count twice.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SAMPLE_S = 0.2
TICKS_A_S, PAGE_BYTES = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Taken:
    """What one run took."""

    cpu_s: float
    wall_s: float
    peak_mb: float
    load: float
    """Load average of the machine over the minute before the end."""


@dataclass
class Watch:
    """Samples the processes of a session until told to stop."""

    session: int
    cpu_s: dict[int, float] = field(default_factory=dict)
    peak_bytes: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.stop.wait(SAMPLE_S):
            self.peak_bytes = max(self.peak_bytes, sum(self._processes()))

    def _processes(self) -> list[int]:
        """Resident bytes of every process of the session; notes the CPU seconds of each."""
        resident = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                after_name = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it ended meanwhile
                continue
            if int(after_name[3]) == self.session:  # fields 6, 14, 15 and 24 of proc(5)
                self.cpu_s[int(entry.name)] = (int(after_name[11]) + int(after_name[12])) / TICKS_A_S
                resident.append(int(after_name[21]) * PAGE_BYTES)
        return resident


def run(command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> Taken:
    """Runs `command` to its end; its output goes to `log`. Raises RuntimeError with the end of the log where it fails."""
    began = time.perf_counter()
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, stdout=file, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}, start_new_session=True
        )
        watch = Watch(process.pid)
        sampler = threading.Thread(target=watch.run)
        sampler.start()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall_s = time.perf_counter() - began
        watch.stop.set()
        sampler.join()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {log.read_text(errors='replace')[-2000:]}")
    counted = usage.ru_utime + usage.ru_stime
    return Taken(max(counted, sum(watch.cpu_s.values())), wall_s, watch.peak_bytes / 1e6, os.getloadavg()[0])
