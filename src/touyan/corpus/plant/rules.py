"""What to count about one planted document, kind by kind.

Owns the rule of every kind of defect. Knows nothing about files or the table. Invariant: a rule looks at the label, at the text
of the document that it was made from and at the outcome, and at nothing else; what an outcome does not tell is not counted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from touyan.corpus.plant.likeness import folded
from touyan.corpus.plant.lines import altered_lines, count_lost, count_removed, count_restored, lines_of, planted_lines
from touyan.corpus.plant.planted import Planted
from touyan.corpus.plant.results import Outcome
from touyan.corpus.plant.scorecard import LEFT, Tally

CHECKSUMMED = frozenset({"id-card", "bank-card", "credit-code", "vin"})
ALIASES = {"name": "person", "id": "id-card", "bank": "bank-card"}
_JOINTS = re.compile(r"[\s\-.·_]+")


@dataclass(frozen=True, slots=True)
class Case:
    """A planted document, what it should become, and what became of it."""

    planted: Planted
    target: str | None
    """`clean`, or the text of the document that it was made from; None where there is neither."""
    outcome: Outcome


Rule = Callable[[Case, Tally], None]


def clean(case: Case, tally: Tally) -> None:
    """A document that nothing was done to."""
    outcome = case.outcome
    tally.note("clean-lost", not outcome.is_kept)
    if not outcome.is_kept:
        return
    if outcome.masks is not None:
        tally.note("clean-masked", outcome.masks > 0)
    page = outcome.trimmed if outcome.trimmed is not None else outcome.text or ""
    lost = 0 if page == case.planted.text else count_lost(lines_of(case.planted.text), page)
    tally.add("clean-lines-lost", lost, sum(not line.isspace() for line in case.planted.text.splitlines() if line))


def persons(case: Case, tally: Tally) -> None:
    """Identifiers in a document that was kept: one that left leaks nothing."""
    text = case.outcome.text
    if text is None:
        return
    joined = _squeezed(text)
    for name, values in case.planted.truth.items():
        kind = ALIASES.get(name, name)
        for value in [values] if isinstance(values, str) else values:
            left = value in text or (len(value) > 4 and _squeezed(value) in joined)
            _note_identifier(kind, left, tally)


def _note_identifier(kind: str, left: bool, tally: Tally) -> None:
    if kind in ("person", "address"):
        tally.note(f"{kind}-masked", not left)
        return
    tally.note(LEFT + kind, left)
    if kind in CHECKSUMMED:
        tally.note("checksummed-left", left)


def decoys(case: Case, tally: Tally) -> None:
    """Numbers that look like identifiers and are none."""
    for value in case.planted.truth.get("decoys", ()):
        if case.outcome.text is not None:
            tally.note("decoys-masked", _squeezed(value) not in _squeezed(case.outcome.text))


def _squeezed(text: str) -> str:
    return _JOINTS.sub("", unicodedata.normalize("NFKC", text)).lower()


def page(prefix: str) -> Rule:
    """Lines planted around a body."""

    def rule(case: Case, tally: Tally) -> None:
        result = case.outcome.trimmed if case.outcome.trimmed is not None else case.outcome.text
        if result is None or case.target is None:
            return
        planted, body = planted_lines(case.planted.text, case.target)
        tally.add(f"{prefix}-removed", count_removed(planted, result), len(planted))
        tally.add("body-lost", count_lost(body, result), len(body))

    return rule


def damage(prefix: str) -> Rule:
    """Bytes read wrongly: a repair is exact or it is none."""

    def rule(case: Case, tally: Tally) -> None:
        outcome = case.outcome
        result = outcome.repaired if outcome.repaired is not None else outcome.text
        is_exact = result is not None and case.target is not None and folded(result) == folded(case.target)
        if prefix == "mirror":
            tally.note("mirror-detected", is_exact or "encoding" in outcome.by)
        tally.note(f"{prefix}-exact", is_exact)
        tally.note(f"{prefix}-wrong-kept", outcome.is_kept and not is_exact)

    return rule


def script(prefix: str) -> Rule:
    """Another script or width: the lines that it changed have to be as they were."""

    def rule(case: Case, tally: Tally) -> None:
        result = case.outcome.repaired if case.outcome.repaired is not None else case.outcome.text
        if result is None or case.target is None:
            return
        wanted = altered_lines(case.planted.text, case.target)
        tally.add(f"{prefix}-lines", count_restored(wanted, result), len(wanted))

    return rule


def removed(prefix: str) -> Rule:
    """A document of which nothing is worth keeping."""

    def rule(case: Case, tally: Tally) -> None:
        tally.note(f"{prefix}-removed", not (case.outcome.text or "").strip())

    return rule


def contaminated(case: Case, tally: Tally) -> None:
    """Items of an evaluation set inside a document."""
    text = folded(case.outcome.text or "")
    for item in case.planted.truth.get("items", ()):
        tally.note("contaminated-left", folded(item) in text)


RULES: Mapping[str, Rule] = {
    "pii": persons,
    "decoy": decoys,
    "boilerplate": page("boilerplate"),
    "teaser": page("teaser"),
    "template": page("template"),
    "advert_lines": page("advert-lines"),
    "seo_mirror": damage("mirror"),
    "utf8_as_gbk": damage("utf8-as-gbk"),
    "utf8_as_latin1": damage("utf8-as-latin1"),
    "kun_jin_kao": removed("kun-jin-kao"),
    "traditional": script("traditional"),
    "mixed_script": script("mixed-script"),
    "half_width": script("half-width"),
    "english": removed("english"),
    "junk": removed("junk"),
    "advert": removed("advert"),
    "abuse": removed("abuse"),
    "contaminated": contaminated,
}
"""Kinds of pairs (copies, versions, paragraphs) are counted over the whole corpus: see `touyan.corpus.plant.score`."""


def apply_rules(case: Case, tally: Tally, kinds: Iterable[str]) -> None:
    """Counts what the document's kinds ask for."""
    if not case.planted.plant:
        clean(case, tally)
    for kind in kinds:
        if kind in RULES:
            RULES[kind](case, tally)
