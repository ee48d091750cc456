"""What a site has: pools of classes of alike nodes, and the terms on which its owner lends them.

Owns the words and their JSON form, which an agent sends as `capacity` (docs/formats/agent-protocol.md). Knows nothing of Jobs,
and believes nobody: what a site says about itself never raises its own trust, which the hub's operator states. Invariant: a
Capacity that exists has no negative amount and no name twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import cast

from touyan.core.errors import Invalid

KINDS = ("general", "ai", "hpc")
MOST = 1 << 60
"""Beyond this an amount is a mistake: no site has so many of anything, and sums stay exact in doubles and 64 bits."""
LONGEST = 200
"""Characters of a name."""
KG_CO2_PER_KWH = 0.5
"""About the mean of a national grid that burns mostly coal; an owner with a better contract says so."""
PUE = 1.4
"""An ordinary machine room; 1.25 is the cap of the hub areas of the national plan."""
LINK_BYTES_S = 12_500_000
"""100 Mbit/s, where nobody measured."""


@dataclass(frozen=True, slots=True)
class NodeClass:
    """Alike nodes; amounts are per node, what is free is over the whole class."""

    name: str
    nodes: int
    cpus: int
    memory_bytes: int
    model: str = ""
    """Exact model of the accelerators, such as `ascend-910b`; empty: it has none."""
    devices: int = 0
    free_cpus: int | None = None
    """Not held by anybody when the agent looked; None: the agent cannot see it, and what the hub placed is all that is known."""
    free_devices: int | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """A Slurm partition, a Kubernetes queue, a Ray cluster."""

    name: str
    classes: tuple[NodeClass, ...]
    kinds: tuple[str, ...] = KINDS
    limit_s: int = 0
    """The longest Job it takes; 0: any."""
    wait_s: float | None = None
    """What its engine says a Job would wait now; None: it does not say, and the hub estimates."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The owner's terms, written in its `site.yaml`. What is left out is not restricted, or costs nothing."""

    yuan_per_device_hour: Mapping[str, float] = field(default_factory=dict[str, float])
    """By exact model."""
    yuan_per_cpu_hour: float = 0.0
    yuan_per_gb_in: float = 0.0
    kg_co2_per_kwh: float = KG_CO2_PER_KWH
    pue: float = PUE
    """Power drawn over power computed with."""
    tags: tuple[str, ...] = ()
    """Words that a policy may prefer, such as `subsidised`."""
    parties: tuple[str, ...] = ()
    """Parties or organisations whose Jobs it runs; empty: all that its own policy maps."""
    purposes: tuple[str, ...] = ()
    """Purposes it runs Jobs for; empty: all."""
    needs_voucher: bool = False


@dataclass(frozen=True, slots=True)
class Capacity:
    """All that an agent says of its site."""

    pools: tuple[Pool, ...]
    link_bytes_s: int = LINK_BYTES_S
    """From the hub's objects to the site."""
    offer: Offer = Offer()

    def classes(self) -> Iterator[tuple[Pool, NodeClass]]:
        return ((pool, kind) for pool in self.pools for kind in pool.classes)

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(sorted({c.model for _, c in self.classes() if c.devices}))

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def read_capacity(value: Mapping[str, object]) -> Capacity:
    """A checked Capacity from its JSON form; unknown fields are ignored, as the protocol has it. Raises Invalid, naming the field."""
    pools = tuple(_pool(v) for v in _objects(value, "pools"))
    _require_names([p.name for p in pools])
    link = _count(value, "link_bytes_s", LINK_BYTES_S)
    return Capacity(pools, max(1, link), _offer(_object(value.get("offer", {}), "offer")))


def _pool(value: Mapping[str, object]) -> Pool:
    classes = tuple(_class(v) for v in _objects(value, "classes"))
    _require_names([c.name for c in classes])
    wait_s = None if value.get("wait_s") is None else _number(value, "wait_s", 0.0)
    kinds = _words(value, "kinds") or KINDS
    return Pool(_word(value, "name"), classes, kinds, _count(value, "limit_s", 0), wait_s)


def _class(value: Mapping[str, object]) -> NodeClass:
    free = [None if value.get(name) is None else _count(value, name, 0) for name in ("free_cpus", "free_devices")]
    nodes, cpus, memory_bytes, devices = (_count(value, name, 0) for name in ("nodes", "cpus", "memory_bytes", "devices"))
    model = str(value.get("model") or "")
    if bool(model) != bool(devices):
        raise _bad("model", f"{value.get('name')!r} has {devices} devices of the model {model!r}")
    return NodeClass(_word(value, "name"), nodes, cpus, memory_bytes, model, devices, *free)


def _offer(value: Mapping[str, object]) -> Offer:
    prices = _object(value.get("yuan_per_device_hour", {}), "yuan_per_device_hour")
    amounts = {
        name: _number(value, name, default)
        for name, default in (
            ("yuan_per_cpu_hour", 0.0),
            ("yuan_per_gb_in", 0.0),
            ("kg_co2_per_kwh", KG_CO2_PER_KWH),
            ("pue", PUE),
        )
    }
    words = {name: _words(value, name) for name in ("tags", "parties", "purposes")}
    by_model = {model: _number(prices, model, 0.0) for model in prices}
    return Offer(by_model, **amounts, **words, needs_voucher=value.get("needs_voucher") is True)


def _require_names(names: list[str]) -> None:
    if len(set(names)) != len(names):
        raise _bad("name", f"one name stands twice in {', '.join(sorted(names))}")


def _object(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _bad(name, f"{str(value)[:40]!r} is no object")
    return cast("Mapping[str, object]", value)


def _objects(value: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    found = value.get(name)
    if not isinstance(found, list):
        raise _bad(name, "is no list")
    return [_object(each, name) for each in found]


def _word(value: Mapping[str, object], name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not found or len(found) > LONGEST:
        raise _bad(name, f"{str(found)[:40]!r} is no name")
    return found


def _words(value: Mapping[str, object], name: str) -> tuple[str, ...]:
    found = value.get(name, [])
    if not isinstance(found, list | tuple) or not all(isinstance(each, str) and len(each) <= LONGEST for each in found):
        raise _bad(name, "is no list of words")
    return tuple(found)


def _number(value: Mapping[str, object], name: str, default: float) -> float:
    found = value.get(name, default)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= MOST:  # refuses nan too
        raise _bad(name, f"{str(found)[:40]!r} is no amount")
    return float(found)


def _count(value: Mapping[str, object], name: str, default: int) -> int:
    found = _number(value, name, default)
    if found != int(found):
        raise _bad(name, f"{found} is no whole number")
    return int(found)


def _bad(name: str, why: str) -> Invalid:
    return Invalid(
        "bad-capacity", f"capacity: {name}: {why}", "see docs/formats/agent-protocol.md for what a site says of itself"
    )
