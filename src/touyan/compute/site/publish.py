"""What the hub is told of an Attempt that ended, and how its bytes go up, in small pieces of work.

Owns the manifest over `out/` or the newest checkpoint, and the upload with resume. What a payload wrote is read with its account's
rights and believed in its types only. Invariant: a result is told only after every file was hashed, and no link is followed.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from touyan.compute.driver import Exit
from touyan.compute.ending import PASSING, error_of, outcome_of
from touyan.compute.folder import AttemptFolder, below, marks, newest_checkpoint, open_regular, read_json
from touyan.compute.site.accounts import acting_as
from touyan.compute.site.hub_calls import HubCalls, no_answer
from touyan.compute.site.stage import PIECE_BYTES
from touyan.core.asset import FileRef, InputRef, Manifest, build, check_path, manifest_bytes, read_manifest
from touyan.core.canonical import Json, canonical
from touyan.core.errors import Broken, Invalid, TouyanError, error_record
from touyan.core.job import JobSpec
from touyan.store.job_records import Outcome

Ended = dict[str, Any]
MOST_MANIFEST_BYTES = 6 << 20
"""A body of the protocol holds 8 MiB."""
MOST_WORDS = {"message": 4000, "hint": 1000, "code": 200, "family": 200}
STALLS = 3
"""Answers without progress until an upload waits for another round."""


def ended_of(spec: JobSpec, folder: AttemptFolder, end: Exit, account: str) -> Generator[None, None, Ended]:
    """The words for a payload that ended by itself: its result, or its error and how far it came."""
    with acting_as(account):
        is_done = end.cause == "exit" and end.status == 0 and folder.file("done").exists()
    if is_done:
        return (yield from _result(spec, folder, account))
    with acting_as(account):
        error = _error(spec, folder, end)
    may_retry = error.code in PASSING
    return {"error": clean_record(error), "may_retry": may_retry} | (
        (yield from checkpoint_of(spec, folder, account)) if may_retry else {}
    )


def released(spec: JobSpec, folder: AttemptFolder, why: str, account: str) -> Generator[None, None, Ended]:
    """The words for an Attempt that is given back, with its newest checkpoint."""
    return {"released": why} | (yield from checkpoint_of(spec, folder, account))


def _result(spec: JobSpec, folder: AttemptFolder, account: str) -> Generator[None, None, Ended]:
    with acting_as(account):
        outcome, skip = outcome_of(folder), set(marks(folder.out))
    _check(outcome)
    refs = yield from hashed(folder.out, account, skip)
    manifest = build(spec.output, refs, [InputRef(i.role, i.asset) for i in spec.inputs], spec.key)
    said = {name: getattr(outcome, name) for name in ("counts", "telemetry", "environment", "progress")}
    return {"result": {"manifest": _sendable(manifest), **said}}


def checkpoint_of(spec: JobSpec, folder: AttemptFolder, account: str) -> Generator[None, None, Ended]:
    """`{"checkpoint": ...}` where an Attempt left one, so that the Job goes on from it wherever it is placed."""
    with acting_as(account):
        newest = newest_checkpoint(folder.checkpoints)
    if newest is None:
        return {}
    refs = yield from hashed(newest[1], account)
    manifest = build("checkpoint", refs, [InputRef(i.role, i.asset) for i in spec.inputs], spec.key)
    return {"checkpoint": {"manifest": _sendable(manifest), "position": newest[0]}}


def hashed(root: Path, account: str, skip: Collection[str] = ()) -> Generator[None, None, list[FileRef]]:
    """Every file below a folder, a piece at a time. Raises Invalid on links and devices: they may point anywhere."""
    refs: list[FileRef] = []
    with acting_as(account):
        paths = below(root)
    for path in paths:
        name = path.relative_to(root).as_posix()
        with acting_as(account):
            is_folder = path.is_dir() and not path.is_symlink()
            file = None if is_folder or name in skip else _opened(path, name)
        if file is not None:
            refs.append((yield from _hash(file, check_path(name))))
    return refs


def _opened(path: Path, name: str) -> Any:
    if path.is_symlink() or not path.is_file():
        raise Invalid("link-in-output", f"{name} is no regular file", "write the file itself")
    return open_regular(path)


def _hash(file: Any, name: str) -> Generator[None, None, FileRef]:
    digest, size = hashlib.sha256(), 0
    with file:
        while piece := file.read(PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
            yield
    return FileRef(name, digest.hexdigest(), size)


def upload(
    hub: HubCalls, base: Path, manifest: Manifest, missing: tuple[str, ...], capability: str, account: str
) -> Iterator[None]:
    """Sends the files that the hub lacks, each from where it stopped. Raises the hub's refusal."""
    wanted = {ref.sha256: ref for ref in manifest.files if ref.sha256 in missing}
    for ref in wanted.values():
        with acting_as(account):
            file = _opened(base / ref.path, ref.path)
        with file:
            yield from _send(hub, file, ref, capability)


