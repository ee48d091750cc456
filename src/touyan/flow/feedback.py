"""A flow with the feedback that has come back: each feedback Asset is read as one more source.

Knows the columns of a line of feedback (docs/formats/folders.md) and where documents enter a flow. Invariant: a flow without
feedback is left as it is, so its step keys are too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from touyan.core.canonical import canonical
from touyan.core.rights import Rights, rights_digest
from touyan.flow.file import Flow, FlowStep, own_need
from touyan.flow.registry import step

COLUMNS = {"reader": "jsonl", "text": "text", "key": "id", "version": "at", "subject": "subject", "pseudonym_salt_id": "store"}


def with_feedback(flow: Flow, found: Mapping[str, tuple[str, Rights]]) -> Flow:
    """`found`: name of the source to its provider and rights. Every step that reads all documents reads these too."""
    if not found:
        return flow
    readings = tuple(_reading(name, provider, rights) for name, (provider, rights) in found.items())
    names = tuple(r.name for r in readings)
    first = [s for s in flow.steps if s.spec.name == "read"]
    rest = [_taking(s, names) for s in flow.steps if s.spec.name != "read"]
    return replace(flow, steps=(*first, *readings, *rest))


def _reading(name: str, provider: str, rights: Rights) -> FlowStep:
    spec = step("read")
    params = spec.params(
        source=name,
        provider=provider,
        rights=rights_digest(rights),
        rights_record=canonical(rights.to_json()).decode(),
        **COLUMNS,
    )
    return FlowStep(f"read/{name}", spec, params, {"source": (name,)}, own_need(spec))


def _taking(flow_step: FlowStep, names: tuple[str, ...]) -> FlowStep:
    """The step with the readings of feedback beside those of the sources, where it takes a list of documents."""
    wanted = [r for r, i in flow_step.spec.inputs.items() if i.kind == "documents" and i.many]
    inputs = {r: (*given, *names) if r in wanted else given for r, given in flow_step.inputs.items()}
    return replace(flow_step, inputs=inputs)
