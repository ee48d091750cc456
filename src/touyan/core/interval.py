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


def wilson_of(good: int, n: int, total: int) -> tuple[float, float]:
    """The same for a sample of `n` out of `total`: the limits draw near the share by the root of what was not seen.

    Cochran, Sampling Techniques (1977), section 2.6. A whole population is known: both limits are the share.
    """
    share, (low, high) = good / n, wilson(good, n)
    unseen = math.sqrt(1 - n / total)
    return share - (share - low) * unseen, share + (high - share) * unseen
