"""Which lines of a page are cut: the sure ones, what keeps them company, and the lists before and after the article.

Owns the zones (head, body, tail) and the rules of company. Knows nothing about sites, spans or operators. Invariant: a line
of the kind LAW is never cut; prose is cut only as a notice or as a teaser among links.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import pairwise

from touyan.corpus.boilerplate.layout import Layout
from touyan.corpus.boilerplate.lines import PAGE_KINDS, Kind

MIN_PAGE_LINES = 3
"""Fewer lines of the page than this, and only the sure ones go: zones need evidence."""
TAIL_PROSE_SHARE = 0.5
"""Behind the article stands less prose than this share of the article's; otherwise it has not ended."""
TEASER_CHARS = 240
TITLE_CHARS = range(5, 100)
_ENDS = frozenset({"neighbour", "licence", "byline", "words", "menu", "notice", "list", "pager"})
"""Rules of lines that stand behind articles."""
_TOLD_ONLY = frozenset({"byline", "notice"})
EDGE_LINES = 4
_COPYING = re.compile(r"转载|侵权|侵删|版权|转自")
_CUT_SHORT = re.compile(r"(?:…|\.\.\.)\W*(?:更多|详细|全文|more)?\W*$")
_DATED = re.compile(r"[(\[]?(?:(?:19|20)\d\d[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}[-/]\d{1,2}|\d{1,2}:\d\d)[)\]]?$")
NEAR_LINES, MAX_GAP = 6, 5
_SIGNED = re.compile(r"[〇零一二三四五六七八九十\d]{2,4} ?年.{2,6}日$")
_LETTERS = re.compile(r"[\u4e00-\u9fff]{2}.*[\u4e00-\u9fff]{2}|[a-z]+ [a-z]+")
_WORDED = PAGE_KINDS - {Kind.ORNAMENT}
MIN_MENU, NAME_CHARS, ACCOUNT_CHARS = 4, 8, 12
MAX_ENCLOSED, ENCLOSED_CHARS = 2, 24
_NAMES = frozenset({Kind.SHORT, Kind.STRONG, Kind.LIST, Kind.WEAK, Kind.ORNAMENT})
_NUMBER = re.compile(r"^[\d.]+\s*")
_SUFFIX = re.compile(r"\s*[_\-|—(–:·]")

_LIST_ENDS = frozenset({Kind.STRONG, Kind.LIST, Kind.WEAK, Kind.LAW})

Cuts = dict[int, str]
"""Number of a line -> the rule that cuts it."""


def cuts(page: Layout, title: str | None, frequent: frozenset[int]) -> tuple[Cuts, int | None]:
    """What is cut of a page, and the line that is its title, which stays.

    `title` is the folded title that the reader found; `frequent` are the lines that the site repeats.
    """
    cut: Cuts = {i: each.rule for i, each in enumerate(page.lines) if each.kind in (Kind.STRONG, Kind.LIST)}
    if _TOLD_ONLY.issuperset(cut.values()) and sum(each.kind is Kind.WEAK for each in page.lines) < MIN_PAGE_LINES:
        return _edges(page, cut), None
    if len(cut) == 1 and page.lines[min(cut)].kind is Kind.LIST and not any(each.kind is Kind.WEAK for each in page.lines):
        return {}, None
    _company(page, cut)
    cut.update({i: "button" for i, each in enumerate(page.lines) if each.rule == "button"})
    heading = None
    if sum(each.kind in PAGE_KINDS and each.kind is not Kind.ORNAMENT for each in page.lines) >= MIN_PAGE_LINES:
        body = _body(page, cut)
        heading = _title(page, body.start, title)
        _labelled(page, cut)
        _tail(page, cut, body)
        _head(page, cut, body.start, heading)
        _contents(page, cut)
        _repeats(page, cut, heading)
        _enclosed(page, cut, heading)
    _site(page, cut, frequent)
    cut.update({i: "time" for i, rule in cut.items() if rule == "stamp" and heading is not None and i > heading + 8})
    return cut, heading


