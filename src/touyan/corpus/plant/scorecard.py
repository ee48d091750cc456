"""The scorecard: what is counted, what a good figure is, and how far a result is from it.

Owns the list of measures in the order of the table. Knows nothing about how they are counted. Invariant: every share has its
numbers and a 95 % Wilson interval; what was never seen has no share.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from touyan.core.interval import wilson

Better = Literal["high", "low", "told"]
"""Whether a good share is high or low; 'told' is for the record, and is neither."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One line of the scorecard."""

    key: str
    words: str
    better: Better = "high"
    reach: float | None = None
    """The share to reach; None: none was set."""
    aim: float | None = None


MEASURES = (
    Measure("near-dup-left", "near-duplicate pairs left", "low", 0.01, 0.0),
    Measure("near-dup-left-alike", "of these with Jaccard ≥ 0.7", "low", 0.01, 0.0),
    Measure("exact-dup-left", "exact duplicate pairs left", "low", 0.0, 0.0),
    Measure("versions-untold", "pairs of versions kept and not told as such", "low"),
    Measure("paragraph-left", "repeated paragraphs left", "low"),
    Measure("contaminated-left", "evaluation items left", "low"),
    Measure("clean-lost", "clean documents lost", "told"),
    Measure("clean-lost-beyond", "clean documents lost beyond true near-duplicates (Jaccard ≥ 0.7)", "low", 0.03, 0.01),
    Measure("clean-lost-beyond-contained", "… and beyond those contained in a kept one (≥ 0.8)", "low", 0.03, 0.01),
    Measure("checksummed-left", "checksummed identifiers left", "low", 0.0, 0.0),
    Measure("person-masked", "person names masked", "high", 0.95, 0.98),
    Measure("address-masked", "addresses masked", "high"),
    Measure("decoys-masked", "numbers with a broken check masked as identifiers", "low"),
    Measure("clean-masked", "clean documents with anything masked", "told"),
    Measure("mirror-detected", "mirror pages detected", "high", 0.98, 1.0),
    Measure("mirror-exact", "mirror pages repaired exactly", "high", 0.75, 0.95),
    Measure("mirror-wrong-kept", "mirror pages kept with a wrong repair or none", "low", 0.0, 0.0),
    Measure("utf8-as-gbk-exact", "UTF-8 read as GBK repaired exactly", "high"),
    Measure("utf8-as-gbk-wrong-kept", "UTF-8 read as GBK kept wrong", "low", 0.0, 0.0),
    Measure("utf8-as-latin1-exact", "UTF-8 read as cp1252 repaired exactly", "high"),
    Measure("utf8-as-latin1-wrong-kept", "UTF-8 read as cp1252 kept wrong", "low", 0.0, 0.0),
    Measure("kun-jin-kao-removed", "锟斤拷 pages removed", "high"),
    Measure("traditional-lines", "traditional lines made simplified exactly", "high"),
    Measure("mixed-script-lines", "lines of mixed script made simplified exactly", "high"),
    Measure("half-width-lines", "lines with half-width punctuation restored exactly", "high"),
    Measure("boilerplate-removed", "boilerplate lines removed", "high", 0.95, 0.99),
    Measure("teaser-removed", "teaser lines removed", "high"),
    Measure("template-removed", "unrendered template lines removed", "high"),
    Measure("advert-lines-removed", "advertising lines inside a body removed", "high"),
    Measure("body-lost", "body lines lost beside them", "low", 0.005, 0.001),
    Measure("clean-lines-lost", "lines of kept clean documents lost as boilerplate", "low", 0.005, 0.001),
    Measure("english-removed", "English documents removed", "high", 1.0, 1.0),
    Measure("junk-removed", "junk pages removed", "high", 0.95, 1.0),
    Measure("advert-removed", "advertising pages removed", "high"),
    Measure("abuse-removed", "abusive pages removed", "high"),
)
LEFT = "left:"
"""Before the kind of an identifier: one line for each kind that was planted."""


@dataclass(slots=True)
class Tally:
    """Counted so far: for each measure how often it held, out of how many."""

    counts: dict[str, tuple[int, int]] = field(default_factory=dict)

    def note(self, key: str, holds: bool) -> None:
        """One more observation."""
        self.add(key, int(holds), 1)

    def add(self, key: str, hits: int, n: int) -> None:
        """`n` more observations, of which it held in `hits`."""
        before = self.counts.get(key, (0, 0))
        self.counts[key] = (before[0] + hits, before[1] + n)


@dataclass(frozen=True, slots=True)
class Line:
    """A measure and what was found."""

    measure: Measure
    hits: int
    n: int

    @property
    def share(self) -> float:
        return self.hits / self.n

    @property
    def reached(self) -> bool | None:
        """Whether the share is as good as asked; None where nothing was asked."""
        reach = self.measure.reach
        if reach is None or self.measure.better == "told":
            return None
        return self.share <= reach if self.measure.better == "low" else self.share >= reach

    def to_json(self) -> dict[str, Any]:
        """Key, words, counts, share and interval, rounded to six digits."""
        low, high = wilson(self.hits, self.n)
        return {
            "key": self.measure.key, "words": self.measure.words, "hits": self.hits, "n": self.n, "share": round(self.share, 6),
            "low": round(low, 6), "high": round(high, 6), "better": self.measure.better, "reach": self.measure.reach,
            "aim": self.measure.aim, "reached": self.reached,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scorecard:
    """All lines that something was seen for, in the order of the table."""

    documents: int
    kept: int
    lines: tuple[Line, ...]
    left_by: Mapping[str, Mapping[str, int]]
    """Operator -> kind of plant -> documents that it took out; empty where the result does not tell."""

    def to_json(self) -> dict[str, Any]:
        """The whole card."""
        return {
            "documents": self.documents, "kept": self.kept, "lines": [line.to_json() for line in self.lines], "left_by": self.left_by,
        }  # fmt: skip


def lines_from(tally: Tally) -> Iterator[Line]:
    """The lines of a tally; identifiers by kind stand after those with a checksum."""
    for measure in MEASURES:
        if tally.counts.get(measure.key, (0, 0))[1]:
            yield Line(measure, *tally.counts[measure.key])
        if measure.key == "checksummed-left":
            for key in sorted(key for key in tally.counts if key.startswith(LEFT)):
                yield Line(Measure(key, f"  {key.removeprefix(LEFT)} left", "low"), *tally.counts[key])
