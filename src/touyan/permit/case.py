"""A case: everything that a decision on one subject looks at, read from the store through the gate.

Owns what makes a subject hang together: the checks are about this corpus and this evaluation, the evaluation is about this model,
the model came from this corpus. Knows nothing of votes. Invariant: a case never mixes Assets that do not belong together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from touyan.core.canonical import sha256_hex, short
from touyan.core.errors import Broken, Invalid
from touyan.core.party import Actor
from touyan.core.review import Subject
from touyan.permit.content import blocking
from touyan.permit.rulepack import RulePack, read_pack
from touyan.store.home import Store


@dataclass(frozen=True, slots=True)
class Case:
    """The contents of the checks and of the evaluation; without a rule pack where nothing was checked (a project permit)."""

    subject: Subject
    pack: RulePack | None
    checks: tuple[Mapping[str, Any], ...]
    """Items of `checks.json`."""
    metrics: tuple[Mapping[str, Any], ...]
    """Rows of `metrics.json`."""
    winners: Mapping[str, Mapping[str, str]]

    @property
    def blocking(self) -> tuple[str, ...]:
        """Ids of the rules that refuse a permit."""
        return blocking(self.checks)


def load_case(store: Store, actor: Actor, subject: Subject) -> Case:
    """Reads the case of a subject. Raises Refused (no right to inspect), Missing, Invalid (it does not hang together), Broken."""
    require_coherent(store, actor, subject)
    pack, checks = _checks(store, actor, subject.checks) if subject.checks else (None, ())
    evaluated = _json(store, actor, subject.evaluation, "metrics.json") if subject.evaluation else {}
    metrics = tuple(cast("list[Mapping[str, Any]]", evaluated.get("metrics", [])))
    return Case(subject, pack, checks, metrics, cast("Mapping[str, Mapping[str, str]]", evaluated.get("winner", {})))


def _checks(store: Store, actor: Actor, asset: str) -> tuple[RulePack, tuple[Mapping[str, Any], ...]]:
    opened = store.gate.open(asset, actor, "inspect")
    pack = read_pack(opened.read_file("rulepack.yaml").decode())
    written = _json(store, actor, asset, "checks.json")
    if sha256_hex(pack.text.encode()) != written["rule_pack"]["sha256"]:
        raise Broken(
            "rule-pack-differs",
            f"the checks {short(asset)} were not made with the rule pack beside them",
            "run the step `check` again",
        )
    return pack, tuple(cast("list[Mapping[str, Any]]", written["checks"]))


def _json(store: Store, actor: Actor, asset: str, path: str) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(store.gate.open(asset, actor, "inspect").read_file(path)))


def require_coherent(store: Store, actor: Actor, subject: Subject) -> None:
    """Raises Invalid where an Asset of the subject is not of its kind, or is not about the others."""
    kinds = {"model": subject.model, "corpus": subject.corpus, "checks": subject.checks, "evaluation": subject.evaluation}
    with store.database.read() as connection:
        for kind, asset in kinds.items():
            if asset and store.assets.get(connection, actor.project, asset).manifest.kind != kind:
                raise Invalid("bad-subject", f"{short(asset)} is no {kind}", "name the assets of one run; see: touyan show")
        made_from = {kind: store.assets.ancestors(connection, asset) for kind, asset in kinds.items() if asset}
    for of, needed in (("checks", "corpus"), ("checks", "evaluation"), ("evaluation", "model"), ("model", "corpus")):
        if kinds[of] and kinds[needed] and kinds[needed] not in made_from[of]:
            message = f"the {of} {short(kinds[of])} did not come from the {needed} {short(kinds[needed])}"
            raise Invalid("bad-subject", message, "name the assets of one run; see: touyan show")
