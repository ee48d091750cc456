"""What a check found: a value with its interval, or what is missing to find one.

Owns the statistics of samples. Knows neither rules nor files. Invariant: a value from a sample carries an interval, a value from
a full count is exact, and what could not be measured has no value at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from touyan.core.canonical import Json
from touyan.core.interval import wilson

Outcome: TypeAlias = Literal["pass", "fail", "abstain"]

DIGITS = 6


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check."""

    value: float | None
    """None: it could not be measured; `evidence["missing"]` says why."""
    low: float | None = None
    high: float | None = None
    n: int = 0
    """Items that were looked at."""
    evidence: Mapping[str, Json] = field(default_factory=dict[str, Json])


def missing(what: str, **evidence: Json) -> Finding:
    """The finding of a check that abstains, with what it would need."""
    return Finding(None, evidence={"missing": what} | evidence)


def full_count(good: int, n: int, **evidence: Json) -> Finding:
    """A share that was counted over every item: exact, so its interval is itself. Nothing to count abstains."""
    if n == 0:
        return missing("there is not one item to count", **evidence)
    share = round(good / n, DIGITS)
    return Finding(share, share, share, n, {"counted": good, "frame": n, **evidence})


def sampled(good: int, n: int, **evidence: Json) -> Finding:
    """A share that was estimated from a random sample, with its 95 % Wilson interval. An empty sample abstains."""
    if n == 0:
        return missing("the sample is empty", **evidence)
    low, high = wilson(good, n)
    return Finding(round(good / n, DIGITS), round(low, DIGITS), round(high, DIGITS), n, {"counted": good, **evidence})
