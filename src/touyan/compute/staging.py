"""Staging: what an Attempt gets to see, put into its folder. The second choke point for rights.

Every input passes `store.gate.open` in the name of the Party that submitted the Job, now, whatever held when it was planned.
Earlier Attempts of the same Job hand on their newest checkpoint and their finished shards. Knows nothing of processes.
Invariant: every byte that reaches a payload was verified by digest on its way in.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from touyan.compute.folder import FOLDER_VERSION, MARK, AttemptFolder, marked, marks, newest_checkpoint, write_json
from touyan.compute.plugins import step_entry
from touyan.core.asset import check_path
from touyan.core.job import JobSpec
from touyan.store.home import Store
from touyan.store.job_records import Claim


def stage(store: Store, claim: Claim, spec: JobSpec, folder: AttemptFolder) -> None:
    """Writes spec.json, inputs.json and verified copies of all inputs. Raises Refused, Missing or Broken."""
    submitter = store.parties.actor(spec.submitter, spec.project)
    write_json(folder.file("spec"), claim.envelope.to_json())
    kinds: list[str] = []
    for given, place in zip(spec.inputs, input_places(spec), strict=True):
        opened = store.gate.open(given.asset, submitter, spec.purpose, leaving_out=spec.withdrawals)
        opened.copy_to(folder.root / place)
        kinds.append(opened.manifest.kind)
    write_inputs(folder, claim.attempt, claim.token, spec, kinds)


def input_places(spec: JobSpec) -> list[str]:
    """Where each input lies in the folder: `in/<role>/<n>`. Raises Invalid on a role that leads out of it."""
    seen: Counter[str] = Counter()
    places: list[str] = []
    for given in spec.inputs:
        places.append(check_path(f"in/{given.role}/{seen[given.role]}"))
        seen[given.role] += 1
    return places


def write_inputs(folder: AttemptFolder, attempt: str, token: int, spec: JobSpec, kinds: Sequence[str]) -> None:
    """Writes inputs.json: which Asset lies where, and where the step lives."""
    listed = [
        {"role": given.role, "name": given.name, "asset": given.asset, "kind": kind, "path": place}
        for given, kind, place in zip(spec.inputs, kinds, input_places(spec), strict=True)
    ]
    header = {"folder": FOLDER_VERSION, "attempt": attempt, "token": token, "entry": step_entry(spec.step)}
    write_json(folder.file("inputs"), header | {"inputs": listed})


def carry_over(folder: AttemptFolder) -> None:
    """Copies the finished shards and the newest checkpoint of earlier Attempts of the same Job, as far as their digests hold."""
    for earlier in earlier_attempts(folder):
        for mark in marks(earlier.out):
            _carry_shard(earlier.out, folder.out, mark)
    found = ((newest_checkpoint(e.checkpoints), e) for e in earlier_attempts(folder))
    newest = max((at for at, _ in found if at is not None), default=None)
    if newest is not None:
        _carry_checkpoint(newest[1], folder.checkpoints)


def earlier_attempts(folder: AttemptFolder) -> Iterator[AttemptFolder]:
    """The folders of the other Attempts of the same Job, newest first."""
    others = (p for p in folder.root.parent.iterdir() if p != folder.root and p.is_dir())
    yield from (AttemptFolder(p) for p in sorted(others, key=_number, reverse=True))


def _number(path: Path) -> int:
    number = path.name.rpartition("-")[2]
    return int(number) if number.isdecimal() else 0


def _carry_shard(source: Path, target: Path, mark: str) -> None:
    if (target / mark).exists():
        return  # a newer Attempt has it
    for ref in marked(source / mark, source) or []:
        (target / ref.path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / ref.path, target / ref.path)
    _copy_mark(source / mark, target / mark, target)


def _carry_checkpoint(source: Path, target: Path) -> None:
    shutil.copytree(source, target / source.name)
    name = f"{source.name}{MARK}"
    _copy_mark(source.parent / name, target / name, target / source.name)


def _copy_mark(source: Path, target: Path, root: Path) -> None:
    """The mark comes last, and only where the copies have the digests it names."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    if marked(target, root) is None:
        target.unlink()
