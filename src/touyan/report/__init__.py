"""The report of a run: one HTML file that stands by itself.

`gather.facts` reads the store, `page.render` draws, `write` does both. Knows nothing of the rooms: it reads their Assets by
the published formats. Invariant: every run leaves a report, however far it came.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from touyan.core.party import Actor
    from touyan.store.home import Store

__all__ = ["write"]


def write(store: Store, actor: Actor, run_id: str, target: Path) -> Path:
    """Writes the report of a run to the file `target` and returns its path. A report is there whole or not at all.

    Raises Missing where there is no such run, Refused where the actor may not inspect it, Broken on a full disk.
    """
    from touyan.report import gather
    from touyan.report.page import render
    from touyan.store.objects import disk_errors

    page = render(gather.facts(store, actor, run_id)).encode("utf-8")
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with disk_errors(store.home):
            target.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(page)
            draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return target
