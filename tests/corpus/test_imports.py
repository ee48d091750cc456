"""The modules that the planner loads to see a step stay cheap: heavy packages are imported when a step runs."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"numpy", "pyarrow", "tokenizers", "torch", "transformers"}


def test_looking_at_the_steps_loads_nothing_heavy() -> None:
    code = "import sys, touyan.corpus.refine, touyan.corpus.split, touyan.corpus.pack; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert HEAVY.isdisjoint(loaded)
