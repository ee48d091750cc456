"""Bytes of inputs by digest, kept between Attempts up to a limit; what is half there is taken up where it stopped.

Owns the objects and the drafts of a site. Knows nothing of hubs and Parties: who may see an object is decided before. Invariant:
an object is there whole with the digest it is named by, and is handed out as a copy, so that no payload can change it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from touyan.core.asset import FileRef
from touyan.core.errors import Broken
from touyan.store.objects import CHUNK_BYTES, FolderObjects, disk_errors, flush_folder


class Cache:
    """The objects of one site."""

    def __init__(self, root: Path, limit_bytes: int) -> None:
        self._objects = FolderObjects(root)
        self._drafts = root / "drafts"
        self._drafts.mkdir(mode=0o700, exist_ok=True)
        self._limit_bytes = limit_bytes

    def has(self, ref: FileRef) -> bool:
        return self._objects.has(ref.sha256, ref.size_bytes)

    def have_bytes(self, ref: FileRef) -> int:
        """How much of a draft is there; one that is too long is none."""
        draft = self._draft(ref)
        size = draft.stat().st_size if draft.exists() else 0
        if size > ref.size_bytes:
            draft.unlink()
            return 0
        return size

    def append(self, ref: FileRef, chunk: bytes) -> None:
        with disk_errors(self._drafts), self._draft(ref).open("ab") as file:
            file.write(chunk)

    def settle(self, ref: FileRef) -> Iterator[None]:
        """Checks a whole draft and makes it an object, a chunk at a time. Raises Broken, and drops it, where the digest differs."""
        draft, digest = self._draft(ref), hashlib.sha256()
        draft.touch()
        with draft.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                yield
            os.fsync(file.fileno())
        if digest.hexdigest() != ref.sha256:
            draft.unlink(missing_ok=True)
            words = f"the hub sent other bytes than those of {ref.sha256[:12]}"
            raise Broken("wrong-digest", words, "nothing of them was used; ask the hub's operator to check its objects")
        if self.has(ref):
            return  # another Attempt wanted it too
        final = self._objects.path(ref.sha256)
        final.parent.mkdir(exist_ok=True)
        draft.chmod(0o400)
        draft.rename(final)
        flush_folder(final.parent)

    def copy(self, ref: FileRef, target: Path) -> Iterator[None]:
        """Writes a verified, read-only copy, a chunk at a time. Raises Broken where the object rotted; it is dropped then."""
        digest, source = hashlib.sha256(), self._objects.path(ref.sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        with disk_errors(target.parent), source.open("rb") as reader, target.open("xb") as writer:
            while chunk := reader.read(CHUNK_BYTES):
                digest.update(chunk)
                writer.write(chunk)
                yield
        if digest.hexdigest() != ref.sha256:
            target.unlink()
            source.unlink()
            raise Broken("corrupt-object", f"the object {ref.sha256[:12]} rotted in the site's cache", "it is fetched again")
        target.chmod(0o444)
        os.utime(source)

    def trim(self, in_use: Collection[str]) -> None:
        """Drops what was used longest ago until the limit holds, and drafts; never what an Attempt still waits for."""
        for draft in self._drafts.iterdir():
            if draft.name not in in_use:
                draft.unlink()
        stats = {sha256: self._objects.path(sha256).stat() for sha256 in self._objects.list()}
        total = sum(s.st_size for s in stats.values())
        for sha256 in sorted(stats, key=lambda one: stats[one].st_mtime_ns):
            if total <= self._limit_bytes:
                return
            if sha256 not in in_use:
                self._objects.delete(sha256)
                total -= stats[sha256].st_size

    def _draft(self, ref: FileRef) -> Path:
        return self._drafts / ref.sha256
