"""What the lines of a page tell about its text: date, source, author, licence, as pieces with a label.

Owns the division of a line that is cut into values and the rest. Knows nothing about which lines are cut. Invariant: the pieces
of a line are disjoint and in order, and cover it; a reason names the rule, never the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from touyan.core.document import Span
from touyan.corpus.boilerplate.patterns import ITEM

BOILERPLATE = "boilerplate"
_TERMS = re.compile(r"版权|转载|授权|知识共享|著作权|copyright|licen[sc]e|©|icp|公网安备|许可证")
_LABELS = {"source": "meta.source", "author": "meta.author", "date": "meta.date", "title": "meta.title"}
TOLD = frozenset({"byline", "stamp", "licence", "notice"})
"""Rules of lines that tell something about the text."""


def spans_of(start: int, end: int, at: int, folded: str, rule: str) -> Iterator[Span]:
    """The edits that cut [start, end) of a text, where a line begins at `at` that reads `folded`."""
    if rule in ("licence", "notice") and _TERMS.search(folded):
        yield Span(start, end, "meta.licence", rule, "")
        return
    for label, left, right in _values(folded) if rule in TOLD else ():
        if start < at + left:
            yield Span(start, at + left, BOILERPLATE, rule, "")
        yield Span(at + left, at + right, label, rule, "")
        start = at + right
    if start < end:
        yield Span(start, end, BOILERPLATE, rule, "")


def _values(folded: str) -> Iterator[tuple[str, int, int]]:
    """The values in a folded line: label, start, end."""
    for match in ITEM.finditer(folded):
        if match["moment"]:
            yield "meta.date", *match.span("moment")
        elif match["name"]:
            yield "meta.author", *match.span("name")
        elif match["value"]:
            told = next((label for name, label in _LABELS.items() if match[name]), None)
            if told and (told != "meta.date" or match["value"][0].isdigit()):
                yield told, *match.span("value")
