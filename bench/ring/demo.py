"""The whole ring of `make demo`, then again with nothing changed: `python bench/ring/demo.py [HOME]`.

Prints wall time, CPU time and the peak memory of everything that ran at once (all processes, sampled four times a second), and the
wall time of each step as the run recorded it. Without HOME it uses a folder of its own.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

FLOW = Path(__file__).parents[2] / "examples" / "laws" / "flow.yaml"
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
SAMPLE_S = 0.25


def main(home: Path) -> None:
    for name in ("first run", "second run, nothing changed"):
        print(f"{name}: {timed(['demo', '--no-keep', '--home', str(home)])}", flush=True)
    print(f"`touyan run` alone, nothing changed: {timed(['run', str(FLOW), '--home', str(home)])}")
    newest = asked("show", "--home", str(home))["runs"][0]["id"]
    for step in asked("show", newest, "--home", str(home))["plan"]["steps"]:
        print(f"  {step['name']:<12} {step['wall_ms'] / 1000:>7.1f} s")


def asked(*arguments: str) -> dict[str, Any]:
    """The answer of one command with --json."""
    command = [sys.executable, "-m", "touyan.cli.main", *arguments, "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def timed(arguments: list[str]) -> str:
    """Runs one command; wall, CPU and peak memory of its process tree."""
    before, began, peak = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic(), [0]
    process = subprocess.Popen(
        [sys.executable, "-m", "touyan.cli.main", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    watcher = threading.Thread(target=watch, args=(process, peak))
    watcher.start()
    out, _ = process.communicate()
    watcher.join()
    if process.returncode:
        raise SystemExit(out.decode())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return f"{time.monotonic() - began:.1f} s wall, {cpu_s:.1f} s CPU, {peak[0] / 1e9:.2f} GB at its peak"


def watch(process: subprocess.Popen[bytes], peak: list[int]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], sum(map(resident, descendants(process.pid))))
        time.sleep(SAMPLE_S)


def descendants(root: int) -> list[int]:
    """`root` and everything below it."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found = [root]
    for pid in found:
        found += parents.get(pid, [])
    return found


def resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES
    except (FileNotFoundError, ProcessLookupError):
        return 0


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(Path(folder) / "home")
