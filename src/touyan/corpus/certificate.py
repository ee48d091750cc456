"""The quality certificate of a release: what was measured, on how many documents, how sure that is, and what was not measured.

Owns the dimensions, their order and `certificate.json` (docs/formats/certificate.md). Knows nothing about how a text is looked at
or who judges it. Invariant: a figure from a sample stands with its interval; the same corpus, size and seed give the same bytes;
no text is called anonymous.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from touyan.core.errors import Missing
from touyan.core.interval import wilson_of
from touyan.corpus.certificate_looks import Look, looks
from touyan.corpus.certificate_pairs import Twins
from touyan.corpus.certificate_sample import Drawn, Frame, read_others, read_sample
from touyan.corpus.certificate_terms import INDICATORS, TERMS
from touyan.corpus.personal.residual import Residual

CERTIFICATE = "certificate.json"
FORMAT = 1
SAMPLE, SEED = 1_000, "touyan"
COMPARED_CHARS = 2 << 20
"""How much of the corpus the sample is compared with at the end of a run: 6 MB of Chinese, a third of a second of CPU."""
MIN_SIMILARITY = 0.7
MAINLY_HAN = 0.5
Judge = Literal["counted", "machine", "human"]
"""counted: in every document. machine: by second looks at a sample. human: by people, at a part of it."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One thing that was measured."""

    key: str
    """What it is: see `touyan.corpus.certificate_terms`."""
    value: str
    low: str | None
    high: str | None
    """Limits of the 95 % interval; None for what was counted."""
    n: int
    hits: int | None
    """How many of `n` had it; None for what is no share."""
    judge: Judge

    def json(self) -> dict[str, Any]:
        """The dimension with its words."""
        terms = TERMS[self.key]
        method = terms.by_people if self.judge == "human" and terms.by_people else terms.method
        return {
            "key": self.key, "indicator": terms.indicator, "name": terms.name[0], "name_zh": terms.name[1],
            "value": self.value, "low": self.low, "high": self.high, "n": self.n, "hits": self.hits,
            "judge": self.judge, "method": method[0], "method_zh": method[1],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Drawing:
    """How the sample was drawn, so that anybody draws it again."""

    size: int = SAMPLE
    seed: str = SEED
    compared_chars: int = COMPARED_CHARS
    """How much of the corpus the sample is compared with, for duplicates; 0: all of it, 55 ms of CPU a megabyte."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is certified of a corpus."""

    recipe: str
    drawing: Drawing
    frame_digest: str
    strata: Mapping[str, int]
    """Released documents by stratum."""
    sampled: int
    compared: int
    """Documents that the sample was compared with, itself included."""
    dimensions: tuple[Dimension, ...]
    judged_sheet: str = ""
    """sha256 of the workbook that people filled in."""

    @property
    def documents(self) -> int:
        return sum(self.strata.values())

    def judged(self, dimensions: Sequence[Dimension], sheet: str) -> Certificate:
        """The certificate with these in place of its own of the same keys; `sheet` is the sha256 of where they stand."""
        found = {each.key: each for each in dimensions}
        return replace(self, dimensions=tuple(found.get(each.key, each) for each in self.dimensions), judged_sheet=sheet)

    def json(self) -> dict[str, Any]:
        """`certificate.json`: integers and strings only."""
        return {
            "certificate": FORMAT,
            "recipe": self.recipe,
            "frame": {"documents": self.documents, "digest": self.frame_digest, "strata": dict(self.strata)},
            "sample": {
                "documents": self.sampled, "size": self.drawing.size, "seed": self.drawing.seed,
                "compared": self.compared, "compared_chars": self.drawing.compared_chars,
                "method": "systematic in strata of source and treatment, proportional; intervals 95 %, Wilson, finite population",
            },
            "judged": {"sheet_sha256": self.judged_sheet} if self.judged_sheet else None,
            "dimensions": [dimension.json() for dimension in self.dimensions],
            "standard": {"id": "GB/T 36344-2018", "indicators": [_indicator(name, self.dimensions) for name in INDICATORS]},
        }  # fmt: skip


def _indicator(name: str, dimensions: Sequence[Dimension]) -> dict[str, Any]:
    measured = [each.key for each in dimensions if TERMS[each.key].indicator == name]
    english, missing, missing_zh = INDICATORS[name]
    return {"name_zh": name, "name": english, "measured": measured, "not_measured": missing, "not_measured_zh": missing_zh}


def measure(out: Path, frame: Frame, recipe: str, drawing: Drawing) -> tuple[Certificate, list[Drawn]]:
    """The certificate of OUT of `corpus run`, judged by machine, and its sample. `frame` is that of its corpus.

    Raises Missing where no document was released: there is nothing to certify.
    """
    documents, corpus = out / "documents", out / "corpus"
    if not len(frame):
        raise Missing("nothing-released", f"{corpus} has no document", "see rejected.jsonl for why each of them left")
    sample = read_sample(frame, frame.draw(drawing.size, drawing.seed))
    found = looks([each.text for each in sample])
    twins = Twins([(each.doc_id, each.text) for each in sample], _similarity(corpus))
    for run in read_others(frame, drawing.compared_chars, drawing.seed):
        twins.add(run)
    duplicates, compared = _duplicates(twins, len(frame)), len(twins.compared)
    counted = (*_counted(documents, frame), *_looked(found, len(frame)), *duplicates)
    order = {key: place for place, key in enumerate(TERMS)}
    dimensions = tuple(sorted(counted, key=lambda each: order[each.key]))
    return Certificate(recipe, drawing, frame.digest, frame.counts(), len(sample), compared, dimensions), sample


def share(key: str, hits: int, n: int, total: int, judge: Judge, coverage: float = 1.0) -> Dimension:
    """A share of documents with its interval; `coverage` is the chance with which a hit could be seen at all."""
    low, high = (min(1.0, limit / coverage) for limit in wilson_of(hits, n, total))
    is_known = n == total and coverage == 1
    limits = (None, None) if is_known else (percent(low), percent(high))
    return Dimension(key, percent(min(1.0, hits / n / coverage)), *limits, n, hits, judge)


def percent(part: float) -> str:
    """A share in words: two digits after the point, more where it is smaller than that."""
    return f"{100 * part:.2f} %" if part >= 0.0001 or part == 0 else f"{100 * part:.2g} %"


def residual(found: Residual) -> Dimension:
    """What people found left, a million characters."""
    rate = found.any
    return Dimension(
        "personal-information", f"{rate.per_million:.3g} / 10⁶", f"{rate.low:.3g}", f"{rate.high:.3g}", found.judged,
        rate.held_by, "human",
    )  # fmt: skip


def _counted(documents: Path, frame: Frame) -> list[Dimension]:
    read = json.loads((documents / "summary.json").read_bytes())
    total = read["documents"] + read["unreadable"]
    made = [share(f"has-{name}", frame.has[name], len(frame), len(frame), "counted") for name in frame.has]
    shards = Dimension("opens", percent(1.0), None, None, len(frame.shards), len(frame.shards), "counted")
    return [share("readable", read["documents"], total, total, "counted"), *made, shards]


def _looked(found: Sequence[Look], total: int) -> list[Dimension]:
    n = len(found)
    seen = {
        "personal-information": sum(look.suspicions > 0 for look in found),
        "checked-numbers": sum(look.checked_numbers > 0 for look in found),
        "encoding-damage": sum(look.is_damaged for look in found),
        "page-lines": sum(look.page_lines > 0 for look in found),
        "mainly-han": sum(look.han_share >= MAINLY_HAN for look in found),
    }
    return [*(share(key, hits, n, total, "machine") for key, hits in seen.items()), _median(found, total)]


def _median(found: Sequence[Look], total: int) -> Dimension:
    """The median length with the order statistics that hold it in 95 of 100 samples (David and Nagaraja 2003, section 7.1)."""
    lengths = sorted(look.chars for look in found)
    n = len(lengths)
    reach = 0.98 * n**0.5
    low, high = lengths[max(0, int(n / 2 - reach))], lengths[min(n - 1, int(n / 2 + reach))]
    limits = (None, None) if n == total else (f"{low:,}", f"{high:,}")
    return Dimension("length", f"{lengths[n // 2]:,}", *limits, n, None, "machine")


def _duplicates(found: Twins, total: int) -> list[Dimension]:
    coverage, n = len(found.compared) / total, len(found.exact)
    kinds = {"exact-duplicates": found.exact, "near-duplicates": found.near}
    return [share(key, sum(hits), n, total, "machine", coverage) for key, hits in kinds.items()]


def _similarity(corpus: Path) -> float:
    """From which similarity the recipe calls two documents nearly the same."""
    operators = json.loads((corpus / "summary.json").read_bytes())["operators"]
    own = next((each["parameters"] for each in operators if each["name"] == "near-duplicates"), {})
    return float(own.get("min_similarity", MIN_SIMILARITY))


def read_certificate(out: Path) -> dict[str, Any]:
    """`certificate.json` of OUT. Raises Missing where there is none."""
    path = out / CERTIFICATE
    if not path.exists():
        raise Missing(
            "no-certificate",
            f"{path} is not there",
            "end the run: touyan corpus run IN OUT; where nothing was released, see rejected.jsonl",
        )
    return json.loads(path.read_bytes())
