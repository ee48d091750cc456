"""What a Job and its Attempts look like to a reader of the store.

Owns the records and how they are read from rows. Knows nothing of who may change them or when: that is `jobs.py`. Invariant: a
record is a snapshot; nothing here writes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

from sqlalchemy import RowMapping

from touyan.core.canonical import Json, parse
from touyan.core.dsse import Envelope, read_envelope
from touyan.core.errors import TouyanError, error_from
from touyan.core.job import JobSpec, read_spec
from touyan.core.states import AttemptState, JobState, as_job_state


@dataclass(frozen=True, slots=True)
class Job:
    """A Job as it stands."""

    id: str
    project: str
    name: str
    """Name of the step in its plan, such as `read/laws`."""
    step: str
    step_key: str
    state: JobState
    site: str
    """Where it is placed, or ran last; empty: not placed yet."""
    submitter: str
    priority: int
    tries: int
    """Attempts that count against `tries_limit`: one that was merely interrupted does not."""
    tries_limit: int
    not_before_ms: int
    created_at: str
    ended_at: str | None
    asset: str | None
    error: TouyanError | None
    """Why it failed or was cancelled, as it was raised where it happened."""
    envelope: Envelope

    @property
    def spec(self) -> JobSpec:
        return read_spec(self.envelope.payload)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a Job."""

    id: str
    job: str
    number: int
    site: str
    state: AttemptState
    owner: str
    """The agent's process: see `touyan.compute.owner`."""
    token: int
    until_ms: int
    started_at: str | None
    ended_at: str | None
    reason: str
    progress: Mapping[str, object]
    """done, total (or null) and unit; empty before the first word of the step."""
    telemetry: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to carry out one Attempt: its fencing token goes with every word about it."""

    attempt: str
    number: int
    job: str
    project: str
    token: int
    envelope: Envelope
    """The spec with the submitter's signature; whoever claims checks it."""


@dataclass(frozen=True, slots=True)
class Held:
    """A Claim that has not ended, and the process that took it."""

    claim: Claim
    owner: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a finished Attempt says beside its Asset."""

    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    telemetry: Mapping[str, int | str] = field(default_factory=dict[str, "int | str"])
    """Times, sizes and rates, which depend on the machine. Numbers that are no integers are decimal strings."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """What it was really made with: machine, Python, versions of the libraries that compute."""
    progress: str = ""
    """The last word of the step on how far it is, as `progress.json` has it."""


def job_of(row: RowMapping) -> Job:
    error = error_from(cast(Mapping[str, object], parse(row["reason"]))) if row["reason"] else None
    return Job(
        row["id"], row["project"], row["name"], row["step"], row["step_key"], as_job_state(row["state"]), row["site"],
        row["submitter"], row["priority"], row["tries"], row["tries_limit"], row["not_before_ms"], row["created_at"],
        row["ended_at"], row["asset"], error, envelope_of(row["spec"]),
    )  # fmt: skip


def attempt_of(row: RowMapping) -> Attempt:
    progress = cast(Mapping[str, object], json.loads(row["progress"] or "{}"))
    telemetry = cast(Mapping[str, Json], parse(row["telemetry"] or "{}"))
    return Attempt(
        row["id"], row["job"], row["number"], row["site"], cast(AttemptState, row["state"]), row["owner"], row["token"],
        row["until_ms"], row["started_at"], row["ended_at"], row["reason"], progress, telemetry,
    )  # fmt: skip


@lru_cache(1024)
def envelope_of(text: str) -> Envelope:
    return read_envelope(parse(text))
