"""The interval of a share that was counted on a sample.

Owns Wilson's score interval and its quantile. Knows nothing about what was counted. Invariant: the interval holds the share.
"""

from __future__ import annotations

import math

Z_95 = 1.959963984540054
"""Standard normal quantile of 0.975."""


def wilson(good: int, n: int, z: float = Z_95) -> tuple[float, float]:
    """The score interval of a binomial share (Wilson 1927): for 3,840 of 4,000 it is 0.9535 to 0.9656. `n` is at least 1."""
    share, weight = good / n, z * z / n
    centre = share + weight / 2
    half = z * math.sqrt(share * (1 - share) / n + weight / (4 * n))
    low, high = (centre - half) / (1 + weight), (centre + half) / (1 + weight)
    return max(0.0, min(low, share)), min(1.0, max(high, share))
