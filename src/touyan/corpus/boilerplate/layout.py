"""A document divided into lines: where they begin and end, and what each one is.

Owns the gate that tells pages from plain texts, the division, and pages that were flattened into one line. Knows nothing about
what is cut. Invariant: lines are in order, disjoint and not blank; what lies between them is white space.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from touyan.corpus.boilerplate.lines import PAGE_KINDS, Kind, Line, kind_of

_BEGUN, _ENDED = frozenset("#第"), frozenset("。；;：，、.,”")
"""A longer line that begins or ends so is a heading, a sentence or an item: in statutes 19 lines in 20, and not worth another look."""
_SHORTEST = 8
_NOTICES = ("转载", "轉載", "侵权", "侵權", "仅供参考", "仅代表", "本站", "公众号", "ights reserved")
"""Notices are sentences. A text without other traces of a page is one only where its last lines have one of these."""
MIN_TRACES = 3
_TRACES = frozenset({Kind.WEAK, Kind.BYLINE, Kind.STAMP})
_LAST_LINES, _LAST_CHARS = 6, 600
FLAT_CHARS, FLAT_SPACES, FLAT_TRACES = 160, 12, 2
"""A line of so many characters and spaces, of which so many pieces are surely a page's, is a page whose line ends were lost."""
# A space between Latin words, after a colon or before a clock time divides nothing.
_GAP = re.compile(r"(?:(?<=[^\x00-\x7f])(?<![：])[ \t\u3000]+(?!\d\d:\d\d|>)|(?<![:>])[ \t\u3000]+(?=[^\x00-\x7f]))")

_CODE = Line(Kind.LAW, "code", "")


@dataclass(frozen=True, slots=True)
class Layout:
    """The lines of a document, or the pieces of a flattened one, without the white space around them: three lists side by side."""

    starts: list[int]
    ends: list[int]
    lines: list[Line]

    def __len__(self) -> int:
        return len(self.lines)

    def chars(self, i: int) -> int:
        return self.ends[i] - self.starts[i]

    def runs(self, kinds: frozenset[Kind]) -> Iterator[range]:
        """Maximal runs of lines of these kinds."""
        at = 0
        for is_one, run in groupby(line.kind in kinds for line in self.lines):
            n = sum(1 for _ in run)
            if is_one:
                yield range(at, at + n)
            at += n


Cuts = dict[int, str]
"""Number of a line -> the rule that cuts it."""
WORDED = PAGE_KINDS - {Kind.ORNAMENT}
SIGNED = re.compile(r"[〇零一二三四五六七八九十\d]{2,4} ?年.{2,6}日$")
"""The day under a signature."""


def is_page(text: str, also: tuple[str, ...]) -> bool:
    """Whether some line is surely a page's, or three lines are buttons or dates: one look at each line, and a longer one at few."""
    every = text.split("\n")
    lines = [line for line in every if line and (line[-1] not in _ENDED or len(line) < _SHORTEST)]
    traces = 0
    for line in lines:
        if line[0] in _BEGUN and len(line) >= _SHORTEST:
            continue
        kind = kind_of(line, also).kind
        traces += kind in _TRACES
        if kind in (Kind.STRONG, Kind.LIST) or traces >= MIN_TRACES:
            return True
    if any(_is_flat(line, also) for line in every if len(line) >= FLAT_CHARS):
        return True
    last = text[-_LAST_CHARS:]
    lines = last.split("\n")[-_LAST_LINES:] if any(word in last for word in _NOTICES) else []
    return any(kind_of(line, also).kind is Kind.STRONG for line in lines)


def layout(text: str, also: tuple[str, ...]) -> Layout:
    """The lines of a document. Between fences of code nothing is a page's."""
    starts: list[int] = []
    ends: list[int] = []
    lines: list[Line] = []
    in_code = False
    for start, piece in _pieces(text, also):
        line = kind_of(piece, also)
        in_code ^= piece[0] == "`" and piece.startswith("```")
        lines.append(_CODE if in_code else line)
        starts.append(start)
        ends.append(start + len(piece))
    return Layout(starts, ends, lines)


def _pieces(text: str, also: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, and where they begin."""
    base = 0
    for line in text.split("\n"):
        bare = line.strip()
        if bare:
            start = base + (line.index(bare) if bare is not line else 0)
            if _is_flat(bare, also):
                yield from _divided(start, bare)
            else:
                yield start, bare
        base += len(line) + 1


def _divided(base: int, line: str) -> Iterator[tuple[int, str]]:
    start = 0
    for gap in _GAP.finditer(line):
        if start < gap.start():
            yield base + start, line[start : gap.start()]
        start = gap.end()
    if start < len(line):
        yield base + start, line[start:]


def _is_flat(line: str, also: tuple[str, ...]) -> bool:
    if len(line) < FLAT_CHARS or line.count(" ") < FLAT_SPACES or line.isascii():
        return False
    kinds = [kind_of(piece, also).kind for _, piece in _divided(0, line)]
    return kinds.count(Kind.STRONG) + kinds.count(Kind.LIST) >= FLAT_TRACES
