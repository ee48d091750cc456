"""Processes as Linux shows them: descendants, memory, start times, and how to end a whole tree.

Owns what is read from /proc and the few system calls that Python does not wrap. Knows nothing of Attempts, but that a payload's
environment carries a marker. Invariant: `kill_descendants` returns when no child is left, whatever ignores SIGTERM or forks on.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
PR_SET_CHILD_SUBREAPER = 36


def die_with_parent(signal_number: int, parent: int) -> None:
    """Asks for `signal_number` when the parent ends (to be exact: its thread that made us), at once where it has ended."""
    _prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal_number)


def adopt_orphans() -> None:
    """From now on descendants whose parent ends become children of this process, also those in sessions of their own."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")


def descendants(pid: int) -> list[int]:
    """All processes below `pid`, parents first."""
    found: list[int] = []
    queue = [pid]
    while queue:
        children = list(_children(queue.pop()))
        found += children
        queue += children
    return found


def _children(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            yield from map(int, task.read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended while we looked


def memory_bytes(pids: list[int], enough: int) -> int:
    """Memory of a group: the sum of resident sets, which counts shared pages once for each process; where that sum exceeds
    `enough`, the kernel's proportional set sizes, which count them once (proc(5), smaps_rollup)."""
    resident = sum(_resident_bytes(p) for p in pids)
    return resident if resident <= enough or len(pids) == 1 else sum(_proportional_bytes(p) for p in pids)


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return 0


def _proportional_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def start_time(pid: int) -> str:
    """Clock ticks after boot at which `pid` began, empty where it has ended: with the pid it names a process for good."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    fields = stat.rpartition(")")[2].split()  # the command before it may hold anything
    return "" if fields[0] in "ZX" else fields[19]


def kill_descendants(pid: int) -> None:
    """Kills everything below this process `pid` and waits for it: first stops all, so that none forks while others die."""
    while below := descendants(pid):
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for one in below:
                send(one, number)
        _collect()


def _collect() -> None:
    """Waits for children that have ended; returns when none is left, or after a moment so that the caller looks again."""
    until_s = time.monotonic() + 0.05
    try:
        while time.monotonic() < until_s:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.001)
    except ChildProcessError:
        return


def send(pid: int, number: int) -> None:
    """Sends a signal; quiet where the process has ended."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def send_group(group: int, number: int) -> None:
    """Sends a signal to a process group; quiet where it is empty."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return


def with_environment(entry: str) -> list[int]:
    """Processes of ours whose first environment holds `NAME=value`, in whatever session they are."""
    wanted = entry.encode()
    found: list[int] = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and int(folder.name) != os.getpid() and wanted in _environment(folder):
            found.append(int(folder.name))
    return found


def _environment(folder: Path) -> list[bytes]:
    try:
        return (folder / "environ").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []
