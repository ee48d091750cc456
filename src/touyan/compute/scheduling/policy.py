"""The seam of scheduling: what is asked for, and a Policy that says what starts.

Owns the words `Ask`, `Decision` and `Policy`. Knows nothing of nodes, sites and clocks: whoever calls it passes the time and the
free devices. Invariant: an Ask carries no duration, so no policy can read the future; it learns of one when the job has ended.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Ask:
    """One job as a policy sees it. It is a gang: all its devices or none."""

    id: str
    owner: str
    devices: int
    arrived_s: float
    user: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done now. Stopped jobs wait again at once; their devices are free after the reclaim delay."""

    starts: tuple[Ask, ...] = ()
    stops: tuple[Ask, ...] = ()
    again_s: float = math.inf
    """When to ask again, even if nothing happens before."""

    def __bool__(self) -> bool:
        return bool(self.starts or self.stops)


class Policy(Protocol):
    """Told what happens, it says what starts. Its state is what it was told, so a hub that restarts tells it again."""

    def submitted(self, ask: Ask, now_s: float) -> None:
        """A job waits. Raises Refused where it never could start."""
        ...

    def ended(self, ask: Ask, ran_s: float, now_s: float) -> None:
        """A job that this policy started is over, after so many seconds of running."""
        ...

    def decide(self, free: int, now_s: float) -> Decision:
        """What to do with so many free devices. To be called again until it starts and stops nothing."""
        ...
