"""CPU time of `touyan --help`: `python bench/ring/help.py`. The bound is 200 ms."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys

RUNS = 9


def cpu_ms() -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "touyan.cli.main", "--help"], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def main() -> None:
    cpu_ms()
    found = sorted(cpu_ms() for _ in range(RUNS))
    print(f"touyan --help: {statistics.median(found):.0f} ms of CPU (least {found[0]:.0f}, most {found[-1]:.0f}, {RUNS} runs)")


if __name__ == "__main__":
    main()
