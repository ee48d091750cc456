"""The zone above the article: menus, breadcrumbs, tickers, the title and what is printed under it.

Owns the choice of the title and the rules of this zone. Knows nothing about what stands below the first prose, but for a second
copy of the title and the headings that a table of contents repeats. Invariant: the title is never cut, its repetitions are.
"""

from __future__ import annotations

import re

from touyan.corpus.boilerplate.layout import WORDED, Cuts, Layout
from touyan.corpus.boilerplate.lines import Kind

TITLE_CHARS = range(5, 100)
NEAR_LINES = 6
"""A title stands no more lines above its byline than this; farther above are menus and tickers."""
MAX_GAP = 5
"""Below the title, the head has ended where so many lines follow each other that are not the page's."""
MIN_MENU, NAME_CHARS, ACCOUNT_CHARS = 4, 8, 12
_LETTERS = re.compile(r"[\u4e00-\u9fff]{2}.*[\u4e00-\u9fff]{2}|[a-z]+ [a-z]+")
_SUFFIX = re.compile(r"\s*[_\-|—(–:·]")
_NUMBER = re.compile(r"^[\d.]+\s*")
_NAMES = frozenset({Kind.SHORT, Kind.NUMBERED, Kind.STRONG, Kind.LIST, Kind.WEAK, Kind.ORNAMENT})


def title_of(page: Layout, body: int, title: str | None) -> int | None:
    """The line that the reader called the title, or one that comes twice, or the longest of the last ones above the byline."""
    short = [i for i in range(body) if page.lines[i].kind is Kind.SHORT and _could_be_title(page.lines[i].text)]
    named = [i for i in short if title and _names(title, page.lines[i].text)]
    bylines = [i for i in range(body) if page.lines[i].rule in ("byline", "stamp")]
    above = [i for i in short if bylines and i < bylines[-1]]
    again = [i for i in above if any(_names(page.lines[j].text, page.lines[i].text) for j in above if j < i)]
    if named or again:
        return (named or again)[-1]
    return max(above[-NEAR_LINES:], key=page.chars, default=None)


def _could_be_title(line: str) -> bool:
    return len(line) in TITLE_CHARS and _LETTERS.search(line) is not None


def _names(line: str, title: str) -> bool:
    """Whether a line is the title, alone or with the name of the site behind it."""
    return line == title or (line.startswith(title) and _SUFFIX.match(line, len(title)) is not None)


def cut_head(page: Layout, cut: Cuts, body: int, heading: int | None) -> None:
    """Above the article, what stands between lines of the page is a menu or a ticker, except the title and what is under it."""
    _menu(page, cut, heading if heading is not None else body)
    mine: list[int] = []
    for i in range(body):
        if mine and heading is not None and i > heading and i - mine[-1] > MAX_GAP:
            break
        if page.lines[i].kind in WORDED:
            mine.append(i)
    if not mine:
        return
    for i in range(mine[-1] + 1):
        each = page.lines[i]
        below_title = heading is not None and heading <= i
        is_text = each.kind >= (Kind.SHORT if below_title else Kind.NUMBERED if heading is None else Kind.PROSE)
        if i not in cut and not is_text and (each.kind in WORDED or mine[0] < i):
            cut[i] = "menu" if each.kind >= Kind.SHORT else each.rule
    if heading is not None:
        _account(page, cut, heading, mine[-1])


def _menu(page: Layout, cut: Cuts, end: int) -> None:
    """A menu at the top: names of a few letters, at least one in three of them known from other menus."""
    top = next((i for i in range(end) if page.lines[i].kind not in _NAMES or page.chars(i) > NAME_CHARS), end)
    known = sum(page.lines[i].kind in WORDED for i in range(top))
    if top >= MIN_MENU and known * 3 >= top:
        cut.update({i: "menu" for i in range(top) if i not in cut})


def _account(page: Layout, cut: Cuts, heading: int, end: int) -> None:
    """Under the title: up to three short names between lines of the page, such as the account that published it."""
    for run in page.runs(frozenset({Kind.SHORT})):
        if heading < run.start and run.stop <= end and len(run) <= 3 and run.start - 1 in cut and run.stop in cut:
            cut.update({i: "account" for i in run if page.chars(i) <= ACCOUNT_CHARS and i not in cut})


def cut_contents(page: Layout, cut: Cuts) -> None:
    """A table of contents whose entries come again as headings."""
    start = next((i for i, each in enumerate(page.lines) if each.text in ("目录", "目次", "contents")), None)
    if start is None:
        return
    later = {each.text for each in page.lines[start + 2 :] if each.kind is Kind.SHORT}
    end = start + 1
    while end < len(page) and (end in cut or _NUMBER.sub("", page.lines[end].text) in later - {page.lines[end].text}):
        end += 1
    if end > start + 2:
        cut.update({i: "contents" for i in range(start, end) if i not in cut})


def cut_repeats(page: Layout, cut: Cuts, heading: int | None) -> None:
    """The title once more, with the name of the site or without."""
    if heading is None:
        return
    title = page.lines[heading].text
    for i, each in enumerate(page.lines):
        again = each.text == title or (i < heading and _names(each.text, title))
        if again and i != heading and i not in cut and each.kind < Kind.PROSE:
            cut[i] = "repeated-title"
