"""Where plug-ins live: the entry points of installed packages, as `module:ATTRIBUTE`.

Looking through installed metadata takes tens of milliseconds, so an agent does it once and tells each payload where its step
lives. Knows nothing about what a plug-in is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from importlib import import_module

from touyan.core.errors import Broken, Missing
from touyan.core.names import nearest

STEPS = "touyan.steps"
EXTRA_STEPS = "TOUYAN_STEPS"
"""Environment variable with further steps, for tests and for steps under development: `module:ATTRIBUTE`, separated by commas."""


@cache
def entries(group: str) -> Mapping[str, str]:
    """Name to `module:ATTRIBUTE` of every installed entry point of `group`. Nothing is imported for it."""
    from importlib.metadata import entry_points

    return {e.name: e.value for e in entry_points(group=group)}


def step_entry(name: str) -> str:
    """Where the step `name` lives; a further one takes the place of an installed one. Raises Missing with the nearest name."""
    for place in filter(None, os.environ.get(EXTRA_STEPS, "").split(",")):
        if getattr(load(place), "name", "") == name:
            return place
    known = entries(STEPS)
    if name not in known:
        raise Missing("no-step", f"no installed package offers the step {name!r}", nearest(name, list(known)))
    return known[name]


def load(entry: str) -> object:
    """The object at `module:ATTRIBUTE`. Raises Broken where the module has no such attribute."""
    module, _, attribute = entry.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except AttributeError as error:
        raise Broken("bad-entry-point", f"{module} has no {attribute}", "reinstall the package that declares it") from error
