"""Uploads: bytes on their way in, kept on disk until they are whole and have the digest they were announced with.

`uploads/<attempt>/<sha256>.part` grows; once verified, the bytes are an object and `<sha256>.<size>` marks that this Attempt sent
them. Knows nothing of who may send. Invariant: bytes of another digest never become an object, and no more is written than was
announced.
"""

from __future__ import annotations

import fcntl
import re
import shutil
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from touyan.core.asset import check_digest
from touyan.core.errors import Broken, Conflict, Invalid
from touyan.store.objects import Objects, disk_errors

RESERVE_BYTES = 1 << 30
"""Left free on the disk: a full one would stop the store's database too."""
_ATTEMPT = re.compile(r"[0-9a-f]{1,64}-[0-9]{1,9}")
_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})")


class Uploads:
    """The uploads of one hub."""

    def __init__(self, root: Path, objects: Objects) -> None:
        self._root = root
        self._objects = objects

    def _folder(self, attempt: str) -> Path:
        if not _ATTEMPT.fullmatch(attempt):
            raise Invalid("bad-attempt", f"{attempt[:80]!r} is no id of an Attempt", "use the id of the claim")
        return self._root / attempt

    def _part(self, attempt: str, sha256: str) -> Path:
        return self._folder(attempt) / f"{check_digest(sha256)}.part"

    def _mark(self, attempt: str, sha256: str, size_bytes: int) -> Path:
        return self._folder(attempt) / f"{check_digest(sha256)}.{size_bytes}"

    def is_done(self, attempt: str, sha256: str, size_bytes: int) -> bool:
        """Whether this Attempt has sent these bytes, and they are here."""
        return self._mark(attempt, sha256, size_bytes).exists() and self._objects.has(sha256, size_bytes)

    def have_bytes(self, attempt: str, sha256: str, size_bytes: int) -> int:
        """How much of an object has arrived: where to go on."""
        if self.is_done(attempt, sha256, size_bytes):
            return size_bytes
        try:
            return self._part(attempt, sha256).stat().st_size
        except FileNotFoundError:
            return 0

    @contextmanager
    def open(self, attempt: str, sha256: str, first: int, size_bytes: int) -> Generator[BinaryIO]:
        """The part, to be written on from `first`. Raises Conflict where another writes it, or `first` is not where it ends."""
        part = self._part(attempt, sha256)
        part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.require_room(size_bytes - first)
        with disk_errors(self._root), part.open("ab") as file:
            _lock(file)
            if file.tell() != first:
                raise Conflict("wrong-offset", f"{file.tell()} bytes are here, not {first}", "ask with HEAD where to go on")
            yield file

    def require_room(self, size_bytes: int) -> None:
        """Returns where so much can be written and the reserve stays. Raises Broken."""
        if shutil.disk_usage(self._root).free < size_bytes + RESERVE_BYTES:
            raise Broken("disk-full", "the hub has no room for this object", "wait until its operator has freed some")

    def settle(self, attempt: str, sha256: str, size_bytes: int) -> None:
        """Makes an object of a part that is whole. Raises Broken where its digest differs; it is dropped then."""
        part = self._part(attempt, sha256)
        try:
            stored = self._objects.take(part, sha256)
        finally:
            part.unlink(missing_ok=True)
        if not stored:
            raise Broken(
                "wrong-digest", f"the bytes sent for {sha256[:12]} have another digest; they were dropped", "send them again"
            )
        self._mark(attempt, sha256, size_bytes).touch(0o600)

    def clear(self, attempt: str) -> None:
        """Forgets what an Attempt was sending; its objects stay."""
        if _ATTEMPT.fullmatch(attempt):
            shutil.rmtree(self._root / attempt, ignore_errors=True)

    def sweep(self, held: Iterable[str]) -> int:
        """Forgets the uploads of Attempts that are not held any more; how many."""
        if not self._root.is_dir():
            return 0
        over = sorted({p.name for p in self._root.iterdir()} - set(held))
        for attempt in over:
            self.clear(attempt)
        return len(over)


def read_content_range(text: str, size_bytes: int) -> tuple[int, int]:
    """First and last byte of `Content-Range: bytes FIRST-LAST/TOTAL`. Raises Invalid, also where TOTAL is not the announced size."""
    found = _RANGE.fullmatch(text.strip())
    if found is None:
        raise Invalid("bad-range", f"{text[:60]!r} is no Content-Range", "send: bytes FIRST-LAST/TOTAL")
    first, last, total = (int(n) for n in found.groups())
    if total != size_bytes or not first <= last < total:
        raise Invalid("bad-range", f"bytes {first}-{last}/{total} do not fit an object of {size_bytes} bytes", "see the manifest")
    return first, last


def _lock(file: BinaryIO) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Conflict("upload-busy", "another connection sends this object", "wait for it, then ask with HEAD") from error
