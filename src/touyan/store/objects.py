"""Objects: bytes named by their sha256, in a local folder or under any fsspec URL.

An object is written under a name of its own, flushed, then renamed; so it is there whole or not at all. Bytes are hashed again
whenever they leave: a swapped or rotten object is set aside and never handed out.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from touyan.core.asset import FileRef, check_digest
from touyan.core.errors import Broken, Missing

CHUNK_BYTES = 1 << 20
SHA256_DIGITS = 64


class Objects(Protocol):
    """A content-addressed store of bytes."""

    def put(self, path: Path) -> FileRef:
        """Stores the file; the returned FileRef has an empty path."""
        ...

    def take(self, path: Path, sha256: str) -> bool:
        """Stores a file that is given up, where its digest is `sha256`; else stores nothing and answers False."""
        ...

    def fetch(self, sha256: str, target: Path) -> None:
        """Writes a verified copy to `target`. Raises Missing or Broken."""
        ...

    def chunks(self, sha256: str, first: int, end: int) -> Iterator[bytes]:
        """The bytes from `first` to before `end`, unverified: whoever receives them hashes them. Raises Missing."""
        ...

    def size(self, sha256: str) -> int:
        """Raises Missing."""
        ...

    def has(self, sha256: str, size_bytes: int) -> bool:
        """Whether an object of that digest and size is there (its bytes are checked when they leave)."""
        ...

    def delete(self, sha256: str) -> None:
        """Removes an object for good; quiet where it is not there."""
        ...

    def list(self) -> Iterator[str]:
        """The digests of all objects."""
        ...


class FolderObjects:
    """Objects in a local folder: `ab/ab12…`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._incoming = root / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        check_digest(sha256)
        return self.root / sha256[:2] / sha256

    def put(self, path: Path) -> FileRef:
        draft = self._incoming / secrets.token_hex(16)
        try:
            with disk_errors(self.root):
                sha256, size = _copy(path, draft)
                self._keep(draft, sha256, size)
        finally:
            draft.unlink(missing_ok=True)
        return FileRef("", sha256, size)

    def take(self, path: Path, sha256: str) -> bool:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                return False
            os.fsync(file.fileno())
        try:
            self._keep(path, sha256, path.stat().st_size)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self.put(path)
        return True

    def _keep(self, draft: Path, sha256: str, size: int) -> None:
        final = self.path(sha256)
        if self.has(sha256, size):
            return
        final.parent.mkdir(exist_ok=True)
        draft.chmod(0o444)
        draft.rename(final)
        flush_folder(final.parent)

    def fetch(self, sha256: str, target: Path) -> None:
        source = self.path(sha256)
        if not source.is_file():
            raise missing_object(sha256)
        with disk_errors(target.parent):
            found, _ = _copy(source, target, flush=False)
        if found != sha256:
            target.unlink()
            self._set_aside(sha256)
            raise corrupt_object(sha256)

    def chunks(self, sha256: str, first: int, end: int) -> Iterator[bytes]:
        try:
            with self.path(sha256).open("rb") as source:
                yield from _slice(source, first, end)
        except FileNotFoundError as error:
            raise missing_object(sha256) from error

    def size(self, sha256: str) -> int:
        try:
            return self.path(sha256).stat().st_size
        except FileNotFoundError as error:
            raise missing_object(sha256) from error

    def _set_aside(self, sha256: str) -> None:
        corner = self.root / "corrupt"
        corner.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):  # another reader found the same and was first
            self.path(sha256).rename(corner / f"{sha256}.{secrets.token_hex(4)}")

    def has(self, sha256: str, size_bytes: int) -> bool:
        try:
            return self.path(sha256).stat().st_size == size_bytes
        except FileNotFoundError:
            return False

    def delete(self, sha256: str) -> None:
        self.path(sha256).unlink(missing_ok=True)

    def list(self) -> Iterator[str]:
        for folder in sorted(self.root.iterdir()):
            if len(folder.name) == 2:
                yield from sorted(p.name for p in folder.iterdir())


