"""From a step whose inputs exist to a decision: a hit, or a Job; and the reason in words.

A run is a pure function of the flow and the store. Owns the step key's ingredients and the comparison with the last result of
the same step; knows nothing of how a Job runs. Invariant: a hit means that the key's result exists, is whole, and may be used
now for this purpose.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import select

from touyan.core.asset import InputRef
from touyan.core.canonical import Json, parse, short
from touyan.core.errors import Refused
from touyan.core.job import JobSpec, NamedInput
from touyan.core.party import Actor
from touyan.core.rights import Block
from touyan.flow.file import FlowStep
from touyan.flow.params import to_canonical
from touyan.store import tables as t
from touyan.store.home import Store
from touyan.store.job_records import envelope_of


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done for one step."""

    spec: JobSpec
    asset: str
    """The Asset of a hit; empty: a Job is needed."""
    reason: str


def decide(store: Store, actor: Actor, step: FlowStep, inputs: Sequence[NamedInput], sources: Sequence[str]) -> Decision:
    """Decides for a step whose inputs all exist. `sources` are the `provider/name` of the cleared sources it may meet."""
    withdrawn = _withdrawn(store, actor, sources)
    given = list(inputs)
    if "exclusions" in step.spec.inputs and (exclusions := store.withdrawals.exclusions_asset(actor, list(sources))):
        given.append(NamedInput("exclusions", exclusions, "withdrawals"))
    spec = JobSpec(
        actor.project, step.name, step.spec.name, step.spec.version, to_canonical(step.params), tuple(given), step.spec.output,
        step.spec.purpose, step.spec.environment, step.need, actor.party, withdrawn if _leaves_out(step) else (),
    )  # fmt: skip
    asset, reason = _look_up(store, actor, spec)
    return Decision(spec, asset, reason)


def _withdrawn(store: Store, actor: Actor, sources: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({w.id for s in sources for w in store.withdrawals.active(actor.project, s) if w.selector != "source"}))


def _leaves_out(step: FlowStep) -> bool:
    """Reading may meet what was withdrawn, because the refinery that follows leaves it out by the list it is given."""
    return step.spec.name == "read" or "exclusions" in step.spec.inputs


def _look_up(store: Store, actor: Actor, spec: JobSpec) -> tuple[str, str]:
    with store.database.read() as connection:
        found = store.assets.result(connection, spec.project, spec.key)
        if found is None:
            return "", _why_again(_last(store, spec), spec)
        asset = store.assets.get(connection, spec.project, found["asset"])
        blocks = store.gate.blocks(connection, spec.project, asset.id, spec.purpose, spec.withdrawals)
    if blocks:
        raise _refused(store, actor, spec, asset.id, blocks)
    if not store.assets.is_whole(asset):
        return "", "re-run, objects of its result are missing from the store"
    return asset.id, f"hit, made {found['at'][:16].replace('T', ' ')}"


def _refused(store: Store, actor: Actor, spec: JobSpec, asset: str, blocks: Sequence[Block]) -> Refused:
    """The error for a result that is there and may not be used, once it is in the log."""
    reasons = "; ".join(f"{b.who[:40]}: {b.reason}" for b in blocks[:3])
    words = f"{spec.name}: the {spec.output} {short(asset)} may not be used: {reasons}"
    refusal = Refused(f"rights-{blocks[0].part}", words, f"see: touyan why {short(asset)}")
    store.gate.tell(actor, "access.refused", [asset], refusal, {"purpose": spec.purpose})
    return refusal


def _last(store: Store, spec: JobSpec) -> Mapping[str, Any] | None:
    """The spec of the newest result of the same step in this project."""
    query = (
        select(t.result.c.spec)
        .where(t.result.c.project == spec.project, t.result.c.name == spec.name)
        .order_by(t.result.c.at.desc())
    )
    with store.database.read() as connection:
        text = connection.execute(query.limit(1)).scalar()
    return None if text is None else cast("Mapping[str, Any]", parse(envelope_of(text).payload))


def _why_again(last: Mapping[str, Any] | None, spec: JobSpec) -> str:
    """`re-run, min_chars 50 -> 80`: what differs from the last result of this step."""
    if last is None:
        return "first run"
    found = [f"{n} {last[n]} -> {getattr(spec, n)}" for n in ("step", "version", "environment") if last[n] != getattr(spec, n)]
    found += _changes(last["params"], spec.params)
    found += _changed_inputs([InputRef(i["role"], i["asset"]) for i in last["inputs"]], spec)
    return "re-run, " + "; ".join(found[:4]) if found else "re-run, its result was removed"


def _changes(old: Mapping[str, Json], new: Mapping[str, Json]) -> list[str]:
    names = sorted(set(old) | set(new))
    return [f"{n} {_brief(old.get(n))} -> {_brief(new.get(n))}" for n in names if old.get(n) != new.get(n)]


def _brief(value: Json) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 24 else text[:21] + "..."


def _changed_inputs(old: list[InputRef], spec: JobSpec) -> list[str]:
    before = sorted(old)
    after = {InputRef(i.role, i.asset): i.name for i in spec.inputs}
    fresh = list(dict.fromkeys(f"new {name}" for ref, name in after.items() if ref not in before))
    gone = sum(1 for ref in before if ref not in after)
    return fresh or ([f"without {gone} of its inputs"] if gone else [])
