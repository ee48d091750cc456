"""What is said of every site about one Job, in words, and what would help where none will do.

Owns the words behind `touyan why JOB`. Knows nothing of the store. Invariant: every site that was looked at is in the answer once:
chosen, outscored with its score, full, or rejected by a named filter; an alternative that is offered passes every filter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from touyan.compute.matching.candidate import Candidate
from touyan.compute.matching.filters import fits, refusal
from touyan.compute.matching.match import Decision
from touyan.compute.matching.options import Option
from touyan.compute.matching.policy import Policy
from touyan.compute.matching.request import Request
from touyan.compute.rates.table import RateTable
from touyan.compute.resources import NodeClass, Pool
from touyan.core.job import Accelerator, Need

MOST = 3
"""Alternatives that are named: one a line, and nobody reads the tenth."""


def reasons(decision: Decision, sites: Sequence[Candidate]) -> dict[str, str]:
    """By site, in the order of names."""
    cheapest: dict[str, Option] = {}
    for option in decision.options:
        cheapest.setdefault(option.site, option)
    found: dict[str, str] = {}
    for name in sorted(site.name for site in sites):
        if name in decision.refusals:
            no = decision.refusals[name]
            found[name] = f"rejected ({no.filter}): {no.words}"
        elif decision.chosen is not None and decision.chosen.site == name:
            found[name] = f"chosen: {score(decision.chosen)}"
        elif name in cheapest:
            found[name] = _lost(cheapest[name], decision.chosen)
        else:
            found[name] = "full: it could run this, and its queue has no room now"
    return found


def _lost(option: Option, chosen: Option | None) -> str:
    if chosen is None or option.cost < chosen.cost:
        return f"full: {score(option)}, but other Jobs of the batch take its room"
    return f"outscored: {score(option)}"


@lru_cache(8192)
def score(option: Option) -> str:
    """A score with its terms."""
    terms = option.terms
    on = f" on {option.accelerator.count} x {option.accelerator.model}" if option.accelerator else ""
    parts = [f"waits {_span(terms.wait_s)}", f"sends {_span(terms.transfer_s)}", f"runs {_span(terms.run_s)}{on}"]
    parts += [f"{terms.yuan:.2f} yuan to its owner"] * bool(terms.yuan) + [f"{terms.kwh:.3g} kWh, {terms.kg_co2:.3g} kg CO2"]
    parts += [f"times {terms.share:.2f} by preference"] * (terms.share != 1)
    return f"{option.cost:.2f} yuan ({', '.join(parts)})"


def alternatives(request: Request, sites: Sequence[Candidate], policy: Policy, table: RateTable) -> list[str]:
    """What could be asked for in place: Needs that differ in one thing and that some site would run, the nearest first; then what
    keeps out the sites that have the machines."""
    machines: list[tuple[int, str]] = []
    rules: list[str] = []
    for site in sorted(sites, key=lambda s: s.name):
        no = refusal(request, site, policy)
        if no is None:
            near = [(words, need) for words, need in _nearest(request.need, site) if _runs(request, need, site, table)]
            machines += [(_distance(request.need, need), f"{words} ({site.name})") for words, need in near]
        elif isinstance(fits(request, site, table), list):
            rules.append(f"{site.name} has the machines, but {no.words}")
    ranked = sorted(dict.fromkeys(machines), key=lambda found: found[0])
    return [words for _, words in ranked[:MOST]] + rules[:MOST]


def _distance(asked: Need, other: Need) -> int:
    """The same accelerators are nearer than others, and others nearer than none."""
    if not other.accelerators:
        return 2 if asked.accelerators else 0
    return 0 if other.accelerators[0].model in {a.model for a in asked.accelerators} else 1


def _runs(request: Request, need: Need, site: Candidate, table: RateTable) -> bool:
    return isinstance(fits(replace(request, need=need), site, table), list)


def _nearest(need: Need, site: Candidate) -> Iterator[tuple[str, Need]]:
    """For each class one change of each thing, to the most that it has."""
    for pool, kind in site.capacity.classes():
        yield from _other_devices(need, kind)
        yield from _other_amounts(need, pool, kind)


def _other_devices(need: Need, kind: NodeClass) -> Iterator[tuple[str, Need]]:
    for asked in need.accelerators[:1] if kind.devices else ():
        count = min(asked.count, kind.devices)
        other = Accelerator(kind.model, count, "" if kind.model != asked.model else asked.entrypoint)
        yield f"ask for {count} x {kind.model}", replace(need, accelerators=(other,))
    if need.accelerators and not kind.devices:
        yield "ask for no accelerator", replace(need, accelerators=())


def _other_amounts(need: Need, pool: Pool, kind: NodeClass) -> Iterator[tuple[str, Need]]:
    if need.gang > kind.nodes:
        yield f"ask for {kind.nodes} nodes at once", replace(need, gang=kind.nodes)
    if need.memory_bytes > kind.memory_bytes:
        yield f"ask for {kind.memory_bytes / 2**30:.4g} GiB", replace(need, memory_bytes=kind.memory_bytes)
    if need.cpus > kind.cpus:
        yield f"ask for {kind.cpus} CPUs", replace(need, cpus=kind.cpus)
    if pool.limit_s and need.limit_s > pool.limit_s:
        yield f"ask for {_span(pool.limit_s)}", replace(need, limit_s=pool.limit_s)


def _span(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
