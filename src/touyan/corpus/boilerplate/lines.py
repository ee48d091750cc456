"""What one line of a page is, judged by the line alone: prose, a heading, a button, a byline, a footer.

Owns the patterns of lines and their order. Knows nothing about where a line stands. Invariant: `kind_of` is a function of the
folded line; only STRONG and LIST may be cut without looking at the neighbours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from touyan.corpus.boilerplate.lexicon import lexicon
from touyan.corpus.boilerplate.patterns import (
    BYLINE, CREDIT, CRUMBS, LICENCE, NEIGHBOUR, NOTICE, PAGER, PHOTO, PLACEHOLDER, PROMOTION, PROTECTED, RELATED, SCRIPT, STAMP,
    STRONG_LABEL, WEAK_LABEL,
)  # fmt: skip

MAX_LINE_CHARS = 260
"""Longer lines are prose: the longest notices of copyright that sites print have about 200 characters."""
PROSE_CHARS = 60
"""A line as long as this is prose even where its last sentence is not ended."""


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
    SHORT = 6
    """A line without an end of a sentence: heading, signature, or the title of another article."""
    NUMBERED = 7
    """An item of a list, an attachment, a bullet, a question: text, unless a list of links stands above."""
    PROSE = 8
    """Sentences."""
    LAW = 9
    """Articles, chapters, numbered headings: never cut for its neighbours."""


PAGE_KINDS = frozenset({Kind.STRONG, Kind.LIST, Kind.WEAK, Kind.BYLINE, Kind.STAMP})


@dataclass(frozen=True, slots=True)
class Line:
    """What a line is, and the rule that says so."""

    kind: Kind
    rule: str


_BLANK, _SHORT, _PROSE = Line(Kind.BLANK, "blank"), Line(Kind.SHORT, "short"), Line(Kind.PROSE, "prose")
_LAW, _NUMBERED = Line(Kind.LAW, "law"), Line(Kind.NUMBERED, "numbered")
_END = re.compile(r"[。!?;…]['\"”’」』)\]]*$")
_SPACED = re.compile(r"(?:\S ){3,}\S")
_RULES = (
    (PLACEHOLDER, Kind.STRONG, "template"), (LICENCE, Kind.STRONG, "licence"), (CRUMBS, Kind.STRONG, "breadcrumb"),
    (NEIGHBOUR, Kind.STRONG, "neighbour"), (PAGER, Kind.STRONG, "pager"), (NOTICE, Kind.STRONG, "notice"),
    (PHOTO, Kind.STRONG, "photo-credit"), (PROMOTION, Kind.STRONG, "promotion"), (SCRIPT, Kind.STRONG, "script"),
    (CREDIT, Kind.STRONG, "byline"), (RELATED, Kind.LIST, "list"),
)  # fmt: skip


@lru_cache(maxsize=1 << 16)
def kind_of(line: str, also: tuple[str, ...] = ()) -> Line:
    """What a folded, stripped line is. Sites repeat their lines, so most answers are remembered."""
    if not line:
        return _BLANK
    if len(line) > MAX_LINE_CHARS:
        return _PROSE
    protected = PROTECTED.match(line)
    if protected:
        return _LAW if protected.lastgroup == "law" else _NUMBERED
    if _SPACED.fullmatch(line):
        line = line.replace(" ", "")
    return _by_rule(line) or _by_words(line, also) or (_PROSE if _END.search(line) or len(line) > PROSE_CHARS else _SHORT)


def _by_rule(line: str) -> Line | None:
    for pattern, kind, rule in _RULES:
        if pattern.match(line):
            return Line(kind, rule)
    if STAMP.fullmatch(line):
        return Line(Kind.STAMP, "stamp")
    if BYLINE.fullmatch(line) and (STRONG_LABEL.search(line) or WEAK_LABEL.search(line)):
        return Line(Kind.STRONG if STRONG_LABEL.search(line) else Kind.BYLINE, "byline")
    return None


_SOCIAL = re.compile(r"公众号|朋友圈|分享|二维码|扫一扫|扫码|蓝字|全文|加载|好友|客户端|app|评论|点赞|在看|红包|登录|登入|浏览器|cookie|javascript")


def _by_words(line: str, also: tuple[str, ...]) -> Line | None:
    """A line that is nothing but words of pages."""
    kinds = lexicon(also).kinds(line)
    if kinds is None:
        return _menu(line, also)
    if not kinds:
        return Line(Kind.WEAK, "ornament")
    if "list" in kinds and "stem" not in kinds and "glue" not in kinds:
        return Line(Kind.LIST, "list")
    if "strong" in kinds:
        return Line(Kind.STRONG, "words")
    if all(kind == "weak" for kind in kinds):
        return Line(Kind.WEAK, "words")
    stems = len(kinds) - kinds.count("glue") - kinds.count("quoted")
    if stems >= 2:
        return Line(Kind.STRONG if stems >= 3 and _SOCIAL.search(line) else Kind.WEAK, "saying")
    return None


def _menu(line: str, also: tuple[str, ...]) -> Line | None:
    """Several short names side by side, of which at least half are words of pages."""
    names = [name for name in re.split(r"[\s|·•/>»]+", line) if name]
    if len(names) < 3 or max(map(len, names)) > 10:
        return None
    known = [lexicon(also).kinds(name) for name in names]
    told = sum(1 for kinds in known if kinds and not {"stem", "glue", "quoted"}.intersection(kinds))
    return Line(Kind.STRONG, "menu") if told * 2 >= len(names) and told >= 2 else None
