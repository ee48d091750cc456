"""What a Site and the placement of a Job look like to a reader of the store.

Owns the records and how they are read from rows. Knows nothing of who may change them. Invariant: no secret is in a record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from sqlalchemy import RowMapping

from touyan.core.job import Accelerator
from touyan.core.states import SiteState

LOCAL = "local"
"""The site of the store's own machine; it never joins."""


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which a site takes nothing: maintenance."""

    from_at: str
    until_at: str
    reason: str


@dataclass(frozen=True, slots=True)
class Site:
    """A place with compute under one owner."""

    name: str
    project: str
    """Where it was invited; it works for every project in which its party has the role `agent`."""
    party: str
    owner: str
    """Party whose machines they are."""
    driver: str
    state: SiteState
    zone: str
    """Rights zone: where its machines stand, as the rights of data name it; empty: not said."""
    trust: str
    kinds: tuple[str, ...]
    """Kinds of Need it takes: general, ai, hpc."""
    capacity_json: str
    """As it stated it itself; see docs/formats/agent-protocol.md."""
    windows: tuple[Window, ...]
    reason: str
    boot: str
    joined_at: str | None
    seen_ms: int
    want: int
    """Jobs it would take when it last spoke."""

    def window_at(self, at: str) -> Window | None:
        """The maintenance window it is in."""
        return next((w for w in self.windows if w.from_at <= at < w.until_at), None)


@dataclass(frozen=True, slots=True)
class Placement:
    """On which site a Job is to run, and what was said of every site."""

    job: str
    site: str
    """Empty: none could take it."""
    reasons: Mapping[str, str] = field(default_factory=dict[str, str])
    """Site to the reason why it was chosen, outscored or rejected. Under the empty name: what would help where nothing fits."""
    accelerator: Accelerator | None = None
    at: str = ""


def site_of(row: RowMapping) -> Site:
    windows = tuple(Window(*w) for w in cast("list[list[str]]", json.loads(row["windows"])))
    return Site(
        row["name"], row["project"], row["party"], row["owner"], row["driver"], cast(SiteState, row["state"]), row["zone"],
        row["trust"], tuple(json.loads(row["kinds"])), row["capacity"], windows, row["reason"], row["boot"],
        row["joined_at"], row["seen_ms"], row["want"],
    )  # fmt: skip


def placement_of(row: RowMapping) -> Placement:
    chosen = json.loads(row["accelerator"] or "null")
    return Placement(row["job"], row["site"], json.loads(row["reasons"]), Accelerator(**chosen) if chosen else None, row["at"])
