"""The steps that are installed, by entry point `touyan.steps`.

Modules are loaded on first use; a plug-in that does not load is an error that names it, not a step that is silently absent.
"""

from __future__ import annotations

import importlib
import os
from functools import cache
from importlib.metadata import entry_points

from touyan.core.errors import Invalid, Missing
from touyan.core.names import nearest
from touyan.flow.step import StepSpec

GROUP = "touyan.steps"
EXTRA = "TOUYAN_STEPS"
"""Environment variable: further steps as `module:ATTRIBUTE`, separated by commas; for tests and for steps under development."""

__all__ = ["StepSpec", "known_steps", "step"]


@cache
def known_steps() -> dict[str, StepSpec]:
    """All steps by name. Raises Missing where a plug-in does not load."""
    places = {p.name: p.value for p in sorted(entry_points(group=GROUP))}
    specs = [_load(name, place) for name, place in places.items()]
    specs += [_load(place, place) for place in os.environ.get(EXTRA, "").split(",") if place]
    return {spec.name: spec for spec in specs}


def step(name: str) -> StepSpec:
    """The step of that name. Raises Invalid with the nearest one."""
    steps = known_steps()
    if name not in steps:
        raise Invalid("no-step", f"there is no step {name!r}", nearest(name, steps))
    return steps[name]


def _load(name: str, place: str) -> StepSpec:
    module, _, attribute = place.partition(":")
    try:
        spec = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise Missing("broken-plug-in", f"the step {name!r} at {place} does not load: {error}", "reinstall the package that brings it") from error
    if not isinstance(spec, StepSpec):
        raise Missing("broken-plug-in", f"{place} is not a StepSpec", "correct the entry point of the package that brings it")
    return spec
