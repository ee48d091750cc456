"""The files of a folder, in one order, without leaving it.

Owns the walk that both the snapshot and the `read` step use. Knows nothing about what files hold. Invariant: every entry is
either a regular file under the root or is refused with a reason; links are followed only to regular files inside the root.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from touyan.core.asset import check_path
from touyan.core.errors import Invalid, Missing


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file, and what tells cheaply whether it has changed."""

    path: str
    """Relative POSIX path."""
    absolute: Path
    size_bytes: int
    modified_ns: int
    inode: int

    @property
    def stat_key(self) -> tuple[str, int, int, int]:
        """Equal keys mean that the bytes need not be hashed again."""
        return (str(self.absolute), self.size_bytes, self.modified_ns, self.inode)


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """An entry that is not read."""

    path: str
    reason: str
    """`slug: words`."""


def walk(root: Path) -> Iterator[FoundFile | RefusedFile]:
    """The files of `root` (a folder, or one file), folders depth first, names in code point order. Raises Missing."""
    if not root.exists():
        raise Missing("no-path", f"{root} does not exist", "check the path of the source")
    inside = root.resolve()
    if inside.is_dir():
        yield from _walk(inside, inside, "")
    else:
        yield _entry(inside.parent, inside, inside.name)


def _walk(inside: Path, folder: Path, prefix: str) -> Iterator[FoundFile | RefusedFile]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = prefix + entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(inside, Path(entry.path), path + "/")
        else:
            yield _entry(inside, Path(entry.path), path)


def _entry(inside: Path, absolute: Path, path: str) -> FoundFile | RefusedFile:
    shown = path.encode("utf-8", "backslashreplace").decode()
    if shown != path:
        return RefusedFile(shown, "bad-name: the file name is not UTF-8")
    try:
        check_path(path)
        real = absolute.resolve(strict=True)
        if not real.is_relative_to(inside):
            return RefusedFile(path, "link-escapes: the link leads out of the folder")
        status = real.stat()
    except Invalid as error:
        return RefusedFile(path, f"bad-name: {error.message}")
    except (OSError, RuntimeError) as error:  # a dangling link, a loop of links, no permission
        return RefusedFile(path, f"no-access: {type(error).__name__}")
    if not stat.S_ISREG(status.st_mode):
        return RefusedFile(path, "not-a-file: a linked folder, pipe, socket or device")
    return FoundFile(path, real, status.st_size, status.st_mtime_ns, status.st_ino)
