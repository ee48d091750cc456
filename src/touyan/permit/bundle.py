"""The bundle: one file that lets anybody check a permit offline (docs/formats/permit.md).

    PERMIT.json   permit · keys with their endorsements · log head and proofs · manifests of the whole lineage · request · votes ·
                  checks · metrics · rule pack

Owns its making from a store; `verify.py` owns its checking and needs no store. Invariant: the file is canonical JSON, so there is
one way to write a given bundle and no byte that means nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from touyan.core.asset import Manifest
from touyan.core.canonical import Json, canonical, parse
from touyan.core.errors import Broken
from touyan.core.party import Actor
from touyan.core.permit import Permit
from touyan.store.home import Store
from touyan.store.parties import PartyKey
from touyan.store.permits import IssuedPermit
from touyan.store.policy import Thing, require
from touyan.store.reviews import Review

BUNDLE_VERSION = 1


def write(store: Store, actor: Actor, number: str, target: Path) -> Path:
    """Writes the bundle of a permit to `target`; returns it. Raises Refused, Missing."""
    target.write_bytes(build(store, actor, number))
    return target


def build(store: Store, actor: Actor, number: str) -> bytes:
    """The bytes of the bundle: canonical JSON and a final line end."""
    require(actor, "inspect", Thing("permit", number, actor.project))
    issued = store.permits.get(actor.project, number)
    permit, review = issued.permit, store.reviews.get(actor.project, issued.permit.review)
    root = next(k.public for k in store.parties.keys(permit.organisation) if _is_root(k))
    value: dict[str, Json] = {
        "bundle": BUNDLE_VERSION,
        "organisation": {"id": permit.organisation, "key_id": root.key_id, "public_hex": root.public_hex},
        "permit": issued.envelope.to_json(),
        "keys": [k.endorsement.to_json() for k in _keys(store, issued, review)],
        "log": _log(store, issued),
        "manifests": [parse(data) for data in _manifests(store, permit)],
        "request": review.envelope.to_json(),
        "votes": [v.envelope.to_json() for v in review.votes],
        "checks": _text(store, actor, permit.checks, "checks.json"),
        "metrics": _text(store, actor, permit.evaluation, "metrics.json"),
        "rule_pack": _text(store, actor, permit.checks, "rulepack.yaml"),
    }
    return canonical(value) + b"\n"


def _is_root(key: PartyKey) -> bool:
    return key.public.key_id in {s.key_id for s in key.endorsement.signatures}


def _keys(store: Store, issued: IssuedPermit, review: Review) -> list[PartyKey]:
    """The keys behind permit, request and votes with those that endorsed them, endorsers first, without the root."""
    envelopes = [issued.envelope, review.envelope, *(v.envelope for v in review.votes)]
    known = {k.public.key_id: k for k in store.parties.keys("")}
    found: dict[str, PartyKey] = {}
    for envelope in envelopes:
        chain = list(_chain(known, envelope.signatures[0].key_id))
        found |= {k.public.key_id: k for k in reversed(chain)}
    return list(found.values())


def _chain(known: dict[str, PartyKey], key_id: str) -> Iterable[PartyKey]:
    """A key, the key that endorsed it, and so on up to the root, which is left out."""
    key = known[key_id]
    while not _is_root(key):
        yield key
        key = known[key.endorsement.signatures[0].key_id]


def _log(store: Store, issued: IssuedPermit) -> dict[str, Json]:
    """The leaf of the decision, its inclusion in the head of now, and that this log continues the one of the decision."""
    store.events.sequence()
    logged = store.events.find(issued.permit.project, issued.digest, "permit.issued")
    if not logged or issued.permit.log is None:
        raise Broken("not-logged", f"the evidence log knows no decision {issued.number}", "restore the database: touyan restore")
    proof = store.events.prove(logged[-1].position, store.log_key)
    size = int(str(parse(proof.head.payload)["size"]))  # type: ignore[index,call-overload]
    consistency = store.events.consistency(issued.permit.log.size, size)
    return {
        "head": proof.head.to_json(), "position": proof.position, "leaf": proof.leaf.decode(),
        "path": [h.hex() for h in proof.path], "consistency": [h.hex() for h in consistency],
    }  # fmt: skip


def _manifests(store: Store, permit: Permit) -> list[bytes]:
    """Canonical manifests of the subject and of everything it was made from, in the order of their ids."""
    from touyan.core.asset import asset_id, manifest_bytes

    starts = [a for a in (permit.model, permit.corpus, permit.checks, permit.evaluation) if a]
    with store.database.read() as connection:
        ids = {i for start in starts for i in store.assets.ancestors(connection, start)}
        manifests: list[Manifest] = [store.assets.get(connection, permit.project, i).manifest for i in ids]
    return [manifest_bytes(m) for m in sorted(manifests, key=asset_id)]


def _text(store: Store, actor: Actor, asset: str, path: str) -> str:
    return store.gate.open(asset, actor, "inspect").read_file(path).decode() if asset else ""
