"""The operator's preferences: weights in a file, read with the line of every mistake.

Owns `policy.yaml` and its words. Knows nothing of sites and Jobs. Invariant: a weight is never negative, and the preferences
together never make a cost negative, so that cheaper is always better.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any, get_args

from touyan.core.names import nearest
from touyan.core.rights import SecurityClass
from touyan.store.formats.yaml import Location, Marked, read_yaml

PUBLISHED = Path(__file__).with_name("policy.yaml")
TRUST: tuple[str, ...] = get_args(SecurityClass)[:4]
"""Classes from the lowest up: public, general, important, core. What is above never enters."""
LEAST_SHARE = 0.05
"""Of a cost that preferences leave: together they may not make a site free."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """Shares taken off a cost where they hold; negative ones add."""

    own_site: float = 0.3
    domestic: float = 0.0
    tags: Mapping[str, float] = field(default_factory=dict[str, float])
    sites: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Policy:
    """Weights in yuan a unit, and limits; the words of `policy.yaml`, which says what each means."""

    hour_of_wait: float = 20.0
    hour_of_transfer: float = 20.0
    hour_of_run: float = 20.0
    yuan: float = 1.0
    kwh: float = 0.0
    kg_co2: float = 0.1
    prefer: Preferences = Preferences()
    after_failure: float = 1.0
    unstated_trust: str = "public"
    queue_depth: int = 1
    turnover_s: float = 3600.0
    cpus_unstated: int = 4
    patience_s: float = 86400.0
    quotas: Mapping[str, int] = field(default_factory=dict[str, int])
    solve_s: float = 1.0


def read_policy(path: Path) -> Policy:
    """Raises Missing, and Invalid naming file, line and the nearest valid word."""
    marked = read_yaml(path, "bad-policy")
    value = marked.value if isinstance(marked.value, dict) else {}
    if value.get("policy") != 1:
        raise marked.error(("policy",), "this is no policy of version 1", "begin it with `policy: 1`")
    forms = {f.name: str(f.type) for f in fields(Policy)}
    given: dict[str, Any] = {}
    for name, each in value.items():
        if name == "policy":
            continue
        if name not in forms:
            raise marked.error((name,), f"a policy has no {name!r}", nearest(str(name), forms))
        given[name] = _read(marked, name, each, forms[name])
    return Policy(**given)


@cache
def published() -> Policy:
    """The policy that Touyan ships."""
    return read_policy(PUBLISHED)


def _read(marked: Marked, name: str, value: Any, form: str) -> Any:
    if name == "prefer":
        return _preferences(marked, value)
    if name == "unstated_trust":
        if value not in TRUST:
            raise marked.error((name,), f"{value!r} is no security class", nearest(str(value), TRUST))
        return value
    if name == "quotas":
        return {str(k): int(_weight(marked, (name, k), v)) for k, v in _mapping(marked, (name,), value).items()}
    number = _weight(marked, (name,), value)
    return int(number) if form == "int" else number


def _preferences(marked: Marked, value: Any) -> Preferences:
    given: dict[str, Any] = {}
    known = [f.name for f in fields(Preferences)]
    for name, each in _mapping(marked, ("prefer",), value).items():
        where: Location = ("prefer", name)
        if name not in known:
            raise marked.error(where, f"there is no preference {name!r}", nearest(str(name), known))
        if name in ("tags", "sites"):
            given[name] = {str(k): _share(marked, (*where, k), v) for k, v in _mapping(marked, where, each).items()}
        else:
            given[name] = _share(marked, where, each)
    return Preferences(**given)


def _mapping(marked: Marked, where: Location, value: Any) -> Mapping[Any, Any]:
    if not isinstance(value, dict):
        raise marked.error(where, f"{where[-1]} is no list of names and numbers", "write it as {name: 0.2}")
    return value


def _share(marked: Marked, where: Location, value: Any) -> float:
    number = _number(marked, where, value)
    if number >= 1:
        raise marked.error(where, f"a share of {number} makes it free", "give less than 1; 0.2 takes a fifth off")
    return number


def _weight(marked: Marked, where: Location, value: Any) -> float:
    number = _number(marked, where, value)
    if number < 0:
        raise marked.error(where, f"{where[-1]} is {number}", "give 0 or more")
    return number


def _number(marked: Marked, where: Location, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise marked.error(where, f"{value!r} is no number", "give a number")
    return float(value)
