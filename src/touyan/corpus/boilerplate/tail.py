"""The zone below the article: where it begins, the lists of links in it, their teasers.

Owns the end marks and the evidence that no article follows. Knows nothing about titles or sites. Invariant: where an article of a
law or a paragraph of prose follows that is no teaser, the text has not ended.
"""

from __future__ import annotations

import re

from touyan.corpus.boilerplate.layout import SIGNED, Cuts, Layout
from touyan.corpus.boilerplate.lines import Kind, Line

TAIL_PROSE_SHARE = 0.5
"""Behind the article stands less prose than this share of the article's; otherwise it has not ended."""
TEASER_CHARS = 240
"""Sites print the first two or three sentences of what they recommend."""
MAX_RUN = 2
"""More paragraphs of prose than this in a row are an article's."""
MAX_LIST, MAX_TEASER_LINES = 15, 4
_LINKS = frozenset({Kind.SHORT, Kind.STAMP, Kind.NUMBERED})
_ENDS = frozenset({"neighbour", "licence", "byline", "words", "menu", "notice", "list", "pager"})
"""Rules of lines that stand behind articles."""
_LIST_ENDS = frozenset({Kind.STRONG, Kind.LIST, Kind.WEAK, Kind.LAW})
_TRUNCATED = re.compile(r"(?:…|\.\.\.)\W*(?:更多|详细|全文|more)?\W*$")
_DATED = re.compile(r"[(\[]?(?:(?:19|20)\d\d[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}[-/]\d{1,2}|\d{1,2}:\d\d)[)\]]?$")


def cut_teasers(page: Layout, cut: Cuts) -> None:
    """Beginnings of other articles, each cut off and before a moment: two of them, or one beside another trace of a page."""
    ends = [i for i in range(len(page) - 1) if _is_truncated(page, i) and _is_moment(page.lines[i + 1])]
    if len(ends) < 2 and not cut:
        return
    above = -1
    for end in ends:
        first = next((i + 1 for i in range(end - 1, max(end - MAX_TEASER_LINES, -1), -1) if i == above or i in cut), end)
        cut.update({i: "teaser" for i in range(first, end + 1)})
        cut[end + 1] = "time"
        above = end + 1


def _is_truncated(page: Layout, i: int) -> bool:
    return page.chars(i) <= TEASER_CHARS and _TRUNCATED.search(page.lines[i].text) is not None


def _is_moment(line: Line) -> bool:
    return line.kind is Kind.STAMP or SIGNED.match(line.text) is not None


def cut_tail(page: Layout, cut: Cuts, body: range) -> None:
    """Behind the end of the article all short lines go, and teasers; inside it, lists of links that end with the page's lines."""
    listed = _listed(page)
    start = _tail_start(page, cut, body, listed)
    for i in range(body.start, len(page)):
        if i in cut:
            continue
        if i >= start and _goes(page, i, listed):
            cut[i] = "teaser" if page.lines[i].kind is Kind.PROSE else "link"
        elif i < start and i in listed and page.lines[i - 1].kind is Kind.LIST:
            _linked(page, cut, i)


def _goes(page: Layout, i: int, listed: frozenset[int]) -> bool:
    kind = page.lines[i].kind
    if kind is Kind.PROSE:
        return _is_teaser(page, i, listed) or _is_among_links(page, i, listed)
    return kind < Kind.NUMBERED or (kind is Kind.NUMBERED and i in listed)


def _is_teaser(page: Layout, i: int, listed: frozenset[int]) -> bool:
    """Prose that is cut off, or dated in a list of links."""
    text = page.lines[i].text
    is_dated = i in listed and (_DATED.search(text) or Kind.STAMP in _beside(page, i))
    return _is_truncated(page, i) or (page.chars(i) <= TEASER_CHARS and bool(is_dated))


def _is_among_links(page: Layout, i: int, listed: frozenset[int]) -> bool:
    return i in listed and page.chars(i) <= TEASER_CHARS and bool(_beside(page, i) & {Kind.SHORT, Kind.BYLINE})


def _beside(page: Layout, i: int) -> set[Kind]:
    return {page.lines[j].kind for j in (i - 1, i + 1) if 0 <= j < len(page)}


def _tail_start(page: Layout, cut: Cuts, body: range, listed: frozenset[int]) -> int:
    """Where the article has ended: the first end mark behind which there is little prose, and none of it but teasers."""
    prose = {i for i in body if page.lines[i].kind >= Kind.PROSE and i not in cut and not _is_teaser(page, i, listed)}
    total = sum(map(page.chars, prose))
    after, start, run = 0, len(page), 0
    for i in range(len(page) - 1, body.start, -1):
        run = run + 1 if i in prose else 0
        if run > MAX_RUN or (i in prose and page.lines[i].kind is Kind.LAW):
            break
        after += page.chars(i) * (i in prose)
        if i in cut and page.lines[i].rule in _ENDS and after <= TAIL_PROSE_SHARE * (total - after):
            start = i
    return _with_buttons(page, start, body)


def _with_buttons(page: Layout, start: int, body: range) -> int:
    """The end mark, or a button up to four short lines above it."""
    for i in range(start - 1, max(start - 5, body.start), -1):
        if page.lines[i].kind > Kind.SHORT or SIGNED.match(page.lines[i].text):
            break
        if page.lines[i].kind is Kind.WEAK:
            start = i
    return start


def _listed(page: Layout) -> frozenset[int]:
    """The lines under the head of a list of links, down to the next button."""
    found: list[int] = []
    in_list = False
    for i, each in enumerate(page.lines):
        if each.kind in _LIST_ENDS:
            in_list = each.kind is Kind.LIST
        elif in_list:
            found.append(i)
    return frozenset(found)


def _linked(page: Layout, cut: Cuts, start: int) -> None:
    """Cuts a list of links inside the article that begins at `start`: up to MAX_LIST short lines which a line of the page ends."""
    end = start
    while end < min(len(page), start + MAX_LIST) and end not in cut and page.lines[end].kind in _LINKS:
        end += 1
    if start < end < len(page) and end in cut:
        cut.update({i: "link" for i in range(start, end)})
