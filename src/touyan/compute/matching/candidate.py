"""A site as the matcher sees it, and what room is left there.

Owns what is free in each class and what a queue there would cost in time. Knows nothing of Jobs. Invariant: room is never
negative; a site that claims more free than it has is believed as far as its own sheet goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from touyan.compute.resources import Capacity, NodeClass, Pool

HERE = "here"
"""The zone of the store's own machine: it holds the data already, and its gate decides about them."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One site now."""

    name: str
    capacity: Capacity
    owner: str = ""
    organisation: str = ""
    """Of the owner."""
    zone: str = ""
    """Country code, and region after a hyphen: `CN`, `CN-SH`; HERE: where the store itself is; empty: its operator did not say."""
    trust: str = ""
    """The highest security class it may hold; empty: not stated."""
    closed: str = ""
    """Why nothing is placed there now; empty: it is open."""
    room: int | None = None
    """Jobs that its agent would take now; None: as many as there is room for."""
    projects: frozenset[str] | None = None
    """For which it works; None: for all."""
    kinds: tuple[str, ...] = ()
    """Kinds of Need that the hub lets it take; empty: as its pools say."""
    taken: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict[tuple[str, str], tuple[int, int]])
    """By pool and class: devices and CPUs that were placed and that the site's own count does not show yet."""
    lender: str = ""
    """Who brought its devices, where devices are shared."""
    guests: int | None = None
    """Devices that Jobs of others than the lender may take now; None: as many as are free."""
    quota: Mapping[str, int] = field(default_factory=dict[str, int])
    """Devices that a party may still take here; who is not in it may take all."""


class Tier(NamedTuple):
    """A part of a class: what starts after `wait_s`."""

    number: int
    wait_s: float
    devices: int
    cpus: int


def tiers(candidate: Candidate, pool: Pool, kind: NodeClass, depth: int, turnover_s: float) -> Iterator[Tier]:
    """First what is free now, then `depth` times the whole class, each a turnover later: a queue as seen from its end."""
    devices, cpus = kind.nodes * kind.devices, kind.nodes * kind.cpus
    taken_devices, taken_cpus = candidate.taken.get((pool.name, kind.name), (0, 0))
    free_devices = min(devices, devices if kind.free_devices is None else kind.free_devices) - taken_devices
    free_cpus = min(cpus, cpus if kind.free_cpus is None else kind.free_cpus) - taken_cpus
    base_s = pool.wait_s or 0.0
    yield Tier(0, base_s, max(0, free_devices), max(0, free_cpus))
    behind = (max(0, -free_devices), max(0, -free_cpus))  # what waits there already fills the first places of the queue
    for number in range(1, depth + 1):
        room = (max(0, devices - behind[0]), max(0, cpus - behind[1]))
        behind = (max(0, behind[0] - devices), max(0, behind[1] - cpus))
        yield Tier(number, base_s + number * turnover_s, *room)
