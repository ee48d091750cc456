"""What one line of a page is, judged by the line alone: prose, a heading, a button, a byline, a footer.

Owns the patterns of lines and their order. Knows nothing about where a line stands. Invariant: `kind_of` is a function of the
folded line; only STRONG and LIST may be cut without looking at the neighbours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from touyan.corpus.boilerplate.byline import CREDIT, STAMP, STAMP_WITH_ORIGIN, is_byline
from touyan.corpus.boilerplate.footers import LICENCE, NOTICE, NOTICE_HINT
from touyan.corpus.boilerplate.lexicon import fold, lexicon
from touyan.corpus.boilerplate.patterns import (
    ADDRESS,
    ASSIGNED,
    CRUMBS,
    HINT,
    LABELLED,
    NEIGHBOUR,
    PAGER,
    PHOTO,
    PLACEHOLDER,
    PROMOTION,
    RELATED,
    SCRIPT,
    protected,
)

MAX_LINE_CHARS = 260
"""Longer lines are prose: the longest notices that sites print have about 200 characters."""
SAYING_CHARS = 80
"""The longest line that may consist of nothing but words of pages."""
PROSE_CHARS, CLAUSE_CHARS = 100, 45
"""A line as long as this is prose even where its last sentence is not ended; the second, where it has a comma."""
SURE_CHARS = 40
"""A longer sentence is prose at one look, where nothing in it hints at a notice."""
TITLE_CHARS = 40
"""A longer question is prose, a shorter one may be a title."""


class Kind(IntEnum):
    """Kinds of lines, from the page's own to the text's own."""

    BLANK = 0
    STRONG = 1
    """The page's, wherever it stands."""
    LIST = 2
    """The head of a list of links: the page's, and so is the list."""
    WEAK = 3
    """Words of buttons that are ordinary words too: the page's in the company of STRONG."""
    BYLINE = 4
    """Source, author, date with their labels, without a label that only pages have: as WEAK."""
    STAMP = 5
    """A date or a time and nothing else."""
    ORNAMENT = 6
    """Digits and marks without a letter: a counter, a pager, or a piece of a torn line."""
    SHORT = 7
    """A line without an end of a sentence: heading, signature, or the title of another article."""
    NUMBERED = 8
    """An item of a list, an attachment, a bullet, a question: text, unless a list of links stands above."""
    PROSE = 9
    """Sentences."""
    LAW = 10
    """Articles, chapters, numbered headings: never cut for its neighbours."""


PAGE_KINDS = frozenset({Kind.STRONG, Kind.LIST, Kind.WEAK, Kind.BYLINE, Kind.STAMP, Kind.ORNAMENT})


@dataclass(frozen=True, slots=True)
class Line:
    """What a line is, and the rule that says so."""

    kind: Kind
    rule: str
    text: str
    """Folded; empty where the line is surely the text's, and nobody asks."""


_Found = tuple[Kind, str]
_LAW, _NUMBERED, _PROSE = Line(Kind.LAW, "law", ""), Line(Kind.NUMBERED, "numbered", ""), Line(Kind.PROSE, "prose", "")
_SENTENCE_ENDS, _TRUNCATED_ENDS = frozenset("。；;"), frozenset("….")
_END = re.compile(r"[。!?;…]['\"”’」』)\]]*$")
_QUESTION = re.compile(r"[!?]+$")
_BUTTON = re.compile(r"\[[^\]]*\](?:\s*\[[^\]]*\])*")
_BULLET = re.compile(r"[-*•]\s+")
_MISREAD = re.compile(r"[\u0080-\u00ff]{3}")  # UTF-8 read as cp1252 is full of » and ©, which say nothing then
_SPACED = re.compile(r"(?:\S ){3,}\S")
_Rules = tuple[tuple[re.Pattern[str], str], ...]
_CHEAP: _Rules = ((NEIGHBOUR, "neighbour"), (PAGER, "pager"), (PROMOTION, "promotion"), (CREDIT, "byline"))
_FIRST = frozenset(
    "[(<«‹←阅上下前后正共第首尾末更想欲获查了欢敬请长扫点打下搜关来稿转微公在返热报爆新投您纠责¥￥$7七ipu0123456789."
)
"""How the cheap patterns begin."""
_RARE: _Rules = (
    (PLACEHOLDER, "template"),
    (LICENCE, "licence"),
    (CRUMBS, "breadcrumb"),
    (NOTICE, "notice"),
    (PHOTO, "photo-credit"),
)
_ASCII: _Rules = (*_RARE[:2], (NOTICE, "notice"), (SCRIPT, "script"), *_CHEAP[:3])
_ASCII_HINTS = re.compile(
    r"[{%]|<\?|\(c\)|\[object| / |ads|copyr|cookie|document|ed by |function|_hmt|next|notice:|previous|quer"
    r"|retrieved|rights|uid|var |window"
)
_LATIN_HINTS = (
    "opyright",
    "ights reserved",
    "ookie",
    "{{",
    "${",
    "#{",
    "<%",
    "{%",
    "otice: ",
    "rocessed in",
    "ered by ",
    "document.",
    "window.",
    "(function",
)
_TELLING = re.compile(r"[\d:/|=]|前|刚|今|昨|编辑|责编|校对|审核|监制|摄影")


