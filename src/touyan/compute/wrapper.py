"""The process around a payload: `python -m touyan.compute.wrapper ATTEMPT_DIR MODULE AGENT_PID [ARGUMENT...]`.

Forks, runs MODULE in the child, and ends the child with all its descendants when a limit is exceeded, when the heartbeat holds a
word, when the agent has not touched it for the length of the lease (by the monotonic clock), or when the agent's process is gone
(pid 0: it is on another host, and the heartbeat alone decides). Then it writes `exit.json`. Knows nothing of steps, stores and
leases. Invariant: the payload never outlives the wrapper, and the wrapper never outlives the agent by more than the lease.
"""

from __future__ import annotations

import gc
import os
import runpy
import select
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import BinaryIO, cast

from touyan.compute.driver import Exit, Limits
from touyan.compute.environment import NODE
from touyan.compute.folder import AttemptFolder, read_json, write_json
from touyan.compute.processes import adopt_orphans, descendants, die_with_parent, kill_descendants, memory_bytes

CHECK_S = 0.2
CLOSE_CHECK_S = 0.05
"""Between two looks once half of the memory is used: a hog writes some GB a second."""
CHUNK_BYTES = 1 << 16


class Log:
    """Copies what the payload prints, up to a limit."""

    def __init__(self, source: int, sink: BinaryIO, limit_bytes: int) -> None:
        os.set_blocking(source, False)
        self.source = source
        self._sink = sink
        self._left_bytes = limit_bytes

    def copy(self) -> bool:
        """Takes what is there; False once no process holds the other end."""
        try:
            chunk = os.read(self.source, CHUNK_BYTES)
        except BlockingIOError:
            return True
        if self._left_bytes > 0:
            self._sink.write(chunk[: self._left_bytes])
            self._left_bytes -= len(chunk)
            if self._left_bytes <= 0:
                self._sink.write(b"\n[the log reached its limit; the rest was dropped]\n")
        return bool(chunk)

    def drain(self) -> None:
        """Takes what an ended payload has left in the pipe (64 KiB at most, whoever else may still hold it)."""
        self.copy()


