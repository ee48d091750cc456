"""The owner's policy: what a site runs, for whom, as whom, when, and how much of it.

Owns the decision over one claim, and its words. Knows nothing of how a policy is written down (`site_file.py`). Invariant: what the
policy does not allow is not staged and not started, whatever a hub says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from touyan.compute.resources import Capacity
from touyan.core.errors import Refused
from touyan.core.job import JobSpec
from touyan.core.rights import PURPOSES, Purpose

Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Opening:
    """Hours on some days; where they end before they begin, they end on the day after."""

    days: frozenset[Day]
    begins: time
    ends: time

    def holds(self, at: datetime) -> bool:
        """`at` in the site's own time zone."""
        now, today, yesterday = at.time(), DAYS[at.weekday()], DAYS[(at - timedelta(days=1)).weekday()]
        if self.begins < self.ends:
            return today in self.days and self.begins <= now < self.ends
        return (today in self.days and now >= self.begins) or (yesterday in self.days and now < self.ends)


@dataclass(frozen=True, slots=True)
class Largest:
    """The most one Job may ask for; 0: no bound."""

    cpus: int = 0
    memory_gib: float = 0
    limit_h: float = 0
    gang: int = 0
    devices: int = 0
    """On each node."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What `site.yaml` says."""

    roots: Mapping[str, str]
    """Organisation to the id of its root key."""
    accounts: Mapping[str, str]
    """Party to what the engine runs it as: a local account, a Slurm association, a namespace. No two Parties share one."""
    purposes: tuple[Purpose, ...] = PURPOSES
    kinds: tuple[str, ...] = ("general", "ai", "hpc")
    denied: frozenset[str] = frozenset()
    """Parties, organisations and ids of keys that are refused, whatever else is said."""
    largest: Largest = Largest()
    openings: tuple[Opening, ...] = ()
    """Empty: always open."""
    time_zone: str = "UTC"
    when_closed: Literal["finish", "stop"] = "finish"
    """What becomes of running payloads when the hours end."""
    slots: int = 1
    """Attempts that are held at once."""
    threads: int = 1
    """CPUs of a Job that names none."""
    pace_s: float = 5.0
    cache_gib: float = 50.0
    keep_h: float = 24.0
    """How long shards and checkpoints of an interrupted Attempt are kept for the next one."""
    python: str = ""
    """Interpreter that runs payloads; empty: the agent's own."""
    capacity: Capacity = field(default_factory=lambda: Capacity(()))
    driver: Mapping[str, object] = field(default_factory=dict[str, object])
    """Settings of the driver, as it names them."""

    def is_open(self, at_ms: int) -> bool:
        """Whether new work is taken at a moment."""
        at = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(self.time_zone))
        return not self.openings or any(o.holds(at) for o in self.openings)

    def admit(self, spec: JobSpec, signers: frozenset[str] = frozenset()) -> str:
        """The account for a spec whose signature was found good. `signers`: ids of the keys that signed. Raises Refused."""
        organisation = spec.submitter.partition("/")[0]
        if denied := sorted(self.denied & ({spec.submitter, organisation} | signers)):
            raise Refused("submitter-denied", f"this site denies {denied[0]}", "ask the site's owner")
        if spec.purpose not in self.purposes:
            words = f"this site runs no job for the purpose {spec.purpose!r}, only for {', '.join(self.purposes)}"
            raise Refused("purpose-refused", words, "ask the site's owner, or use another site")
        if spec.need.kind not in self.kinds:
            raise Refused("kind-refused", f"this site takes no {spec.need.kind} job", f"it takes: {', '.join(self.kinds)}")
        self._require_small(spec)
        if spec.submitter not in self.accounts:
            hint = "its owner adds the party under `accounts` of site.yaml"
            raise Refused("no-account", f"this site has no account for {spec.submitter}", hint)
        return self.accounts[spec.submitter]

    def _require_small(self, spec: JobSpec) -> None:
        need, largest = spec.need, self.largest
        devices = max((a.count for a in need.accelerators), default=0)
        asked: dict[str, tuple[float, float]] = {
            "CPUs": (need.cpus, largest.cpus),
            "GiB of memory": (need.memory_bytes / (1 << 30), largest.memory_gib),
            "hours": (need.limit_s / 3600, largest.limit_h),
            "nodes": (need.gang, largest.gang),
            "devices a node": (devices, largest.devices),
        }
        for what, (wanted, most) in asked.items():
            if most and wanted > most:
                hint = "ask for less in the flow, or use another site"
                raise Refused("too-large", f"{spec.name} asks for {wanted:g} {what}; this site gives at most {most:g}", hint)
