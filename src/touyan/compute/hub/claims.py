"""What a site is given with an Attempt: the signed spec, who signed it by whose right, the inputs, and a capability for their bytes.

The second choke point for remote sites: the gate opens every input in the submitter's name, or nothing is handed out. Knows
nothing of leases. Invariant: an answer holds no bytes of an input and no secret but the pseudonym key, where documents are refined.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, select

from touyan.compute.hub.capability import HOLDS_S, Capability, write
from touyan.compute.hub.memory import Memory
from touyan.compute.ledger.remote import agree
from touyan.core.asset import Manifest, asset_id, read_manifest
from touyan.core.errors import TouyanError
from touyan.core.job import JobSpec, read_spec
from touyan.core.party import Actor
from touyan.store import tables as t
from touyan.store.home import Store
from touyan.store.job_records import Claim
from touyan.store.site_records import Site


class Claims:
    """Hands Attempts out."""

    def __init__(self, store: Store, key: bytes, memory: Memory) -> None:
        self._store = store
        self._memory = memory
        self._key = key

    def take(self, site: Site, actors: Mapping[str, Actor], want: int, lease_s: float) -> list[dict[str, Any]]:
        """Claims up to `want` Jobs that are placed on the site."""
        found: list[dict[str, Any]] = []
        for actor in actors.values():
            while len(found) < want and (claim := self._store.jobs.claim(actor, site.name, f"site/{site.name}", lease_s)):
                found += self.give(site, actor, claim)
        return found

    def give(self, site: Site, actor: Actor, claim: Claim) -> list[dict[str, Any]]:
        """The claim as the agent gets it; none where the gate or the owner's price refuses, and then its Job has failed for that reason."""
        try:
            with self._store.database.write() as connection:
                return [self._given(connection, site, claim, read_spec(claim.envelope.payload))]
        except TouyanError as error:
            self._store.jobs.fail(actor, claim, error, may_retry=False)
            return []

    def _given(self, connection: Connection, site: Site, claim: Claim, spec: JobSpec) -> dict[str, Any]:
        submitter = self._store.parties.actor(spec.submitter, spec.project)
        inputs = [self._store.gate.open(i.asset, submitter, spec.purpose, spec.withdrawals).manifest for i in spec.inputs]
        chain = self._memory.recall(("chain", spec.submitter), lambda: self._chain(spec.submitter))
        checkpoint = self.newest_checkpoint(spec)
        assets = [asset_id(m) for m in (*inputs, *([checkpoint[0]] if checkpoint else []))]
        until_ms = self._store.seam.now_ms() + HOLDS_S * 1000
        placement = self._store.placements.of([claim.job]).get(claim.job)
        chosen = placement.accelerator if placement is not None else None
        agree(connection, self._store.seam, site, claim.attempt, spec, chosen)
        earlier = self._store.site_attempts.earlier(site.name, claim.job, claim.number)
        return {
            "attempt": claim.attempt, "number": claim.number, "job": claim.job, "project": claim.project, "token": claim.token,
            "spec": claim.envelope.to_json(), "chain": chain, "inputs": [m.to_json() for m in inputs],
            "checkpoint": {"manifest": checkpoint[0].to_json(), "position": checkpoint[1]} if checkpoint else None,
            "accelerator": asdict(chosen) if chosen else None, "earlier": earlier,
            "pseudonym_key": self._store.pseudonym_key().hex() if spec.purpose == "refine" else None,
            "capability": write(self._key, Capability(site.name, claim.attempt, "down", until_ms, tuple(dict.fromkeys(assets)))),
        }  # fmt: skip

    def _chain(self, party: str) -> list[Any]:
        """Endorsements from the organisation's root key to every key of the submitter: what the agent checks against its pins."""
        organisation = self._store.parties.get(party).organisation
        keys = [*self._store.parties.keys(organisation), *self._store.parties.keys(party)]
        return [k.endorsement.to_json() for k in keys]

    def newest_checkpoint(self, spec: JobSpec) -> tuple[Manifest, int] | None:
        """The newest checkpoint that an interrupted Attempt of the same step left, with its position; None without one."""
        c = t.asset.c
        query = select(c.manifest, c.name).where(c.project == spec.project, c.kind == "checkpoint", c.step_key == spec.key)
        with self._store.database.read() as connection:
            rows = connection.execute(query).all()
        found = [
            (int(name.rpartition("@")[2]), bytes(manifest)) for manifest, name in rows if name.rpartition("@")[2].isdecimal()
        ]
        if not found:
            return None
        position, data = max(found)
        manifest = read_manifest(data)
        is_whole = all(self._store.objects.has(f.sha256, f.size_bytes) for f in manifest.files)
        return (manifest, position) if is_whole else None
