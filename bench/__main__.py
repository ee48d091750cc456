"""All benchmarks, one after another: `python -m bench`, or some of them: `python -m bench ring flow`.

Each prints its own table; this adds date and machine. Measure on an idle machine, and give both with every figure. What begins
with a dash is handed on: `python -m bench refinery --size=400 --peers`, which takes hours and so runs only when it is named.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
SCRIPTS = (
    "ring/help.py", "flow/step_overhead.py", "data/reading.py", "corpus/refinery.py", "model/bits_per_character.py", "model/serving.py",
    "service/over_http.py", "ring/demo.py",
)  # fmt: skip
WHEN_NAMED = ("refinery/table.py", "compute/matching.py", "compute/openb.py")


def main(arguments: list[str]) -> int:
    wanted = [each for each in arguments if not each.startswith("-")]
    options = [each for each in arguments if each.startswith("-")]
    processor = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ""
    )
    print(
        f"{datetime.now(UTC):%Y-%m-%d}  {len(os.sched_getaffinity(0))} cores  {processor or platform.machine()}  "
        f"load {os.getloadavg()[0]:.1f}"
    )
    failed = 0
    for script in (*SCRIPTS, *WHEN_NAMED):
        if script.split("/")[0] in wanted or not (wanted or script in WHEN_NAMED):
            print(f"\n== bench/{script}", flush=True)
            failed += subprocess.run([sys.executable, str(HERE / script), *options], check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
