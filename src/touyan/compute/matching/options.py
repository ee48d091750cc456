"""What each way of running a Job would cost, in yuan, and what it would take from whom.

Owns the terms of a score and their sum. Knows nothing of how a batch is chosen. Invariant: a cost is above zero, and is the sum
that its terms and the policy give; whoever has both can add it up again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from touyan.compute.matching.candidate import Candidate, Tier, tiers
from touyan.compute.matching.filters import Fit
from touyan.compute.matching.policy import LEAST_SHARE, Policy
from touyan.compute.matching.request import Request, Voucher
from touyan.compute.rates.throughput import Throughput
from touyan.core.job import Accelerator

Row: TypeAlias = int
"""The number of something scarce: devices or CPUs of a tier, a party's quota, a voucher."""
LEAST_YUAN = 1e-6
CPU_W = 8.0
"""A core with its memory: about 500 W of a 64-core server. The ledger counts the same."""
UNLISTED_W = 400.0
"""Of an accelerator that no table lists: as the reference."""


class Terms(NamedTuple):
    """What one way of running a Job would be like."""

    wait_s: float
    transfer_s: float
    run_s: float
    yuan: float
    kwh: float
    kg_co2: float
    share: float
    """Of the sum that preferences and failures leave."""


class Option(NamedTuple):
    """One Job at one site. A NamedTuple, as a batch has ten thousand: a frozen dataclass takes three times as long to make."""

    cost: float
    site: str
    pool: str
    kind: str
    tier: int
    accelerator: Accelerator | None
    terms: Terms
    uses: tuple[tuple[Row, float], ...]


