"""Which step gives each input of a step.

Owns the words in which a flow names inputs: an earlier step, a source (its reading is meant), or an Asset of the store. Knows
nothing of the store: what is no step and no source is looked up when the run begins. Invariant: wires lead from earlier steps to
later ones and carry the kind that the input asks for; so no flow can wait for itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from touyan.core.names import nearest
from touyan.flow.step import InputSpec, StepSpec
from touyan.store.formats.yaml import Marked

Wires = Mapping[str, tuple[str, ...]]
"""Role to the names of what is given for it."""


def wire(
    marked: Marked, place: tuple[str, ...], spec: StepSpec, given: Wires, earlier: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """Inputs by role: what the flow says, else the nearest earlier step that makes the kind, or all of them for a list.

    `given` is what the flow says, `earlier` the steps before this one with the kind of Asset each makes. Raises Invalid.
    """
    for role in given:
        if role not in spec.inputs:
            raise marked.error((*place, "inputs", role), f"{spec.name} takes no input {role!r}", nearest(role, spec.inputs))
    wired: dict[str, tuple[str, ...]] = {}
    for role, wanted in spec.inputs.items():
        at = (*place, "inputs", role)
        names = _named(marked, at, wanted, given[role], earlier) if role in given else _nearest(wanted, earlier)
        if names:
            wired[role] = names
        elif not wanted.optional:
            hint = f"put a step before it that makes one, or name it: inputs: {{{role}: ASSET}}"
            raise marked.error(place, f"{spec.name} needs a {wanted.kind} as {role!r}, and no step before it makes one", hint)
    return wired


def _nearest(wanted: InputSpec, earlier: Mapping[str, str]) -> tuple[str, ...]:
    makers = tuple(name for name, kind in earlier.items() if kind == wanted.kind)
    if wanted.many:
        return makers
    return () if wanted.optional else makers[-1:]


def _named(
    marked: Marked, at: tuple[str, ...], wanted: InputSpec, names: tuple[str, ...], earlier: Mapping[str, str]
) -> tuple[str, ...]:
    if len(names) != 1 and not wanted.many:
        raise marked.error(at, f"takes one {wanted.kind}, not {len(names)}", "name one")
    return tuple(_one(marked, at, wanted, name, earlier) for name in names)


def _one(marked: Marked, at: tuple[str, ...], wanted: InputSpec, name: str, earlier: Mapping[str, str]) -> str:
    """The name of a step, or of what is to be looked up in the store."""
    found = f"read/{name}" if f"read/{name}" in earlier else name
    if found in earlier:
        if earlier[found] != wanted.kind:
            makers = [n for n, kind in earlier.items() if kind == wanted.kind]
            raise marked.error(at, f"{name!r} makes a {earlier[found]}, and a {wanted.kind} is needed", nearest(name, makers))
        return found
    if name in (marked.value.get("steps") or {}):
        raise marked.error(at, f"the step {name!r} does not come before this one", "put it before, or name another")
    return name
