"""What a report says of a run: plain facts, gathered once, before any of them is drawn.

Owns the vocabulary that lies between the store and the page. Knows nothing about tables, files or HTML. Invariant: the page is
a pure function of a `ReportFacts`; a part that is absent is None or empty, and `gaps` says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from touyan.core.rights import Effective, Rights


@dataclass(frozen=True, slots=True)
class RunFacts:
    """The run as it was asked for and as it stands."""

    id: str
    flow: str
    flow_sha256: str
    title: str
    purpose: str
    state: str
    """running, waiting, done, failed, stopped or cancelled."""
    actor: str
    project: str
    organisation: str
    started_at: str
    ended_at: str | None


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """One source that the flow names."""

    name: str
    provider: str
    asset: str
    reader: str
    path: str
    size_bytes: int
    is_cleared: bool
    blocks: tuple[tuple[str, str], ...]
    """(part of the rights, reason), one for each that stands against it."""
    rights: Rights


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that Touyan would not do, and what to do about it."""

    what: str
    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class StepFacts:
    """One step of the plan."""

    name: str
    step: str
    version: str
    output: str
    state: str
    """hit, done, running, pending, skipped, failed or waiting."""
    reason: str
    asset: str
    inputs: tuple[tuple[str, str, str], ...]
    """(role, name of the step or source, asset)."""
    wall_ms: int
    counts: Mapping[str, int]
    telemetry: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unread:
    """What one reading could not read."""

    step: str
    total: int
    reasons: Mapping[str, int]
    samples: tuple[tuple[str, str], ...]
    """(path, reason)."""


@dataclass(frozen=True, slots=True)
class Sieve:
    """One stage that documents went through."""

    step: str
    operator: str
    entered: int
    kept: int
    reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of a document, masked by the step that wrote it."""

    doc_id: str
    text: str
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Split:
    """How the corpus was divided: counts by side (train, test, excluded)."""

    documents: Mapping[str, int]
    characters: Mapping[str, int]
    groups: Mapping[str, int]
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CorpusFacts:
    """What became of the documents."""

    sieves: tuple[Sieve, ...] = ()
    unread: tuple[Unread, ...] = ()
    documents: int = 0
    characters: int = 0
    masks: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, tuple[Excerpt, ...]] = field(default_factory=dict)
    masked: Mapping[str, tuple[Excerpt, ...]] = field(default_factory=dict)
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class LossPoint:
    """Mean training loss, in nats a token, after `tokens` tokens."""

    tokens: int
    loss: float


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model that the run made."""

    step: str
    asset: str
    size_bytes: int
    card: Mapping[str, str]
    """Scalars of `touyan.json` and `summary.json`."""
    curve: tuple[LossPoint, ...]


@dataclass(frozen=True, slots=True)
class Metric:
    """One measured figure with its interval."""

    model: str
    asset: str
    task: str
    metric: str
    value: float
    low: float
    high: float
    level: float
    n: int
    unit: str
    is_better_low: bool


@dataclass(frozen=True, slots=True)
class Winner:
    """Who won a task, in the words of the evaluation."""

    task: str
    model: str
    statement: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    asset: str
    metrics: tuple[Metric, ...]
    winners: tuple[Winner, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """One rule of the rule pack, applied."""

    id: str
    text: tuple[str, str]
    """What the rule asks, in Chinese and in English; empty where the pack does not say."""
    clause: str
    check: str
    threshold: str
    value: str
    low: float | None
    high: float | None
    n: int | None
    outcome: str
    """pass, fail or abstain."""
    evidence: str


@dataclass(frozen=True, slots=True)
class Checks:
    asset: str
    rule_pack: str
    title: tuple[str, str]
    """In Chinese and in English."""
    version: str
    sha256: str
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Vote:
    party: str
    role: str
    decision: str
    comment: str
    at: str


@dataclass(frozen=True, slots=True)
class Review:
    id: str
    kind: str
    state: str
    submitter: str
    roles: tuple[str, ...]
    votes: tuple[Vote, ...]


@dataclass(frozen=True, slots=True)
class Permit:
    """The organisation's decision. It is nobody's licence or filing."""

    number: str
    kind: str
    state: str
    is_demo: bool
    model: str
    issued_at: str
    expires_at: str
    scope: tuple[str, ...]
    conditions: tuple[str, ...]
    key_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A place in the lineage."""

    id: str
    kind: str
    """Asset kind, or review, or permit."""
    label: str
    detail: str
    state: str
    """done, hit, running, pending, waiting, failed, refused."""


@dataclass(frozen=True, slots=True)
class Lineage:
    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str], ...]
    """(from, to), by node id."""


@dataclass(frozen=True, slots=True)
class LogHead:
    """The signed head of the evidence log when the report was made, and this run's events in it."""

    origin: str
    size: int
    root: str
    at: str
    key_id: str
    events: tuple[tuple[int, str, str, str], ...] = ()
    """(position, time, type, actor)."""


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """All that a report says."""

    run: RunFacts
    sources: tuple[SourceFacts, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    steps: tuple[StepFacts, ...] = ()
    corpus: CorpusFacts = CorpusFacts()
    models: tuple[ModelFacts, ...] = ()
    subject: str = ""
    """Asset id of the model that the run is about: the one under review, else the one that `train` made."""
    mixture: Effective | None = None
    """Rights of that model's mixture when the report was made."""
    evaluation: Evaluation | None = None
    checks: Checks | None = None
    review: Review | None = None
    permit: Permit | None = None
    lineage: Lineage = Lineage((), ())
    environment: Mapping[str, str] = field(default_factory=dict)
    head: LogHead | None = None
    gaps: tuple[tuple[str, str], ...] = ()
    """(what could not be read, why): erased, damaged or malformed parts."""
