"""Matching: a batch of Jobs and all sites in, for each Job a decision with what is to be said of every site out.

Owns the order filters, score, batch. Knows nothing of the store. Invariant: for every Job each site is chosen, outscored with its
score, full, or rejected with a reason; what is chosen passed every filter and no room is exceeded; equal input, equal answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from touyan.compute.matching.batch import CLOSE, Batch, Choice, greedy
from touyan.compute.matching.candidate import Candidate
from touyan.compute.matching.exchange import Exchange
from touyan.compute.matching.filters import Fit, Refusal, fits, refusal
from touyan.compute.matching.options import Option, Scorer
from touyan.compute.matching.policy import Policy
from touyan.compute.matching.request import Request
from touyan.compute.rates.throughput import Throughput
from touyan.core.errors import Missing
from touyan.core.job import Need

Method: TypeAlias = Literal["wishes", "solved", "greedy"]
"""wishes: everybody got its cheapest option, so it is the best · solved: by HiGHS · greedy: HiGHS is not installed."""
Looked: TypeAlias = tuple[tuple[Option, ...], dict[str, Refusal]]
WEIGHT_OF_WAITING = 2.0
"""Times the Job's own dearest option: to wait for the next round is dearer than any site."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided for one Job."""

    request: Request
    chosen: Option | None
    options: tuple[Option, ...]
    """All that it could have had, from the cheapest up."""
    refusals: Mapping[str, Refusal]
    """By site, for those that may not run it."""


@dataclass(frozen=True, slots=True)
class Matching:
    """A whole batch. Costs in yuan."""

    decisions: tuple[Decision, ...]
    method: Method
    cost: float
    bound: float
    """No choice could cost less: the value of the linear relaxation, or the sum of the cheapest options."""

    @property
    def gap_share(self) -> float:
        """How far from the bound, relative to it."""
        return max(0.0, self.cost - self.bound) / self.bound if self.bound > 0 else 0.0


def match(
    requests: Sequence[Request], sites: Sequence[Candidate], policy: Policy, throughput: Throughput,
    held: Mapping[str, int] | None = None,
) -> Matching:  # fmt: skip
    """Decides for all `requests` at once. `held`: devices that each party has now, for its quota."""
    batch, refusals = draft(requests, sites, policy, throughput, held)
    choice, method, bound = _choose(batch, policy)
    decisions = tuple(
        Decision(request, options[taken] if taken >= 0 else None, tuple(options), refused)
        for request, options, refused, taken in zip(requests, batch.options, refusals, choice, strict=True)
    )
    return Matching(decisions, method, batch.cost(choice), bound)


def draft(
    requests: Sequence[Request], sites: Sequence[Candidate], policy: Policy, throughput: Throughput,
    held: Mapping[str, int] | None = None,
) -> tuple[Batch, list[dict[str, Refusal]]]:  # fmt: skip
    """The problem to be solved: everybody's options and the rooms; and for each Job the sites that may not run it."""
    scorer = Scorer(policy, throughput, held or {})
    look = _Look(sites, scorer)
    drafts = [look.at(request) for request in requests]
    options = [found for found, _ in drafts]
    return Batch(options, scorer.rooms, _waiting(requests, options, policy)), [refused for _, refused in drafts]


class _Look:
    """Looks at all sites for one Job after the other; Jobs that differ in nothing but their age are looked at once."""

    def __init__(self, sites: Sequence[Candidate], scorer: Scorer) -> None:
        self._sites = sorted(sites, key=lambda site: site.name)
        self._scorer = scorer
        self._ways: dict[Need, dict[str, list[Fit] | Refusal]] = {}
        self._shapes: dict[Request, Looked] = {}

    def at(self, request: Request) -> Looked:
        shape = replace(request, job="", waited_s=0.0, priority=0)
        known = self._shapes.get(shape)
        if known is None:
            known = self._shapes[shape] = self._anew(request)
        return known

    def _anew(self, request: Request) -> Looked:
        options: list[Option] = []
        refusals: dict[str, Refusal] = {}
        ways = self._ways.setdefault(request.need, {})
        for site in self._sites:
            found = refusal(request, site, self._scorer.policy) or ways.get(site.name)
            if found is None:
                found = ways[site.name] = fits(request, site, self._scorer.throughput.table)
            if isinstance(found, Refusal):
                refusals[site.name] = found
            else:
                options += self._scorer.options(request, site, found)
        options.sort(key=_rank)
        return tuple(options), refusals


def _rank(option: Option) -> tuple[float, str, str, str, int]:
    return option.cost, option.site, option.pool, option.kind, option.tier


def _waiting(requests: Sequence[Request], options: Sequence[Sequence[Option]], policy: Policy) -> list[float]:
    """What each Job costs that stays waiting: more than its dearest option, and the more the longer it has waited."""
    return [
        WEIGHT_OF_WAITING * (found[-1].cost if found else 0.0) * _urgency(request, policy)
        for request, found in zip(requests, options, strict=True)
    ]


def _urgency(request: Request, policy: Policy) -> float:
    return (1 + request.waited_s / max(1.0, policy.patience_s)) * (1 + max(0, request.priority))


def _choose(batch: Batch, policy: Policy) -> tuple[Choice, Method, float]:
    wishes = [0 if options else -1 for options in batch.options]
    least = batch.least()
    if batch.is_allowed(wishes):
        return wishes, "wishes", least
    quick = greedy(batch)
    if batch.cost(quick) <= least * (1 + CLOSE):  # many sites that are alike: a search could gain no more than that
        return quick, "greedy", least
    try:
        from touyan.compute.matching.exact import solve

        best, bound = solve(batch, policy.solve_s)
    except Missing:  # without HiGHS there is a weaker bound, and the greedy batch
        return Exchange(batch, quick).run(), "greedy", least
    return best, "solved", bound
