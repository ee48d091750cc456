"""Boilerplate: the lines of a page that are not its text are cut; title, date, source, author and licence are marked.

Owns the operator, its parameters and the verdict on pages without a text. Knows nothing about how a line is recognised.
Invariant: a text without a trace of a page is only looked at; every cut is an edit whose reason is the name of its rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from touyan.core.document import Span, Verdict
from touyan.corpus.boilerplate.byline import TOLD, spans_of
from touyan.corpus.boilerplate.layout import Cuts, Layout, is_page, layout
from touyan.corpus.boilerplate.lexicon import fold
from touyan.corpus.boilerplate.page import cuts
from touyan.corpus.boilerplate.sites import Pages, line_key, settled, site_of, surveyed
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
    min_site_share: float = 0.5

    def survey(self, batch: DocumentBatch) -> Survey:
        """Lines of the pages in `batch` by site: see `touyan.corpus.boilerplate.sites.surveyed`."""
        also = tuple(self.also)
        places = batch.columns["place"]
        rows = (row for row, text in enumerate(batch.texts) if is_page(text, also))
        return surveyed((places[row], site_of(batch, row), layout(batch.texts[row], also)) for row in rows)

    def settle(self, surveys: Iterable[Survey]) -> Sequence[PageLines]:
        """For each shard, the lines that its sites repeat."""
        found = settled(surveys, self.min_site_documents, self.min_site_share)
        public = (tuple(self.also), self.min_body_chars, self.min_site_documents, self.min_site_share)
        return [PageLines(*public, pages) for pages in found]


@dataclass(frozen=True, slots=True)
class PageLines:
    """Judges the documents of one shard; the parameters are those of Boilerplate, so that its marks bear the same signature."""

    name: ClassVar[str] = Boilerplate.name
    version: ClassVar[str] = Boilerplate.version

    also: tuple[str, ...] = ()
    min_body_chars: int = 40
    min_site_documents: int = 5
    min_site_share: float = 0.5
    pages: Pages = field(default=Pages(frozenset(), frozenset()), repr=False)

    def judge(self, batch: DocumentBatch) -> Marks:
        """Edits over the lines of pages, and the verdict 'only-boilerplate' on pages that have no text, scored by its length."""
        spans: dict[int, Sequence[Span]] = {}
        verdicts: dict[int, Verdict] = {}
        for row, text in enumerate(batch.texts):
            if batch.columns["place"][row] not in self.pages.places:
                continue
            page = layout(text, self.also)
            cut, heading = cuts(page, _title(batch.columns, row), self._frequent(page, site_of(batch, row)))
            if cut:
                spans[row] = tuple(_marks(text, page, cut, heading))
                body, gone = _chars(page, cut)
                if body < self.min_body_chars and body < gone:
                    verdicts[row] = Verdict("drop", "only-boilerplate", float(body))
        return Marks(spans, verdicts)

    def _frequent(self, page: Layout, site: int) -> frozenset[int]:
        """The lines of a page that its site repeats."""
        if not self.pages.lines:
            return frozenset()
        return frozenset(i for i, each in enumerate(page.lines) if each.text and line_key(site, each.text) in self.pages.lines)


def _title(columns: Mapping[str, Sequence[str | None]], row: int) -> str | None:
    title = columns["title"][row] if "title" in columns else None
    return fold(title).strip() if title else None


def _marks(text: str, page: Layout, cut: Cuts, heading: int | None) -> Iterator[Span]:
    """The spans of a page, in order: lines that follow each other under one rule are one cut, unless they tell something."""
    bounds = _bounds(text, page, cut)
    i = 0
    while i < len(page):
        first, rule = i, cut.get(i)
        i += 1
        if rule is None:
            if first == heading:
                yield Span(page.starts[first], page.ends[first], "meta.title", "title")
            continue
        while rule not in TOLD and cut.get(i) == rule:
            i += 1
        yield from spans_of(bounds[first], bounds[i], page.starts[first], page.lines[first].text, rule)


def _bounds(text: str, page: Layout, cut: Cuts) -> list[int]:
    """Where each line begins when it is cut, its indent included, and where the text ends.

    What is cut at the end of a text takes the line end before it.
    """
    ends = [0, *page.ends]
    bounds = [text.rfind("\n", end, start) + 1 or start for end, start in zip(ends, page.starts, strict=False)]
    last = len(page)
    while last - 1 in cut:
        last -= 1
    if last < len(page):
        bounds[last] = ends[last]
    return [*bounds, len(text)]


def _chars(page: Layout, cut: Cuts) -> tuple[int, int]:
    """Code points of the lines that stay, and of those that go."""
    gone = sum(page.chars(i) for i in cut)
    return sum(page.ends) - sum(page.starts) - gone, gone
