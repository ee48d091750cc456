"""The folder of an Attempt: `jobs/<job>/<attempt>/`, format version 1 (docs/formats/attempt.md).

    spec.json  inputs.json  limits.json  in/<role>/<n>/  out/  scratch/  checkpoints/<position>/  heartbeat
    progress.json  telemetry.json  done.json | error.json  exit.json  log.txt  result.json

Owns names and how a file in it is written and read. Knows nothing of who may write what when. Invariant: a JSON file is there
whole or not at all, and a mark stands only beside files whose digests it names.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from touyan.core.asset import FileRef, check_path
from touyan.core.errors import Broken, Invalid, TouyanError

FOLDER_VERSION = 1
"""Of all files together; `inputs.json` holds it."""
MOST_JSON_BYTES = 64 << 20
"""The mark of a shard of 400,000 files; what is longer is cut, and then no JSON."""
MARK = ".done"
"""Suffix of the marks of finished shards in `out/`; no Asset holds files of that name."""


@dataclass(frozen=True, slots=True)
class AttemptFolder:
    """The places in the folder of one Attempt."""

    root: Path

    @property
    def inputs(self) -> Path:
        return self.root / "in"

    @property
    def out(self) -> Path:
        return self.root / "out"

    @property
    def scratch(self) -> Path:
        return self.root / "scratch"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def heartbeat(self) -> Path:
        """Touched by the agent after each renewal; the wrapper watches it."""
        return self.root / "heartbeat"

    @property
    def log(self) -> Path:
        return self.root / "log.txt"

    def file(self, name: str) -> Path:
        return self.root / f"{name}.json"

    def create(self) -> None:
        """An empty folder, whatever a half-made one may have left."""
        remove(self.root)
        for folder in (self.root, self.inputs, self.out, self.scratch, self.checkpoints):
            folder.mkdir(parents=True)

    def clear(self, keep_work: bool = False) -> None:
        """Removes what only the running step needed; with `keep_work`, a later Attempt still finds shards and checkpoints."""
        bulk = (self.inputs, self.scratch) if keep_work else (self.inputs, self.scratch, self.out, self.checkpoints)
        for folder in bulk:
            remove(folder)


def remove(folder: Path) -> None:
    """Removes a folder with all that is in it; quiet where it is not there."""
    from shutil import rmtree  # brings three compression libraries, which a payload's start should not pay for

    rmtree(folder, ignore_errors=True)


def write_json(path: Path, value: Mapping[str, object]) -> None:
    """Writes under another name, then renames. After a power cut the file may be gone or no JSON; then the Attempt is repeated."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")), encoding="utf-8")
    draft.rename(path)


def read_json(path: Path) -> dict[str, object]:
    """The object in a file, empty where there is none. Raises Broken on anything else: a payload may have written it."""
    try:
        with open_regular(path) as file:
            value = json.loads(file.read(MOST_JSON_BYTES))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError) as error:
        raise Broken(
            "damaged-attempt", f"{path.name} of an Attempt is no JSON: {error}", "run the flow again: the step is repeated"
        ) from error
    if not isinstance(value, dict):
        raise Broken("damaged-attempt", f"{path.name} of an Attempt holds no object", "run the flow again: the step is repeated")
    return cast("dict[str, object]", value)


def open_regular(path: Path) -> BinaryIO:
    """A regular file that a payload may have made, for reading. Raises Broken on anything else: to open a pipe waits for ever."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Broken("damaged-attempt", f"{path.name} of an Attempt is no regular file", "let the step write the file itself")
    return os.fdopen(handle, "rb")


def digest_file(path: Path) -> FileRef:
    """Digest and size of a file, with an empty path."""
    with open_regular(path) as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return FileRef("", sha256, path.stat().st_size)


def write_mark(mark: Path, root: Path, files: Iterable[Path]) -> None:
    """Writes the mark of finished `files`, which lie below `root`."""
    listed = [{"path": f.relative_to(root).as_posix(), **_bytes_of(f)} for f in sorted(files)]
    mark.parent.mkdir(parents=True, exist_ok=True)
    write_json(mark, {"done": 1, "files": listed})


def _bytes_of(path: Path) -> dict[str, object]:
    ref = digest_file(path)
    return {"sha256": ref.sha256, "size_bytes": ref.size_bytes}


def marked(mark: Path, root: Path) -> list[FileRef] | None:
    """The files below `root` that a mark stands for, or None where the mark is missing or does not fit them."""
    try:
        value = read_json(mark)
        listed = cast("list[dict[str, object]]", value["files"])
        refs = [FileRef(check_path(str(f["path"])), str(f["sha256"]), cast(int, f["size_bytes"])) for f in listed]
    except (KeyError, TypeError, TouyanError):
        return None
    return refs if all(_holds(root / r.path, r) for r in refs) else None


def _holds(path: Path, ref: FileRef) -> bool:
    if path.is_symlink() or not path.is_file() or path.stat().st_size != ref.size_bytes:
        return False
    return digest_file(path).sha256 == ref.sha256


def marks(out: Path) -> list[str]:
    """Names of the marks in an output folder, relative to it."""
    return sorted(p.relative_to(out).as_posix() for p in below(out) if p.name.endswith(MARK))


def below(root: Path) -> list[Path]:
    """All that lies below a folder, links not followed. Raises Invalid where it is nested deeper than Python can call itself."""
    try:
        return sorted(root.rglob("*"))
    except RecursionError as error:
        words = f"{root.name}/ of an Attempt holds folders nested too deeply"
        raise Invalid("too-deep", words, "let the step write fewer folders in each other") from error


def newest_checkpoint(checkpoints: Path) -> tuple[int, Path] | None:
    """Position and folder of the newest checkpoint that is whole, or None."""
    named = (p for p in checkpoints.glob("*") if p.name.isdecimal() and p.is_dir())
    for folder in sorted(named, key=lambda p: int(p.name), reverse=True):
        if marked(checkpoints / f"{folder.name}{MARK}", folder) is not None:
            return int(folder.name), folder
    return None
