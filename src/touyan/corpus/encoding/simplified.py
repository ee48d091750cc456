"""The operator `simplified`: traditional text becomes simplified, by phrases, with 著/着 told apart.

Owns when a text counts as traditional and what OpenCC's table leaves open. Knows nothing about damage. Invariant: every edit
is one run of characters and keeps its length; a simplified text is only counted, and a second pass changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from touyan.core.document import Span, Verdict
from touyan.corpus.encoding.characters import simplified_forms, traditional_forms
from touyan.corpus.operator import DocumentBatch, Marks
from touyan.corpus.signs import sign, signs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SCRIPTS = _TRADITIONAL, _SIMPLIFIED = 1, 2
_MIN_TRADITIONAL, _MIXED_SHARE = 2, 0.1
"""Traditional characters that a line of another script may quote; the lesser script's share from which a document is mixed."""
# OpenCC leaves 著 to be decided by a phrase, and takes 處於潛伏 for the town of 於潛.
_WRITING = re.compile("(?<=[专论原拙遗名巨译编合所撰显卓昭土新旧执])著|著(?=[作名述称者有录书文])")
_AT = re.compile("於(?!潜[镇县])")


@dataclass(frozen=True, slots=True)
class Simplified:
    """Simplifies lines in traditional characters. With `keep`, nothing is changed and mixed documents are still flagged."""

    name: ClassVar[str] = "simplified"
    version: ClassVar[str] = "1"

    keep: bool = False

    def judge(self, batch: DocumentBatch) -> Marks:
        """Edits labelled 'traditional', one for each changed run; flag 'mixed-script' where a document is in both scripts."""
        spans: dict[int, Sequence[Span]] = {}
        verdicts: dict[int, Verdict] = {}
        asked = _sign()  # before the look, which answers what it was asked
        for row, (text, seen) in enumerate(zip(batch.texts, signs(batch.texts), strict=True)):
            if not seen & asked:
                continue
            scripts = _scripts_of(text)
            n_traditional, n_simplified = _counts(scripts)
            if not n_traditional:
                continue
            edits = () if self.keep else tuple(_edits(text, scripts))
            if edits:
                spans[row] = edits
            share = min(n_traditional, n_simplified) / (n_traditional + n_simplified)
            if share >= _MIXED_SHARE:
                verdicts[row] = Verdict("flag", "mixed-script", share)
        return Marks(spans, verdicts)


def _edits(text: str, scripts: NDArray[np.uint8]) -> Iterator[Span]:
    n_traditional, n_simplified = _counts(scripts)
    simple = _converted(text) if n_traditional > n_simplified else _converted_lines(text, scripts)
    for start, end in _changed(text, simple):
        yield Span(start, end, "traditional", "traditional characters, simplified by phrases", simple[start:end])


def _converted_lines(text: str, scripts: NDArray[np.uint8]) -> str:
    """The traditional lines of a document that is not; a name or a quoted word does not make a line so."""
    import numpy as np

    lines = text.split("\n")
    starts = np.cumsum([0, *(len(line) + 1 for line in lines[:-1])])
    ended = np.append(scripts, 0)  # the last line may be empty
    n_traditional, n_simplified = (np.add.reduceat(ended == script, starts, dtype=np.int32) for script in _SCRIPTS)
    for i in np.flatnonzero((n_traditional >= _MIN_TRADITIONAL) & (n_traditional > n_simplified)).tolist():
        lines[i] = _converted(lines[i])
    return "\n".join(lines)


def _scripts_of(text: str) -> NDArray[np.uint8]:
    """Of each character which of _SCRIPTS alone has it, or 0."""
    import numpy as np

    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    return np.take(_table(), points, mode="clip")


def _counts(scripts: NDArray[np.uint8]) -> tuple[int, int]:
    """Characters that only the traditional, and that only the simplified script has."""
    import numpy as np

    counts = np.bincount(scripts, minlength=len(_SCRIPTS) + 1).tolist()
    return counts[_TRADITIONAL], counts[_SIMPLIFIED]


def _converted(text: str) -> str:
    """The text by phrases; 著 where it is no writing becomes 着, 於 where it is no town becomes 于."""
    simple: str = _opencc().convert(text)
    if len(simple) != len(text):  # a phrase of another length: its line falls back to characters, which the edits can follow
        if "\n" in text:
            return "\n".join(map(_converted, text.split("\n")))
        simple = "".join(simplified_forms().get(c, c) for c in text)
    simple = _AT.sub("于", simple)
    if "著" not in simple:
        return simple
    written = {match.start() for match in _WRITING.finditer(simple)}
    return "".join("着" if c == "著" and i not in written else c for i, c in enumerate(simple))


def _changed(before: str, after: str) -> Iterator[tuple[int, int]]:
    """The runs in which two strings of one length differ."""
    import numpy as np

    one, other = (np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4") for text in (before, after))
    places = np.flatnonzero(one != other)
    is_apart = np.diff(places) > 1
    starts, ends = places[np.append(True, is_apart)[: len(places)]], places[np.append(is_apart, True)[: len(places)]] + 1
    return zip(starts.tolist(), ends.tolist(), strict=True)


@cache
def _opencc() -> Any:
    import opencc

    return opencc.OpenCC("t2s")


@cache
def _sign() -> int:
    return sign(f"[{''.join(_only_traditional())}]")


@cache
def _table() -> NDArray[np.uint8]:
    """The script of each code point of the first plane; the last place is for whatever lies beyond."""
    import numpy as np

    table = np.zeros(0x10001, dtype=np.uint8)
    for script, characters in zip(_SCRIPTS, (_only_traditional(), _only_simplified()), strict=True):
        table[list(map(ord, characters))] = script
    return table


@cache
def _only_traditional() -> list[str]:
    """They change, and nothing else becomes them: the standard of 1980 has the simplified forms alone."""
    return sorted(c for c in simplified_forms() if not c.encode("gb2312", "ignore"))


@cache
def _only_simplified() -> list[str]:
    traditional = set(traditional_forms().values())
    return sorted(c for c in traditional_forms() if c not in traditional and not c.encode("big5", "ignore"))