def _edges(page: Layout, cut: Cuts) -> Cuts:
    """Of a text that has bylines and notices and no other trace of a page: those at its beginning and its end.

    A notice must speak of copying: 'for reference only' is said in texts too.
    """
    edges = {*range(EDGE_LINES), *range(len(page) - EDGE_LINES, len(page))}
    kept = {i: rule for i, rule in cut.items() if i in edges and (rule == "byline" or _COPYING.search(page.lines[i].text))}
    return kept if len(kept) < len(page) else {}


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
    for run in map(partial(_trimmed, page), _runs(page, PAGE_KINDS)):
        buttons = sum(page.lines[i].kind is Kind.WEAK for i in run)
        if buttons >= MIN_PAGE_LINES or any(i in cut for i in run):
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
    """From the first line of prose or law to behind the last."""
    text = [i for i, each in enumerate(page.lines) if each.kind >= Kind.PROSE and i not in cut]
    first = next(
        (i for i in text if not all(j in cut for j in range(i + 1, min(i + 3, len(page))))), text[0] if text else len(page)
    )
    return range(first, text[-1] + 1) if text else range(len(page), len(page))


def _labelled(page: Layout, cut: Cuts) -> None:
    """A label without its value takes the next line for it."""
    for i, each in enumerate(page.lines[:-1]):
        bare = each.rule == "byline" and each.text.endswith(":")
        if bare and page.lines[i + 1].kind in (Kind.SHORT, Kind.STAMP) and (i in cut or i + 2 in cut):
            cut[i] = cut[i + 1] = "byline"


def _title(page: Layout, body: int, title: str | None) -> int | None:
    """The line that the reader called the title, or one that comes twice, or the longest of the last ones above the byline."""
    short = [
        i
        for i in range(body)
        if page.lines[i].kind is Kind.SHORT and page.chars(i) in TITLE_CHARS and _LETTERS.search(page.lines[i].text)
    ]
    named = [i for i in short if title and page.lines[i].text == title]
    bylines = [i for i in range(body) if page.lines[i].rule in ("byline", "stamp")]
    above = [i for i in short if bylines and i < bylines[-1]]
    again = [i for i in above if any(_names(page.lines[j].text, page.lines[i].text) for j in above if j < i)]
    if named or again:
        return (named or again)[-1]
    return max(above[-NEAR_LINES:], key=page.chars, default=None)


def _names(line: str, title: str) -> bool:
    """Whether a line is the title, alone or with the name of the site behind it."""
    return line == title or (line.startswith(title) and _SUFFIX.match(line, len(title)) is not None)


def _head(page: Layout, cut: Cuts, body: int, heading: int | None) -> None:
    """Above the article, what stands between lines of the page is a menu or a ticker, except the title and what is under it."""
    _menu(page, cut, heading if heading is not None else body)
    mine: list[int] = []
    for i in range(body):
        if mine and heading is not None and i > heading and i - mine[-1] > MAX_GAP:
            break
        if page.lines[i].kind in _WORDED:
            mine.append(i)
    if not mine:
        return
    for i in range(mine[-1] + 1):
        each = page.lines[i]
        below_title = heading is not None and heading <= i
        if i in cut or each.kind >= Kind.NUMBERED or (below_title and each.kind is Kind.SHORT):
            continue
        if each.kind in _WORDED or mine[0] < i:
            cut[i] = "menu" if each.kind is Kind.SHORT else each.rule
    if heading is not None:
        _account(page, cut, heading, mine[-1])


def _account(page: Layout, cut: Cuts, heading: int, end: int) -> None:
    """Under the title: up to three short names between lines of the page, such as the account that published it."""
    for run in _runs(page, frozenset({Kind.SHORT})):
        if heading < run.start and run.stop <= end and len(run) <= 3 and run.start - 1 in cut and run.stop in cut:
            cut.update({i: "account" for i in run if page.chars(i) <= ACCOUNT_CHARS and i not in cut})


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
    return each.kind in (Kind.SHORT, Kind.ORNAMENT) and page.chars(i) <= ENCLOSED_CHARS and not _SIGNED.match(each.text)


