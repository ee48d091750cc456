"""Which lines of a page are cut: the sure ones first, then what keeps them company, then the zones above and below the article.

Owns the order of the rules and those of company; `head` and `tail` own the zones. Knows nothing about how a line is recognised,
about spans or operators. Invariant: a line of the kind LAW is cut only as a truncated teaser before a moment, prose only as a
notice or a teaser.
"""

from __future__ import annotations

import re
from functools import partial
from itertools import pairwise

from touyan.corpus.boilerplate.head import cut_contents, cut_head, cut_repeats, title_of
from touyan.corpus.boilerplate.layout import SIGNED, WORDED, Cuts, Layout
from touyan.corpus.boilerplate.lines import PAGE_KINDS, Kind
from touyan.corpus.boilerplate.tail import cut_tail, cut_teasers

MIN_PAGE_LINES = 3
"""Fewer lines of the page than this, and only the sure ones go: zones need evidence."""
EDGE_LINES = 4
"""How far a byline or a notice may stand from the beginning or the end of a text that has no other trace of a page."""
BYLINE_LINES = 8
"""A moment farther below the title is not the article's: it dates a comment or a link."""
MAX_ENCLOSED, ENCLOSED_CHARS = 2, 24
_TOLD_ONLY = frozenset({"byline", "notice"})
_COPYING = re.compile(r"转载|侵权|侵删|版权|转自")


def cuts(page: Layout, title: str | None, frequent: frozenset[int]) -> tuple[Cuts, int | None]:
    """What is cut of a page, and the line that is its title, which stays.

    `title` is the folded title that the reader found; `frequent` are the lines that the site repeats.
    """
    cut: Cuts = {i: each.rule for i, each in enumerate(page.lines) if each.kind in (Kind.STRONG, Kind.LIST)}
    cut_teasers(page, cut)
    if _TOLD_ONLY.issuperset(cut.values()) and not _is_page(page, cut):
        return _edges(page, cut), None
    if len(cut) == 1 and page.lines[min(cut)].kind is Kind.LIST and not any(each.kind is Kind.WEAK for each in page.lines):
        return {}, None
    _company(page, cut)
    cut.update({i: "button" for i, each in enumerate(page.lines) if each.rule == "button"})
    heading = None
    if sum(each.kind in WORDED for each in page.lines) >= MIN_PAGE_LINES:
        body = _body(page, cut)
        heading = title_of(page, body.start, title)
        _labelled(page, cut)
        cut_tail(page, cut, body)
        cut_head(page, cut, body.start, heading)
        cut_contents(page, cut)
        cut_repeats(page, cut, heading)
        _enclosed(page, cut, heading)
    _site(page, cut, frequent)
    cut.update({i: "time" for i, rule in cut.items() if rule == "stamp" and heading is not None and i > heading + BYLINE_LINES})
    return cut, heading


def _is_page(page: Layout, cut: Cuts) -> bool:
    """Whether more is about than single bylines and notices: some buttons anywhere, or some lines of the page in a row."""
    if sum(each.kind is Kind.WEAK for each in page.lines) >= MIN_PAGE_LINES:
        return True
    rows = [[i for i in run if i in cut or page.lines[i].kind in (Kind.WEAK, Kind.BYLINE)] for run in page.runs(PAGE_KINDS)]
    return any(len(row) >= MIN_PAGE_LINES and not cut.keys().isdisjoint(row) for row in rows)


def _edges(page: Layout, cut: Cuts) -> Cuts:
    """Of a text that has bylines and notices and no other trace of a page: those at its beginning and its end.

    A notice must speak of copying: 'for reference only' is said in texts too.
    """
    edges = {*range(EDGE_LINES), *range(len(page) - EDGE_LINES, len(page))}
    kept = {i: rule for i, rule in cut.items() if i in edges and (rule == "byline" or _COPYING.search(page.lines[i].text))}
    return kept if len(kept) < len(page) else {}


def _company(page: Layout, cut: Cuts) -> None:
    """Buttons, bylines and dates beside a sure line, or three buttons in a row."""
    for run in map(partial(_trimmed, page), page.runs(PAGE_KINDS)):
        buttons = sum(page.lines[i].kind is Kind.WEAK for i in run)
        if buttons >= MIN_PAGE_LINES or any(i in cut for i in run) or cut.get(run.stop) == "teaser":
            cut.update({i: page.lines[i].rule for i in run if i not in cut})


def _trimmed(page: Layout, run: range) -> range:
    """A run without the digits and marks at its ends: they may belong to a torn line of the text."""
    start, stop = run.start, run.stop
    while start < stop and page.lines[start].kind is Kind.ORNAMENT:
        start += 1
    while start < stop and page.lines[stop - 1].kind is Kind.ORNAMENT:
        stop -= 1
    return range(start, stop)


def _body(page: Layout, cut: Cuts) -> range:
    """From the first line of prose or law to behind the last. A sentence right above two lines of the page is not the first."""
    text = [i for i, each in enumerate(page.lines) if each.kind >= Kind.PROSE and i not in cut]
    if not text:
        return range(len(page), len(page))
    first = next((i for i in text if not cut.keys() >= {i + 1, i + 2} & set(range(len(page)))), text[0])
    return range(first, text[-1] + 1)


def _labelled(page: Layout, cut: Cuts) -> None:
    """A label without its value takes the next line for it."""
    for i, each in enumerate(page.lines[:-1]):
        bare = each.rule == "byline" and each.text.endswith(":")
        if bare and page.lines[i + 1].kind in (Kind.SHORT, Kind.STAMP) and (i in cut or i + 2 in cut):
            cut[i] = cut[i + 1] = "byline"


def _enclosed(page: Layout, cut: Cuts, heading: int | None) -> None:
    """One or two short lines in the midst of lines that are cut: words that no lexicon has."""
    known = sorted(i for i in cut if page.lines[i].kind is not Kind.ORNAMENT)
    for n, (left, right) in enumerate(pairwise(known)):
        gap = range(left + 1, right)
        dense = (n > 0 and known[n - 1] == left - 1) or (n + 2 < len(known) and known[n + 2] == right + 1)
        if dense and 1 <= len(gap) <= MAX_ENCLOSED and heading not in gap and all(_is_name(page, i) for i in gap):
            cut.update({i: "enclosed" for i in gap})


def _is_name(page: Layout, i: int) -> bool:
    each = page.lines[i]
    return each.kind in (Kind.SHORT, Kind.ORNAMENT) and page.chars(i) <= ENCLOSED_CHARS and not SIGNED.match(each.text)


def _site(page: Layout, cut: Cuts, frequent: frozenset[int]) -> None:
    """What the site repeats goes where it stands beside lines that are cut."""
    for order in (range(1, len(page)), range(len(page) - 2, -1, -1)):
        step = 1 if order.step < 0 else -1
        for i in order:
            if i in frequent and i not in cut and i + step in cut and page.lines[i].kind is not Kind.LAW:
                cut[i] = "site-line"