def _send(hub: HubCalls, file: Any, ref: FileRef, capability: str) -> Iterator[None]:
    have_bytes, stalls, is_told = hub.have(ref.sha256, capability), 0, False
    while have_bytes < ref.size_bytes or not is_told:
        file.seek(have_bytes)
        held = hub.put(ref.sha256, capability, have_bytes, ref.size_bytes, file.read(PIECE_BYTES))
        stalls, is_told = stalls + (held <= have_bytes), True
        if stalls > STALLS:
            raise no_answer(f"it does not take {ref.sha256[:12]}")
        have_bytes = held
        yield


def told_manifest(ended: Mapping[str, Any], folder: AttemptFolder) -> tuple[Path, Manifest] | None:
    """The manifest that was told, and the folder its files lie in; None where none was."""
    if "result" in ended:
        return folder.out, read_manifest(canonical(ended["result"]["manifest"]))
    if ended.get("checkpoint"):
        told = ended["checkpoint"]
        return folder.checkpoints / str(told["position"]), read_manifest(canonical(told["manifest"]))
    return None


def _sendable(manifest: Manifest) -> dict[str, Json]:
    if len(manifest_bytes(manifest)) > MOST_MANIFEST_BYTES:
        words = f"{len(manifest.files):,} files are more than one message holds"
        raise Broken("too-many-files", words, "let the step write fewer and larger files")
    return manifest.to_json()


def _check(outcome: Outcome) -> None:
    """Raises Broken where the step wrote over what its worker left: one bad word would have the whole round refused."""
    counts, told = cast("Mapping[str, object]", outcome.counts), cast("Mapping[str, object]", outcome.telemetry)
    fits = (
        all(type(n) is int for n in counts.values())
        and all(type(v) in (int, str) for v in told.values())
        and all(type(v) is str for v in outcome.environment.values())
        and all(len(name) <= MOST_WORDS["code"] for name in (*counts, *told, *outcome.environment))
    )
    if not fits or len(repr(outcome)) > MOST_MANIFEST_BYTES or r"\ud" in ascii(outcome):  # half a surrogate pair has no UTF-8
        raise Broken("damaged-attempt", "what the worker left was changed", "see what the step writes outside out/")


def _error(spec: JobSpec, folder: AttemptFolder, end: Exit) -> TouyanError:
    try:
        return error_of(spec, folder, end)
    except TouyanError as error:
        return error


def clean_record(error: TouyanError) -> dict[str, str]:
    """An error as it is told: of bounded length, and in whole characters, whatever a payload wrote."""
    record = error_record(error)
    return {name: record[name][:most].encode(errors="replace").decode() for name, most in MOST_WORDS.items()}


def progress_told(folder: AttemptFolder, account: str) -> dict[str, Any] | None:
    """How far a payload says it is; a word that cannot be sent is none."""
    with acting_as(account):
        try:
            value = read_json(folder.file("progress"))
        except (TouyanError, OSError):
            return None
    done, total, unit = (value.get(name) for name in ("done", "total", "unit"))
    numbers = [n for n in (done, total) if n is not None]
    if done is None or not isinstance(unit, str) or not all(type(n) in (int, float) and abs(n) < math.inf for n in numbers):
        return None
    return {"done": done, "total": total, "unit": unit[:40].encode(errors="replace").decode()}
