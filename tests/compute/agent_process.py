"""A local site in a process of its own, to be killed: `python agent_process.py HOME`."""

from __future__ import annotations

import sys
from pathlib import Path

from touyan.compute.local import LocalSite
from touyan.store.home import open_store

if __name__ == "__main__":
    with LocalSite(open_store(Path(sys.argv[1])), threads=1) as site:
        while True:
            site.wait(60)
