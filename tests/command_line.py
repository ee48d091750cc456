"""The command line inside a test: `touyan(...)` calls the entry point as a shell would; what it printed and its exit status.

Knows nothing of verbs. Invariant: the process is the test's own, so a failure shows its traceback.
"""

from __future__ import annotations

import io
import json
import shlex
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from touyan.cli.main import run


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value on standard output."""
        return json.loads(self.out)


def touyan(*words: str) -> Said:
    """Runs `touyan WORDS`; one string is split as a shell splits it."""
    given = shlex.split(words[0]) if len(words) == 1 else list(words)
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), patch.object(sys, "argv", ["touyan", *given]):
        try:
            run()
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
    return Said(status, out.getvalue(), err.getvalue())