class Watch:
    """Looks after one payload until it ends or must end."""

    def __init__(self, folder: AttemptFolder, limits: Limits) -> None:
        self._folder = folder
        self._limits = limits
        self._began_s = time.monotonic()
        self._heard_s = self._began_s - silence_s(folder)
        self._beat_ns, self.is_told_to_stop = pulse(folder)
        self._next_s = 0.0
        self.peak_bytes = 0

    def stop(self, _number: int, _frame: FrameType | None) -> None:
        """The handler of SIGTERM: from the agent, or from the kernel when the agent is gone."""
        self.is_told_to_stop = True

    def verdict(self) -> Exit | None:
        """Why the payload must end now, or None."""
        now_s = time.monotonic()
        if now_s >= self._next_s:
            self._listen(now_s)
        if self.is_told_to_stop:
            return Exit("stopped", 0, "was told to stop")
        if now_s < self._next_s:
            return None
        used = self._measure()
        self._next_s = now_s + (CLOSE_CHECK_S if used > self._limits.memory_bytes // 2 else CHECK_S)
        if used > self._limits.memory_bytes:
            return Exit("memory", 0, f"exceeded its memory limit of {self._limits.memory_bytes / (1 << 30):.1f} GiB")
        if now_s - self._began_s > self._limits.limit_s:
            return Exit("time", 0, f"exceeded its time limit of {self._limits.limit_s:g} s")
        if now_s - self._heard_s > self._limits.lease_s:
            return Exit("fenced", 0, f"was ended because its agent fell silent for {self._limits.lease_s:g} s")
        return None

    def _measure(self) -> int:
        used = memory_bytes(descendants(os.getpid()), self._limits.memory_bytes)
        self.peak_bytes = max(self.peak_bytes, used)
        return used

    def _listen(self, now_s: float) -> None:
        """When the heartbeat last changed, by our own clock: what the file's time says may jump."""
        beat, is_told = pulse(self._folder)
        self.is_told_to_stop |= is_told
        if beat not in (0, self._beat_ns):
            self._beat_ns, self._heard_s = beat, now_s


def pulse(folder: AttemptFolder) -> tuple[int, bool]:
    """When the heartbeat was last touched (0 where it is not there), and whether it holds a word: stop. Opened, not only looked
    at: an open asks an NFS server anew, while its client answers `stat` from a cache for up to a minute (nfs(5), close-to-open)."""
    try:
        with folder.heartbeat.open("rb") as file:
            seen = os.fstat(file.fileno())
    except FileNotFoundError:
        return 0, False
    return seen.st_mtime_ns, seen.st_size > 0


def silence_s(folder: AttemptFolder) -> float:
    """How long the agent has been silent already: an engine may start a payload long after its agent has died. Told by two times
    of one clock, that of the file system both files are in."""
    beat, _ = pulse(folder)
    if beat == 0:
        return 0.0
    probe = folder.root / f".now.{os.uname().nodename}.{os.getpid()}"
    probe.touch()
    now_ns = probe.stat().st_mtime_ns
    probe.unlink()
    return max(0.0, (now_ns - beat) / 1e9)


def main(root: Path, module: str, agent: int, arguments: list[str]) -> None:
    """Runs the payload; in the child this returns as soon as MODULE does."""
    folder, suffix = AttemptFolder(root), os.environ.get(NODE, "")
    limits = read_limits(folder)
    watch = Watch(folder, limits)
    signal.signal(signal.SIGTERM, watch.stop)
    if agent:
        die_with_parent(signal.SIGTERM, agent)
    adopt_orphans()
    wrapper = os.getpid()
    if end := watch.verdict():  # it came too late to begin at all
        write_json(folder.file(f"exit{suffix}"), asdict(end))
        os._exit(_status(end))
    read_end, write_end = os.pipe()
    gc.freeze()  # else the child's first collection would copy every page it shares with us
    child = os.fork()
    if child == 0:
        os.close(read_end)
        _become(folder, limits, write_end, wrapper)
        sys.argv = [sys.argv[0], *(arguments or [str(root)])]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        return
    os.close(write_end)
    with (folder.root / f"log{suffix}.txt").open("ab", buffering=0) as sink:
        end = _watch(child, watch, Log(read_end, sink, limits.log_bytes))
    write_json(folder.file(f"exit{suffix}"), asdict(end))
    os._exit(_status(end))


def _status(end: Exit) -> int:
    """Ours for an engine: 1 where the payload failed, so that it ends the other nodes of a gang too."""
    return int((end.cause, end.status) != ("exit", 0))


def _become(folder: AttemptFolder, limits: Limits, output: int, wrapper: int) -> None:
    """The child's side of the fork: the payload's signals, CPUs, streams and folder."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    die_with_parent(signal.SIGKILL, wrapper)
    if limits.cpus:
        os.sched_setaffinity(0, limits.cpus)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.close(output)
    os.chdir(folder.scratch)


def _watch(child: int, watch: Watch, log: Log) -> Exit:
    """Waits for the child, and ends it where it must end. Nothing of it runs when this returns."""
    process = os.pidfd_open(child)
    poller = select.poll()
    poller.register(process, select.POLLIN)
    poller.register(log.source, select.POLLIN)
    end = None
    while end is None:
        ready = {fd for fd, _ in poller.poll(CLOSE_CHECK_S * 1000)}
        if log.source in ready and not log.copy():
            poller.unregister(log.source)
        end = _own_end(child) if process in ready else watch.verdict()
    kill_descendants(os.getpid())
    log.drain()
    return Exit(end.cause, end.status, end.reason, watch.peak_bytes)


def _own_end(child: int) -> Exit:
    """How a child that has ended by itself ended."""
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status < 0:
        return Exit("signal", -status, f"was ended by {signal.Signals(-status).name}")
    return Exit("exit", status, f"ended with status {status}")


def read_limits(folder: AttemptFolder) -> Limits:
    """The content of `limits.json`."""
    value = read_json(folder.file("limits"))
    return Limits(**{**value, "cpus": tuple(cast("list[int]", value["cpus"]))})  # type: ignore[arg-type]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:])
