"""A small world for tests of reviews and permits: parties, and a model with everything it came from.

The Assets have the real folder formats but tiny content, and are published with true lineage; so nothing here is mocked.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from touyan.core.asset import InputRef, build
from touyan.core.canonical import digest
from touyan.core.party import Actor
from touyan.core.permit import Scope
from touyan.core.review import Subject
from touyan.core.rights import PURPOSES, Rights
from touyan.core.seam import FixedSeam
from touyan.permit import issue, review
from touyan.permit.rulepack import find_pack
from touyan.store.home import Store
from touyan.store.permits import IssuedPermit
from touyan.store.reviews import Review

CLEARED = Rights(
    authority="public-domain-official", article="Copyright Law of the PRC, art. 5(1)", personal="none", personal_state="none",
    security="public", purposes=PURPOSES,
)  # fmt: skip
METRICS = {
    "metrics": [
        {"model": "train", "model_asset": "", "task": "language", "metric": "bits per character", "value": 3.65, "low": 3.6, "high": 3.7,
         "level": 0.95, "n": 2100, "unit": "bit", "better": "lower"},
        {"model": "ngram", "model_asset": "", "task": "language", "metric": "bits per character", "value": 3.91, "low": 3.86, "high": 3.96,
         "level": 0.95, "n": 2100, "unit": "bit", "better": "lower"},
    ],
    "winner": {"language": {"model": "train", "statement": "train beats ngram by 0.26 bit"}},
}  # fmt: skip


@dataclass
class World:
    """A store with its people and one subject."""

    store: Store
    seam: FixedSeam
    folder: Path
    subject: Subject
    ann: Actor
    """Founder, engineer and officer: she submits."""
    bob: Actor
    """Reviewer."""
    eve: Actor
    """Reviewer too."""
    olga: Actor
    """Officer."""

    def request(self, roles: Iterable[str] = ("data-reviewer",), quorum: int = 1) -> Review:
        return review.request(self.store, self.ann, self.subject, roles=list(roles), quorum=quorum)

    def approved(self) -> Review:
        found = self.request()
        self.seam.move(1)
        return review.vote(self.store, self.bob, found.id, "approve", "同意")

    def issued(self, scope: Scope | None = None, days: int = 90) -> IssuedPermit:
        found = self.approved()
        self.seam.move(1)
        return issue.issue(self.store, self.olga, found.id, scope=scope, days=days)


def build_world(
    store: Store, seam: FixedSeam, folder: Path, checks: Mapping[str, str] | None = None, pack: str = "demo"
) -> World:
    """The world; `checks` gives other outcomes by the id of the rule."""
    ann = store.me()
    people: dict[str, Actor] = {}
    for name, role in (("bob", "reviewer"), ("eve", "reviewer"), ("olga", "officer")):
        store.parties.enrol(ann, name, roles=[role])
        people[name] = store.parties.sign_in(name)
    return World(store, seam, folder, add_subject(store, ann, folder, checks, pack), ann, **people)


def add_subject(store: Store, actor: Actor, folder: Path, checks: Mapping[str, str] | None = None, pack: str = "demo") -> Subject:
    """Publishes source, corpus, model, evaluation and checks."""
    source = _publish(store, actor, folder, "source", {"a.txt": "第一条"}, provider="npc/laws")
    with store.database.write() as connection:
        store.statements.make(connection, actor, source, "rights", {"rights": CLEARED.to_json()})
    corpus = _publish(store, actor, folder, "corpus", {"summary.json": "{}"}, {"documents": source})
    model = _publish(store, actor, folder, "model", {"model.safetensors": "weights", "touyan.json": "{}"}, {"tokens": corpus})
    evaluation = _publish(
        store, actor, folder, "evaluation", {"metrics.json": json.dumps(METRICS)}, {"models": model, "corpus": corpus}
    )
    given = {"corpus": corpus, "evaluation": evaluation}
    done = _publish(store, actor, folder, "checks", checks_files(pack, checks or {}), given)
    return Subject(model, corpus, done, evaluation)


def checks_files(pack_name: str, changed: Mapping[str, str]) -> dict[str, str]:
    """The files of a checks Asset in which every rule that blocks has passed, but for those `changed`."""
    pack = find_pack(pack_name)
    listed = [
        {"id": r.id, "clause": r.clause, "check": r.check, "threshold": str(r.threshold), "value": 1.0, "low": 0.99, "high": 1.0, "n": 4000,
         "outcome": changed.get(r.id, "abstain" if r.check == "not-measured" else "pass"), "blocks": r.blocks, "kind": r.evidence,
         "confidence": r.confidence, "text": {"zh": r.text.zh, "en": r.text.en}, "evidence": {}}
        for r in pack.rules
    ]  # fmt: skip
    head = {"id": pack.id, "version": pack.version, "sha256": pack.sha256, "demo": pack.is_demo}
    return {"checks.json": json.dumps({"rule_pack": head, "checks": listed}), "rulepack.yaml": pack.text}


_numbers = itertools.count()


def _publish(
    store: Store,
    actor: Actor,
    folder: Path,
    kind: str,
    files: Mapping[str, str],
    inputs: Mapping[str, str] | None = None,
    provider: str = "",
) -> str:
    place = folder / f"{kind}-{next(_numbers)}"
    place.mkdir(parents=True)
    for name, text in files.items():
        (place / name).write_text(text, encoding="utf-8")
    refs = [InputRef(role, asset) for role, asset in (inputs or {}).items()]
    step_key = digest([kind, sorted(files)]) if refs else ""
    manifest = build(kind, store.assets.store_folder(place), refs, step_key, provider)
    with store.database.write() as connection:
        return store.assets.publish(connection, actor, manifest, kind)
