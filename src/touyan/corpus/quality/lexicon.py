"""The lexicon filter: adverts, abuse and whatever else a list of terms can tell.

Owns the form of a lexicon (a data pack in YAML), the density of its terms in a text and the thresholds. Knows nothing about how
terms are found. Invariant: a term is named nowhere in a mark, neither in a reason nor in an excerpt; its category is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from touyan.core.document import Span, Verdict
from touyan.core.errors import Invalid
from touyan.corpus.operator import DocumentBatch, Marks
from touyan.corpus.quality.packs import pack_path, pinned
from touyan.corpus.quality.terms import Finder, folded

_SUFFIX = ".yaml"


@dataclass(frozen=True, slots=True)
class Term:
    """What a pack says about a term."""

    category: str
    weight: int
    """1 to 9: how much the term alone speaks for its category."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Marks every term of the packs; flags and drops documents by the summed weights of terms in 1,000 characters.

    At least `min_terms` different terms must stand in a document: one that quotes a single term ten times is about it.
    """

    name: ClassVar[str] = "lexicon"
    version: ClassVar[str] = "1"

    packs: tuple[str, ...] = ("ads-zh", "toxic-zh")
    """Shipped packs by name, or paths of YAML files of the same form."""
    digests: tuple[str, ...] = ()
    """Of the packs' files, in their order. May be pinned; filled in where they are not."""
    flag_density: float = 8.0
    drop_density: float = 15.0
    min_terms: int = 3

    def __post_init__(self) -> None:
        wanted = self.digests or ("",) * len(self.packs)
        found = [pinned(pack_path(pack, _SUFFIX), digest) for pack, digest in zip(self.packs, wanted, strict=True)]
        object.__setattr__(self, "digests", tuple(found))

    def judge(self, batch: DocumentBatch) -> Marks:
        """Spans labelled with the category; verdicts 'lexicon-<category>', the one of most weight, scored by the density."""
        terms, finder = _lexicon(self.packs, self.digests)
        spans: dict[int, list[Span]] = {}
        verdicts: dict[int, Verdict] = {}
        for row, hits in finder.hits(batch.texts):
            spans[row] = [
                Span(place, place + len(term), terms[term].category, "lexicon-term", score=float(terms[term].weight))
                for place, term in hits
            ]
            weights: Counter[str] = Counter()
            for _, term in hits:
                weights[terms[term].category] += terms[term].weight
            density = 1000 * weights.total() / len(batch.texts[row])
            if density >= self.flag_density and len({term for _, term in hits}) >= self.min_terms:
                category = max(weights, key=lambda name: (weights[name], name))
                outcome = "drop" if density >= self.drop_density else "flag"
                verdicts[row] = Verdict(outcome, f"lexicon-{category}", density, may_quote=False)
        return Marks(spans, verdicts)


@cache
def _lexicon(packs: tuple[str, ...], digests: tuple[str, ...]) -> tuple[Mapping[str, Term], Finder]:
    """The terms of some packs; of a term in two of them the first pack speaks."""
    terms: dict[str, Term] = {}
    for pack in reversed(packs):
        terms.update(terms_of(pack))
    return terms, Finder.of(terms)


def terms_of(pack: str) -> dict[str, Term]:
    """Folded term -> what the pack says of it. Raises Missing where there is no pack and Invalid where it has another form."""
    from ruamel.yaml import YAML, YAMLError

    path = pack_path(pack, _SUFFIX)
    try:
        read = YAML(typ="safe").load(path)
    except YAMLError as error:
        raise Invalid("not-yaml", f"{path} is not YAML: {error}", "mend the file at the place named") from error
    categories: Mapping[str, Any] = read.get("categories") if isinstance(read, dict) else None
    try:
        return {
            folded(str(term)): Term(name, int(category["weight"]))
            for name, category in categories.items()
            for term in category["terms"]
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        hint = "write categories: {name: {weight: 1 to 9, terms: [...]}}, as in the shipped packs"
        raise Invalid("not-a-lexicon", f"{path} has no categories with weight and terms", hint) from error
