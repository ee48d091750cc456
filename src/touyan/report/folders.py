"""Folders of Assets, read into facts (docs/formats/folders.md).

Knows the file formats and nothing of the store: it is handed a `Folder` per Asset. Invariant: a missing or odd field gives an
empty fact, never an exception; what could not be read at all was already noted by the Folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Protocol

from touyan.core.canonical import short
from touyan.report import loose
from touyan.report.facts import (
    Check,
    Checks,
    CorpusFacts,
    Evaluation,
    Excerpt,
    LossPoint,
    Metric,
    ModelFacts,
    Sieve,
    Split,
    StepFacts,
    Unread,
    Winner,
)
from touyan.report.loose import Loose
from touyan.report.privacy import blotted

MAX_EXCERPTS = 5
MAX_POINTS = 400
_DIGEST = re.compile(r"[0-9a-f]{64}")
_DOCUMENT = re.compile(r"doc:[0-9a-f]{64}")


class Folder(Protocol):
    """The files of one Asset."""

    @property
    def asset(self) -> str: ...

    @property
    def size_bytes(self) -> int: ...

    def json(self, path: str) -> Loose:
        """The parsed file, or None where it is not there or cannot be read."""
        ...

    def lines(self, path: str) -> list[Loose]:
        """The parsed lines of a JSONL file; empty where it is not there."""
        ...


def corpus_facts(made: Iterable[tuple[StepFacts, Folder]]) -> CorpusFacts:
    """What became of the documents, from the summaries of all steps that made documents or a corpus, in plan order."""
    sieves: list[Sieve] = []
    unread: list[Unread] = []
    masks: dict[str, int] = {}
    dropped: dict[str, tuple[Excerpt, ...]] = {}
    masked: dict[str, tuple[Excerpt, ...]] = {}
    split: Split | None = None
    documents = characters = 0
    for step, folder in made:
        summary = loose.mapping(folder.json("summary.json"))
        documents, characters = loose.integer(summary.get("documents")), loose.integer(summary.get("characters"))
        if step.output == "documents":
            sieves.append(_reading(step, summary))
            unread.append(_unread(step, summary))
            continue
        sieves += _funnel(step, summary)
        for label, n in loose.integers(summary.get("masks")).items():
            masks[label] = masks.get(label, 0) + n
        samples = loose.mapping(summary.get("samples"))
        dropped |= _excerpts(samples.get("dropped"))
        dropped |= _excerpts(samples.get("excluded"))
        masked |= _excerpts(samples.get("masked"))
        split = _split(summary) or split
    return CorpusFacts(tuple(sieves), tuple(u for u in unread if u.total), documents, characters, masks, dropped, masked, split)


def _reading(step: StepFacts, summary: Mapping[str, Loose]) -> Sieve:
    kept = loose.integer(summary.get("documents"))
    reasons = loose.integers(summary.get("unreadable_reasons"))
    lost = loose.integer(summary.get("unreadable"))
    return Sieve(step.name, "read", kept + lost, kept, reasons)


def _unread(step: StepFacts, summary: Mapping[str, Loose]) -> Unread:
    samples = loose.rows(summary.get("unreadable_samples"))[: 2 * MAX_EXCERPTS]
    named = tuple((blotted(loose.text(s.get("path"))), blotted(loose.text(s.get("reason")))) for s in samples)
    return Unread(step.name, loose.integer(summary.get("unreadable")), loose.integers(summary.get("unreadable_reasons")), named)


def _funnel(step: StepFacts, summary: Mapping[str, Loose]) -> list[Sieve]:
    return [
        Sieve(
            step.name, loose.text(row.get("operator")), loose.integer(row.get("in")), loose.integer(row.get("kept")),
            loose.integers(row.get("reasons")),
        )
        for row in loose.rows(summary.get("funnel"))
    ]  # fmt: skip


def _excerpts(value: Loose) -> dict[str, tuple[Excerpt, ...]]:
    """Samples by reason: lists of `{doc_id, excerpt, evidence}` or of plain texts."""
    found: dict[str, tuple[Excerpt, ...]] = {}
    for reason, samples in loose.mapping(value).items():
        found[reason] = tuple(_excerpt(s) for s in loose.items(samples)[:MAX_EXCERPTS])
    return {reason: excerpts for reason, excerpts in found.items() if excerpts}


def _excerpt(value: Loose) -> Excerpt:
    if isinstance(value, str):
        return Excerpt("", blotted(value))
    row = loose.mapping(value)
    evidence = loose.text(row.get("evidence"))
    told = evidence if _DOCUMENT.fullmatch(evidence) else blotted(evidence)
    return Excerpt(loose.text(row.get("doc_id")), blotted(loose.text(row.get("excerpt"))), told)


SIDES = ("train", "test", "excluded")


def _split(summary: Mapping[str, Loose]) -> Split | None:
    sides = loose.mapping(summary.get("splits"))
    named = {side: loose.mapping(sides[side]) for side in sides if side in SIDES}
    if not named:
        return None
    documents, characters, groups = (
        {side: loose.integer(v.get(unit)) for side, v in named.items()} for unit in ("documents", "characters", "groups")
    )
    return Split(documents, characters, groups, loose.integers(summary.get("excluded")))


def model_facts(step: StepFacts, folder: Folder) -> ModelFacts:
    """The card and the loss curve of a model."""
    card = loose.scalars(folder.json("touyan.json")) | loose.scalars(folder.json("summary.json"))
    points = [(loose.number(p.get("tokens")), loose.number(p.get("loss"))) for p in loose.rows(folder.lines("loss.jsonl"))]
    curve = [LossPoint(int(tokens), loss) for tokens, loss in points if tokens is not None and loss is not None]
    return ModelFacts(step.name, folder.asset, folder.size_bytes, card, tuple(thinned(curve)))


def thinned(curve: Sequence[LossPoint], at_most: int = MAX_POINTS) -> list[LossPoint]:
    """At most `at_most` points: means over equal stretches, so that no spike is chosen and none is hidden wholly."""
    if len(curve) <= at_most:
        return list(curve)
    bounds = [round(i * len(curve) / at_most) for i in range(at_most + 1)]
    stretches = [curve[a:b] for a, b in pairwise(bounds)]
    return [LossPoint(s[-1].tokens, sum(p.loss for p in s) / len(s)) for s in stretches]


def evaluation(folder: Folder) -> Evaluation | None:
    """The measured table; None where there is none. Rows without a finite value are left out."""
    found = loose.mapping(folder.json("metrics.json"))
    if not found:
        return None
    metrics = tuple(m for m in map(_metric, loose.rows(found.get("metrics"))) if m is not None)
    winners = []
    named = loose.mapping(found.get("winner"))
    for task in sorted(named, key=list(dict.fromkeys([*(m.task for m in metrics), *named])).index):
        row = loose.mapping(named[task])
        winners.append(Winner(task, loose.text(row.get("model")), loose.text(row.get("statement"))))
    return Evaluation(folder.asset, metrics, tuple(winners))


def _metric(row: Mapping[str, Loose]) -> Metric | None:
    value = loose.number(row.get("value"))
    if value is None:
        return None
    low, high, level = (loose.number(row.get(n)) for n in ("low", "high", "level"))
    model, asset, task, metric, unit = (loose.text(row.get(n)) for n in ("model", "model_asset", "task", "metric", "unit"))
    return Metric(
        model, asset, task, metric, value, value if low is None else low, value if high is None else high,
        0.95 if level is None else level, loose.integer(row.get("n")), unit, row.get("better") == "lower",
    )  # fmt: skip


def checks(folder: Folder) -> Checks | None:
    """The outcomes of a rule pack; None where there are none."""
    found = loose.mapping(folder.json("checks.json"))
    if not found:
        return None
    pack = loose.mapping(found.get("rule_pack"))
    rules = tuple(_check(row) for row in loose.rows(found.get("checks")))
    name, version, sha256 = (loose.text(pack.get(n)) for n in ("id", "version", "sha256"))
    return Checks(folder.asset, name, _both(pack.get("title")), version, sha256, rules)


def _both(value: Loose) -> tuple[str, str]:
    """A text that the rule pack gives in Chinese and in English."""
    given = loose.mapping(value)
    zh, en = loose.text(given.get("zh")), loose.text(given.get("en"))
    return zh or en, en or zh


def _check(row: Mapping[str, Loose]) -> Check:
    name, clause, check, threshold, value, outcome = (
        loose.text(row.get(n)) for n in ("id", "clause", "check", "threshold", "value", "outcome")
    )
    given = row.get("evidence")
    evidence = loose.text(given) or " · ".join(
        f"{k} {short(v) if _DIGEST.fullmatch(v) else v}" for k, v in loose.scalars(given).items()
    )
    n = loose.number(row.get("n"))
    low, high = loose.number(row.get("low")), loose.number(row.get("high"))
    count = None if n is None else int(n)
    return Check(name, _both(row.get("text")), clause, check, threshold, value, low, high, count, outcome, evidence)
