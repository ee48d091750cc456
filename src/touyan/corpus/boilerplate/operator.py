"""Boilerplate: the lines of a page that are not its text are cut; title, date, source, author and licence are marked.

Owns the operator, its parameters and the verdict on pages without a text. Knows nothing about how a line is recognised.
Invariant: a text without a trace of a page is only looked at; every cut is an edit whose reason is the name of its rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from touyan.core.document import Span, Verdict
from touyan.corpus.boilerplate.byline import BOILERPLATE, spans_of
from touyan.corpus.boilerplate.lexicon import fold
from touyan.corpus.boilerplate.page import Cuts, cuts
from touyan.corpus.boilerplate.segments import Segment, is_page, segments
from touyan.corpus.boilerplate.sites import SiteLines, line_key, settled, site_of, surveyed
from touyan.corpus.operator import DocumentBatch, Marks, Survey


@dataclass(frozen=True, slots=True)
class Boilerplate:
    """Cuts what belongs to the page. `also` are further phrases of pages; `min_body_chars` without white space make a text.

    A site repeats a line that at least `min_site_documents` of its pages have, and the share `min_site_share` of them.
    """

    name: ClassVar[str] = "boilerplate"
    version: ClassVar[str] = "1"

    also: tuple[str, ...] = ()
    min_body_chars: int = 40
    min_site_documents: int = 5
    min_site_share: float = 0.2

    def survey(self, batch: DocumentBatch) -> Survey:
        """Lines of the pages in `batch` by site: see `touyan.corpus.boilerplate.sites.surveyed`."""
        also = tuple(self.also)
        pages = ((site_of(batch, row), segments(text, also)) for row, text in enumerate(batch.texts) if is_page(text, also))
        return surveyed(pages)

    def settle(self, surveys: Iterable[Survey]) -> Sequence[PageLines]:
        """For each shard, the lines that its sites repeat."""
        found = settled(surveys, self.min_site_documents, self.min_site_share)
        public = (tuple(self.also), self.min_body_chars, self.min_site_documents, self.min_site_share)
        return [PageLines(*public, lines) for lines in found]


@dataclass(frozen=True, slots=True)
class PageLines:
    """Judges the documents of one shard; the parameters are those of Boilerplate, so that its marks bear the same signature."""

    name: ClassVar[str] = Boilerplate.name
    version: ClassVar[str] = Boilerplate.version

    also: tuple[str, ...] = ()
    min_body_chars: int = 40
    min_site_documents: int = 5
    min_site_share: float = 0.2
    sites: SiteLines = field(default=frozenset(), repr=False)
    """Keys of the lines that the sites of this shard repeat."""

    def judge(self, batch: DocumentBatch) -> Marks:
        """Edits over the lines of pages, and the verdict 'only-boilerplate' on pages that have no text, scored by its length."""
        spans: dict[int, Sequence[Span]] = {}
        verdicts: dict[int, Verdict] = {}
        for row, text in enumerate(batch.texts):
            if not is_page(text, self.also):
                continue
            page = segments(text, self.also)
            cut, heading = cuts(page, _title(batch.columns, row), self._frequent(page, site_of(batch, row)))
            if cut:
                spans[row] = _merged(_marks(text, page, cut, heading))
                body = _chars(each for i, each in enumerate(page) if i not in cut)
                if body < self.min_body_chars and body < _chars(page[i] for i in cut):
                    verdicts[row] = Verdict("drop", "only-boilerplate", float(body))
        return Marks(spans, verdicts)

    def _frequent(self, page: Sequence[Segment], site: int) -> Sequence[bool]:
        if not self.sites:
            return [False] * len(page)
        return [line_key(site, each.text) in self.sites for each in page]


def _title(columns: Mapping[str, Sequence[str | None]], row: int) -> str | None:
    title = columns["title"][row] if "title" in columns else None
    return fold(title).strip() if title else None


def _marks(text: str, page: Sequence[Segment], cut: Cuts, heading: int | None) -> Iterator[Span]:
    """The spans of a page, in order. A cut reaches from its line to the next, and the last ones take the line end before them."""
    bounds = _bounds(text, page, cut)
    for i, each in enumerate(page):
        if i in cut:
            yield from spans_of(bounds[i], bounds[i + 1], each, cut[i])
        elif i == heading:
            yield Span(each.start, each.end, "meta.title", "title")


def _bounds(text: str, page: Sequence[Segment], cut: Cuts) -> list[int]:
    """Where each segment begins when it is cut, its indent included, and at last where the text ends."""
    ends = [0, *(each.end for each in page)]
    bounds = [text.rfind("\n", end, each.start) + 1 or each.start for end, each in zip(ends, page, strict=False)]
    last = len(page)
    while last and last - 1 in cut:
        last -= 1
    if last < len(page):
        bounds[last] = ends[last]
    return [*bounds, len(text)]


def _merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Cuts that follow each other under one rule as one."""
    found: list[Span] = []
    for span in spans:
        before = found[-1] if found else None
        if before and (before.end, before.label, before.reason) == (span.start, span.label, span.reason) and span.label == BOILERPLATE:
            found[-1] = replace(before, end=span.end)
        else:
            found.append(span)
    return tuple(found)


def _chars(segments: Iterable[Segment]) -> int:
    return sum(len("".join(each.text.split())) for each in segments)
