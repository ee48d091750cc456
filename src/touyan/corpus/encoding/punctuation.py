"""The operator `punctuation`: half-width marks between Chinese become full-width, as GB/T 15834 writes them.

Owns the rules for , : ; ! ? ( ). Knows nothing about damage of bytes. Invariant: a mark that belongs to a number, a time, an
address, code or Latin text is never touched; the text keeps its length, and a second pass changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from touyan.core.document import Span
from touyan.corpus.operator import DocumentBatch, Marks
from touyan.corpus.signs import sign, signs

_FULL = {half: full for half, full in zip(",:;!?()", "，：；！？（）", strict=True)}
_HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_BEFORE = f"{_HAN}”’》〉」』】）、。％"
_AFTER = f"{_HAN}“‘《〈「『【（〔"
# A mark after Chinese, and before Chinese or the end of the line. A comma or colon before a digit or a word is Chinese too:
# 电话:110, 共3项,其中. After a number only where Chinese follows. The mark stands first: what `re` searches for fastest.
_MARK = re.compile(
    rf"[,:;!?](?:(?<=[{_BEFORE}].)(?=[{_AFTER}]|[ \t]*(?:\n|\Z))|(?<=[{_BEFORE}][,;:])(?= ?[0-9A-Za-z{_AFTER}])(?!//)"
    rf"|(?<=[0-9A-Za-z%℃)][,;])(?=[{_AFTER}]))"
)
_BRACKETS = re.compile(rf"\((?<![A-Za-z0-9_\]=+*/].)[^()\n]{{0,200}}?[{_HAN}][^()\n]{{0,200}}\)")
_MARKS, _OPENS = sign("[,:;!?]"), sign("[(]")
_NOT_CHINESE = re.compile(rf"[^{_HAN}]+")
_LATIN = re.compile("[A-Za-z]")
_NOT_LATIN = re.compile(r"[^A-Za-z]+")
_MIN_HAN_SHARE = 0.3
"""Han characters per letter from which a line counts as Chinese; code with Chinese strings in it has fewer."""


@dataclass(frozen=True, slots=True)
class Punctuation:
    """Widens half-width marks in lines that are mostly Chinese."""

    name: ClassVar[str] = "punctuation"
    version: ClassVar[str] = "1"

    min_han_share: float = _MIN_HAN_SHARE

    def judge(self, batch: DocumentBatch) -> Marks:
        """One edit labelled 'half-width' for each mark."""
        seen = enumerate(zip(batch.texts, signs(batch.texts), strict=True))
        found = {row: tuple(self._edits(text, bits)) for row, (text, bits) in seen if bits & (_MARKS | _OPENS)}
        return Marks(spans={row: edits for row, edits in found.items() if edits})

    def _edits(self, text: str, seen: int) -> Iterator[Span]:
        places = {match.start() for match in _MARK.finditer(text)} if seen & _MARKS else set()
        for match in _BRACKETS.finditer(text) if seen & _OPENS else ():
            places |= {match.start(), match.end() - 1}
        end, is_chinese = -1, False
        for place in sorted(places):
            if place >= end:
                start, end = text.rfind("\n", 0, place) + 1, text.find("\n", place) % (len(text) + 1)
                is_chinese = self._is_chinese(text[start:end])
            if is_chinese:
                yield Span(place, place + 1, "half-width", "a half-width mark in Chinese text (GB/T 15834)", _FULL[text[place]])

    def _is_chinese(self, line: str) -> bool:
        if not _LATIN.search(line):
            return True
        n_han, n_latin = len(_NOT_CHINESE.sub("", line)), len(_NOT_LATIN.sub("", line))
        return n_han >= self.min_han_share * (n_han + n_latin)
