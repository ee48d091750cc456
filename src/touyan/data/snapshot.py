"""The files behind the address of a source, for the planner to make a source Asset of.

Understands a file, a folder and `package://DIST/relative/path` (a file or folder of an installed package, found without
importing it). Knows nothing about stores. Invariant: a snapshot that holds a refused entry is never returned.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

from touyan.core.errors import Invalid, Missing, Refused
from touyan.data.walk import FoundFile, RefusedFile, walk

SCHEME = "package://"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a source holds now."""

    root: Path
    files: tuple[FoundFile, ...]
    """In the order of the walk; every path is unique and relative to the root."""

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


def snapshot(address: str, base: Path | None = None) -> Snapshot:
    """Lists the files of `address`; relative paths start at `base` (the flow file's folder).

    Raises Missing where nothing is there, Refused where a link leaves the folder, Invalid on names that cannot be kept.
    """
    root = _package_path(address) if address.startswith(SCHEME) else (base or Path.cwd()) / Path(address).expanduser()
    entries = list(walk(root))
    for entry in entries:
        if isinstance(entry, RefusedFile):
            raise Refused(
                "bad-source", f"{address}: {entry.path}: {entry.reason}", "remove the entry or copy the file into the folder"
            )
    files = tuple(entry for entry in entries if isinstance(entry, FoundFile))
    if not files:
        raise Missing("empty-source", f"{address} holds no files", "put the documents there, or correct the path")
    return Snapshot(root, files)


def _package_path(address: str) -> Path:
    name, _, relative = address.removeprefix(SCHEME).partition("/")
    parts = PurePosixPath(relative).parts
    if not name or not parts or ".." in parts or parts[0] == "/":
        raise Invalid("bad-address", f"{address} is no package address", "write package://DISTRIBUTION/folder/file")
    try:
        found = distribution(name)
    except PackageNotFoundError as error:
        raise Missing("no-package", f"the package {name!r} is not installed", f"run: pip install {name}") from error
    path = Path(str(found.locate_file(relative)))
    if not any(file.parts[: len(parts)] == parts for file in found.files or ()):
        raise Missing("not-in-package", f"{name} {found.version} has no {relative!r}", "check the path inside the package")
    return path
