"""A document divided into lines: where they begin and end, and what each one is.

Owns the gate that tells pages from plain texts, the division, and pages that were flattened into one line. Knows nothing about
what is cut. Invariant: segments are in order, disjoint and not blank; what lies between them is white space.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from touyan.corpus.boilerplate.lexicon import fold
from touyan.corpus.boilerplate.lines import PAGE_KINDS, Kind, Line, kind_of

_ENDED = frozenset("。；;：，、")
"""A longer line that ends so is a sentence or an item of a law: nine lines in ten of a statute, and not worth another look."""
_SHORTEST = 8
_NOTICES = ("转载", "轉載", "侵权", "侵權", "仅供参考", "仅代表", "本站", "公众号")
"""Notices are sentences. A text without other traces of a page is one only where its last lines have one of these."""
_LAST_LINES = 6
FLAT_CHARS, FLAT_SPACES = 160, 12
_FLAT = re.compile(r"设为首页|加入收藏|返回顶部|版权所有|ICP备|当前位置|上一篇|责任编辑|打印本页|【打印】|公网安备|首页 |登录 |注册 ", re.IGNORECASE)
# A space after a colon or before a clock time divides nothing.
_GAP = re.compile(r"(?<![:：>])[ \t\u3000]+(?!\d\d:\d\d|>)")
_LINE = re.compile(r"[^\n]+")


@dataclass(frozen=True, slots=True)
class Segment:
    """A line, or a piece of a flattened one, without the white space around it."""

    start: int
    end: int
    text: str
    """Folded: see `touyan.corpus.boilerplate.lexicon.fold`."""
    line: Line

    @property
    def kind(self) -> Kind:
        return self.line.kind


def is_page(text: str, also: tuple[str, ...]) -> bool:
    """Whether some line is surely a page's, or three lines are buttons: one look at each line, and a longer one at few."""
    lines = text.split("\n")
    doubtful = [line for line in lines if line and (line[-1] not in _ENDED or len(line) < _SHORTEST)]
    buttons = 0
    for line in doubtful:
        if len(line) >= FLAT_CHARS:
            if _is_flat(line):
                return True
            continue
        kind = kind_of(fold(line).strip(), also).kind
        buttons += kind in PAGE_KINDS
        if kind in (Kind.STRONG, Kind.LIST) or buttons >= 3:
            return True
    return any(notice in text for notice in _NOTICES) and any(
        kind_of(fold(line).strip(), also).kind is Kind.STRONG for line in lines[-_LAST_LINES:]
    )


def segments(text: str, also: tuple[str, ...]) -> list[Segment]:
    """The segments of a document. Between fences of code nothing is a page's."""
    found: list[Segment] = []
    in_code = False
    for start, end in _pieces(text):
        folded = fold(text[start:end])
        line = kind_of(folded, also)
        fence = folded.startswith("```")
        in_code ^= fence
        found.append(Segment(start, end, folded, Line(Kind.LAW, "code") if in_code or fence else line))
    return found


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    for match in _LINE.finditer(text):
        line = match.group()
        base = match.start()
        gaps = [gap.span() for gap in _GAP.finditer(line)] if _is_flat(line) else []
        start = 0
        for left, right in [*gaps, (len(line), len(line))]:
            piece = line[start:left]
            bare = piece.strip()
            if bare:
                begin = base + start + piece.index(bare)
                yield begin, begin + len(bare)
            start = right


def _is_flat(line: str) -> bool:
    """A page whose line ends were lost: long, full of spaces, with words that only pages have."""
    return len(line) >= FLAT_CHARS and line.count(" ") >= FLAT_SPACES and _FLAT.search(line) is not None
