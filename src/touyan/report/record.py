"""The record of a Run (docs/formats/run.md), read into facts, and the lineage it implies.

Knows nothing of the store. Invariant: every step that has inputs is in the lineage, and every edge joins two of its nodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from touyan.core.canonical import Json, short
from touyan.core.errors import Invalid
from touyan.core.rights import Rights, rights_from_json
from touyan.report import loose
from touyan.report.facts import Lineage, Node, Permit, Refusal, Review, SourceFacts, StepFacts
from touyan.report.loose import Loose


def sources(plan: Mapping[str, Loose]) -> tuple[SourceFacts, ...]:
    return tuple(_source(row) for row in loose.rows(plan.get("sources")))


def _source(row: Mapping[str, Loose]) -> SourceFacts:
    name, provider, asset, reader, path = (loose.text(row.get(n)) for n in ("name", "provider", "asset", "reader", "path"))
    blocks = tuple((loose.text(b.get("part")), loose.text(b.get("reason"))) for b in loose.rows(row.get("blocks")))
    is_cleared = row.get("is_cleared") is True
    return SourceFacts(
        name, provider, asset, reader, path, loose.integer(row.get("size_bytes")), is_cleared, blocks, _rights(row.get("rights"))
    )


def _rights(value: Loose) -> Rights:
    """A record that cannot be read counts as unknown, which blocks."""
    try:
        found: Mapping[str, Json] = loose.mapping(value)  # type: ignore[assignment]
        return rights_from_json(found)
    except Invalid:
        return Rights()


def refusals(plan: Mapping[str, Loose]) -> tuple[Refusal, ...]:
    return tuple(
        Refusal(*(loose.text(r.get(n)) for n in ("what", "code", "message", "hint"))) for r in loose.rows(plan.get("refusals"))
    )


def steps(plan: Mapping[str, Loose]) -> tuple[StepFacts, ...]:
    return tuple(_step(row) for row in loose.rows(plan.get("steps")))


def _step(row: Mapping[str, Loose]) -> StepFacts:
    name, step, version, output, state, reason, asset = (
        loose.text(row.get(n)) for n in ("name", "step", "version", "output", "state", "reason", "asset")
    )
    inputs = tuple(
        (loose.text(i.get("role")), loose.text(i.get("name")), loose.text(i.get("asset"))) for i in loose.rows(row.get("inputs"))
    )
    counts, telemetry = loose.integers(row.get("counts")), loose.scalars(row.get("telemetry"))
    return StepFacts(
        name, step, version, output, state, reason, asset, inputs, loose.integer(row.get("wall_ms")), counts, telemetry
    )


def lineage(
    found: Sequence[SourceFacts], plan: Sequence[StepFacts], subject: str, review: Review | None, permit: Permit | None
) -> Lineage:
    """Sources, steps, review and permit as a graph. A step whose inputs are not decided yet has no place in it."""
    known = {s.name: s.inputs or _read_of(s, found) for s in plan}
    nodes = [_source_node(s) for s in found]
    nodes += [Node(s.name, s.output, s.name, short(s.asset), s.state) for s in plan if known[s.name]]
    by_asset = {s.asset: s.name for s in found if s.asset} | {s.asset: s.name for s in plan if s.asset}
    names = {n.id for n in nodes}
    edges: list[tuple[str, str]] = []
    for step in plan:
        for _, name, asset in known[step.name]:
            origin = name if name in names else f"source/{name}" if f"source/{name}" in names else by_asset.get(asset, "")
            edges.append((origin, step.name))
    if review is not None:
        nodes.append(
            Node("review", "review", "review", f"{len(review.votes)}/{max(len(review.roles), len(review.votes))}", review.state)
        )
        judged = [s.name for s in plan if s.output == "checks"] + [by_asset.get(subject, "")]
        edges += [(name, "review") for name in judged]
    if permit is not None:
        nodes.append(Node("permit", "permit", permit.number, permit.kind, permit.state))
        edges.append(("review" if review is not None else by_asset.get(subject, ""), "permit"))
    names = {n.id for n in nodes}
    kept = dict.fromkeys((a, b) for a, b in edges if a in names and b in names and a != b)
    return Lineage(tuple(nodes), tuple(kept))


def _read_of(step: StepFacts, found: Sequence[SourceFacts]) -> tuple[tuple[str, str, str], ...]:
    """The source that a reading is named after: it is known before anything is decided."""
    return tuple(("source", s.name, s.asset) for s in found if step.name == f"read/{s.name}")


def _source_node(source: SourceFacts) -> Node:
    return Node(f"source/{source.name}", "source", source.name, source.provider, "done" if source.is_cleared else "refused")