def _menu(page: Layout, cut: Cuts, end: int) -> None:
    """A menu at the top: names of a few letters, at least one in three of them known from other menus."""
    top = next((i for i in range(end) if page.lines[i].kind not in _NAMES or page.chars(i) > NAME_CHARS), end)
    known = sum(page.lines[i].kind in _WORDED for i in range(top))
    if top >= MIN_MENU and known * 3 >= top:
        cut.update({i: "menu" for i in range(top) if i not in cut})


def _contents(page: Layout, cut: Cuts) -> None:
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


def _repeats(page: Layout, cut: Cuts, heading: int | None) -> None:
    """The title once more, with the name of the site or without."""
    if heading is None:
        return
    title = page.lines[heading].text
    for i, each in enumerate(page.lines):
        if (
            i != heading
            and i not in cut
            and each.kind < Kind.PROSE
            and _names(each.text, title)
            and (i < heading or each.text == title)
        ):
            cut[i] = "repeated-title"


def _tail(page: Layout, cut: Cuts, body: range) -> None:
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


def _goes(page: Layout, i: int, listed: frozenset[int]) -> bool:
    each = page.lines[i]
    if each.kind is Kind.NUMBERED:
        return i in listed
    return each.kind < Kind.NUMBERED or (
        each.kind is Kind.PROSE and (_is_teaser(page, i, listed) or _is_among_links(page, i, listed))
    )


def _is_teaser(page: Layout, i: int, listed: frozenset[int]) -> bool:
    """Prose that is cut off, or dated in a list of links."""
    if page.chars(i) > TEASER_CHARS:
        return False
    text = page.lines[i].text
    return bool(_CUT_SHORT.search(text)) or (i in listed and bool(_DATED.search(text) or Kind.STAMP in _beside(page, i)))


def _is_among_links(page: Layout, i: int, listed: frozenset[int]) -> bool:
    return i in listed and page.chars(i) <= TEASER_CHARS and bool(_beside(page, i) & {Kind.SHORT, Kind.BYLINE})


def _beside(page: Layout, i: int) -> set[Kind]:
    return {page.lines[j].kind for j in (i - 1, i + 1) if 0 <= j < len(page)}


def _tail_start(page: Layout, cut: Cuts, body: range, listed: frozenset[int]) -> int:
    """Where the article has ended: the first end mark behind which there is little prose, and none of it but teasers."""
    before = sum(
        page.chars(i) for i in body if page.lines[i].kind >= Kind.PROSE and i not in cut and not _is_teaser(page, i, listed)
    )
    after, start, run = 0, len(page), 0
    for i in range(len(page) - 1, body.start, -1):
        is_text = page.lines[i].kind >= Kind.PROSE and i not in cut and not _is_teaser(page, i, listed)
        run = run + 1 if is_text else 0
        if (is_text and page.lines[i].kind is Kind.LAW) or run > 2:
            break
        after += page.chars(i) * is_text
        if i in cut and page.lines[i].rule in _ENDS and after <= TAIL_PROSE_SHARE * (before - after):
            start = i
    return _with_buttons(page, start, body)


def _with_buttons(page: Layout, start: int, body: range) -> int:
    """The end mark, or a button up to four short lines above it."""
    for i in range(start - 1, max(start - 5, body.start), -1):
        if page.lines[i].kind > Kind.SHORT or _SIGNED.match(page.lines[i].text):
            break
        if page.lines[i].kind is Kind.WEAK:
            start = i
    return start


def _linked(page: Layout, cut: Cuts, start: int) -> None:
    """Cuts a list of links inside the article that begins at `start`: up to 15 short lines which a line of the page ends."""
    end = start
    while end < min(len(page), start + 15) and end not in cut and page.lines[end].kind in (Kind.SHORT, Kind.STAMP, Kind.NUMBERED):
        end += 1
    if start < end < len(page) and end in cut:
        cut.update({i: "link" for i in range(start, end)})


def _site(page: Layout, cut: Cuts, frequent: frozenset[int]) -> None:
    """What the site repeats goes where it stands beside lines that are cut."""
    for order in (range(1, len(page)), range(len(page) - 2, -1, -1)):
        step = 1 if order.step < 0 else -1
        for i in order:
            if i in frequent and i not in cut and i + step in cut and page.lines[i].kind is not Kind.LAW:
                cut[i] = "site-line"
