"""The steps that are installed, by entry point `touyan.steps`.

Modules are loaded on first use; a plug-in that does not load is an error that names it, not a step that is silently absent.
"""

from __future__ import annotations

import importlib
import os
from functools import cache
from importlib.metadata import entry_points

from touyan.core.errors import Conflict, Invalid, Missing
from touyan.core.names import nearest
from touyan.flow.step import StepSpec

GROUP = "touyan.steps"
EXTRA = "TOUYAN_STEPS"
"""Environment variable: further steps as `module:ATTRIBUTE`, separated by commas; for tests and for steps under development."""

__all__ = ["StepSpec", "known_steps", "step"]


@cache
def known_steps() -> dict[str, StepSpec]:
    """All steps by name; one of EXTRA takes the place of an installed one. Raises Missing, or Conflict where two have one name."""
    places: dict[str, str] = {}
    for point in entry_points(group=GROUP):
        if places.setdefault(point.name, point.value) != point.value:
            words = f"two packages bring a step {point.name!r}: {places[point.name]} and {point.value}"
            raise Conflict("two-steps", words, "remove one of the packages")
    specs = [_load(name, place) for name, place in sorted(places.items())]
    specs += [_load("", place) for place in os.environ.get(EXTRA, "").split(",") if place]
    return {spec.name: spec for spec in specs}


def step(name: str) -> StepSpec:
    """The step of that name. Raises Invalid with the nearest one."""
    steps = known_steps()
    if name not in steps:
        raise Invalid("no-step", f"there is no step {name!r}", nearest(name, steps))
    return steps[name]


def _load(name: str, place: str) -> StepSpec:
    """The StepSpec at `module:ATTRIBUTE`; `name` is that of its entry point, empty where it has none."""
    module, _, attribute = place.partition(":")
    try:
        spec = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # a foreign module may raise anything while it is imported
        raise Missing(
            "broken-plug-in", f"the step at {place} does not load: {error!r}", "reinstall the package that brings it"
        ) from error
    if not isinstance(spec, StepSpec) or spec.name != (name or spec.name):
        words = f"{place} is not the StepSpec of a step {name!r}" if name else f"{place} is not a StepSpec"
        raise Missing("broken-plug-in", words, "correct the entry point of the package that brings it")
    return spec
