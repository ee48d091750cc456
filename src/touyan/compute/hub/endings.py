"""How an Attempt of a site ends here: its bytes are asked for, then what it made counts, once.

Owns what is answered to `ended`. Knows nothing of HTTP. Invariants: repeating a word changes nothing and is answered as before;
bytes count only where this Attempt sent them or was given them, or its step has them already, so that a digest alone opens nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import or_, select

from touyan.compute.hub import capability as caps
from touyan.compute.hub.uploads import Uploads
from touyan.compute.hub.wire import Checkpoint, Ended, Progress, Result
from touyan.core.asset import InputRef, Manifest, asset_id, read_manifest
from touyan.core.canonical import Json, canonical
from touyan.core.errors import Conflict, Invalid, Refused, TouyanError, error_from, error_record
from touyan.core.job import JobSpec, read_spec
from touyan.core.party import Actor
from touyan.core.states import is_final
from touyan.store import tables as t
from touyan.store.home import Store
from touyan.store.job_records import Outcome
from touyan.store.site_attempts import Known, progress_text
from touyan.store.site_records import Site


@dataclass(frozen=True, slots=True)
class Answer:
    """What the agent is told of one ended Attempt."""

    body: dict[str, Any]
    needs_bytes: bool = False
    """The Attempt goes on until they are here."""
    refusal: TouyanError | None = None


class Endings:
    """Takes in how Attempts ended."""

    def __init__(self, store: Store, key: bytes, uploads: Uploads) -> None:
        self._store = store
        self._key = key
        self._uploads = uploads

    def take(self, site: Site, actors: Mapping[str, Actor], known: Known | None, said: Ended, lease_s: float) -> Answer:
        """The answer to one word. Whatever is wrong with it is told to the agent, and nothing is raised for it."""
        try:
            if known is None or known.claim.token != said.token or known.claim.project not in actors:
                raise _stale(said.attempt)
            with self._store.database.write():
                answer = self._take(site, actors[known.claim.project], known, said, lease_s)
        except TouyanError as error:
            return Answer({"attempt": said.attempt, "accepted": False, "error": error_record(error)}, refusal=error)
        if not answer.needs_bytes:
            self._uploads.clear(said.attempt)
        return answer

    def _take(self, site: Site, actor: Actor, known: Known, said: Ended, lease_s: float) -> Answer:
        manifest = None if said.result is None else _manifest(said.result)
        if is_final("attempt", known.state):
            return _again(known, said, manifest)
        if known.state == "claimed" and manifest is not None:
            self._store.jobs.start(actor, known.claim, lease_s)  # a short payload ends before its start was told
        wanted = manifest or _checkpoint(said)
        if wanted is not None and (missing := self._missing(known, wanted)):
            return self._ask(site, said.attempt, missing)
        if manifest is not None and said.result is not None:
            asset = self._store.jobs.finish(actor, known.claim, manifest, _outcome(said.result))
            return _accepted(said.attempt, asset)
        if wanted is not None and said.checkpoint is not None:
            self._keep_checkpoint(actor, read_spec(known.claim.envelope.payload), wanted, said.checkpoint.position)
        self._give_up(actor, known, said)
        return _accepted(said.attempt)

    def _give_up(self, actor: Actor, known: Known, said: Ended) -> None:
        if said.error is not None:
            self._store.jobs.fail(actor, known.claim, error_from(said.error.model_dump()), said.may_retry)
        elif said.released is not None:
            self._store.jobs.release(actor, known.claim, said.released)
        else:
            raise Invalid(
                "bad-request", "an ended Attempt has a result, an error or a release", "see docs/formats/agent-protocol.md"
            )

    def _missing(self, known: Known, manifest: Manifest) -> dict[str, int]:
        """Size by digest of the bytes that have to be sent: neither this Attempt sent them, nor was it given them, nor did another of
        the same step send them. What else the project holds is no answer: a site would learn what is there, and publish it as its own."""
        wanted = {f.sha256: f.size_bytes for f in manifest.files}
        if any(wanted[f.sha256] != f.size_bytes for f in manifest.files):
            raise Invalid("bad-manifest", "one digest stands there with two sizes", "send the manifest of what was made")
        spec = read_spec(known.claim.envelope.payload)
        unsent = {d: size for d, size in wanted.items() if not self._uploads.is_done(known.claim.attempt, d, size)}
        f, a = t.asset_file.c, t.asset.c
        query = select(f.sha256).join(t.asset, a.id == f.asset).where(a.project == known.claim.project, f.sha256.in_(unsent))
        query = query.where(or_(a.id.in_([i.asset for i in spec.inputs]), a.step_key == spec.key))
        with self._store.database.read() as connection:
            ours = set(connection.execute(query.distinct()).scalars()) if unsent else set[str]()
        return {d: size for d, size in unsent.items() if d not in ours or not self._store.objects.has(d, size)}

    def _ask(self, site: Site, attempt: str, missing: Mapping[str, int]) -> Answer:
        files = dict(sorted(missing.items())[: caps.MOST_FILES])
        until_ms = self._store.seam.now_ms() + caps.HOLDS_S * 1000
        text = caps.write(self._key, caps.Capability(site.name, attempt, "up", until_ms, files=files))
        listed = [{"sha256": digest, "size_bytes": size} for digest, size in files.items()]
        return Answer({"attempt": attempt, "missing": listed, "capability": text}, needs_bytes=True)

    def _keep_checkpoint(self, actor: Actor, spec: JobSpec, manifest: Manifest, position: int) -> None:
        """A checkpoint is an Asset like any other. Raises Refused where it is none of this step."""
        inputs = tuple(sorted(InputRef(i.role, i.asset) for i in spec.inputs))
        if (manifest.kind, manifest.step_key, manifest.inputs, manifest.provider) != ("checkpoint", spec.key, inputs, ""):
            raise Refused("wrong-checkpoint", "the manifest is not of a checkpoint of this step", "send it as the step wrote it")
        with self._store.database.write() as connection:
            self._store.assets.publish(connection, actor, manifest, f"{spec.name}@{position}")


def _again(known: Known, said: Ended, manifest: Manifest | None) -> Answer:
    """The answer to a word about an Attempt that has ended: yes where it says what stands, else who was first."""
    if manifest is None and known.state in ("failed", "lost"):
        return _accepted(said.attempt)
    if manifest is not None and known.state == "succeeded" and asset_id(manifest) == known.asset:
        return _accepted(said.attempt, known.asset)
    raise _stale(said.attempt)


def _accepted(attempt: str, asset: str | None = None) -> Answer:
    return Answer({"attempt": attempt, "accepted": True, "asset": asset})


def _manifest(result: Result | Checkpoint) -> Manifest:
    return read_manifest(canonical(cast("dict[str, Json]", result.manifest)))


def _checkpoint(said: Ended) -> Manifest | None:
    return None if said.checkpoint is None else _manifest(said.checkpoint)


def _outcome(result: Result) -> Outcome:
    said = result.progress
    progress = progress_text(said.done, said.total, said.unit) if isinstance(said, Progress) else _checked_progress(said or "")
    return Outcome(result.counts, result.telemetry, result.environment, progress)


def _checked_progress(text: str) -> str:
    """Progress as `result.json` has it; what is no progress is none: it is shown and decides nothing."""
    if not text:
        return ""
    try:
        said = Progress.model_validate_json(text)
    except ValueError:
        return ""
    return progress_text(said.done, said.total, said.unit)


def _stale(attempt: str) -> Conflict:
    return Conflict(
        "stale-token", f"{attempt[:80]} is not this site's, or somebody else's by now", "discard it: the job goes on elsewhere"
    )
