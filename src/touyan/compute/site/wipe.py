"""Removing what a Party's Attempt left at a site, with a receipt.

Owns the receipt: how many files and bytes there were, and the sha256 of the canonical list of their paths and sizes. Knows nothing
of when it is time. Invariant: a receipt reaches the hub only after the files are gone, and says the same after a kill on the way.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from touyan.compute.folder import remove
from touyan.compute.site.records import Records, State
from touyan.core.canonical import Json, digest
from touyan.core.errors import Broken


def wipe(records: Records, state: State) -> None:
    """Removes the folder of an Attempt, then its record. Raises Broken where something stays; it is tried again."""
    if not state.account:
        records.close(state)
        return
    folder = records.folder(state).root
    records.prepare_receipt(state, receipt_of(folder))
    _remove(folder)
    if folder.exists():
        raise Broken("cannot-wipe", f"something of {state.attempt} could not be removed", f"see who holds {folder}")
    records.close(state)
    with suppress(OSError):  # other Attempts of the Job, or other Jobs of the account, are still there
        folder.parent.rmdir()


def receipt_of(folder: Path) -> dict[str, Json]:
    """Of the files as they lie there now; links are listed, not followed."""
    listed: list[Json] = []
    total = 0
    for path, size in sorted(_files(folder)):
        listed.append([os.fsencode(path.relative_to(folder)).hex(), size])
        total += size
    return {"files": len(listed), "bytes": total, "sha256": digest(listed)}


def _files(folder: Path) -> Iterator[tuple[Path, int]]:
    """Every file with its size. A stack, not a recursion: a payload can nest folders deeper than Python can call. What lies deeper
    than a path can say is not listed."""
    waiting = [folder]
    while waiting:
        for entry in _entries(waiting.pop()):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(Path(entry.path))
            else:
                yield Path(entry.path), entry.stat(follow_symlinks=False).st_size


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(folder) as entries:
        return list(entries)
    return []


def _remove(folder: Path) -> None:
    """Removes a folder however deep it is: rm(1) walks by open folders, follows no link, and calls itself nowhere."""
    with suppress(RecursionError):
        remove(folder)
    if folder.exists():
        subprocess.run(["rm", "-rf", "--", str(folder)], stdin=subprocess.DEVNULL, capture_output=True, check=False)
