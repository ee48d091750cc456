"""Scores the result of a refinery, ours or another, on a planted corpus.

Owns the order of work: look every outcome's document up, count by kind, then count over pairs, then ask of every clean document
lost whether its like was kept. Knows nothing about single defects. Invariant: the same files give the same card.
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from touyan.corpus.plant.likeness import folded, grams, jaccard, nearest
from touyan.corpus.plant.planted import Planted, read_planted
from touyan.corpus.plant.results import Outcome, Result, find_result
from touyan.corpus.plant.rules import Case, apply_rules
from touyan.corpus.plant.scorecard import Scorecard, Tally, lines_from
from touyan.corpus.plant.store import PlantedStore, planted_store

ALIKE, CONTAINED = 0.7, 0.8
MAX_LOST = 4_000
"""Clean documents lost whose nearest kept one is looked for; of more, so many are sampled by their ids and stand for all."""
TOLD_EVERY = 200
COPIES = {"near_dup": "near-dup-left", "exact_dup": "exact-dup-left"}


@dataclass(slots=True)
class Seen:
    """What has to be remembered until all outcomes were seen."""

    kept: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    """Documents recognised as a version of another."""
    lost: list[str] = field(default_factory=list)
    paragraphs: Counter[int] = field(default_factory=Counter)
    """Planted paragraph -> occurrences left."""
    planted_paragraphs: Counter[int] = field(default_factory=Counter)
    left_by: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


Listener = Callable[[float, float | None, str], None]
"""Is told now and then how much is done, of how much, in which unit."""


def score(planted: Path, result: Path, listener: Listener = lambda done, total, unit: None) -> Scorecard:
    """The scorecard of `result` (see `find_result`) on the planted corpus in `planted`. Raises Missing and Invalid."""
    outcomes = find_result(result)
    with planted_store(read_planted(planted)) as store:
        tally, seen, documents = Tally(), Seen(), store.count()
        for done, case in enumerate(_cases(store, outcomes), 1):
            apply_rules(case, tally, case.planted.plant)
            _remember(case, seen)
            if done % TOLD_EVERY == 0:
                listener(done, documents, "documents")
        _count_pairs(store, seen, tally)
        _count_paragraphs(seen, tally)
        _count_losses(store, outcomes, seen.lost, tally)
        left_by = {name: dict(kinds) for name, kinds in seen.left_by.items()}
        return Scorecard(documents, len(seen.kept), tuple(lines_from(tally)), left_by)


def _cases(store: PlantedStore, outcomes: Result) -> Iterator[Case]:
    """Every planted document once, with its outcome; what the result does not mention left the corpus."""
    mentioned: set[str] = set()
    for identifier, outcome in outcomes:
        document = store.get(identifier)
        if document is not None and identifier not in mentioned:
            mentioned.add(identifier)
            yield Case(document, _target(store, document), outcome)
    for identifier in [identifier for identifier, _, _ in store.labels() if identifier not in mentioned]:
        document = store.get(identifier)
        assert document is not None, "the store's own label"
        yield Case(document, _target(store, document), Outcome())


def _target(store: PlantedStore, document: Planted) -> str | None:
    if document.clean is not None:
        return document.clean
    base = store.get(document.of) if document.of else None
    return None if base is None else base.text


def _remember(case: Case, seen: Seen) -> None:
    document, outcome = case.planted, case.outcome
    if outcome.is_kept:
        seen.kept.add(document.id)
    elif outcome.operator:
        seen.left_by[outcome.operator][",".join(document.plant) or "clean"] += 1
    if not document.plant and not outcome.is_kept:
        seen.lost.append(document.id)
    if "version-of" in outcome.reasons:
        seen.told.add(document.id)
    if "paragraph" in document.plant:
        text = folded(document.truth["paragraph"])
        seen.planted_paragraphs[zlib.crc32(text.encode())] += 1
        seen.paragraphs[zlib.crc32(text.encode())] += text in folded(outcome.text or "")


def _count_pairs(store: PlantedStore, seen: Seen, tally: Tally) -> None:
    for identifier, of, kinds in store.labels():
        if of is None:
            continue
        both = identifier in seen.kept and of in seen.kept
        for kind in COPIES.keys() & set(kinds):
            tally.note(COPIES[kind], both)
        if "near_dup" in kinds:
            tally.note("near-dup-left-alike", both and _are_alike(store, identifier, of))
        if "version" in kinds:
            tally.note("versions-untold", both and not seen.told & {identifier, of})


def _are_alike(store: PlantedStore, identifier: str, of: str) -> bool:
    pair = store.get(identifier), store.get(of)
    one, other = (grams(folded(each.text)) if each else grams("") for each in pair)
    return jaccard(one, other) >= ALIKE


def _count_paragraphs(seen: Seen, tally: Tally) -> None:
    """Of each planted paragraph one occurrence may stay."""
    for key, planted in seen.planted_paragraphs.items():
        tally.add("paragraph-left", max(0, seen.paragraphs[key] - 1), planted - 1)


def _count_losses(store: PlantedStore, outcomes: Result, lost: list[str], tally: Tally) -> None:
    """Of the clean documents lost, those of which nothing alike was kept; see MAX_LOST."""
    sample = sorted(lost, key=lambda identifier: zlib.crc32(identifier.encode()))[:MAX_LOST]
    documents = (store.get(identifier) for identifier in sample)
    kept = (outcome.text for _, outcome in outcomes if outcome.text is not None)
    found = nearest([document.text for document in documents if document], kept)
    scale = len(lost) / max(1, len(sample))
    total = tally.counts.get("clean-lost", (0, 0))[1]
    beyond = [each for each in found if each.jaccard < ALIKE]
    tally.add("clean-lost-beyond", round(len(beyond) * scale), total)
    apart = sum(each.containment < CONTAINED for each in beyond)
    tally.add("clean-lost-beyond-contained", round(apart * scale), total)
