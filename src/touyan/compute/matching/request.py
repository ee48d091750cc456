"""What is to be placed: a Job as the matcher sees it, with its data and its voucher.

Owns the words `Request`, `Data` and `Voucher`. Knows nothing of the store and of sites. Invariant: everything that a filter or a
score asks about the Job is in its Request, so that the same Request gives the same answer everywhere: hub, simulator, test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from touyan.core.job import Accelerator, Need
from touyan.core.rights import SecurityClass

UNKNOWN_S = 3600.0
"""What a Job is taken to run while nothing like it has ended."""


@dataclass(frozen=True, slots=True)
class Data:
    """One input. Where it may go are two questions: its rights name zones (territory), and its owner may keep it where it is (stays)."""

    asset: str
    size_bytes: int
    territory: frozenset[str] | None = None
    """Zones in which the rights permit its use; None: everywhere."""
    stays: frozenset[str] | None = None
    """Zones that its bytes may not leave; None: they may."""
    security: SecurityClass = "public"
    held_at: frozenset[str] = frozenset()
    """Sites that have the bytes already."""


@dataclass(frozen=True, slots=True)
class Voucher:
    """A prepaid grant (算力券): for some purposes, until it expires or is used up."""

    id: str
    left: float
    """Neither spent nor held: normalised device-seconds, or yuan."""
    unit: Literal["device_s", "yuan"] = "device_s"
    is_valid: bool = True
    """It has not expired."""
    purposes: frozenset[str] = frozenset()
    """Empty: all."""


@dataclass(frozen=True, slots=True)
class Request:
    """One Job that waits."""

    job: str
    need: Need
    project: str = ""
    party: str = ""
    organisation: str = ""
    purpose: str = ""
    family: str = ""
    """What runs alike everywhere: its throughput is measured under this name."""
    work_s: float = UNKNOWN_S
    """Expected device-seconds of the reference model, over the gang; without accelerators seconds on one node."""
    data: tuple[Data, ...] = ()
    voucher: Voucher | None = None
    waited_s: float = 0.0
    priority: int = 0
    failed_at: tuple[str, ...] = ()
    """Sites where Attempts failed, once for each."""
    owner: str = ""
    """Who brought the share it runs on, where devices are shared."""

    @property
    def devices(self) -> int:
        """Of the whole gang, by the smallest alternative; 0 without accelerators."""
        return self.need.gang * min((a.count for a in self.need.accelerators), default=0)

    @property
    def alternatives(self) -> tuple[Accelerator | None, ...]:
        """The accelerators that will do; None stands for none."""
        return self.need.accelerators or (None,)
