"""Shares: what each owner brought to the pool, may borrow and will lend, and how its borrowing decays.

Owns the shares file (JSON, committed beside the organisation's rules) and the decayed use. Knows nothing of jobs. Invariant: an
owner's nominal share is its own, whatever others wait for; the sum of nominal shares never exceeds the pool.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from touyan.core.errors import Invalid, Missing

SHARES = "shares.json"
"""In the home of a hub's store."""
HALF_LIFE_S = 7 * 86400.0
RECLAIM_S = 300.0
FIELDS = {"nominal", "weight", "borrowing", "lending"}


@dataclass(frozen=True, slots=True)
class Share:
    """One owner's part, in devices; the limits are those of a Kueue ClusterQueue (nominalQuota, borrowingLimit, lendingLimit)."""

    nominal: int
    weight: float = 1.0
    """Of its borrowing, against that of others."""
    borrowing: int | None = None
    """At most so many devices beyond its own; None: as many as are lent."""
    lending: int | None = None
    """At most so many of its own, while it does not need them; None: all."""


@dataclass(frozen=True, slots=True)
class Shares:
    """All owners' parts and what is promised to them."""

    owners: Mapping[str, Share]
    reclaim_s: float = RECLAIM_S
    """The stated delay: an owner's job starts at most so much later than on its own machines alone."""
    half_life_s: float = HALF_LIFE_S
    models: tuple[str, ...] = ()
    """Exact models of the accelerators that are shared; empty: all. What is not shared is first come first served."""

    @property
    def nominal(self) -> int:
        return sum(share.nominal for share in self.owners.values())

    def of(self, owner: str) -> Share:
        """Raises Invalid for an owner without a share, naming those who have one."""
        if owner not in self.owners:
            known = ", ".join(sorted(self.owners)[:8])
            raise Invalid("no-share", f"the owner {owner!r} has no share", f"add it to the shares file; it has {known}")
        return self.owners[owner]

    def with_nominal(self, owner: str, nominal: int) -> Shares:
        """The same with another nominal share of one owner, who may be new."""
        changed = replace(self.owners[owner], nominal=nominal) if owner in self.owners else Share(nominal)
        return replace(self, owners={**self.owners, owner: changed})


@dataclass(slots=True)
class DecayedUse:
    """Device-seconds whose worth halves every half-life; exact between changes of the rate, however rarely it is looked at."""

    half_life_s: float
    rate: int = 0
    """Devices in use since the last change."""
    _used: float = 0.0
    _at_s: float = 0.0

    def at(self, now_s: float) -> float:
        """Solves u' = rate - u ln 2 / half-life."""
        decay = math.log(2) / self.half_life_s
        settled = self.rate / decay
        return settled + (self._used - settled) * math.exp(-decay * (now_s - self._at_s))

    def change(self, devices: int, now_s: float) -> None:
        self._used, self._at_s = self.at(now_s), now_s
        self.rate += devices


def read_shares(path: Path) -> Shares:
    """`{"reclaim_s": 300, "half_life_days": 7, "owners": {NAME: {"nominal": 16, "weight": 1, "borrowing": 32, "lending": 8}}}`.

    Raises Missing, and Invalid naming file and owner.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise Missing("no-shares", f"there is no file {path}", "give the path of a shares file") from error
    except ValueError as error:
        raise _bad(path, str(error)) from error
    if not isinstance(value, dict) or not isinstance(value.get("owners"), dict) or not value["owners"]:
        raise _bad(path, "it names no owners")
    promises = (value.get("reclaim_s", RECLAIM_S), value.get("half_life_days", HALF_LIFE_S / 86400))
    if not all(_is_number(number) for number in promises) or promises[1] == 0:
        raise _bad(path, "reclaim_s or half_life_days is no length of time")
    owners = {name: _share(path, name, entry) for name, entry in value["owners"].items()}
    models = value.get("models", [])
    if not isinstance(models, list) or not all(isinstance(model, str) for model in models):
        raise _bad(path, "models is no list of accelerator models")
    return Shares(owners, float(promises[0]), float(promises[1]) * 86400, tuple(models))


def check_pool(shares: Shares, devices: int, gangs: Iterable[tuple[str, int]]) -> None:
    """Raises Invalid where the pool cannot keep what the shares promise: too few devices, or a gang (owner, devices) beyond its share."""
    if shares.nominal > devices:
        words = f"the nominal shares sum to {shares.nominal}, the pool has {devices} devices"
        raise Invalid("shares-exceed-pool", words, "lower nominal shares, or add devices")
    for owner, size in sorted(set(gangs)):
        if size > shares.of(owner).nominal:
            words = f"{owner} asks for {size} devices at once and owns {shares.of(owner).nominal}"
            raise Invalid("gang-beyond-share", words, f"give {owner} at least {size}, or it has no guarantee to ask for")


def _share(path: Path, name: str, entry: object) -> Share:
    if not isinstance(entry, dict) or set(entry) - FIELDS or "nominal" not in entry:
        raise _bad(path, f"{name} must have nominal, and may have weight, borrowing, lending")
    fields = cast("dict[str, object]", entry)
    counts = [fields.get(key) for key in ("nominal", "borrowing", "lending")]
    if counts[0] is None or not all(c is None or (isinstance(c, int) and _is_number(c)) for c in counts):
        raise _bad(path, f"{name} has a count of devices that is none")
    weight = fields.get("weight", 1.0)
    if not _is_number(weight) or weight == 0:
        raise _bad(path, f"{name} has the weight {weight!r}")
    nominal, borrowing, lending = cast("list[int]", counts)
    return Share(nominal, float(cast(float, weight)), borrowing, lending)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _bad(path: Path, why: str) -> Invalid:
    return Invalid("bad-shares", f"{path.name}: {why}", "see docs/design/fairness.md for the form of a shares file")
