"""The payload of the driver contract: does what the file `task` in its folder says. `python -m contract_payload ATTEMPT_DIR`."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path


def _mark(root: Path, name: str) -> None:
    """One line a process that came here."""
    with (root / "out" / name).open("a") as file:
        file.write(f"{os.getpid()}\n")


def say(root: Path) -> None:
    print("said on stdout", flush=True)
    print("said on stderr", file=sys.stderr, flush=True)
    _mark(root, "came")


def fail(root: Path) -> None:
    sys.exit(3)


def die(root: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def sleep(root: Path) -> None:
    _mark(root, "came")
    time.sleep(600)


def nap(root: Path) -> None:
    _mark(root, "came")
    time.sleep(3)
    _mark(root, "went")


def hog(root: Path) -> None:
    held = []
    while True:
        held.append(b"x" * (16 << 20))
        time.sleep(0.02)


def breed(root: Path) -> None:
    """Leaves a child that ignores SIGTERM, in a session of its own."""
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.setsid()
        time.sleep(600)
    _mark(root, "came")


def show(root: Path) -> None:
    (root / "out" / f"environment{os.environ.get('RANK', '')}").write_text(json.dumps(dict(os.environ)))


def gather(root: Path) -> None:
    """Adds up the ranks of a gang: every process has to be there, and to find the others."""
    import torch
    import torch.distributed as dist

    dist.init_process_group("gloo")
    total = torch.tensor([dist.get_rank() + 1])
    dist.all_reduce(total)
    if dist.get_rank() == 0:
        (root / "out" / "total").write_text(f"{int(total)} of {dist.get_world_size()}")
    dist.destroy_process_group()


TASKS: dict[str, Callable[[Path], None]] = {f.__name__: f for f in (say, fail, die, sleep, nap, hog, breed, show, gather)}

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    TASKS[(folder / "task").read_text()](folder)
