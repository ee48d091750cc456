"""Which lines of a page are cut: the sure ones, what keeps them company, and the lists before and after the article.

Owns the zones (head, body, tail) and the rules of company. Knows nothing about sites, spans or operators. Invariant: a line
of the kind LAW is never cut; prose is cut only as a notice or as a teaser among links.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from touyan.corpus.boilerplate.layout import Layout
from touyan.corpus.boilerplate.lines import PAGE_KINDS, Kind

MIN_PAGE_LINES = 3
"""Fewer lines of the page than this, and only the sure ones go: zones need evidence."""
TAIL_PROSE_SHARE = 0.5
"""Behind the article stands less prose than this share of the article's; otherwise it has not ended."""
TEASER_CHARS = 160
TITLE_CHARS = range(5, 100)
_ENDS = frozenset({"neighbour", "licence", "byline", "words", "menu", "notice", "list", "pager"})
"""Rules of lines that stand behind articles."""
_CUT_SHORT = re.compile(r"(?:…|\.\.\.)\W*(?:更多|详细|全文|more)?\W*$")
_DATED = re.compile(r"[(\[]?(?:(?:19|20)\d\d[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}[-/]\d{1,2}|\d{1,2}:\d\d)[)\]]?$")
_SUFFIX = re.compile(r"\s*[_\-|—(–:·]")

Cuts = dict[int, str]
"""Number of a line -> the rule that cuts it."""


def cuts(page: Layout, title: str | None, frequent: frozenset[int]) -> tuple[Cuts, int | None]:
    """What is cut of a page, and the line that is its title, which stays.

    `title` is the folded title that the reader found; `frequent` are the lines that the site repeats.
    """
    cut: Cuts = {i: each.rule for i, each in enumerate(page.lines) if each.kind in (Kind.STRONG, Kind.LIST)}
    if all(rule == "notice" for rule in cut.values()):
        return ({i: rule for i, rule in cut.items() if i >= len(page) - 5}, None) if _buttons(page) < MIN_PAGE_LINES else (cut, None)
    _company(page, cut)
    heading = None
    if sum(each.kind in PAGE_KINDS and each.kind is not Kind.ORNAMENT for each in page.lines) >= MIN_PAGE_LINES:
        body = _body(page, cut)
        heading = _title(page, body.start, title)
        _labelled(page, cut)
        _tail(page, cut, body)
        _head(page, cut, body.start, heading)
        _repeats(page, cut, heading)
    _site(page, cut, frequent)
    return cut, heading


def _buttons(page: Layout) -> int:
    return sum(each.kind is Kind.WEAK for each in page.lines)


def _runs(page: Layout, kinds: frozenset[Kind]) -> Iterator[range]:
    """Maximal runs of lines of these kinds."""
    start = None
    for i, each in enumerate(page.lines):
        if each.kind in kinds:
            start = i if start is None else start
        elif start is not None:
            yield range(start, i)
            start = None
    if start is not None:
        yield range(start, len(page))


def _company(page: Layout, cut: Cuts) -> None:
    """Buttons, bylines and dates beside a sure line, or three buttons in a row."""
    for run in _runs(page, PAGE_KINDS):
        buttons = sum(page.lines[i].kind is Kind.WEAK for i in run)
        if buttons >= MIN_PAGE_LINES or any(i in cut for i in run):
            cut.update({i: page.lines[i].rule for i in run if i not in cut})


def _body(page: Layout, cut: Cuts) -> range:
    """From the first line of prose or law to behind the last."""
    text = [i for i, each in enumerate(page.lines) if each.kind >= Kind.PROSE and i not in cut]
    return range(text[0], text[-1] + 1) if text else range(len(page), len(page))


def _labelled(page: Layout, cut: Cuts) -> None:
    """A label without its value takes the next line for it."""
    for i, each in enumerate(page.lines[:-1]):
        bare = each.rule == "byline" and each.text.endswith(":")
        if bare and page.lines[i + 1].kind in (Kind.SHORT, Kind.STAMP) and (i in cut or i + 2 in cut):
            cut[i] = cut[i + 1] = "byline"


def _title(page: Layout, body: int, title: str | None) -> int | None:
    """The last of the short lines above the byline, or the one that the reader called the title."""
    short = [i for i in range(body) if page.lines[i].kind is Kind.SHORT and page.chars(i) in TITLE_CHARS]
    named = [i for i in short if title and page.lines[i].text == title]
    if named:
        return named[-1]
    bylines = [i for i in range(body) if page.lines[i].rule in ("byline", "stamp")]
    above = [i for i in short if bylines and i < bylines[-1]]
    again = [i for i in above if any(page.lines[j].text.startswith(page.lines[i].text) for j in above if j != i)]
    near = [i for i in above if i + 1 in bylines or not bylines]
    return (again or near or above or [None])[-1]