class RemoteObjects:
    """Objects under an fsspec URL, such as `s3://bucket/prefix` or `memory://test`."""

    def __init__(self, url: str) -> None:
        import fsspec

        self._files: Any
        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            kind = url.partition("://")[0]
            raise Missing(
                "no-objects-driver", f"nothing here reads {kind}:// ({error})", "install the package it names"
            ) from error

    def _path(self, sha256: str) -> str:
        check_digest(sha256)
        return f"{self._root}/{sha256[:2]}/{sha256}"

    def put(self, path: Path) -> FileRef:
        with path.open("rb") as source:
            sha256 = hashlib.file_digest(source, "sha256").hexdigest()
        size = path.stat().st_size
        if not self.has(sha256, size):
            self._files.makedirs(f"{self._root}/{sha256[:2]}", exist_ok=True)
            self._files.put_file(str(path), self._path(sha256))
        return FileRef("", sha256, size)

    def fetch(self, sha256: str, target: Path) -> None:
        if not self._files.exists(self._path(sha256)):
            raise missing_object(sha256)
        with disk_errors(target.parent), self._files.open(self._path(sha256), "rb") as source, target.open("xb") as sink:
            found, _ = _pour(source, sink)
        if found != sha256:
            target.unlink()
            self._files.makedirs(f"{self._root}/corrupt", exist_ok=True)
            self._files.mv(self._path(sha256), f"{self._root}/corrupt/{sha256}.{secrets.token_hex(4)}")
            raise corrupt_object(sha256)

    def take(self, path: Path, sha256: str) -> bool:
        with path.open("rb") as source:
            is_right = hashlib.file_digest(source, "sha256").hexdigest() == sha256
        if is_right:
            self.put(path)
        return is_right

    def chunks(self, sha256: str, first: int, end: int) -> Iterator[bytes]:
        self.size(sha256)
        with self._files.open(self._path(sha256), "rb") as source:
            yield from _slice(source, first, end)

    def size(self, sha256: str) -> int:
        if not self._files.exists(self._path(sha256)):
            raise missing_object(sha256)
        return int(self._files.size(self._path(sha256)))

    def has(self, sha256: str, size_bytes: int) -> bool:
        path = self._path(sha256)
        return bool(self._files.exists(path)) and int(self._files.size(path)) == size_bytes

    def delete(self, sha256: str) -> None:
        if self._files.exists(self._path(sha256)):
            self._files.rm_file(self._path(sha256))

    def list(self) -> Iterator[str]:
        names = (str(path).rsplit("/", 1)[-1] for path in self._files.find(self._root))
        yield from sorted(name for name in names if len(name) == SHA256_DIGITS)  # what was set aside has a longer name


def open_objects(place: str) -> Objects:
    """Objects at a folder path or an fsspec URL."""
    return RemoteObjects(place) if "://" in place else FolderObjects(Path(place))


def missing_object(sha256: str) -> Missing:
    return Missing("no-object", f"the object {sha256[:12]} is not in the store", "run the flow again, or: touyan restore BACKUP")


def corrupt_object(sha256: str) -> Broken:
    return Broken(
        "corrupt-object", f"the object {sha256[:12]} no longer has the bytes it is named by; it was set aside",
        "run the flow again: the step that made it is repeated; or: touyan restore BACKUP",
    )  # fmt: skip


def _copy(source: Path, target: Path, flush: bool = True) -> tuple[str, int]:
    with source.open("rb") as reader, target.open("xb") as writer:
        result = _pour(reader, writer)
        if flush:
            writer.flush()
            os.fsync(writer.fileno())
    return result


def _pour(source: BinaryIO, sink: BinaryIO) -> tuple[str, int]:
    """Copies and returns digest and size of what was copied: the bytes that were checked are the bytes that arrive."""
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
        sink.write(chunk)
    return digest.hexdigest(), size


def _slice(source: BinaryIO, first: int, end: int) -> Iterator[bytes]:
    source.seek(first)
    while first < end and (chunk := source.read(min(CHUNK_BYTES, end - first))):
        first += len(chunk)
        yield chunk


def flush_folder(folder: Path) -> None:
    """Makes renames within a folder safe against a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def disk_errors(folder: Path) -> Generator[None]:
    """Turns a full or read-only disk into an error that says how much is left."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            free = shutil.disk_usage(folder).free
            raise Broken(
                "disk-full", f"no room left in {folder} ({free >> 20} MiB free)", "free some space; then run again"
            ) from error
        raise