@dataclass(frozen=True, slots=True)
class Scorer:
    """Prices options. One for a batch: what a tier holds and how fast a model is are looked up once."""

    policy: Policy
    throughput: Throughput
    held: Mapping[str, int] = field(default_factory=dict[str, int])
    """Devices that each party holds now, over all sites."""
    rooms: list[float] = field(default_factory=list[float])
    """Filled as options are made: what each row has."""
    _rows: dict[tuple[str, str, str], Row] = field(default_factory=dict[tuple[str, str, str], Row])
    _tiers: dict[tuple[str, str, str], tuple[tuple[Tier, Row], ...]] = field(
        default_factory=dict[tuple[str, str, str], tuple[tuple[Tier, Row], ...]]
    )
    _speeds: dict[tuple[str, str], float] = field(default_factory=dict[tuple[str, str], float])

    def options(self, request: Request, site: Candidate, ways: list[Fit]) -> Iterator[Option]:
        transfer_s, gb_in = _transfer(request, site)
        offer = site.capacity.offer
        for way in ways:
            devices, cpus = self._takes(request, way)
            run_s = self._run_s(request, way, devices)
            yuan, kwh = self._price(site, way, devices, cpus, run_s)
            yuan += gb_in * offer.yuan_per_gb_in
            common = (transfer_s, run_s, yuan, kwh, kwh * offer.kg_co2_per_kwh, self._share(request, site, way))
            grants = self._grants(request, site, way, devices, cpus)
            for tier, row in self._tiers_of(site, way):
                if devices <= tier.devices and cpus <= tier.cpus:
                    terms = Terms(tier.wait_s, *common)
                    uses = ((row, devices), (row + 1, cpus), *grants)
                    where = (site.name, way.pool.name, way.kind.name, tier.number)
                    yield Option(cost(terms, self.policy), *where, way.accelerator, terms, uses)

    def _takes(self, request: Request, way: Fit) -> tuple[int, int]:
        """Devices and CPUs of the whole gang."""
        need, kind = request.need, way.kind
        devices = way.accelerator.count if way.accelerator else 0
        fair = kind.cpus * devices // kind.devices if devices else self.policy.cpus_unstated
        return devices * need.gang, min(need.cpus or fair, kind.cpus) * need.gang

    def _run_s(self, request: Request, way: Fit, devices: int) -> float:
        return request.work_s / (devices * self._speed(request.family, way.kind.model)) if devices else request.work_s

    def _speed(self, family: str, model: str) -> float:
        known = self._speeds.get((family, model))
        if known is None:
            known = self._speeds[family, model] = self.throughput.speed(family, model)
        return known

    def _price(self, site: Candidate, way: Fit, devices: int, cpus: int, run_s: float) -> tuple[float, float]:
        """yuan and kWh of the run."""
        offer, hours = site.capacity.offer, run_s / 3600
        sheet = self.throughput.table.find(way.kind.model) if devices else None
        watts = devices * (sheet.power_w if sheet else UNLISTED_W) + cpus * CPU_W
        rate = devices * offer.yuan_per_device_hour.get(way.kind.model, 0.0) + cpus * offer.yuan_per_cpu_hour
        return rate * hours, watts / 1000 * hours * max(1.0, offer.pue)

    def _share(self, request: Request, site: Candidate, way: Fit) -> float:
        prefer = self.policy.prefer
        off = prefer.sites.get(site.name, 0.0) + sum(prefer.tags.get(tag, 0.0) for tag in site.capacity.offer.tags)
        if (site.owner and site.owner == request.party) or (site.organisation and site.organisation == request.organisation):
            off += prefer.own_site
        sheet = self.throughput.table.find(way.kind.model) if way.accelerator else None
        if sheet is not None and sheet.domestic:
            off += prefer.domestic
        failures = request.failed_at.count(site.name)
        return max(LEAST_SHARE, 1 - off) * (1 + self.policy.after_failure * failures)

    def _tiers_of(self, site: Candidate, way: Fit) -> tuple[tuple[Tier, Row], ...]:
        """The tiers of a class, each with the row of its devices; that of its CPUs comes next."""
        name = (site.name, way.pool.name, way.kind.name)
        known = self._tiers.get(name)
        if known is None:
            found = tuple(tiers(site, way.pool, way.kind, self.policy.queue_depth, self.policy.turnover_s))
            first = len(self.rooms)
            self.rooms.extend(room for tier in found for room in (tier.devices, tier.cpus))
            known = self._tiers[name] = tuple((tier, first + 2 * n) for n, tier in enumerate(found))
        return known

    def _grants(self, request: Request, site: Candidate, way: Fit, devices: int, cpus: int) -> tuple[tuple[Row, float], ...]:
        """What an option takes beside its machines: of the Jobs that the site's agent takes, of quotas, of a voucher."""
        found: list[tuple[Row, float]] = []
        if site.room is not None:
            found.append((self._row(("jobs", "", site.name), site.room), 1.0))
        if devices and request.party in self.policy.quotas:
            left = self.policy.quotas[request.party] - self.held.get(request.party, 0)
            found.append((self._row(("quota", request.party, ""), left), devices))
        if devices and request.party in site.quota:
            found.append((self._row(("quota", request.party, site.name), site.quota[request.party]), devices))
        if devices and site.guests is not None and request.owner != site.lender:
            found.append((self._row(("guests", "", site.name), site.guests), devices))
        if request.voucher is not None and (most := self._most(request, request.voucher, site, way, devices, cpus)):
            found.append((self._row(("voucher", request.voucher.id, ""), request.voucher.left), most))
        return tuple(found)

    def _most(self, request: Request, grant: Voucher, site: Candidate, way: Fit, devices: int, cpus: int) -> float:
        """What a voucher must hold: all that the Job can use within its limit; nothing where the owner asks for nothing."""
        yuan, _ = self._price(site, way, devices, cpus, request.need.limit_s)
        if not yuan and not site.capacity.offer.needs_voucher:
            return 0.0
        table = self.throughput.table
        rate = table.rate(way.kind.model) if table.find(way.kind.model) else 1.0
        return yuan if grant.unit == "yuan" else request.need.limit_s * devices * rate

    def _row(self, name: tuple[str, str, str], room: float) -> Row:
        known = self._rows.get(name)
        if known is None:
            known = self._rows[name] = len(self.rooms)
            self.rooms.append(max(0.0, room))
        return known


def cost(terms: Terms, policy: Policy) -> float:
    """The sum of the terms in yuan, after preferences."""
    hours = policy.hour_of_wait * terms.wait_s + policy.hour_of_transfer * terms.transfer_s + policy.hour_of_run * terms.run_s
    things = policy.yuan * terms.yuan + policy.kwh * terms.kwh + policy.kg_co2 * terms.kg_co2
    return max(LEAST_YUAN, (hours / 3600 + things) * terms.share)


def _transfer(request: Request, site: Candidate) -> tuple[float, float]:
    """Seconds and gigabytes of what the site lacks."""
    missing = sum(data.size_bytes for data in request.data if site.name not in data.held_at)
    return missing / site.capacity.link_bytes_s, missing / 1e9
