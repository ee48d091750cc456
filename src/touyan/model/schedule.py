"""The course of the learning rate over a token budget: a short warm-up, a plateau, a straight line to zero.

Knows nothing about optimisers. Invariant: a share between 0 and 1 that depends on the fraction of the budget alone.
Warm-up, stable, decay to zero: Hu et al. 2024 (MiniCPM), Bergsma et al. 2025 (linear to zero).
"""

from __future__ import annotations


def rate_share(done: float, warmup_share: float, decay_share: float) -> float:
    """Share of the full rate after `done` (0 to 1) of the budget; both shares are parts of the budget."""
    up = done / warmup_share if done < warmup_share else 1.0
    down = (1.0 - done) / decay_share if 1.0 - done < decay_share else 1.0
    return max(0.0, min(up, down))
