"""The step `split`: sets whole groups of documents aside for testing, and keeps out of the test what the training has seen.

Owns the choice of groups and the column `split`. Knows nothing about what is trained. Invariant: no group lies on both sides;
no test document appears verbatim in a training document; the choice depends on seed, groups and sizes only.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from touyan.core.document import Verdict
from touyan.core.errors import Invalid
from touyan.corpus.operator import Signature
from touyan.flow.step import InputSpec, StepSpec, Work
from touyan.store.formats.documents import EXCLUDED

SAMPLES = 5
SEEN = "verbatim-in-train"
"""The reason why a document of a test group is excluded."""
WITHHELD = "withheld"
"""The reason for what came to the split excluded already."""


@dataclass(frozen=True, slots=True)
class SplitParams:
    """How much is held out, and by what draw."""

    test_share: float = 0.1
    """Of the characters."""
    seed: int = 0


@dataclass(slots=True)
class Sides:
    """Which groups are the test, and which of their documents are excluded from it, with the training document that has them."""

    test_groups: frozenset[str]
    seen: dict[str, str] = field(default_factory=dict)
    withheld: set[str] = field(default_factory=set)
    """Documents that the refinery has put on neither side."""

    def of(self, doc_id: str, group: str) -> str:
        if doc_id in self.withheld:
            return EXCLUDED
        if group not in self.test_groups:
            return "train"
        return EXCLUDED if doc_id in self.seen else "test"


@dataclass(slots=True)
class Group:
    """Documents that stay together: how much text, and under which labels."""

    characters: int = 0
    labels: Counter[str] = field(default_factory=Counter)

    @property
    def stratum(self) -> str:
        """The label of most of its text; groups without labels share one stratum."""
        return max(sorted(self.labels), key=lambda label: self.labels[label], default="")


def held_out(groups: Mapping[str, Group], test_share: float, seed: int) -> frozenset[str]:
    """The groups to test on: label by label, in the order of a seeded hash, each that does not carry the test too far.

    Within a label the bound is `test_share` of its characters, so that every class is tested; where none of its groups is that
    small, the smallest one is held out if that leaves at least half of the class for training.
    Raises Invalid where nothing can be held out: a share outside (0, 1), or fewer than two groups.
    """
    if not 0 < test_share < 1:
        raise Invalid("bad-test-share", f"test_share is {test_share}", "give a share between 0 and 1, such as 0.1")
    if len(groups) < 2:
        hint = "set `group` when reading, so that there are documents of at least two groups"
        raise Invalid("one-group", "all documents belong to one group, so that none can be held out", hint)
    strata: dict[str, list[str]] = defaultdict(list)
    for name in sorted(groups, key=lambda name: hashlib.sha256(f"{seed}\0{name}".encode()).digest()):
        strata[groups[name].stratum].append(name)
    sizes = {name: group.characters for name, group in groups.items()}
    chosen = {name for names in strata.values() for name in _fitting(names, sizes, test_share)}
    return frozenset(chosen or [min(sorted(sizes), key=lambda name: sizes[name])])


def _fitting(names: Sequence[str], sizes: Mapping[str, int], test_share: float) -> list[str]:
    whole, taken, chosen = sum(sizes[name] for name in names), 0, list[str]()
    for name in names:
        if taken + sizes[name] <= test_share * whole:
            chosen.append(name)
            taken += sizes[name]
    smallest = min(names, key=lambda name: sizes[name])
    return chosen or [smallest] * (2 * sizes[smallest] <= whole and len(names) > 1)


def run(work: Work[SplitParams]) -> None:
    """Writes the corpus again with the column `split`; spans and verdicts come along."""
    from touyan.store.formats.corpus import part_name
    from touyan.store.formats.documents import document_shards

    source = work.one("corpus").path
    shards = document_shards(source)
    groups: dict[str, Group] = defaultdict(Group)
    withheld: set[str] = set()
    for row in _rows(shards):
        if row["split"] == EXCLUDED:
            withheld.add(row["doc_id"])
            continue
        group = groups[row["group"]]
        group.characters += len(row["text"])
        group.labels[row["label"] or ""] += len(row["text"])
    sides = Sides(held_out(groups, work.params.test_share, work.params.seed), withheld=withheld)
    work.progress(1, 3, "passes")
    _exclude_seen(sides, shards)
    work.progress(2, 3, "passes")
    for number, shard in enumerate(shards):
        if not work.is_done(part_name(number)):
            work.mark_done(part_name(number), _write_part(source, shard, work.out, number, sides))
    _summarise(work, sides)
    work.progress(3, 3, "passes")


def _rows(shards: list[Path]) -> Iterator[dict[str, Any]]:
    """doc_id, text, label, group and split of every document; one without a group is a group of its own."""
    from touyan.store.formats.documents import read_document_batches

    for shard in shards:
        for batch in read_document_batches(shard, with_split=True, columns=("doc_id", "text", "group", "label", "split")):
            for row in batch.to_pylist():
                row["group"] = row["doc_id"] if row["group"] is None else row["group"]
                yield row


def _exclude_seen(sides: Sides, shards: list[Path]) -> None:
    """Fills `sides.seen`: test documents whose normalised text appears verbatim in a training document."""
    from touyan.corpus.overlap import Wanted

    wanted = Wanted()
    for shard in shards:
        wanted.add(*_side(sides, shard, is_train=False))
    for shard in shards:
        for test, train in wanted.hits(*_side(sides, shard, is_train=True)):
            sides.seen.setdefault(test, train)


def _side(sides: Sides, shard: Path, *, is_train: bool) -> tuple[list[str], list[str]]:
    """Ids and texts of a shard's documents on one side."""
    found = (row for row in _rows([shard]) if row["doc_id"] not in sides.withheld)
    rows = [row for row in found if (row["group"] not in sides.test_groups) is is_train]
    return [row["doc_id"] for row in rows], [row["text"] for row in rows]