def _head(page: Layout, cut: Cuts, body: int, heading: int | None) -> None:
    """Above the article, what stands between lines of the page is a menu or a ticker, except the title and what is under it."""
    mine = [i for i in range(body) if i in cut]
    if not mine:
        return
    for i in range(body):
        each = page.lines[i]
        below_title = heading is not None and heading <= i
        if i in cut or each.kind >= Kind.NUMBERED or (below_title and each.kind is Kind.SHORT):
            continue
        if each.kind in PAGE_KINDS or mine[0] < i < mine[-1]:
            cut[i] = "menu" if each.kind is Kind.SHORT else each.rule


def _repeats(page: Layout, cut: Cuts, heading: int | None) -> None:
    """The title once more, with the name of the site or without."""
    if heading is None:
        return
    title = page.lines[heading].text
    for i, each in enumerate(page.lines):
        if i != heading and i not in cut and each.text.startswith(title) and each.kind < Kind.PROSE:
            rest = each.text[len(title) :]
            if not rest or (i < heading and _SUFFIX.match(rest)):
                cut[i] = "repeated-title"


def _tail(page: Layout, cut: Cuts, body: range) -> None:
    """Behind the end of the article all short lines go, and teasers; inside it, lists of links that end with the page's lines."""
    start = _tail_start(page, cut, body)
    in_list = False
    for i in range(body.start, len(page)):
        each = page.lines[i]
        if i in cut:
            in_list = each.kind is Kind.LIST or (in_list and each.kind in (Kind.STAMP, Kind.BYLINE))
        elif i >= start and _goes(page, cut, i, in_list):
            cut[i] = "teaser" if each.kind is Kind.PROSE else "link"
        elif in_list and i < start:
            in_list = _linked(page, cut, i)


def _goes(page: Layout, cut: Cuts, i: int, in_list: bool) -> bool:
    each = page.lines[i]
    if each.kind is Kind.NUMBERED:
        return in_list
    return each.kind < Kind.NUMBERED or (each.kind is Kind.PROSE and _is_teaser(page, i, in_list))


def _is_teaser(page: Layout, i: int, in_list: bool) -> bool:
    """Prose that is short and cut off, dated, or alone among the links of a list."""
    each, after = page.lines[i], page.lines[i + 1] if i + 1 < len(page) else None
    if page.chars(i) > TEASER_CHARS:
        return False
    if _CUT_SHORT.search(each.text) or _DATED.search(each.text) or (after is not None and after.kind is Kind.STAMP):
        return True
    beside = {page.lines[j].kind for j in (i - 1, i + 1) if 0 <= j < len(page)}
    return in_list and bool(beside & {Kind.SHORT, Kind.STAMP, Kind.BYLINE})


def _tail_start(page: Layout, cut: Cuts, body: range) -> int:
    """Where the article has ended: the first end mark behind which there is little prose, and none of it but teasers."""
    before = sum(page.chars(i) for i in body if page.lines[i].kind >= Kind.PROSE and i not in cut)
    after, start, run = 0, len(page), 0
    for i in range(len(page) - 1, body.start, -1):
        each = page.lines[i]
        run = run + 1 if each.kind is Kind.PROSE and i not in cut and not _is_teaser(page, i, in_list=False) else 0
        if (each.kind is Kind.LAW and i not in cut) or run > 2:
            break
        if each.kind is Kind.PROSE and i not in cut:
            after += page.chars(i)
        if i in cut and each.rule in _ENDS and after <= TAIL_PROSE_SHARE * (before - after):
            start = i
    return start


def _linked(page: Layout, cut: Cuts, i: int) -> bool:
    """Cuts a list of links inside the article that begins at `i`: up to 15 short lines which a line of the page ends."""
    end = i
    while end < min(len(page), i + 15) and end not in cut and page.lines[end].kind in (Kind.SHORT, Kind.STAMP, Kind.NUMBERED):
        end += 1
    if i < end < len(page) and end in cut:
        cut.update({j: "link" for j in range(i, end)})
        return True
    return False


def _site(page: Layout, cut: Cuts, frequent: frozenset[int]) -> None:
    """What the site repeats goes where it stands beside lines that are cut."""
    for order in (range(1, len(page)), range(len(page) - 2, -1, -1)):
        step = 1 if order.step < 0 else -1
        for i in order:
            if i in frequent and i not in cut and i + step in cut and page.lines[i].kind is not Kind.LAW:
                cut[i] = "site-line"
