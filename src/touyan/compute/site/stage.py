"""Staging at a site: inputs come by digest, with resume, and are laid out for the payload, in small pieces of work.

Owns what lies in the folder of an Attempt before its payload starts. Knows nothing of leases: whoever drives it stops and goes
on between two pieces. Invariant: every byte was verified on its way in, and a folder that was half staged is made anew.
"""

from __future__ import annotations

from collections.abc import Iterator

from touyan.compute.folder import MARK, AttemptFolder, newest_checkpoint, write_json
from touyan.compute.site.accounts import acting_as, give, make_passage
from touyan.compute.site.cache import Cache
from touyan.compute.site.hub_calls import HubCalls, no_answer
from touyan.compute.site.messages import Claim
from touyan.compute.staging import carry_over, earlier_attempts, input_places, write_inputs
from touyan.core.asset import FileRef, Manifest
from touyan.core.job import JobSpec

PIECE_BYTES = 4 << 20
"""Of one request: at 1 MB a second it takes 4 s, well within a lease."""


def stage(hub: HubCalls, cache: Cache, claim: Claim, spec: JobSpec, folder: AttemptFolder, account: str) -> Iterator[None]:
    """Makes the folder of an Attempt ready to run, a piece at a time. Raises Refused or Broken."""
    job = folder.root.parent
    make_passage((job.parent.parent, job.parent, job), account)
    checkpoint = claim.checkpoint if claim.position > _newest(folder, account) else None
    for manifest in (*claim.inputs, *([checkpoint] if checkpoint else [])):
        for ref in manifest.files:
            yield from fetch(hub, cache, ref, claim.capability)
    folder.create()
    folder.root.chmod(0o700)
    write_json(folder.file("spec"), claim.envelope.to_json())
    write_inputs(folder, claim.attempt, claim.token, spec, [m.kind for m in claim.inputs])
    for manifest, place in zip(claim.inputs, input_places(spec), strict=True):
        (folder.root / place).mkdir(parents=True)
        yield from _lay_out(cache, manifest, folder, place)
    if checkpoint:
        place = f"checkpoints/{claim.position}"
        yield from _lay_out(cache, checkpoint, folder, place)
        write_json(folder.root / f"{place}{MARK}", {"done": 1, "files": checkpoint.to_json()["files"]})
    give(folder.root, account)
    with acting_as(account):
        carry_over(folder)


def fetch(hub: HubCalls, cache: Cache, ref: FileRef, capability: str) -> Iterator[None]:
    """Brings one object into the cache, from where it stopped. Raises Refused or Broken."""
    while not cache.has(ref):
        have_bytes = cache.have_bytes(ref)
        if have_bytes == ref.size_bytes:
            yield from cache.settle(ref)
            continue
        piece = hub.get(ref.sha256, capability, have_bytes, min(PIECE_BYTES, ref.size_bytes - have_bytes))
        if not piece:
            raise no_answer(f"it sends nothing of {ref.sha256[:12]}")
        cache.append(ref, piece)
        yield


def _lay_out(cache: Cache, manifest: Manifest, folder: AttemptFolder, place: str) -> Iterator[None]:
    for ref in manifest.files:
        yield from cache.copy(ref, folder.root / place / ref.path)


def _newest(folder: AttemptFolder, account: str) -> int:
    """How far the Job came in earlier Attempts at this site."""
    with acting_as(account):
        found = (newest_checkpoint(earlier.checkpoints) for earlier in earlier_attempts(folder))
        return max((newest[0] for newest in found if newest), default=0)