def kind_of(raw: str, also: tuple[str, ...] = ()) -> Line:
    """What a line without white space around it is."""
    shield = protected(raw)
    if shield:
        line = _LAW if shield.lastgroup == "law" else _behind_bullet(raw, also)
        return line if raw[-1] not in _TRUNCATED_ENDS else Line(line.kind, line.rule, raw)
    if len(raw) > MAX_LINE_CHARS:
        return _PROSE
    if len(raw) > SURE_CHARS and _is_sure(raw):
        return _PROSE
    return _remembered(raw, also)


def _is_sure(raw: str) -> bool:
    """Whether a long line is prose at one look: it ends its sentence or is Latin, and nothing in it hints at a notice."""
    if raw.isascii():
        return not any(word in raw for word in _LATIN_HINTS)
    return raw[-1] in _SENTENCE_ENDS and not NOTICE_HINT.search(raw)


def _behind_bullet(raw: str, also: tuple[str, ...]) -> Line:
    """Readers of HTML set bullets before the entries of menus too."""
    bullet = _BULLET.match(raw)
    item = _remembered(raw[bullet.end() :], also) if bullet and len(raw) <= SAYING_CHARS else _NUMBERED
    return Line(item.kind, item.rule, raw[: len(raw) - len(item.text)] + item.text) if item.kind in PAGE_KINDS else _NUMBERED


@lru_cache(maxsize=1 << 15)
def _remembered(raw: str, also: tuple[str, ...]) -> Line:
    """Sites repeat their lines, so that most answers are known."""
    line = fold(raw).strip()
    return Line(*_found(line, also), line)


def _found(line: str, also: tuple[str, ...]) -> _Found:
    if not line:
        return Kind.BLANK, "blank"
    if _MISREAD.search(line):
        return Kind.PROSE, "misread"
    if _SPACED.fullmatch(line):
        line = line.replace(" ", "")
    return _by_rule(line) or _by_words(line, also) or _by_length(line)


def _by_length(line: str) -> _Found:
    """Prose ends its sentence or is long; a title may end with a question."""
    is_long = len(line) > (CLAUSE_CHARS if "," in line else PROSE_CHARS)
    is_title = len(line) <= TITLE_CHARS and _QUESTION.search(line)
    return (Kind.PROSE, "prose") if is_long or (_END.search(line) and not is_title) else (Kind.SHORT, "short")


def _by_rule(line: str) -> _Found | None:
    for pattern, rule in _rules_for(line):
        if pattern.match(line):
            return Kind.STRONG, rule
    if RELATED.match(line):
        return Kind.LIST, "list"
    return _by_value(line) if _TELLING.search(line) else None


def _rules_for(line: str) -> _Rules:
    """The patterns that a look at the line does not rule out."""
    if line.isascii():
        return _ASCII if _ASCII_HINTS.search(line) else ()
    if HINT.search(line):
        return (*_CHEAP, *_RARE, (SCRIPT, "script"))
    return _CHEAP if line[0] in _FIRST else ()


def _by_value(line: str) -> _Found | None:
    """A line with a date, a label or an address."""
    if STAMP_WITH_ORIGIN.match(line):
        return Kind.STRONG, "stamp"
    if ASSIGNED.match(line):
        return Kind.WEAK, "script"
    if LABELLED.match(line):
        return Kind.WEAK, "label"
    if ADDRESS.match(line):
        return Kind.ORNAMENT, "address"
    if STAMP.fullmatch(line):
        return Kind.STAMP, "stamp"
    only_pages = is_byline(line)
    return None if only_pages is None else (Kind.STRONG if only_pages else Kind.BYLINE, "byline")


_SOCIAL = re.compile(
    r"点个赞|公众号|朋友圈|分享|二维码|扫一扫|扫码|蓝字|全文|加载|好友|客户端|app|评论|点赞|在看|红包|登录|登入|浏览器|cookie|javascript"
)


def _by_words(line: str, also: tuple[str, ...]) -> _Found | None:
    """A line that is nothing but words of pages."""
    if len(line) > SAYING_CHARS:
        return None
    kinds = lexicon(also).kinds(line)
    if kinds is None:
        return (Kind.STRONG, "menu") if _is_menu(line, also) else None
    if all(kind == "unit" for kind in kinds):
        return Kind.ORNAMENT, "ornament"
    if "list" in kinds and "stem" not in kinds and "glue" not in kinds:
        return Kind.LIST, "list"
    if "strong" in kinds:
        return Kind.STRONG, "words"
    if all(kind in ("weak", "unit") for kind in kinds):
        return Kind.WEAK, "button" if _BUTTON.fullmatch(line) else "words"
    stems = sum(kind not in ("glue", "unit", "quoted") for kind in kinds)
    is_social = _SOCIAL.search(line) is not None
    return ((Kind.STRONG if stems >= 3 and is_social else Kind.WEAK), "saying") if stems + is_social >= 2 else None


_BETWEEN = re.compile(r"[\s|·•/>»]+")
_MENU = re.compile(r"[^\s|·•/>»,、]{0,10}(?:[\s|·•/>»]+[^\s|·•/>»,、]{1,10}){2,}[\s|·•/>»]*")


def _is_menu(line: str, also: tuple[str, ...]) -> bool:
    """Several short names side by side, of which at least two and at least half are words of pages."""
    if line.isascii() or not _MENU.fullmatch(line):
        return False
    names = [name for name in _BETWEEN.split(line) if name]
    told = sum(1 for name in names if _is_plain(lexicon(also).kinds(name)))
    return told >= 2 and told * 2 >= len(names)


def _is_plain(kinds: list[str] | None) -> bool:
    return bool(kinds) and not {"stem", "glue", "unit", "quoted"}.intersection(kinds or ())
