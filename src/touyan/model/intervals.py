"""Intervals for figures measured on documents that come in groups, and paired differences between models.

Owns the resampling. Knows nothing about models or tasks. Invariant: whole groups are drawn, because the articles of one law
resemble each other and an interval over single articles would be far too narrow. Source: cluster bootstrap, Field and Welsh 2007.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its percentile interval at `LEVEL`."""

    value: float
    low: float
    high: float
    n: int
    """Documents."""

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


class GroupBootstrap:
    """Draws groups with replacement; the same draws for every model, so that models can be compared pair by pair."""

    def __init__(self, groups: list[str], resamples: int, seed: int) -> None:
        self._names, self._of = np.unique(np.array(groups), return_inverse=True)
        random = np.random.default_rng(seed)
        size = len(self._names)
        self._draws = np.stack([np.bincount(random.integers(size, size=size), minlength=size) for _ in range(resamples)])

    def ratio(self, above: ArrayLike, below: ArrayLike) -> Estimate:
        """sum(above) / sum(below) over documents: [n] each."""
        upper, lower = self._by_group(above), self._by_group(below)
        resampled = (self._draws @ upper) / (self._draws @ lower)
        low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return Estimate(float(upper.sum() / lower.sum()), float(low), float(high), len(self._of))

    def _by_group(self, values: ArrayLike) -> NDArray[np.float64]:
        return np.bincount(self._of, np.asarray(values, np.float64), minlength=len(self._names))