def _write_part(source: Path, shard: Path, out: Path, number: int, sides: Sides) -> list[Path]:
    from touyan.corpus.passage import EXCERPT_CHARS, VERDICT_COLUMNS
    from touyan.corpus.shard import part_files
    from touyan.store.formats.corpus import PartWriter, verdicts_schema
    from touyan.store.formats.documents import corpus_schema, read_document_batches
    from touyan.store.formats.shards import read_batches

    documents, spans, verdicts = part_files(out, number)
    _, old_spans, old_verdicts = part_files(source, number)
    spans.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(old_spans, spans)
    with PartWriter(documents, corpus_schema()) as documents_part, PartWriter(verdicts, verdicts_schema()) as verdicts_part:
        for batch in read_batches(old_verdicts, verdicts_schema()):
            verdicts_part.extend(batch.to_pydict())
        for batch in read_document_batches(shard, with_split=True):
            columns = batch.to_pydict()
            pairs = zip(columns["doc_id"], columns["group"], strict=True)
            columns["split"] = [sides.of(doc_id, doc_id if group is None else group) for doc_id, group in pairs]
            documents_part.extend(columns)
            lines = [
                _verdict_row(doc_id, text[:EXCERPT_CHARS], sides.seen[doc_id])
                for doc_id, text, side in zip(columns["doc_id"], columns["text"], columns["split"], strict=True)
                if side == EXCLUDED and doc_id in sides.seen
            ]
            verdicts_part.extend({name: [line[name] for line in lines] for name in VERDICT_COLUMNS})
    return [documents, spans, verdicts]


def _verdict_row(doc_id: str, excerpt: str, train: str) -> dict[str, Any]:
    verdict = Verdict("flag", SEEN, evidence=f"doc:{train}")
    signature = Signature("split", STEP.version, "")
    return {
        "doc_id": doc_id, "operator": signature.operator, "version": signature.version, "reason": verdict.reason, "score": None,
        "excerpt": excerpt, "outcome": verdict.outcome, "evidence": verdict.evidence, "parameters": signature.parameters,
    }  # fmt: skip


def _summarise(work: Work[SplitParams], sides: Sides) -> None:
    from touyan.corpus.passage import EXCERPT_CHARS
    from touyan.corpus.summary import write_summary
    from touyan.store.formats.documents import document_shards

    figures: dict[str, Counter[str]] = {side: Counter(documents=0, characters=0) for side in ("train", "test", "excluded")}
    labels: dict[str, Counter[str]] = defaultdict(Counter)
    groups: dict[str, set[str]] = defaultdict(set)
    samples: list[dict[str, str]] = []
    for row in _rows(document_shards(work.out)):
        side = sides.of(row["doc_id"], row["group"])
        figures[side].update(documents=1, characters=len(row["text"]))
        labels[side][row["label"] or ""] += 1
        groups[side].add(row["group"])
        if row["doc_id"] in sides.seen and len(samples) < SAMPLES:
            evidence = f"doc:{sides.seen[row['doc_id']]}"
            samples.append({"doc_id": row["doc_id"], "excerpt": row["text"][:EXCERPT_CHARS], "evidence": evidence})
    body: dict[str, Any] = {unit: sum(n[unit] for n in figures.values()) for unit in ("documents", "characters")}
    body["splits"] = {side: {**n, "groups": len(groups[side]), "labels": dict(labels[side])} for side, n in figures.items()}
    reasons = {SEEN: len(sides.seen), WITHHELD: len(sides.withheld)}
    body["excluded"] = {reason: n for reason, n in reasons.items() if n or reason == SEEN}
    body["samples"] = {"excluded": {SEEN: samples}}
    write_summary(work.out, body)
    for side, n in figures.items():
        work.count(side, n["documents"])


STEP = StepSpec(
    name="split",
    version="1",
    output="corpus",
    inputs={"corpus": InputSpec("corpus", label="the corpus to divide")},
    params=SplitParams,
    purpose="refine",
    run=run,
    summary="Holds out whole groups for testing; what appears verbatim in training is kept out of the test.",
)
