"""The environment of a payload: minimal and explicit, whatever the agent's own holds.

Owns the list of variables. Knows nothing of processes. Invariant: no key, no address of a database and no proxy reaches a
payload; the one secret it may get is the pseudonym key, and only where it refines documents. The one address is of the site's
own Ray cluster.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from touyan.compute.folder import AttemptFolder
from touyan.compute.plugins import EXTRA_STEPS

ATTEMPT = "TOUYAN_ATTEMPT"
"""Marks every process of an Attempt, so that what a killed agent left can be found."""
NODE = "TOUYAN_NODE"
"""Of a gang's second node and further ones: `-1`, `-2` …, which follows `exit` and `log` in the names of their files."""
PSEUDONYM_KEY = "TOUYAN_PSEUDONYM_KEY"
RAY_ADDRESS = "RAY_ADDRESS"
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "POLARS_MAX_THREADS",
)


def payload_environment(attempt: str, folder: AttemptFolder, threads: int, pseudonym_key: str = "") -> dict[str, str]:
    """All variables of a payload."""
    given: Mapping[str, str] = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONHASHSEED": "0",  # the order of sets is part of what a step computes
        "HOME": str(folder.scratch),
        "TMPDIR": str(folder.scratch),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "true",
        ATTEMPT: attempt,
    }
    optional = {
        PSEUDONYM_KEY: pseudonym_key,
        EXTRA_STEPS: os.environ.get(EXTRA_STEPS, ""),
        RAY_ADDRESS: os.environ.get(RAY_ADDRESS, ""),
    }
    return {**given, **dict.fromkeys(THREAD_VARIABLES, str(threads)), **{k: v for k, v in optional.items() if v}}
